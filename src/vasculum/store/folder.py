"""A corpus or study folder: list, read, commit and delete files by name.

A file that is there is whole: it is written under `_tmp/`, reaches the disk, is renamed, and the rename reaches the
disk. Names are never used twice, except for the two settings files and the run files, which are replaced whole.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from vasculum.errors import StoreError
from vasculum.store import disk
from vasculum.tables import FORMAT

TEMPORARY = "_tmp"

PIECE = 2**20
"""Bytes that are gathered before they are written: Parquet's writer gives them in many small pieces."""


class Commit:
    """A file in the making, for `with`: leaving normally publishes it, an exception leaves nothing behind.

    It is a binary file to write to, as pyarrow wants one. Its own OSErrors become StoreError; those of the block,
    such as a file that it reads and that is gone, pass as they are.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.target = root / name
        self._temporary = root / TEMPORARY / f"{self.target.stem}-{secrets.token_hex(4)}.tmp"
        self._file: BinaryIO | None = None
        self._piece = bytearray()
        self._size = 0
        self._held: bytearray | None = None
        self._discarded = False
        self.checksum = 0
        """CRC-32 of the bytes so far."""

    def __enter__(self) -> Commit:
        try:
            self._temporary.parent.mkdir(parents=True, exist_ok=True)
            if not self.target.parent.exists():
                self.target.parent.mkdir(parents=True, exist_ok=True)
                disk.fsync_folder(self.target.parent.parent)
            self._file = self._temporary.open("xb", buffering=0)
        except OSError as error:
            raise disk.explain(error, self.target, "write") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._discarded:
            return
        if kind is not None:
            self.discard()
            return
        try:
            assert self._file is not None
            self._put()
            disk.fsync(self._file)
            self._file.close()
            disk.replace(self._temporary, self.target)
            disk.fsync_folder(self.target.parent)
        except OSError as failure:
            self.discard()
            raise disk.explain(failure, self.target, "write") from failure
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave nothing behind: the file will not be published."""
        self._discarded = True
        self._piece = bytearray()  # not cleared: a write that failed may hold it still
        if self._file is not None:
            with suppress(OSError):  # the first error is the one to tell
                self._file.close()
        with suppress(OSError):  # litter in _tmp/ is swept by tidy
            disk.unlink(self._temporary)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append `data`; return its length in bytes. Raises StoreError where the disk does not take it."""
        self._size += len(data)
        if self._held is not None:
            self._held += data
            return len(data)
        self._piece += data
        self.checksum = zlib.crc32(data, self.checksum)
        if len(self._piece) >= PIECE and not self._discarded:
            try:
                self._put()
            except OSError as error:
                raise disk.explain(error, self.target, "write") from error
        return len(data)

    def _put(self) -> None:
        assert self._file is not None
        if self._piece:
            disk.write(self._file, self._piece)
            self._piece = bytearray()

    @contextmanager
    def holding(self) -> Iterator[bytearray]:
        """Gather what is written in the block instead of writing it; the caller writes it afterwards."""
        size, self._held = self._size, bytearray()
        try:
            yield self._held
        finally:
            self._size, self._held = size, None

    def tell(self) -> int:
        """Return the bytes written so far."""
        return self._size

    def flush(self) -> None:
        """Do nothing: leaving the `with` block flushes."""

    def close(self) -> None:
        """Do nothing: pyarrow closes what it writes to, but only the `with` block may publish."""

    @property
    def closed(self) -> bool:
        """False: it is open as long as the `with` block lasts."""
        return False


class Folder:
    """The files of one corpus or study."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Folder({str(self.path)!r})"

    def file(self, name: str) -> Path:
        """Return the path of `name`, which may have folders in it."""
        return self.path / name

    def names(self, sub: str, suffix: str = ".parquet") -> list[str]:
        """Return the names of the whole files under `sub`, with `sub/` before them, sorted."""
        try:
            found = [entry.name for entry in (self.path / sub).iterdir() if entry.name.endswith(suffix)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise disk.explain(error, self.path / sub, "list") from error
        return [f"{sub}/{name}" for name in sorted(found) if not name.startswith((".", "_"))]

    def commit(self, name: str) -> Commit:
        """Return a new file to write in a `with` block; it appears whole, or not at all."""
        return Commit(self.path, name)

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; those that are gone already are as good."""
        for name in names:
            try:
                disk.unlink(self.path / name)
            except OSError as error:
                raise disk.explain(error, self.path / name, "delete") from error

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder; one that is gone or not empty stays as it is."""
        with suppress(OSError):
            (self.path / name).rmdir()

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Return the JSON object in a file, or None where there is no such file."""
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{path}: is no JSON ({error}). Restore it from a copy.") from error
        except OSError as error:
            raise disk.explain(error, path, "read") from error
        if not isinstance(content, dict):
            raise StoreError(f"{path}: expected a JSON object, found {type(content).__name__}. Restore it from a copy.")
        return content

    def read_settings(self, name: str, needed: Iterable[str]) -> dict[str, Any] | None:
        """Return what corpus.json or study.json says, or None where there is none.

        Raises StoreError where it is of a newer format, or lacks one of the `needed` entries.
        """
        content = self.read_json(name)
        if content is None:
            return None
        written = content.get("format", 1)
        if not isinstance(written, int) or written > FORMAT:
            raise StoreError(
                f"{self.path / name}: written by a newer vasculum (format {written!r}, this one reads up to {FORMAT}). "
                "Update with: pip install -U vasculum."
            )
        missing = [entry for entry in needed if entry not in content]
        if missing:
            raise StoreError(f"{self.path / name}: has no entry {missing[0]!r}. Restore it from a copy.")
        return content

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Replace a JSON file, whole."""
        with self.commit(name) as file:
            file.write((json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n").encode())

    @contextmanager
    def sweeping(self, names: list[str]) -> Iterator[None]:
        """Delete `names` when the block ends well; used where new files take the place of old ones."""
        yield
        self.delete(names)
