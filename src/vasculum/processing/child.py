"""The guarded child: a process that may raise, leak, hang or be killed, and costs only the image it was at.

It does all the risky work (parsing strangers' bytes, calling strangers' code) and is told what to do over a pipe by the
job that started it. When that job is gone, so is the child.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import queue
import sys
import threading
from typing import Any, BinaryIO, cast

from vasculum.errors import VasculumError
from vasculum.processing.frames import Frames

DONE = "done"
OPENED = "opened"


class Failed:
    """Sent where the child cannot begin: a contract is broken."""

    def __init__(self, message: str) -> None:
        self.message = message


def main() -> None:
    """Serve one job until it closes the pipe."""
    frames = _private_frames()
    faulthandler.enable()
    commands: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(frames, commands), daemon=True).start()
    pipeline: Any = None
    while True:
        command, *arguments = commands.get()
        try:
            if command == "open":
                from vasculum.processing.pipeline import Pipeline

                sys.dont_write_bytecode = True  # what a processor imports while it works lies in the user's folders
                (setup,) = arguments
                sys.path += [place for place in setup.path if place not in sys.path]
                pipeline = Pipeline(setup, frames.send)
                frames.send(OPENED)
            elif command == "check":
                frames.send(pipeline.check(*arguments))
            elif command == "run":
                items, singly = arguments
                for outcomes in pipeline.run(items, singly=singly):
                    frames.send(outcomes)
                frames.send(DONE)
            elif command == "close":
                pipeline.close()
                frames.send(DONE)
        except VasculumError as error:
            frames.send(Failed(str(error)))
        except Exception as error:  # of opening, or of ours: told, never lost
            from vasculum.processing.pipeline import told

            frames.send(Failed(f"{command} failed: {told(error)}"))


def _private_frames() -> Frames:
    """Return the pipes of the job, and let what processors print go to standard error."""
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    target = os.fdopen(os.dup(1), "wb", buffering=0)

    def leave() -> None:
        source.close()
        target.close()

    if hasattr(os, "register_at_fork"):  # a process that a processor forks has no part in the conversation
        os.register_at_fork(after_in_child=leave)
    os.dup2(2, 1)
    with contextlib.suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
    return Frames(cast(BinaryIO, source), cast(BinaryIO, target))


def _listen(frames: Frames, commands: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            commands.put(frames.receive())
        except (EOFError, OSError):
            os._exit(3)  # the job is gone: nobody waits for an answer


if __name__ == "__main__":
    main()
