"""Excel workbooks (.xlsx, .xlsm) as rows of text, as a person sees them. The door to openpyxl.

A workbook is a zip of XML from a stranger: its unpacked size is bounded before anything is parsed, and openpyxl
reads XML through defusedxml, which refuses entities.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import itertools
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
from openpyxl.styles.numbers import is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from vasculum.errors import SourceError, UsageError, nearest
from vasculum.sources.chunk import Chunk
from vasculum.sources.names import unique_names
from vasculum.sources.opening import errors_named
from vasculum.sources.piecewise import MOST_IN_ONE_PIECE, wrong_xml
from vasculum.sources.rejects import Tally
from vasculum.sources.shown import DAY, LAST_DAY, SHORTENED, moment, shown

MOST_UNPACKED = 2 * 1024**3
"""Bytes that all parts of a workbook may unpack to together; Excel's fullest sheets need less."""
MOST_HELD = 512 * 1024**2
"""Bytes that a part which is held in memory (all but the sheets) may unpack to."""
MOST_PACKING = 200
"""How many times its packed size a part of over 100 MB may unpack to."""
MOST_ROWS = 1_048_576
"""Rows of an Excel sheet."""
MOST_COLUMNS = 5_000
ROWS_LOOKED_AT = 1_000
"""So many rows at the top of a sheet are searched for its first two that are not empty."""
BATCH_ROWS = 10_000

_HIDDEN = re.compile(rb'<(?:\w+:)?row\b[^<>]*\shidden="(?:1|true)"')
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b")
_NO_VALUE = re.compile(rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]*/>)\s*+(?:<(?:\w+:)?v\s*+/>\s*+)?</(?:\w+:)?c>")
_FOUND = (
    (_HIDDEN, "hidden rows (taken like the others)"),
    (_MERGED, "merged cells (their text counts for the first of them only)"),
    (_NO_VALUE, "formulas without a stored value, taken as empty: open the workbook in Excel and save it"),
)


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The rows of one sheet, held as Arrow text: `lines` are Excel's row numbers."""

    name: str
    columns: tuple[str, ...]
    batches: list[tuple[pa.Table, list[int]]]
    tally: Tally
    """What was met while it was read."""

    def chunks(self, file: str, tally: Tally) -> Iterator[Chunk]:
        """Yield the rows as chunks, and count into `tally` what reading the sheet met."""
        tally.add(self.tally)
        number = 0
        for table, lines in self.batches:
            cells = [column.to_pylist() for column in table.columns]
            numbers = list(range(number + 1, number + len(lines) + 1))
            number += len(lines)
            yield Chunk(file, self.columns, list(zip(*cells, strict=True)), numbers, lines)
        if not self.batches:
            yield Chunk(file, self.columns)


def read_workbook(path: Path, sheet: str | None, header_row: int | None) -> Sheet:
    """Read one sheet of a workbook: `sheet` by name, or the first with a row under its column names.

    The column names stand in `header_row` (1 for the first), or in the first row that is not empty.
    Raises SourceError for a workbook that cannot be read or has no such rows, UsageError for a sheet that is not there.
    """
    with errors_named(path), path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts that are not read: styles, validations, extensions
        with _damage_named(path):
            _refuse_bomb(path)
            _refuse_long_pieces(path)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            for styles in ("_date_formats", "_timedelta_formats"):
                setattr(book, styles, set())  # dates stay numbers: openpyxl rounds and shifts some, see `moment`
        with contextlib.closing(book), _damage_named(path):
            chosen, tally = _chosen(book, path, sheet)
            _look_through(path, chosen, tally)
            return _read(path, chosen, header_row, tally)


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn whatever a damaged or hostile workbook makes openpyxl raise into a SourceError."""
    try:
        yield
    except (SourceError, UsageError, PermissionError, FileNotFoundError):
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".replace(f" from {path}", "").split())[:100]
        raise SourceError(
            f"{path}: not a whole Excel workbook ({said}); open it in Excel and save it again, or save the sheet as CSV."
        ) from None


def _refuse_bomb(path: Path) -> None:
    """Raise SourceError where the parts of the zip say that they unpack to more than a workbook has."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    # zipfile gives no more of a part than it says to have, so that what is said can be relied on
    held = [p for p in parts if p.file_size > MOST_HELD and "worksheets/" not in p.filename]
    packed = [p for p in parts if p.file_size > 100 * 10**6 and p.file_size > MOST_PACKING * max(p.compress_size, 1)]
    total = sum(p.file_size for p in parts)
    if held or packed or total > MOST_UNPACKED:
        raise SourceError(f"{path}: unpacks to {total / 1e6:,.0f} MB, too much to read; save the sheet as CSV.")


def _refuse_long_pieces(path: Path) -> None:
    """Raise SourceError where a part of the zip is XML that takes a parser far longer than its length."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            with archive.open(part) as content:
                if part.file_size > MOST_IN_ONE_PIECE and (why := wrong_xml(content)):
                    raise SourceError(
                        f"{path}: its part {part.filename[:100]!r} has {why}, which Excel does not write; "
                        "open it in Excel and save it again, or save the sheet as CSV."
                    )


def _chosen(book: Any, path: Path, name: str | None) -> tuple[Any, Tally]:
    """Return the sheet to read, and a tally that says which one that was where there is a choice."""
    tally = Tally()
    sheets = {s.title: s for s in book.worksheets}
    for one in sheets.values():
        one.reset_dimensions()  # a stranger's word
    if name is not None:
        found = {t.casefold(): t for t in reversed(list(sheets))}.get(name.strip().casefold())
        if found is None:
            has = ", ".join(repr(t) for t in list(sheets)[:20])
            raise UsageError(f"--sheet {name}: {path} has no such sheet{nearest(name, sheets)}; it has {has}.")
        return sheets[found], tally
    filled = [s for s in sheets.values() if _has_rows(s)]
    if not filled:
        raise SourceError(f"{path}: no sheet with column names and a row under them; is it the right workbook?")
    if len(filled) > 1:
        others = ", ".join(repr(s.title) for s in filled[1:21])
        tally.remark(f"sheet {filled[0].title!r} is read; others have rows too: {others} (--sheet NAME takes another)")
    if filled[0].sheet_state != "visible":
        tally.remark(f"sheet {filled[0].title!r} is hidden in Excel")
    return filled[0], tally


def _has_rows(sheet: Any) -> bool:
    rows = itertools.islice(sheet.iter_rows(values_only=True), ROWS_LOOKED_AT)
    return sum(1 for _ in itertools.islice((r for r in rows if any(v is not None for v in r)), 2)) == 2


def _look_through(path: Path, sheet: Any, tally: Tally) -> None:
    """Count what openpyxl does not tell when it streams: hidden rows, merged cells, formulas without a value."""
    counts: Counter[str] = Counter()
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as part:
        rest = b""
        while piece := part.read(2**20):
            rest += piece
            end = max(rest.rfind(b"row>") + 4, rest.rfind(b"c>") + 2)
            if end < 4 and len(rest) > MOST_IN_ONE_PIECE:
                end = rest.rfind(b"<")
            if end > 3:
                for pattern, what in _FOUND:
                    counts[what] += len(pattern.findall(rest, 0, end))
                rest = rest[end:]
        for pattern, what in _FOUND:
            counts[what] += len(pattern.findall(rest))
    for _, what in _FOUND:
        tally.count(what, counts[what])


def _read(path: Path, sheet: Any, header_row: int | None, tally: Tally) -> Sheet:
    rows = ((n, row) for n, row in enumerate(sheet.iter_rows(), start=1))
    first = list(itertools.islice(rows, max(ROWS_LOOKED_AT, header_row or 0)))
    place = _header(path, sheet.title, first, header_row)
    cells = _texts(first[place][1], first[place][0], Tally())
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise SourceError(f"{path}: row {first[place][0]} names over {MOST_COLUMNS:,} columns; not a table.")
    columns = tuple(unique_names(cells))
    batches: list[tuple[pa.Table, list[int]]] = []
    found: list[list[str]] = []
    lines: list[int] = []
    for number, row in itertools.chain(first[place + 1 :], rows):
        if number > MOST_ROWS:
            raise SourceError(f"{path}: more rows than an Excel sheet has ({MOST_ROWS:,}); not a whole workbook.")
        texts = _texts(row, number, tally)
        if not any(texts):
            continue  # a row fully empty, or formatted and never filled
        if any(texts[len(columns) :]):
            tally.count("rows with cells beyond the column names (those left out)", line=number)
        found.append([*texts[: len(columns)], *[""] * (len(columns) - len(texts))])
        lines.append(number)
        if len(found) == BATCH_ROWS:
            batches.append((_table(columns, found), lines))
            found, lines = [], []
    if found:
        batches.append((_table(columns, found), lines))
    return Sheet(sheet.title, columns, batches, tally)


def _header(path: Path, name: str, first: Sequence[tuple[int, Any]], told: int | None) -> int:
    """Return the place of the row of column names. A title above them is not guessed away but told."""
    filled = {n: sum(cell.value is not None for cell in row) for n, row in first}
    if told is not None:
        if not filled.get(told):
            raise UsageError(f"--header-row {told}: row {told} of sheet {name!r} in {path} is empty.")
        return told - 1
    place = next((i for i, (n, _) in enumerate(first) if filled[n]), None)
    if place is None:
        raise SourceError(f"{path}: sheet {name!r} is empty; say --sheet NAME for another.")
    number = first[place][0]
    widest = max(n for i, n in list(filled.items())[place : place + 20])
    if filled[number] * 2 < widest:
        better = next(n for n, count in filled.items() if count * 2 >= widest)
        text = next(str(cell.value) for cell in first[place][1] if cell.value is not None)[:60]
        raise SourceError(
            f"{path}: row {number} of sheet {name!r} looks like a title ({text!r}), row {better} like the column names. "
            f"Say --header-row {better}, or --header-row {number} if those are the names."
        )
    return place


def _texts(row: Sequence[Any], line: int, tally: Tally) -> list[str]:
    texts = []
    for cell in row:
        value = cell.value
        if value is None:
            texts.append("")
        elif cell.data_type == "e":
            tally.count("error cells such as #N/A or #REF! (taken as empty)", line=line)
            texts.append("")
        else:
            number_format = "" if isinstance(value, str) else cell.number_format
            kind = _kind(number_format) if cell.data_type == "n" else ""
            text, damaged = (_moment(cell, kind), False) if kind else shown(value, number_format)
            if damaged:
                tally.count(SHORTENED, line=line)
            texts.append(text)
    return texts


@functools.lru_cache(maxsize=1_000)
def _kind(number_format: str) -> str:
    if is_timedelta_format(number_format):
        return "duration"
    return "date" if is_date_format(number_format) else ""


def _moment(cell: Any, kind: str) -> str:
    """Return the text of a number that the workbook shows as a date, a time or hours of any count ([h]:mm)."""
    if kind == "duration" and abs(cell.value) < LAST_DAY:
        return str(datetime.timedelta(milliseconds=round(cell.value * DAY)))
    return moment(cell.value, cell.number_format, from_1904=cell.parent.parent.epoch == CALENDAR_MAC_1904)


def _table(columns: Sequence[str], rows: list[list[str]]) -> pa.Table:
    return pa.table([pa.array(c, pa.string()) for c in zip(*rows, strict=True)], names=list(columns))
