"""CSV: RFC 4180 (comma, CRLF, quotes doubled), UTF-8. A null is an empty field, an empty text is `""`.

Ids are text; lists, vectors and records are JSON text. A text that a spreadsheet would run as a formula (it begins
with `=`, `+`, `-`, `@`, a tab, a carriage return or a line feed; source: OWASP, "CSV Injection") gets one single
quote in front. A text that already has single quotes before such a character gets one more, so taking one quote away
from every text that matches `'+[=+@tab CR LF-]` gives back the original. Numbers are never touched.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from vasculum.exports.values import json_column
from vasculum.store.formulas import UNSAFE

ZEROS = r"\A0[0-9]+\z"
"""What Excel takes for a number when it opens a CSV, and drops the zeros of."""


def write_csv(
    file: BinaryIO,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    *,
    bom: bool = False,
    told: Callable[[str], None] | None = None,
) -> int:
    """Write the rows and return how many there were. `bom` begins with a mark by which Excel knows UTF-8.

    `told` receives a line where a text column has numbers with leading zeros, which Excel drops.
    """
    if bom:
        file.write(codecs.BOM_UTF8)
    file.write(header_line(schema.names))
    rows = 0
    zeros: dict[str, str] = {}
    for batch in batches:
        if batch.num_rows:
            file.write(row_lines(batch))
            rows += batch.num_rows
            if told:
                _look_for_zeros(batch, zeros)
    if told and zeros:
        column, example = next(iter(zeros.items()))
        told(
            f"note: {', '.join(zeros)}: the zeros (such as {column} {example}) stand in the file, but Excel drops them "
            "when it opens a CSV. For Excel, export with --as xlsx."
        )
    return rows


def header_line(names: Sequence[str]) -> bytes:
    """Return the first line of a CSV."""
    return (",".join(_quoted(harmless(pa.array(names, pa.string()))).to_pylist()) + "\r\n").encode()


def row_lines(batch: pa.RecordBatch) -> bytes:
    """Return the lines of some rows, one or more."""
    # Where a null is the only field of a line, the line would be blank, and readers pass over blank lines.
    nothing = "" if batch.num_columns > 1 else '""'
    fields = [_field_texts(column).fill_null(nothing) for column in batch.columns]
    lines = pc.binary_join_element_wise(*fields, ",")
    return ("\r\n".join(lines.to_pylist()) + "\r\n").encode()


def harmless(texts: pa.Array) -> pa.Array:
    """Return the texts with a single quote before each that a spreadsheet would run as a formula."""
    return pc.replace_substring_regex(texts, pattern=UNSAFE, replacement=r"'\1", max_replacements=1)


def _look_for_zeros(batch: pa.RecordBatch, zeros: dict[str, str]) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name not in zeros and pa.types.is_string(column.type):
            found = column.filter(pc.match_substring_regex(column, ZEROS))
            if len(found):
                zeros[name] = found[0].as_py()


def _field_texts(values: pa.Array) -> pa.Array:
    """Return one CSV field a value, quoted where needed; null stays null. Whatever is no number is text."""
    type_ = values.type
    if pa.types.is_nested(type_):
        return _quoted(json_column(values))
    if pa.types.is_timestamp(type_):
        return pc.replace_substring(values.cast(pa.string()), " ", "T")
    if pa.types.is_primitive(type_):
        return values.cast(pa.string())
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return pa.array([None if value is None else value.hex() for value in values.to_pylist()], pa.string())
    return _quoted(harmless(values.cast(pa.string())))


def _quoted(texts: pa.Array) -> pa.Array:
    needed = pc.or_(pc.match_substring_regex(texts, r'[",\r\n]'), pc.equal(texts, ""))
    wrapped = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
    return pc.if_else(needed, wrapped, texts)
