"""What a person sees while a run goes on: on a terminal a line that moves, elsewhere a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import click

SECONDS_BETWEEN_LINES = 30.0


def say(message: str) -> None:
    """Tell a person something, on standard error."""
    click.echo(message, err=True)


class Watcher:
    """Counts images as they end and shows rate, time left and failures by status; for `with`."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.total: int | None = None
        self.counts: Counter[str] = Counter()
        self._began = self._told = time.monotonic()
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Watcher:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(), TextColumn("{task.fields[failed]}"), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task(self.verb, total=self.total, rate="", failed="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, total: int) -> None:
        """Note how many images are to be worked on."""
        with self._lock:
            self.total = total
            self._began = time.monotonic()
            if self._bar is not None:
                self._bar.update(self._task, total=total)

    def __call__(self, counts: Mapping[str, int]) -> None:
        """Note images that just ended, by status."""
        with self._lock:
            self.counts.update(counts)
            if self._bar is not None:
                self._bar.update(
                    self._task, completed=sum(self.counts.values()), rate=self._rate(), failed=self._failed()
                )
            elif time.monotonic() - self._told > SECONDS_BETWEEN_LINES:
                self._told = time.monotonic()
                left = f" of {self.total:,}" if self.total else ""
                say(
                    f"{self.verb}: {sum(self.counts.values()):,}{left}, {self._rate()}{self._left()} {self._failed()}".rstrip()
                )

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._began, 1e-6)
        return f"{sum(self.counts.values()) / seconds:.1f} images/s"

    def _left(self) -> str:
        done = sum(self.counts.values())
        if not self.total or not done:
            return ""
        seconds = (time.monotonic() - self._began) / done * (self.total - done)
        return f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {seconds:.0f} s left"

    def _failed(self) -> str:
        return ", ".join(f"{count:,} {status}" for status, count in self.counts.most_common() if status != "ok")


def summary(counts: Mapping[str, int]) -> str:
    """Return counts by status as words, ok first."""
    ordered = sorted(counts.items(), key=lambda pair: (pair[0] != "ok", -pair[1], pair[0]))
    return ", ".join(f"{count:,} {status}" for status, count in ordered) or "none"
