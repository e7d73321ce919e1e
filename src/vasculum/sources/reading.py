"""A table of whatever kind, opened and understood, as chunks of rows of text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vasculum.errors import SourceError, UsageError
from vasculum.sources.chunk import Chunk
from vasculum.sources.delimited import Dialect, check_delimiter, read_delimited
from vasculum.sources.objects import read_objects
from vasculum.sources.opening import check_encoding, is_packed, sniff
from vasculum.sources.parquet import number_columns, parquet_files, read_parquet
from vasculum.sources.rejects import Tally
from vasculum.sources.workbook import Sheet, read_workbook

BATCH_ROWS = 10_000
SAMPLE_ROWS = 200


class TableFile:
    """A table file (CSV, TSV, JSON lines, Excel, Parquet or a folder of it); `chunks` reads it, as often as asked to.

    `encoding` and `delimiter` overrule what is found in a text, `sheet` and `header_row` in a workbook.
    Raises SourceError for a file that is no table, UsageError for options that are wrong.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        sheet: str | None = None,
        header_row: int | None = None,
    ) -> None:
        self.path = path
        self._told_sheet = {"sheet": sheet, "header_row": header_row}
        delimiter = check_delimiter(delimiter) if delimiter is not None else None
        encoding = check_encoding(encoding) if encoding is not None else None
        if path.is_dir():
            if not parquet_files(path):
                raise SourceError(f"{path}: a folder without Parquet files; for a folder of images use it as a folder.")
            self.format, self.encoding = "parquet", ""
        else:
            found, sniffed = sniff(path) if encoding is None else _told(path, encoding)
            self.format, self.encoding = found, "" if found == "workbook" else encoding or sniffed
        if self.format != "workbook" and (sheet is not None or header_row is not None):
            raise UsageError(f"--sheet and --header-row are for Excel workbooks; {path} is none.")
        self._sheet: Sheet | None = None
        self._dialect: Dialect | None = None
        if self.format == "workbook":
            self._sheet = read_workbook(path, sheet, header_row)
        elif self.format == "delimited":
            self._dialect = Dialect(path, self.encoding, delimiter)

    @property
    def query(self) -> dict[str, Any]:
        """How the file was read, for the corpus to remember."""
        said: dict[str, Any] = {"file": self.path.name, "format": self.format}
        if self.encoding:
            said["encoding"] = self.encoding
        if not self.path.is_dir() and is_packed(self.path):
            said["packed"] = "gzip"
        if self._dialect is not None:
            said.update(self._dialect.query)
        said.update({name: told for name, told in self._told_sheet.items() if told is not None})
        return said

    def first(self) -> Chunk:
        """Return a first chunk with some rows, or the header alone where there are none."""
        header: Chunk | None = None
        for chunk in self.chunks(Tally(), SAMPLE_ROWS):
            header = chunk
            if chunk.rows:
                break
        if header is None:
            raise SourceError(f"{self.path}: no rows and no column names; the file is empty.")
        return header

    def chunks(self, tally: Tally, size: int = BATCH_ROWS) -> Iterator[Chunk]:
        """Yield the rows, about `size` a chunk, and count what is met; the first chunk comes even without rows."""
        if self.format == "parquet":
            return read_parquet(self.path, tally, size)
        if self._sheet is not None:
            return self._sheet.chunks(self.path.name, tally)
        if self._dialect is not None:
            return read_delimited(self.path, self.encoding, self._dialect, tally, size)
        return read_objects(self.path, self.encoding, tally, size)

    def number_columns(self) -> set[str]:
        """Return the columns that hold numbers by type, where leading zeros are lost: of Parquet only."""
        return number_columns(self.path) if self.format == "parquet" else set()


def sampled(chunk: Chunk) -> dict[str, list[str]]:
    """Return some of the texts of each column of a chunk."""
    rows = chunk.rows[:SAMPLE_ROWS]
    return {c: [str(row[i]) for row in rows if isinstance(row[i], str)] for i, c in enumerate(chunk.columns)}


def _told(path: Path, encoding: str) -> tuple[str, str]:
    """Sniff a file whose encoding was told: bytes that look like no text may be text in that encoding."""
    try:
        found, _ = sniff(path)
    except SourceError as error:
        if "UTF-16" in str(error) or "binary data" in str(error):
            return "delimited", encoding
        raise
    return found, encoding
