"""A file or folder of a user's that appears whole, or not at all: written beside its place, then renamed.

A corpus or study has `store/folder.py`; this is for what is written anywhere else: reports and exports.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vasculum.errors import UsageError
from vasculum.store import disk

MARK = "vasculum-export.json"
"""The file that says that a folder was made by an export: only such a folder is ever replaced."""


def check_free(out: Path, overwrite: bool) -> None:
    """Raise UsageError unless `out` is a file name in a folder that exists, free or to be overwritten."""
    if out.is_dir():
        raise UsageError(f"{out}: is a folder. Name a file in it.")
    _check_parent(out)
    if out.exists() and not overwrite:
        raise UsageError(
            f"{out}: exists already. Choose another name, or say that it may be overwritten (--overwrite)."
        )


def check_free_folder(out: Path, overwrite: bool) -> None:
    """Raise UsageError unless `out` can become a folder: free, or an earlier export that may be overwritten."""
    if not out.name or out.name == "..":
        raise UsageError(f"{out}: is a folder that is there already. Name a new one in it.")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out}: exists and is no folder. Choose another name.")
    _check_parent(out)
    if not out.exists():
        return
    if not overwrite:
        raise UsageError(
            f"{out}: exists already. Choose another name, or say that it may be overwritten (--overwrite)."
        )
    if not (out / MARK).is_file() and any(out.iterdir()):
        raise UsageError(f"{out}: holds other things than an export (it has no {MARK}). Choose another name.")


def _check_parent(out: Path) -> None:
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {out.parent}. Create it, or choose another place.")


@contextlib.contextmanager
def replacing(out: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside `out` that takes its place, whole, after a block that raised nothing.

    The bytes are flushed to disk before the renaming, and the folder after it. Otherwise the temporary file
    is removed and `out` stays as it was. Raises UsageError as `check_free` does, at the start and before the
    renaming, and StoreError where the disk refuses.
    """
    check_free(out, overwrite)
    temporary = beside(out)
    try:
        with temporary.open("xb") as file:
            yield file
            disk.fsync(file)
        check_free(out, overwrite)
        disk.replace(temporary, out)
        disk.fsync_folder(out.parent)
    except FileNotFoundError:
        raise  # a file that is read, not the one that is written
    except OSError as error:
        raise disk.explain(error, out, "write") from error
    finally:
        with contextlib.suppress(OSError):  # on a read-only disk there is nothing to remove
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(out: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `out` that takes its place, whole, after a block that raised nothing.

    Otherwise it is removed with all that is in it, and `out` stays as it was. An earlier export in `out` goes once
    the new one stands. Raises UsageError as `check_free_folder` does, and StoreError where the disk refuses.
    """
    out = out if out.name else out.resolve()
    check_free_folder(out, overwrite)
    temporary, before = beside(out), beside(out, "old")
    try:
        temporary.mkdir()
        yield temporary
        disk.sync()
        check_free_folder(out, overwrite)
        if out.exists():
            disk.replace(out, before)
        try:
            disk.replace(temporary, out)
        except BaseException:
            with contextlib.suppress(OSError):
                os.rename(before, out)  # noqa: PTH104 (the earlier one comes back)
            raise
        disk.fsync_folder(out.parent)
    except FileNotFoundError:
        raise  # a file that is read, not one that is written
    except OSError as error:
        raise disk.explain(error, out, "write") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if out.exists():  # else the earlier one is all there is
            shutil.rmtree(before, ignore_errors=True)


def write_mark(folder: Path, content: dict[str, object]) -> None:
    """Write the file that says what this folder is and how it came about."""
    with (folder / MARK).open("xb", buffering=0) as file:
        disk.write(file, (json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n").encode())


def beside(out: Path, kind: str = "tmp") -> Path:
    """Return a name for something temporary in the folder of `out`, hidden, and never used before."""
    return out.with_name(f".{out.name[:80]}.{secrets.token_hex(4)}.{kind}")


def left_over(out: Path) -> list[Path]:
    """Return what killed writers of `out` left beside it and nobody needs; it may be large. See `only_copies`."""
    needed = only_copies(out)
    return [path for path in _beside_left(out, ".tmp", ".old") if path not in needed]


def only_copies(out: Path) -> list[Path]:
    """Return earlier exports that were set aside for a new one that never came, where `out` is missing: all there is.

    A writer that is killed between its two renames leaves such a one. It is to be renamed to `out`, never deleted.
    """
    if os.path.lexists(out):
        return []
    return [path for path in _beside_left(out, ".old") if (path / MARK).is_file()]


def _beside_left(out: Path, *kinds: str) -> list[Path]:
    with contextlib.suppress(OSError):
        begin = f".{out.name[:80]}."
        found = [path for path in out.parent.iterdir() if path.name.startswith(begin)]
        return sorted(path for path in found if path.name[len(begin) + 8 :] in kinds)
    return []
