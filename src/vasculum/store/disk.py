"""The few calls that change a disk, in one place: so that tests can make any one of them fail.

Everything that vasculum commits goes through these functions and nothing else.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from vasculum.errors import StoreError

TRIES = 8
FIRST_PAUSE = 0.1
"""Seconds before the second try; each pause is twice the one before it, 12.7 s in all."""

HELD = (5, 32, 33)
"""What Windows answers while another program has a file open (a virus scanner, an indexer, Excel): ERROR_ACCESS_DENIED,
ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION (learn.microsoft.com, "System Error Codes (0-499)"). No other system does."""


def write(file: BinaryIO, data: bytes | bytearray) -> None:
    """Write all of `data` to an unbuffered file, which may take it in several pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def fsync(file: BinaryIO) -> None:
    """Have the bytes of an open, unbuffered file reach the disk."""
    os.fsync(file.fileno())


def replace(source: Path, target: Path) -> None:
    """Rename `source` to `target`, atomically."""
    _patiently(lambda: os.replace(source, target))  # noqa: PTH105 (one call, so that a test can make it fail)


def _patiently(change: Callable[[], None]) -> None:
    """Make a change to the disk, again and again for a while where another program holds the file."""
    for attempt in range(TRIES):
        try:
            change()
            break
        except PermissionError as error:
            if getattr(error, "winerror", None) not in HELD or attempt == TRIES - 1:
                raise
            time.sleep(FIRST_PAUSE * 2**attempt)


def fsync_folder(folder: Path) -> None:
    """Have what was renamed or made within `folder` reach the disk. Windows cannot open folders and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems know no such thing
            raise
    finally:
        os.close(handle)


def sync() -> None:
    """Have everything that was written reach the disk: one call for the many files of a folder. Windows has none."""
    if hasattr(os, "sync"):
        os.sync()


def unlink(path: Path) -> None:
    """Delete a file; one that is gone already is as good."""
    _patiently(lambda: path.unlink(missing_ok=True))


def explain(error: OSError, path: Path, doing: str) -> StoreError:
    """Return the one line that a person needs for a failed write or read at `path`."""
    if getattr(error, "winerror", None) in HELD:
        held = (
            "another program has it open, or you may not change it. Close it there (Excel, a viewer, a virus scanner)"
        )
        return StoreError(f"{path}: cannot {doing}: {held} and run the same command again; what was committed stays.")
    remedy = {
        errno.ENOSPC: "the disk is full. Free some space and run the same command again; what was committed stays",
        errno.EDQUOT: "your quota is used up. Free some space and run the same command again; what was committed stays",
        errno.EROFS: "it is read-only. Choose another folder",
        errno.EACCES: "permission denied. Choose a folder that you may write to, or ask for the right",
        errno.EPERM: "not permitted. Choose a folder that you may write to, or ask for the right",
        errno.ENOTDIR: "part of the path is a file. Choose another folder",
        errno.EMFILE: "too many open files. Raise the limit (ulimit -n) and run again",
    }.get(error.errno or 0, f"{error.strerror or error}. Run the same command again once that is mended")
    return StoreError(f"{path}: cannot {doing}: {remedy}.")
