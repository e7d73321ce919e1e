"""Columns of encoded images in other people's Parquet files: bytes, or a struct of bytes and path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from vasculum.outcomes import Status
from vasculum.pixels.sniff import sniff

PROBLEMS = (pa.ArrowException, OSError, ValueError, TypeError, MemoryError)
"""What damaged or hostile Parquet makes pyarrow raise."""

BATCH_BYTES = 8 * 2**20
MOST_ROWS = 256
LOOKED_AT = 16
"""So many values of a column are sniffed where no one has declared what they are."""
BUFFER = 2**20


def open_parquet(file: BinaryIO) -> pq.ParquetFile:
    """Open a Parquet file for reading by pieces of 1 MB: a column of a row group is never held whole. Raises PROBLEMS."""
    return pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True)


def features(schema: pa.Schema) -> dict[str, Any]:
    """Return what the Hugging Face `datasets` library wrote into the schema about each column; {} where nothing."""
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = told["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def class_names(feature: Any) -> list[str]:
    """Return the names of a ClassLabel feature, by number; [] for any other feature."""
    told = feature if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else {}
    names = told.get("names")
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def holds_bytes(kind: pa.DataType) -> bool:
    """Return whether a column of this type can hold encoded images: bytes, or a struct with `bytes` in it."""
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and holds_bytes(kind.field(place).type) and not pa.types.is_struct(kind.field(place).type)
    if pa.types.is_dictionary(kind):
        return holds_bytes(kind.value_type) and not pa.types.is_struct(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def is_struct(kind: pa.DataType) -> bool:
    """Return whether a column holds several values under names."""
    return bool(pa.types.is_struct(kind))


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def image_columns(file: pq.ParquetFile) -> list[str]:
    """Return the columns that hold encoded images: declared so (Hugging Face's Image), or found so by their first values.

    Raises PROBLEMS where the first row group cannot be read.
    """
    schema = file.schema_arrow
    told = features(schema)
    found = []
    for field in schema:
        feature = told.get(field.name)
        declared = feature.get("_type") if isinstance(feature, dict) else None
        if not holds_bytes(field.type) or schema.get_field_index(field.name) < 0:
            continue
        if declared == "Image" or (declared in (None, "Value") and _are_images(file, field.name)):
            found.append(field.name)
    return found


def _are_images(file: pq.ParquetFile, column: str) -> bool:
    if not file.num_row_groups:
        return False
    for batch in file.iter_batches(batch_size=LOOKED_AT, row_groups=[0], columns=[column], use_threads=False):
        values = (encoded(value) for value in batch.column(column).slice(0, LOOKED_AT).to_pylist())
        return any(data is not None and _is_image(data) for data, _ in values)
    return False


def _is_image(data: bytes) -> bool:
    status, kind = sniff(data[:65_536])
    return status is Status.OK or (kind or "").startswith("image/")


def encoded(value: Any) -> tuple[bytes | None, str | None]:
    """Return the bytes in a cell and the path beside them, each None where there is none."""
    if isinstance(value, dict):
        data, path = value.get("bytes"), value.get("path")
        return data if isinstance(data, bytes) else None, path if isinstance(path, str) else None
    return (value if isinstance(value, bytes) else None), None


def iterate(file: pq.ParquetFile, group: int, column: str) -> Iterator[pa.Array]:
    """Yield a column of one row group in pieces of about 8 MB. Raises PROBLEMS."""
    rows = file.metadata.row_group(group).num_rows
    size = max(1, min(MOST_ROWS, rows * BATCH_BYTES // max(1, _column_bytes(file, group, column))))
    for batch in file.iter_batches(batch_size=size, row_groups=[group], columns=[column], use_threads=False):
        yield batch.column(column)


def _column_bytes(file: pq.ParquetFile, group: int, column: str) -> int:
    told = file.metadata.row_group(group)
    parts = (told.column(place) for place in range(told.num_columns))
    return sum(p.total_uncompressed_size for p in parts if p.path_in_schema.split(".")[0] == column.split(".")[0])
