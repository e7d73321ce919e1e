"""The parent side of a guarded child: starts it, watches time and memory, and finds out which image was to blame.

Whatever happens to the child, each item ends in exactly one outcome: where a batch dies, its images are tried one by
one; where a single image dies in one processor, the others still get their turn.
"""

from __future__ import annotations

import collections
import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from vasculum.errors import ProcessorError
from vasculum.outcomes import Status
from vasculum.processing.child import DONE, OPENED, Failed
from vasculum.processing.child_process import GONE, ChildProcess
from vasculum.processing.items import At, Checked, Failure, Item, Outcome, Setup

POLL_SECONDS = 0.1
CLOSE_SECONDS = 10.0
ASLEEP_SECONDS = 1.0
"""A pause between two looks at a child that is longer than this was not the child's."""


class Stopped(Exception):
    """The run is to end soon; what was yielded before stands."""


class Died(Exception):
    """The child is gone. `failure` says how; `at` says at what."""

    def __init__(self, failure: Failure, at: At) -> None:
        super().__init__(failure[1])
        self.failure = failure
        self.at = at


class Guard:
    """Runs items in a guarded child of its own, which it starts anew whenever it dies."""

    def __init__(self, setup: Setup, memory: int, stop: threading.Event | None = None) -> None:
        self.setup = setup
        self.memory = memory
        self.stop = stop or threading.Event()
        self._child: ChildProcess | None = None

    def close(self) -> None:
        """Let the processors close what they opened, and end the child."""
        child = self._child
        if child is not None and not self.stop.is_set():
            with contextlib.suppress(OSError, Died, Stopped, ProcessorError):
                child.at, child.since = At("close", (), CLOSE_SECONDS), time.monotonic()
                child.frames.send(("close",))
                self._next(child)
        self._drop()

    def _drop(self) -> None:
        """End the child as it is."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def check(self, items: Sequence[Item]) -> Checked:
        """Return how the contract holds on the first image. A processor that dies here counts as one that raised."""
        try:
            child = self._started()
            child.frames.send(("check", list(items)))
            return _expect(self._next(child), Checked)
        except Died as death:
            self._drop()
            return Checked({}, {death.at.processor or "the decoder": death.failure[1]}, frozenset())

    def run(self, items: Sequence[Item]) -> Iterator[list[Outcome]]:
        """Yield outcomes as they come; every item ends in exactly one. Raises Stopped, ProcessorError."""
        waiting: collections.deque[tuple[list[Item], bool]] = collections.deque([(list(items), False)])
        while waiting:
            batch, singly = waiting.popleft()
            if not batch:
                continue
            left = {item.media_id: item for item in batch}
            try:
                for outcomes in self._run_in_child(batch, singly):
                    for outcome in outcomes:
                        left.pop(outcome.media_id, None)
                    yield outcomes
                if left:
                    raise ProcessorError(
                        f"the worker gave no answer for {len(left)} images. This is a bug: please report it."
                    )
            except Died as death:
                self._drop()
                yield from self._after_death(death, batch, left, singly, waiting)
            except GeneratorExit:
                self._drop()
                raise

    def _run_in_child(self, batch: list[Item], singly: bool) -> Iterator[list[Outcome]]:
        child = self._started()
        try:
            child.frames.send(("run", batch, singly))
        except OSError:
            raise Died(child.cause(), child.at) from None
        while True:
            message = self._next(child)
            if message == DONE:
                return
            yield message

    def _after_death(
        self, death: Died, batch: list[Item], left: dict[str, Item], singly: bool,
        waiting: collections.deque[tuple[list[Item], bool]],
    ) -> Iterator[list[Outcome]]:  # fmt: skip
        """Blame one image where it is known, else queue the batch's images to be tried one by one."""
        suspects = [batch[index] for index in death.at.items if batch[index].media_id in left]
        if death.at.step == "open" or not suspects:
            raise ProcessorError(
                f"processor {death.at.processor or 'worker'}: the worker died before any image: {death.failure[1]}."
            )
        if death.at.step == "read":
            suspects = suspects[:1]  # they are read in order; the first that did not come is the one
        # a worker that was killed may have filled its memory over many images: only a second death, alone, is blame
        if len(suspects) == 1 and (singly or death.failure[0] is Status.TIMED_OUT):
            item = left.pop(suspects[0].media_id)
            if death.at.step == "call":
                item.skip[death.at.processor] = death.failure
                waiting.appendleft(([item], True))
            else:
                yield [Outcome(item.media_id, death.failure)]
        else:
            for item in suspects:
                left.pop(item.media_id)
            waiting.appendleft((suspects, True))
        waiting.append((list(left.values()), singly))

    def _started(self) -> ChildProcess:
        if self._child is None:
            self._child = ChildProcess()
            try:
                self._child.frames.send(("open", self.setup))
                message = self._next(self._child)
            except (Died, OSError) as error:
                at = self._child.at
                cause = error.failure[1] if isinstance(error, Died) else self._child.cause()[1]
                self._drop()
                raise ProcessorError(f"processor {at.processor or 'worker'}: cannot be opened: {cause}.") from None
            if message != OPENED:
                raise ProcessorError(
                    f"the worker answered {message!r} when it was opened. This is a bug: please report it."
                )
        return self._child

    def _next(self, child: ChildProcess) -> Any:
        """Return the child's next message that is no `At`. Raises Died, Stopped, ProcessorError."""
        while True:
            try:
                message = child.inbox.get(timeout=POLL_SECONDS)
            except queue.Empty:
                # a process that it forked may hold the pipe open, so that its end says nothing
                message = GONE if child.process.poll() is not None and child.inbox.empty() else None
            if isinstance(message, At):
                child.at, child.since = message, time.monotonic()
                continue
            if isinstance(message, Failed):
                raise ProcessorError(message.message)
            if message is GONE:
                raise Died(child.cause(), child.at)
            if self.stop.is_set():
                self._drop()
                raise Stopped
            if time.monotonic() - child.watched > POLL_SECONDS:
                self._watch(child, idle=message is None)
            if message is not None:
                return message

    def _watch(self, child: ChildProcess, *, idle: bool) -> None:
        """Raise Died where the child takes too long or too much. `idle`: nothing came from it."""
        now = time.monotonic()
        if now - child.watched > ASLEEP_SECONDS:
            child.since += now - child.watched  # we were suspended or busy ourselves: that is not the child's time
        child.watched = now
        if idle and now - child.since > child.at.seconds:
            what = f"processor {child.at.processor}" if child.at.processor else child.at.step
            child.kill()
            raise Died((Status.TIMED_OUT, f"{what} took longer than {child.at.seconds:g} s"), child.at)
        held = child.memory()
        if held > self.memory:
            child.kill()
            detail = f"needed more than {self.memory / 1e9:.1f} GB of memory"
            raise Died((Status.KILLED, detail), child.at)


def _expect(message: Any, kind: type[Checked]) -> Checked:
    if not isinstance(message, kind):
        raise ProcessorError(f"the worker answered {message!r} to a check. This is a bug: please report it.")
    return message
