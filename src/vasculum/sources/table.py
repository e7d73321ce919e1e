"""A table (CSV, TSV, JSON lines, Parquet; also gzipped) as a source of manifest rows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.errors import SourceError, UsageError
from vasculum.sources.chunk import Chunk
from vasculum.sources.delimited import Dialect, check_delimiter, read_delimited
from vasculum.sources.names import Mapping, guess
from vasculum.sources.objects import read_objects
from vasculum.sources.opening import check_encoding, is_packed, sniff
from vasculum.sources.parquet import parquet_files, read_parquet
from vasculum.sources.rejects import Reject, Tally
from vasculum.sources.rows import Assembler
from vasculum.sources.values import local_path

BATCH_ROWS = 10_000
SAMPLE_ROWS = 200


class TableSource:
    """One table, opened and understood, not yet read. `batches` reads it, as often as it is asked to."""

    kind = "table"

    def __init__(
        self,
        path: Path,
        label: str,
        root: Path | None,
        overrides: Table[str, str],
        encoding: str | None,
        delimiter: str | None,
    ) -> None:
        self.path, self.label = path, label
        folder = path if path.is_dir() else path.parent
        self.root = Path(os.path.normpath(Path.cwd() / (root if root is not None else folder)))
        self._overrides = dict(overrides)
        self._tally = Tally()
        if path.is_dir():
            if not parquet_files(path):
                raise SourceError(f"{path}: a folder without Parquet files; for a folder of images use it as a folder.")
            self._format, self._encoding = "parquet", ""
        else:
            found, sniffed = sniff(path) if encoding is None else _told(path, encoding)
            self._format, self._encoding = found, encoding or sniffed
        self._dialect = Dialect(path, self._encoding, delimiter) if self._format == "delimited" else None
        sample = next(itertools.islice(self._sampled(), 1))
        self.mapping = self._guess(sample)
        self.query = self._query()

    @property
    def rejects(self) -> list[Reject]:
        """What was not taken in the last reading; complete when it has ended."""
        return self._tally.rejects

    @property
    def counts(self) -> dict[str, int]:
        """How many rows, links and oddities the last reading met, in words; complete when it has ended."""
        return dict(self._tally.counts)

    @property
    def notes(self) -> list[str]:
        """One line for each thing in `counts` that a person should know, and one where there are no rows."""
        said = self._tally.sentences(without=("rows read", "image links"))
        return said if self._tally.counts["rows read"] or said else [f"{self.path.name}: 0 rows, a header only"]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches of tables.SOURCE_SCHEMA, in source order, about 10,000 rows each.

        One row out for each link of a medium and a record. Raises SourceError for what cannot be read on.
        """
        self._tally = Tally()
        self._tally.count("rows read", 0)
        self._tally.count("image links", 0)
        assembler: Assembler | None = None
        columns: tuple[str, ...] = ()
        for chunk in self._chunks(self._tally, BATCH_ROWS):
            if assembler is None or chunk.columns != columns:
                self.mapping = self._guess(chunk) if columns or chunk.columns != self._columns() else self.mapping
                assembler, columns = (
                    Assembler(self.mapping, self.label, self.root, self._tally),
                    chunk.columns,
                )
            if chunk.rows:
                yield assembler.batch(chunk)

    def _columns(self) -> tuple[str, ...]:
        return tuple(e.column for e in self.mapping)

    def _sampled(self) -> Iterator[Chunk]:
        """Yield a first chunk with some rows, or the header alone where there are none."""
        header: Chunk | None = None
        for chunk in self._chunks(Tally(), SAMPLE_ROWS):
            header = chunk
            if chunk.rows:
                break
        if header is None:
            raise SourceError(f"{self.path}: no rows and no column names; the file is empty.")
        yield header

    def _chunks(self, tally: Tally, size: int) -> Iterator[Chunk]:
        if self._format == "parquet":
            return read_parquet(self.path, tally, size)
        if self._dialect is not None:
            return read_delimited(self.path, self._encoding, self._dialect, tally, size)
        return read_objects(self.path, self._encoding, tally, size)

    def _guess(self, chunk: Chunk) -> Mapping:
        rows = chunk.rows[:SAMPLE_ROWS]
        sample = {c: [str(row[i]) for row in rows if isinstance(row[i], str)] for i, c in enumerate(chunk.columns)}
        return guess(chunk.columns, file=str(self.path), overrides=self._overrides, sample=sample, exists=self._exists)

    def _exists(self, text: str) -> bool:
        path, _ = local_path(text.strip(), self.root)
        try:
            return path is not None and (self.root / path).is_file()
        except (OSError, ValueError):
            return False

    def _query(self) -> dict[str, Any]:
        said: dict[str, Any] = {"file": self.path.name, "format": self._format}
        if self._encoding:
            said["encoding"] = self._encoding
        if not self.path.is_dir() and is_packed(self.path):
            said["packed"] = "gzip"
        if self._dialect is not None:
            said.update(self._dialect.query)
        if self._overrides:
            said["map"] = self._overrides
        return said


def read_table(
    path: str | Path,
    *,
    label: str,
    root: str | Path | None = None,
    overrides: Table[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> TableSource:
    """Open a table as a source: CSV, TSV or text, JSON lines (gzipped or not), Parquet or a folder of it.

    `label` names the source in every row and in the ids of local files. `root` is the folder that relative
    paths in the table start from (default: the table's own). `overrides` maps manifest columns to columns of
    the file where the guess is wrong. `encoding` and `delimiter` overrule what is found. All is read as text.
    Raises SourceError for a file that is no table or has no column of addresses, UsageError for options.
    """
    given = Path(path)
    if delimiter is not None:
        delimiter = check_delimiter(delimiter)
    if encoding is not None:
        encoding = check_encoding(encoding)
    if not label:
        raise UsageError("a source needs a label that is not empty, such as the name of its file.")
    return TableSource(given, label, Path(root) if root is not None else None, overrides or {}, encoding, delimiter)


def _told(path: Path, encoding: str) -> tuple[str, str]:
    """Sniff a file whose encoding was told: bytes that look like no text may be text in that encoding."""
    try:
        found, _ = sniff(path)
    except SourceError as error:
        if "UTF-16" in str(error) or "binary data" in str(error):
            return "delimited", encoding
        raise
    return found, encoding
