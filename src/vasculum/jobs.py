"""What a job is, what it is lent while it runs, and what an engine is: something that runs jobs.

A job is a small picklable object that reads its own rows and writes its own files; run twice, it changes nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol


@dataclasses.dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did: the file it committed (None: nothing to commit) and counts by status."""

    job: int
    file: str | None
    counts: Mapping[str, int]
    complete: bool = True


Progress = Callable[[Mapping[str, int]], None]
"""Receives counts by status of images that just ended."""


class Watch(Protocol):
    """What a caller may give to be told how a run goes on."""

    def begin(self, total: int) -> None:
        """Be told how many images are to be worked on, before the first one ends."""
        ...

    def __call__(self, counts: Mapping[str, int]) -> None:
        """Receive counts by status of images that just ended."""
        ...


class Context:
    """What the engine lends to a job while it runs."""

    def __init__(self, stop: threading.Event, progress: Progress, memory: int) -> None:
        self.stop = stop
        """Set when the run is to end soon: commit what is done and return."""
        self.progress = progress
        self.memory = memory
        """Bytes that this worker may hold."""
        self._kept: dict[str, Any] = {}

    def keep(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what an earlier job of this worker kept under `key`, or make and keep it (it has `close()`)."""
        if key not in self._kept:
            for other in list(self._kept):
                self._kept.pop(other).close()
            self._kept[key] = make()
        return self._kept[key]

    def close(self) -> None:
        """Close all that was kept."""
        while self._kept:
            self._kept.popitem()[1].close()


class Job(Protocol):
    """A piece of work; picklable."""

    def run(self, context: Context) -> JobReport:
        """Do it and commit it. Raises VasculumError where a contract is broken."""
        ...


class Engine(Protocol):
    """Runs jobs."""

    def run(self, jobs: Iterable[Job], progress: Progress) -> Iterator[JobReport]:
        """Yield a report for each job as it ends. Raises what a job raised, after the others were stopped.

        Where it is a generator, closing it stops all jobs and waits for them.
        """
        ...


@contextlib.contextmanager
def at_work(engine: Engine, jobs: Iterable[Job], progress: Progress) -> Iterator[Iterator[JobReport]]:
    """Run jobs for the length of a block and lend it their reports: however it ends, no job is left at work.

    Else a generator would be closed only when memory is swept, after the run was noted as ended.
    """
    reports = engine.run(jobs, progress)
    try:
        yield reports
    finally:
        close = getattr(reports, "close", None)
        if close is not None:
            close()
