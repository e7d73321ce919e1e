"""A Parquet file, or a folder of them, as rows of text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vasculum.errors import SourceError
from vasculum.sources.chunk import Chunk
from vasculum.sources.names import bare, unique_names
from vasculum.sources.rejects import Tally
from vasculum.sources.terms import ADDRESSES, FILES, NAMES
from vasculum.sources.values import Cell

_EXACT_FLOAT = 2**53


def parquet_files(path: Path) -> list[Path]:
    """Return the Parquet file at `path`, or all below that folder in order, but for hidden files and `_…`."""
    if not path.is_dir():
        return [path]
    return sorted(
        f
        for f in path.rglob("*.parquet")
        if f.is_file() and not any(part.startswith((".", "_")) for part in f.relative_to(path).parts)
    )


def number_columns(path: Path) -> set[str]:
    """Return the names of the columns that are numbers by type, of the first file at `path`."""
    try:
        fields = pq.read_schema(parquet_files(path)[0])
    except (pa.ArrowException, OSError, ValueError):
        return set()  # reading the rows tells what is wrong
    return {f.name for f in fields if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)}


def read_parquet(path: Path, tally: Tally, size: int) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file or folder, at most `size` a chunk.

    `key=value` folders below `path` are columns. Columns of bytes that no image address or term can be are
    left out and counted. A row whose bytes are no UTF-8 text is a reject.
    Raises SourceError for a file that cannot be read.
    """
    number = 0
    for file in parquet_files(path):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        folders = (
            dict(part.split("=", 1) for part in file.relative_to(path).parts[:-1] if "=" in part)
            if path.is_dir()
            else {}
        )
        try:
            with pq.ParquetFile(file) as opened:
                read = [f.name for f in opened.schema_arrow if not only_bytes(f, name, tally)]
                yield Chunk(name, tuple(unique_names([*read, *folders])))
                first = number
                for batch in opened.iter_batches(batch_size=size, columns=read, use_threads=False):
                    yield _chunk(batch, name, folders, number, first, tally)
                    number += batch.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            said = re.sub(r"\s+", " ", str(error))[:200]
            raise SourceError(f"{file}: not a whole Parquet file ({said}); fetch or write it again.") from None


def only_bytes(field: pa.Field, file: str, tally: Tally) -> bool:
    """Return whether a column holds bytes under a name that nothing of the manifest has."""
    known = {n for names in (*ADDRESSES[:FILES], *NAMES.values()) for n in names}
    holds = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type) or _has_bytes(field.type)
    if holds and (pa.types.is_nested(field.type) or bare(field.name) not in known):
        tally.count(f"column {field.name!r}, which holds bytes, left out: files")
        return True
    return False


def _has_bytes(kind: pa.DataType) -> bool:
    return any(
        pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type) or _has_bytes(f.type)
        for f in (kind.field(i) for i in range(kind.num_fields))
    )


def _chunk(batch: pa.RecordBatch, file: str, folders: dict[str, str], number: int, first: int, tally: Tally) -> Chunk:
    columns = [cells_of(column) for column in batch.columns]
    columns += [[value] * batch.num_rows for value in folders.values()]
    names = tuple(unique_names([*batch.schema.names, *folders]))
    chunk = Chunk(file, names)
    for i, row in enumerate(zip(*columns, strict=True), start=number + 1):
        line = i - first
        if None in row:
            bad = ", ".join(n for n, cell in zip(names, row, strict=True) if cell is None)
            tally.reject(file, line, f"row {line}: column {bad} is not utf-8 text", "", "rows without utf-8 text")
            tally.count("rows read")
            continue
        chunk.rows.append(row)
        chunk.numbers.append(i)
        chunk.lines.append(line)
    return chunk


def cells_of(column: pa.Array) -> list[Cell | None]:
    """Return a column as text: '' for null, None for bytes that are no text, a list for lists of text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return cells_of(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ["" if v is None else v for v in column.to_pylist()]
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return ["" if v is None else str(v) for v in column.to_pylist()]
    return [_cell(v) for v in column.to_pylist()]


def _cell(value: Any) -> Cell | None:
    if value is None or value == []:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT_FLOAT else repr(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
