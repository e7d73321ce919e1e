"""A workbook for Excel: the rows with small pictures and links, a sheet that says what they are, and what was cut.

Lists of texts and other records stand one a line in their cell; vectors are JSON text. A text longer than a cell of
Excel holds is cut, says so at its end, and is listed on the sheet "Cut cells": never silently.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from vasculum.exports import xlsx
from vasculum.exports.values import is_list, json_column, lines_for_a_person, plain
from vasculum.outcomes import MEANINGS, Status
from vasculum.tables import MANIFEST_COLUMNS, RESULTS_COLUMNS

PICTURE = "picture"
LINKS = ("record_page",)
PICTURES_AT_ONCE = 500

Pictures = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Gives a small JPEG or PNG by media id."""


@dataclasses.dataclass(frozen=True, slots=True)
class Book:
    """What a workbook is made of, besides its rows."""

    shown: Sequence[str]
    """The columns that are asked for; others, such as media_id, are there to count and to find pictures."""
    facts: Sequence[tuple[str, str]]
    """What the sheet "About" begins with."""
    pictures: Pictures | None
    most_pictures: int
    told: Callable[[str], None]
    folder: Path
    """Where temporary files may lie."""
    meanings: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    """Meaning and unit of columns that do not say so themselves."""
    most_rows: int = xlsx.MOST_ROWS


def write_xlsx(file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch], book: Book) -> int:
    """Write the rows and return how many there were. Raises OSError where the disk refuses."""
    with tempfile.TemporaryDirectory(prefix=".xlsx-", dir=book.folder) as folder:
        written = _Writer(xlsx.Book(file, Path(folder)), schema, book)
        for batch in batches:
            written.add(batch)
        written.close()
    return written.rows


class _Writer:
    def __init__(self, opened: xlsx.Book, schema: pa.Schema, book: Book) -> None:
        self.rows = 0
        self._opened = opened
        self._schema = schema
        self._book = book
        self._first = 1 if book.pictures and book.most_pictures else 0
        self._header = [PICTURE] * self._first + list(book.shown)
        self._links = frozenset(i for i, name in enumerate(self._header) if name in LINKS)
        self._counts: dict[str, Counter[str]] = {"status": Counter(), "license_id": Counter()}
        self._cut: list[tuple[str, int, str, str, int]] = []
        self._number = 1
        self._sheet = opened.sheet("Results", self._header)
        self._with_picture = self._pictured = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Write a batch of rows."""
        for name, counter in self._counts.items():
            if name in batch.schema.names:
                counter.update(value or "" for value in batch[name].to_pylist())
        for start in range(0, batch.num_rows, PICTURES_AT_ONCE):
            self._part(batch.slice(start, PICTURES_AT_ONCE))

    def _part(self, batch: pa.RecordBatch) -> None:
        columns = [cells(batch[name]) for name in self._book.shown]
        ids: list[str] = batch["media_id"].to_pylist() if "media_id" in batch.schema.names else [""] * batch.num_rows
        wanted = ids[: max(0, self._book.most_pictures - self._pictured)] if self._first else []
        found = self._book.pictures(wanted) if wanted and self._book.pictures else {}
        self._pictured += len(wanted)
        for media_id, row in zip(ids, zip(*columns, strict=True), strict=True):
            if self._sheet.rows >= self._book.most_rows:
                self._next_sheet()
            if media_id in found:
                self._sheet.picture(0, found[media_id])
                self._with_picture += 1
            self._sheet.write(
                [*[None] * self._first, *(self._fitting(i, value, media_id) for i, value in enumerate(row))],
                links=self._links,
            )
        self.rows += batch.num_rows

    def _next_sheet(self) -> None:
        self._end_sheet()
        self._number += 1
        self._sheet = self._opened.sheet(f"Results {self._number}", self._header)

    def _end_sheet(self) -> None:
        self._sheet.finish(pictures=0 if self._first else None)

    def _fitting(self, column: int, value: xlsx.Cell, media_id: str) -> xlsx.Cell:
        """Return a cell's value, cut where it is too long for Excel, and note that."""
        if not isinstance(value, str) or (length := xlsx.units(value)) <= xlsx.MOST_CHARACTERS:
            return value
        mark = f" … [cut: {length:,} characters in all]"
        whole = value.encode("utf-16-le")[: 2 * (xlsx.MOST_CHARACTERS - len(mark))]
        self._cut.append((self._sheet.name, self._sheet.rows + 1, self._book.shown[column], media_id, length))
        return whole.decode("utf-16-le", errors="ignore") + mark

    def close(self) -> None:
        """Write the other sheets and the file."""
        self._end_sheet()
        self._about()
        if self._cut:
            sheet = self._opened.sheet("Cut cells", ["sheet", "row", "column", "media_id", "characters in all"])
            for line in self._cut:
                sheet.write(line)
            sheet.finish()
            self._book.told(
                f"note: {len(self._cut):,} texts are longer than the {xlsx.MOST_CHARACTERS:,} characters of a cell and were cut; "
                'the sheet "Cut cells" lists them. CSV, JSON lines and Parquet hold them whole.'
            )
        self._opened.close()

    def _about(self) -> None:
        sheet = self._opened.sheet("About", ["what", "is", "unit", "term"])
        pictures = self._picture_words()
        facts = [*self._book.facts, ("rows written", f"{self.rows:,}"), *([("pictures", pictures)] if pictures else [])]
        for name, value in facts:
            sheet.write((name, value), wrapped=True)
        for title, counter in (("status", self._counts["status"]), ("licence", self._counts["license_id"])):
            for value, count in counter.most_common():
                meaning = f": {MEANINGS[Status(value)]}" if title == "status" and value in set(Status) else ""
                sheet.write((f"{title} {value or '(none)'}", f"{count:,} rows{meaning}"), wrapped=True)
        for name in self._book.shown:
            meaning, unit, term = meaning_of(self._schema.field(name))
            told, told_unit = self._book.meanings.get(name, ("a result", ""))
            sheet.write((f"column {name}", meaning or told, unit or told_unit or None, term or None), wrapped=True)
        sheet.finish(filtered=False, widest=100)

    def _picture_words(self) -> str:
        if not self._first:
            return "none were asked for" if self._book.pictures else ""
        left = self.rows - self._pictured
        words = f"{self._with_picture:,} rows have a small picture"
        if left > 0:
            words += (
                f"; the last {left:,} rows have none: at most {self._book.most_pictures:,} are put in (--thumbnails N)"
            )
            self._book.told(f"note: {words}.")
        if self._pictured > self._with_picture:
            words += f"; {self._pictured - self._with_picture:,} images could not be shown"
        return words


def cells(values: pa.Array) -> list[xlsx.Cell]:
    """Return the cells of a column."""
    type_ = values.type
    if is_list(type_):
        inner = type_.value_type
        if pa.types.is_string(inner) or pa.types.is_struct(inner):
            return [None if value is None else lines_for_a_person(value) for value in values.to_pylist()]
        return list(json_column(values).to_pylist())
    if pa.types.is_nested(type_):
        return list(json_column(values).to_pylist())
    if pa.types.is_binary(type_) or pa.types.is_temporal(type_):
        return [plain(value) for value in values.to_pylist()]
    return list(values.to_pylist())


_KNOWN = {column.name: column for column in (*MANIFEST_COLUMNS, *RESULTS_COLUMNS)}


def meaning_of(field: pa.Field) -> tuple[str, str, str]:
    """Return meaning, unit and IRI of a column, of its own metadata or of the tables that vasculum defines."""
    own = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    known = _KNOWN.get(field.name)
    return (
        own.get("meaning") or (known.meaning if known else ""),
        own.get("unit") or (known.unit if known else ""),
        own.get("iri") or (known.iri if known else ""),
    )
