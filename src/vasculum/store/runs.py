"""Run files `runs/RUN.json`: history, `status` and lock in one small file a run.

No right result rests on them. They only spare work: a run that finds an older live run of its verb says so and stops.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import platform
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from vasculum.errors import StoreError
from vasculum.store.folder import Folder
from vasculum.store.names import next_run

HEARTBEAT_SECONDS = 20.0
DEAD_AFTER_SECONDS = 120.0
FORGOTTEN_AFTER_SECONDS = 24 * 3600.0

_HELD: set[tuple[str, str]] = set()
"""Folder and name of the runs that this very process holds now."""

DATA_FOLDERS = ("runs", "manifest", "images", "bytes", "results", "blobs", "history", "rejects")


class BusyError(StoreError):
    """Another live run of the same verb is at work here."""


@dataclasses.dataclass
class Run:
    """One run of one verb, from its start to its end."""

    folder: Folder
    name: str
    verb: str
    content: dict[str, Any]
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @property
    def file(self) -> str:
        """Name of the run file in its folder."""
        return f"runs/{self.name}.json"

    def progress(self, counts: Mapping[str, Any]) -> None:
        """Note how far the run is; written with the next heartbeat."""
        with self._lock:
            self.content["progress"] = dict(counts)

    def save(self) -> None:
        """Write the run file anew, with a fresh heartbeat."""
        with self._lock:
            self.content["heartbeat"] = now_text()
            self.folder.write_json(self.file, self.content)


def now_text() -> str:
    """Return the present time, UTC, ISO 8601, in seconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def running(folder: Folder, verb: str, parameters: Mapping[str, Any], *, part: str = "") -> Iterator[Run]:
    """Hold a run of `verb` for the length of the block: its file, its heartbeat, its end.

    Raises BusyError where an older live run of the same verb and part is at work in this folder.
    """
    names = [name for sub in DATA_FOLDERS for name in folder.names(sub, "")]
    process = psutil.Process()
    run = Run(folder, next_run(names), verb, {
        "verb": verb, "part": part, "parameters": dict(parameters), "started": now_text(), "heartbeat": now_text(),
        "host": socket.gethostname(), "boot": _boot(), "pid": process.pid, "process_started": process.create_time(),
        "command": sys.argv, "versions": versions(), "progress": {}, "ended": None, "end": None,
    })  # fmt: skip
    held = (str(folder.path.resolve()), run.name)
    _HELD.add(held)
    try:
        yield from _hold(run, verb, part)
    finally:
        _HELD.discard(held)


def _hold(run: Run, verb: str, part: str) -> Iterator[Run]:
    folder = run.folder
    run.save()
    for other, content in live(folder, verb, part):
        if other < run.name:
            folder.delete([run.file])
            raise BusyError(
                f"{folder.path}: another `{verb}` is at work here (run {other}, process {content.get('pid')} on "
                f"{content.get('host')}, since {content.get('started')}). Let it finish, or stop it; nothing was done."
            )
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(run, stop), daemon=True, name=f"heartbeat-{run.name}")
    beat.start()
    end = "failed"
    try:
        yield run
        end = "done"
    except KeyboardInterrupt:
        end = "interrupted"
        raise
    finally:
        stop.set()
        beat.join()
        run.content.update(ended=now_text(), end=end)
        if end == "done":
            run.save()
        else:
            with contextlib.suppress(StoreError):  # the first error is the one to tell
                run.save()


def _beat(run: Run, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_SECONDS):
        with contextlib.suppress(StoreError):  # a missed beat is no reason to stop working
            run.save()


def live(folder: Folder, verb: str | None = None, part: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return name and content of every run that is still at work, oldest first."""
    found = []
    for name, content in history(folder):
        wanted = (verb is None or content.get("verb") == verb) and (part is None or content.get("part") == part)
        if wanted and not content.get("ended") and _alive(folder, name, content):
            found.append((name, content))
    return found


def history(folder: Folder) -> list[tuple[str, dict[str, Any]]]:
    """Return name and content of every run, oldest first. A run file that cannot be read is passed over."""
    found = []
    for name in folder.names("runs", ".json"):
        with contextlib.suppress(StoreError):
            content = folder.read_json(name)
            if content is not None:
                found.append((Path(name).stem, content))
    return found


def over(folder: Folder) -> set[str]:
    """Return the runs that can write nothing more: ended, or their process is known to be dead, or silent for a day."""
    return {name for name, content in history(folder) if content.get("ended") or not _may_wake(folder, name, content)}


def _may_wake(folder: Folder, name: str, content: Mapping[str, Any]) -> bool:
    here = content.get("host") == socket.gethostname() and content.get("boot") == _boot()
    return _alive(folder, name, content) if here else _silence(folder, name) < FORGOTTEN_AFTER_SECONDS


def _alive(folder: Folder, name: str, content: Mapping[str, Any]) -> bool:
    if content.get("host") == socket.gethostname() and content.get("boot") == _boot():
        try:
            process = psutil.Process(int(content["pid"]))
            if abs(float(process.create_time()) - float(content["process_started"])) >= 2:
                return False
            if process.pid == os.getpid():  # a process outlives its runs, even those whose end could not be written
                return (str(folder.path.resolve()), name) in _HELD
            return bool(process.status() != psutil.STATUS_ZOMBIE)
        except (psutil.Error, KeyError, TypeError, ValueError):
            return False
    return _silence(folder, name) < DEAD_AFTER_SECONDS


def _silence(folder: Folder, name: str) -> float:
    """Seconds since a run's last heartbeat, by the store's own clock, which stamps all run files."""
    try:
        beat = folder.file(f"runs/{name}.json").stat().st_mtime
        return max(folder.file(other).stat().st_mtime for other in folder.names("runs", ".json")) - beat
    except (OSError, ValueError):
        return float("inf")


def _boot() -> str:
    """Return what, beside the host's name, says whose numbers of processes are meant: the boot and the container."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return str(round(psutil.boot_time()))


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
    }
    for name in ("vasculum", "numpy", "pillow", "simplejpeg", "pyarrow", "duckdb", "onnxruntime"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def writable(path: Path) -> bool:
    """Return whether files can be made in a folder (or in the nearest one above it that exists)."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK)
