"""A table (CSV, TSV, JSON lines, Excel, Parquet; also gzipped) as a source of manifest rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.errors import UsageError
from vasculum.sources.chunk import Chunk
from vasculum.sources.names import Mapping, guess
from vasculum.sources.reading import TableFile, sampled
from vasculum.sources.rejects import Reject, Tally
from vasculum.sources.rows import Assembler
from vasculum.sources.values import local_path


class TableSource:
    """One table, opened and understood, not yet read. `batches` reads it, as often as it is asked to."""

    kind = "table"

    def __init__(self, file: TableFile, label: str, root: Path | None, overrides: Table[str, str]) -> None:
        self.file, self.path, self.label = file, file.path, label
        folder = self.path if self.path.is_dir() else self.path.parent
        self.root = Path(os.path.normpath(Path.cwd() / (root if root is not None else folder)))
        self._overrides = dict(overrides)
        self._tally = Tally()
        self.mapping = self._guess(file.first())
        self.query: dict[str, Any] = {**file.query, **({"map": self._overrides} if overrides else {})}

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
        self._tell_lost_zeros()
        assembler: Assembler | None = None
        columns: tuple[str, ...] = ()
        for chunk in self.file.chunks(self._tally):
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

    def _tell_lost_zeros(self) -> None:
        """Say where catalogue numbers are numbers by type: '00457728' cannot be told from '457728' there."""
        numbers = self.file.number_columns()
        for place in self.mapping.places("catalogNumber"):
            if (name := self.mapping.entries[place].column) in numbers:
                self._tally.remark(
                    f"column {name!r} holds numbers, not text: leading zeros, if there were any, are lost"
                )

    def _guess(self, chunk: Chunk) -> Mapping:
        return guess(
            chunk.columns, file=str(self.path), overrides=self._overrides, sample=sampled(chunk), exists=self._exists
        )

    def _exists(self, text: str) -> bool:
        path, _ = local_path(text.strip(), self.root)
        try:
            return path is not None and (self.root / path).is_file()
        except (OSError, ValueError):
            return False


def read_table(
    path: str | Path,
    *,
    label: str,
    root: str | Path | None = None,
    overrides: Table[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    header_row: int | None = None,
) -> TableSource:
    """Open a table as a source: CSV, TSV or text, JSON lines (gzipped or not), Excel, Parquet or a folder of it.

    `label` names the source in every row and in the ids of local files. `root` is the folder that relative
    paths in the table start from (default: the table's own). `overrides` maps manifest columns to columns of
    the file where the guess is wrong. `encoding`, `delimiter`, `sheet` and `header_row` overrule what is found. All is read as text.
    Raises SourceError for a file that is no table or has no column of addresses, UsageError for options.
    """
    if not label:
        raise UsageError("a source needs a label that is not empty, such as the name of its file.")
    file = TableFile(Path(path), encoding=encoding, delimiter=delimiter, sheet=sheet, header_row=header_row)
    return TableSource(file, label, Path(root) if root is not None else None, overrides or {})
