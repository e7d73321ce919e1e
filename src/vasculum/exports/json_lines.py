"""JSON lines: one JSON object a line, UTF-8, the exact text; a null is `null`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from vasculum.exports.values import json_column, json_text, plain


def write_jsonl(file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Write the rows and return how many there were. Raises StoreError for a number that JSON cannot hold."""
    rows = 0
    for batch in batches:
        file.write("".join(f"{line}\n" for line in json_objects(batch)).encode())
        rows += batch.num_rows
    return rows


def json_objects(batch: pa.RecordBatch) -> list[str]:
    """Return one JSON object a row, each on one line. Raises StoreError for a number that JSON cannot hold."""
    keys = [json_text(name) for name in batch.schema.names]
    columns = [json_texts(column) for column in batch.columns]
    return [
        "{" + ",".join(f"{key}:{value}" for key, value in zip(keys, row, strict=True)) + "}"
        for row in zip(*columns, strict=True)
    ]


def json_texts(values: pa.Array) -> list[str]:
    """Return each value of a column as JSON."""
    if pa.types.is_nested(values.type):
        return ["null" if value is None else value for value in json_column(values).to_pylist()]
    return [json_text(plain(value)) for value in values.to_pylist()]
