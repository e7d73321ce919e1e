"""Running a command and measuring it whole: wall time, CPU time and peak memory of its process tree; and the words of a table."""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a command took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system, of the process and of every descendant that was waited for."""
    peak: float
    """MiB: the largest sum over the tree of what each process holds (PSS: shared pages are divided among their sharers)."""
    others: float
    """Cores that were busy with something else meanwhile, on average."""
    queued: float
    """Seconds for which that child waited for a core that waited longest (Linux tells; elsewhere 0)."""


def measured(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Measured:
    """Run a command to its end and return what it took; raises RuntimeError with the end of its log where it fails."""
    began, busy = time.monotonic(), _busy()
    with log.open("wb") as out:
        process = subprocess.Popen(list(map(str, command)), env=dict(environment), stdout=out, stderr=out)
        peak, queued = 0.0, 0.0
        while True:
            pid, code, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            tree = _tree(process.pid)
            peak = max(peak, _held(tree))
            queued = max([queued, *map(_queued, tree[1:])])
            time.sleep(SAMPLE_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(code)
    wall, cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {log.read_text(errors='replace')[-2000:]}")
    return Measured(wall, cpu, peak, max(0.0, (_busy() - busy - cpu) / wall), queued)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _queued(process: psutil.Process) -> float:
    try:
        return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _held(tree: Sequence[psutil.Process]) -> float:
    held = 0
    for process in tree:
        try:
            info = process.memory_full_info()
            held += getattr(info, "pss", info.uss)
        except psutil.Error:  # it has just ended
            continue
    return held / 2**20


def _busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0))


def environment(work: Path, **more: str) -> dict[str, str]:
    """Return the environment for a measured command: compiled Python files kept, as an installed package has them."""
    own = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**own, "PYTHONPYCACHEPREFIX": str(work / "compiled"), "PYTHONPATH": path, "NO_COLOR": "1", **more}


def vasculum(*arguments: str | Path | int) -> list[str]:
    """Return the command line of vasculum with these arguments."""
    return [sys.executable, "-m", "vasculum.cli.main", *map(str, arguments)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def spread(numbers: Sequence[float], digits: int = 1) -> str:
    """Return a median with the least and the most in brackets."""
    middle = f"{statistics.median(numbers):,.{digits}f}"
    return middle if len(numbers) == 1 else f"{middle} ({min(numbers):,.{digits}f}-{max(numbers):,.{digits}f})"


def machine() -> str:
    """Return processor, cores, memory, system and the versions of what does the work, in one paragraph."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        cpu = next(
            (line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line), cpu
        )
    names = ("vasculum", "numpy", "pillow", "simplejpeg", "pyarrow", "duckdb", "onnxruntime")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{cpu}, {len(psutil.Process().cpu_affinity())} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}; {versions}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from source"
