"""CSV, TSV and their kin: Python's csv module, held strict, with the line of whatever cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from vasculum.errors import SourceError, UsageError
from vasculum.sources.chunk import Chunk
from vasculum.sources.identity import without_extension
from vasculum.sources.names import URL_START, unique_names
from vasculum.sources.opening import LONGEST_LINE, Lines, open_lines
from vasculum.sources.rejects import Tally

DELIMITERS = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "pipe": "|"}
NO_DELIMITER = "\x1f"
"""For a table of one column, where a comma is part of an address: the 'unit separator', which no text has."""
MOST_COLUMNS = 5_000
STRAY = "rows with a quote that is not closed (read as it stands)"


def check_delimiter(text: str) -> str:
    """Return the one character that a --delimiter stands for, or raise UsageError."""
    found = DELIMITERS.get(text.lower(), text)
    if len(found) != 1 or found in '"\r\n\0':
        raise UsageError(f"--delimiter {text!r}: give one character, or comma, tab, semicolon or pipe.")
    return found


class Dialect:
    """How a delimited file is written: delimiter, whether quotes count, lines before the header."""

    def __init__(self, path: Path, encoding: str, delimiter: str | None) -> None:
        with open_lines(path, encoding) as lines:
            first = next(lines, "")
            self.skipped = 0
            told = first.strip("\r\n\ufeff \"'").lower()
            if told.startswith("sep=") and len(told) == 5:
                self.skipped = 1
                delimiter = delimiter or told[4]
                first = next(lines, "")
            elif told == "sep=":  # a tab, taken off with the blanks
                self.skipped, delimiter, first = 1, delimiter or "\t", next(lines, "")
        if not first.strip("\r\n\ufeff ,;\t|"):
            raise SourceError(f"{path}: line {self.skipped + 1} should hold the column names and is empty.")
        self.delimiter = delimiter or _most_cells(first, path)
        names = [n.strip().strip("\ufeff").lower() for n in first.rstrip("\r\n").split(self.delimiter)]
        # GBIF's tab-separated downloads put no quotes around cells: a quote in them is a quote.
        self.quoted = not (self.delimiter == "\t" and "gbifid" in names and '"' not in first)

    @property
    def query(self) -> dict[str, object]:
        """How the file was read, for the corpus to remember."""
        delimiter = None if self.delimiter == NO_DELIMITER else self.delimiter
        return {"delimiter": delimiter, "quotes": self.quoted}

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Return a strict csv reader over lines."""
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))  # it holds for the whole process
        if self.quoted:
            return csv.reader(lines, delimiter=self.delimiter, strict=True)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)


def _most_cells(header: str, path: Path) -> str:
    """Return the delimiter that cuts the header into most cells; of equals, a tab for .tsv, else a comma."""
    order = "\t,;|" if ".tsv" in (s.lower() for s in path.suffixes) else ",\t;|"

    def cells(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter, strict=True)))
        except csv.Error:
            return header.count(delimiter) + 1

    best = max(order, key=cells)
    return best if cells(best) > 1 else NO_DELIMITER


def read_delimited(path: Path, encoding: str, dialect: Dialect, tally: Tally, size: int) -> Iterator[Chunk]:
    """Yield the rows of a delimited file, `size` a chunk; the first chunk comes at once, even without rows.

    A row whose quote is not closed is read as it stands where that gives as many cells as the header has;
    otherwise it is a reject. The lines after it are read on their own: none of them vanishes into a cell.
    """
    with open_lines(path, encoding) as lines:
        for _ in range(dialect.skipped):
            next(lines)
        lines.forget()
        reader = dialect.reader(lines)
        try:
            columns = tuple(unique_names(next(reader)))
        except (csv.Error, StopIteration) as error:
            raise SourceError(f"{path}: line {lines.number}: the column names cannot be read ({error}).") from None
        _refuse_no_header(path, columns, lines.number)
        lines.forget()
        chunk = Chunk(path.name, columns)
        number = 0
        for row, line in _records(path, lines, reader, dialect, len(columns), tally):
            number += 1
            if row is None:
                continue
            if len(chunk.rows) == size:
                yield chunk
                chunk = Chunk(path.name, columns)
            if len(row) != len(columns):
                row = _fitted(row, len(columns), chunk, tally, line)
            chunk.rows.append(row)
            chunk.numbers.append(number)
            chunk.lines.append(line)
        yield chunk


def _records(
    path: Path, lines: Lines, reader: Iterator[list[str]], dialect: Dialect, width: int, tally: Tally
) -> Iterator[tuple[list[str] | None, int]]:
    """Yield each record and the line it begins on; None for a rejected one. Blank lines are passed over."""
    while True:
        begun = lines.number + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield _without_quotes(path, lines, dialect, width, tally, error), begun
            lines.forget()
            continue
        if row is None:
            if lines.held:  # the text ended within a record: only where a line was too much to hold
                yield (
                    _without_quotes(path, lines, dialect, width, tally, csv.Error("a quote is not closed")),
                    begun,
                )
                lines.forget()
                continue
            return
        if len(lines.held) > 1 and len(row) != width and (alone := _as_it_stands(lines.held[0], dialect, width)):
            lines.give_back(1)
            tally.count(STRAY, line=begun)
            row = alone
        lines.forget()
        if any(row):
            yield row, begun
        else:
            tally.count("blank lines")


def _as_it_stands(line: str, dialect: Dialect, width: int) -> list[str] | None:
    row = next(csv.reader([line], delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE), [])
    return row if len(row) == width else None


def _without_quotes(
    path: Path, lines: Lines, dialect: Dialect, width: int, tally: Tally, error: csv.Error
) -> list[str] | None:
    """Read the first held line alone, quotes being plain characters, or reject it; give the others back."""
    lines.give_back(1)
    first = lines.held[0] if lines.held else ""
    if row := _as_it_stands(first, dialect, width):
        tally.count(STRAY, line=lines.number)
        return row
    reason = f"line {lines.number}: a quote is not closed or stands in the wrong place ({error})"
    tally.reject(path.name, lines.number, reason, first, "rows with a quote that cannot be read")
    return None


def _fitted(row: list[str], width: int, chunk: Chunk, tally: Tally, line: int) -> list[str]:
    """Return a row of `width` cells: a short one filled up, a long one cut and its rest kept by the chunk."""
    if len(row) < width:
        tally.count("rows with fewer cells than columns (filled with empty ones)", line=line)
        return row + [""] * (width - len(row))
    if any(row[width:]):
        tally.count("rows with more cells than columns (those kept in terms_json)", line=line)
        chunk.beyond[len(chunk.rows)] = row[width:]
    return row[:width]


def _refuse_no_header(path: Path, columns: tuple[str, ...], line: int) -> None:
    if len(columns) > MOST_COLUMNS:
        raise SourceError(f"{path}: line {line} names over {MOST_COLUMNS:,} columns; not a table.")
    for name in columns:
        looks_like_data = len(columns) == 1 or "?" in name or without_extension(name) != name
        if URL_START.match(name) and looks_like_data and "/terms/" not in name:
            raise SourceError(
                f"{path}: line {line} holds data ({name[:80]!r}) where the column names should be; "
                "put a line of names above it, such as url."
            )
