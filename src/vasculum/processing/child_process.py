"""One child process as its parent sees it: started, listened to, measured, and ended with all that it started itself."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import psutil

from vasculum.outcomes import Status
from vasculum.processing.frames import Frames
from vasculum.processing.items import At, Failure

START_SECONDS = 120.0
END_SECONDS = 5.0
PRINTED_TAIL = 4000

GONE = object()
"""Comes from the inbox where the child's end of the pipe is closed."""


class ChildProcess:
    """One child process, its pipes, and what it is at."""

    def __init__(self) -> None:
        self.printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parents[2])],
            bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.printed, env=_environment(),
            start_new_session=True, creationflags=_OWN_GROUP,
        )  # fmt: skip
        self.frames = Frames(cast(BinaryIO, self.process.stdout), cast(BinaryIO, self.process.stdin))
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.at = At("open", (), START_SECONDS)
        self.since = self.watched = time.monotonic()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                self.inbox.put(self.frames.receive())
        except Exception:  # the end of the pipe, or a message that cannot be read: either way, no more will come
            self.inbox.put(GONE)

    def memory(self) -> int:
        """Bytes that are its own: resident, less what it shares with files and other processes."""
        try:
            info = psutil.Process(self.process.pid).memory_info()
        except psutil.Error:
            return 0
        return int(info.rss - getattr(info, "shared", 0))

    def cause(self) -> Failure:
        """How it died, in words, with the last that it printed where that helps."""
        try:
            code = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:  # it closed its pipe and lives on
            self.kill()
            return Status.KILLED, "the worker closed the pipe that it answers through, and was ended"
        if code >= _NTSTATUS:
            reason = f"the worker was ended by Windows (status 0x{code:08X})"
        elif code >= 0:
            reason = f"the worker ended by itself (exit code {code})"
        else:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            reason = f"the worker was killed by {name}"
            if name == "SIGKILL":
                reason += " (by the system, perhaps for want of memory)"
        printed = self.tail().strip().split("\n")
        fatal = next((line for line in printed if line.startswith("Fatal")), printed[-1] if printed else "")
        return Status.KILLED, f"{reason}{f': {fatal[:300]}' if fatal else ''}"

    def tail(self) -> str:
        """The last that it printed."""
        with contextlib.suppress(OSError, ValueError):
            size = self.printed.seek(0, os.SEEK_END)
            self.printed.seek(max(0, size - PRINTED_TAIL))
            return self.printed.read().decode(errors="replace")
        return ""

    def kill(self) -> None:
        """End it now, with all that it started."""
        with contextlib.suppress(OSError, psutil.Error):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)  # it leads a session, and so a group, of its own
            else:
                for below in self._descendants():
                    below.kill()
                self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)

    def _descendants(self) -> list[psutil.Process]:
        """The processes that it started and those that they did; the way to find them where there are no groups."""
        try:
            return list(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.Error:
            return []

    def end(self) -> None:
        """End it and give back what it held. The pipe that a thread may be reading ends by itself."""
        self.kill()
        for pipe in (self.process.stdin, self.printed):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows: Ctrl-C is for us, who let it commit, and not for the child as well."""

_NTSTATUS = 0xC0000000
"""On Windows the exit code of a process that crashed is its exception code, from here on (winnt.h, STATUS_…)."""

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from vasculum.processing.child import main; main()"


def _environment() -> dict[str, str]:
    """One thread a child, since there are as many children as cores; hashes of texts the same in each."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
    return {**os.environ, **one, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
