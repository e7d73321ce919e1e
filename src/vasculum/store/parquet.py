"""Reading and writing Parquet the one way that vasculum does it.

Small columns are compressed with zstd; encoded images are not, have no dictionary and no statistics (measured: both
cost and buy nothing on JPEG bytes), and lie in row groups of 16 MB or 64 rows, so that one can be read without much else.
Pages carry checksums, and readers verify them. Before its footer every file carries one more, of all its bytes: pages'
checksums cover neither headers nor footers. Parquet readers never look there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from vasculum.errors import StoreError
from vasculum.store import disk
from vasculum.store.folder import Commit, Folder
from vasculum.tables import FORMAT

BYTES_PER_GROUP = 16 * 2**20
ROWS_PER_GROUP_OF_BYTES = 64
ROWS_PER_GROUP = 65_536

MARK = b"VSUM"
"""Begins the 8 bytes before the footer; a CRC-32 of all other bytes follows, least significant byte first."""


class TableWriter:
    """Writes batches of small columns into one file; the `with` block publishes it."""

    def __init__(self, folder: Folder, name: str, schema: pa.Schema) -> None:
        self.rows = 0
        self._commit: Commit = folder.commit(name)
        self._schema = schema
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        self._commit.__enter__()
        try:
            self._writer = pq.ParquetWriter(self._commit, self._schema, **_options(self._schema))
        except BaseException:
            self._commit.discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._close()
        except BaseException:
            self._commit.discard()
            raise
        self._commit.__exit__(None, None, None)

    def _close(self) -> None:
        """Write the footer, and the checksum before it."""
        assert self._writer is not None
        with self._commit.holding() as held:
            self._writer.close()
        (length,) = struct.unpack("<I", held[-8:-4])
        pages, footer = held[: -8 - length], held[-8 - length :]
        self._commit.write(pages)
        self._commit.write(MARK + struct.pack("<I", zlib.crc32(footer, self._commit.checksum)))
        self._commit.write(footer)

    def _discard(self) -> None:
        """Leave nothing behind."""
        assert self._writer is not None
        self._commit.discard()
        self._writer.close()  # into nothing; else it would be closed, and write, whenever memory is swept

    def write(self, table: pa.Table, rows_per_group: int = ROWS_PER_GROUP) -> None:
        """Append a table of the writer's schema, as row groups of `rows_per_group` rows."""
        assert self._writer is not None
        self._writer.write_table(table, row_group_size=rows_per_group)
        self.rows += table.num_rows


class BytesWriter(TableWriter):
    """Writes rows with encoded images, flushing a row group at 16 MB or 64 rows: memory stays bounded.

    Where nothing was added, no file appears.
    """

    def __init__(self, folder: Folder, name: str, schema: pa.Schema) -> None:
        super().__init__(folder, name, schema)
        self.n_bytes = 0
        self._pending: list[dict[str, Any]] = []
        self._pending_bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        """Append one row; `row['bytes']` is the encoded image."""
        self._pending.append(row)
        self._pending_bytes += len(row["bytes"])
        self.n_bytes += len(row["bytes"])
        if self._pending_bytes >= BYTES_PER_GROUP or len(self._pending) >= ROWS_PER_GROUP_OF_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self.write(pa.Table.from_pylist(self._pending, schema=self._schema))
            self._pending, self._pending_bytes = [], 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                self._flush()
            except BaseException:
                self._discard()
                raise
            if self.rows == 0:
                self._discard()
                return
        super().__exit__(kind, error, trace)


def _options(schema: pa.Schema) -> dict[str, Any]:
    blobs = [field.name for field in schema if pa.types.is_binary(field.type)]
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    paths = [path for path in _leaf_paths(schema) if path.split(".")[0] not in blobs]
    return {
        "compression": {**dict.fromkeys(paths, "zstd"), **dict.fromkeys(blobs, "none")},
        "use_dictionary": texts,
        "write_statistics": paths,
        "write_page_checksum": True,
        "data_page_size": 1 << 20,
    }


def _leaf_paths(schema: pa.Schema) -> list[str]:
    paths: list[str] = []

    def walk(prefix: str, kind: pa.DataType) -> None:
        if pa.types.is_struct(kind):
            for field in kind:
                walk(f"{prefix}.{field.name}", field.type)
        elif pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
            walk(f"{prefix}.list.element", kind.value_type)
        else:
            paths.append(prefix)

    for field in schema:
        walk(field.name, field.type)
    return paths


def write_table(folder: Folder, name: str, table: pa.Table, rows_per_group: int = ROWS_PER_GROUP) -> None:
    """Commit one table under `name`."""
    with TableWriter(folder, name, table.schema) as writer:
        writer.write(table, rows_per_group)


def open_file(path: Path) -> pq.ParquetFile:
    """Open a Parquet file of ours for reading, memory-mapped, page checksums verified.

    Raises FileNotFoundError where there is none; StoreError where it is no Parquet or of a newer format.
    """
    try:
        file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:  # damage takes many forms
        raise StoreError(
            f"{path}: damaged or no Parquet file ({_short(error)}). Run `vasculum verify` on its folder."
        ) from error
    written = (file.schema_arrow.metadata or {}).get(b"vasculum_format", b"1")
    if written.isdigit() and int(written) > FORMAT:
        raise StoreError(
            f"{path}: written by a newer vasculum (format {int(written)}, this one reads up to {FORMAT}). "
            "Update with: pip install -U vasculum."
        )
    return file


def read_groups(path: Path, groups: Sequence[int], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield the named row groups of a file, one table each. Raises StoreError where a page is damaged."""
    file = open_file(path)
    for group in groups:
        try:
            table = file.read_row_group(group, columns=list(columns) if columns else None)
            if columns and set(columns) != set(table.column_names):
                raise ValueError(f"it lacks one of the columns {', '.join(columns)}")
        except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
            raise StoreError(
                f"{path}: row group {group} is damaged ({_short(error)}). Run `vasculum verify`."
            ) from error
        yield table


def check_whole(path: Path) -> None:
    """Raise StoreError unless every byte of a file is the one that was written; FileNotFoundError where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 8))
            tail = file.read(8)
            mark = size - 16 - struct.unpack("<I", tail[:4])[0] if len(tail) == 8 else -1
            if mark < 0:
                raise StoreError(
                    f"{path}: damaged or cut short: it has no end of a Parquet file. Restore it from a copy."
                )
            file.seek(0)
            found, left = 0, mark
            while left and (piece := file.read(min(left, 2**20))):
                found, left = zlib.crc32(piece, found), left - len(piece)
            sign = file.read(8)
            found = zlib.crc32(file.read(), found)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise disk.explain(error, path, "read") from error
    if sign != MARK + struct.pack("<I", found):
        raise StoreError(f"{path}: damaged: its bytes are not the ones that were written. Restore it from a copy.")


def pick_bytes(path: Path, media_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield id and bytes of the rows of a shard with these ids, reading only the row groups that hold them."""
    for group in range(open_file(path).num_row_groups):
        ids = ids_in_group(path, group)
        wanted = [place for place, media_id in enumerate(ids) if media_id in media_ids]
        if wanted:
            for table in read_groups(path, [group], ["bytes"]):
                column = table["bytes"].combine_chunks()
                for place in wanted:
                    yield ids[place], column[place].as_py()


def ids_in_group(path: Path, group: int) -> list[str]:
    """Return the media ids of a row group, in order. Raises StoreError where it is damaged."""
    return [
        media_id for table in read_groups(path, [group], ["media_id"]) for media_id in table["media_id"].to_pylist()
    ]


def _short(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
