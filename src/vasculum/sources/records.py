"""A table of specimen records on its way to files that show them: its key column, and its rows by place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

from vasculum.errors import SourceError, UsageError, nearest
from vasculum.sources.chunk import Chunk
from vasculum.sources.matching import Index, Key, plain
from vasculum.sources.names import Entry, Mapping, bare, guess
from vasculum.sources.reading import TableFile, sampled
from vasculum.sources.rejects import Tally
from vasculum.sources.rows import Assembler
from vasculum.sources.shown import SHORTENED, looks_shortened
from vasculum.sources.values import Cell

SAMPLED_ROWS = 2_000
"""Rows that are asked which other column would fit the files."""


@dataclasses.dataclass(frozen=True)
class Numbers:
    """The keys of all rows, by place; `lines` are where the rows stand, `same` those that repeat an earlier one."""

    keys: list[Key]
    lines: list[int]
    same: set[int]

    def index(self) -> Index:
        """Return them ready to be searched."""
        return Index(self.keys, self.same)


class Records:
    """A table of records and its key column.

    `key` is a manifest column such as catalogNumber or one of the table's own, in any case; None: whichever column
    holds catalogue numbers. `remarks` say what was guessed.
    """

    def __init__(self, file: TableFile, key: str | None, overrides: Table[str, str]) -> None:
        self.file, self.path, self.overrides = file, file.path, dict(overrides)
        self.remarks: list[str] = []
        first = file.first()
        mapping = self._guess(first)
        self.key_columns = self._chosen(mapping, key)
        self.mapping = self._with_key(mapping)

    def _guess(self, chunk: Chunk) -> Mapping:
        return guess(
            chunk.columns, file=str(self.path), overrides=self.overrides, sample=sampled(chunk), records_only=True
        )

    def _chosen(self, mapping: Mapping, key: str | None) -> list[str]:
        """Return the columns that hold the key; of each row the first that is filled counts."""
        columns = [e.column for e in mapping]
        if key is None:
            places = mapping.places("catalogNumber")
            if not places:
                raise UsageError(f"{self.path}: no column is known to hold catalogue numbers. {_give(columns)}")
            others = ", ".join(f"--key {columns[p]!r}" for p in places[1:])
            self.remarks.append(
                f"files are matched with column {columns[places[0]]!r}"
                + (f" (for another: {others})" if others else "")
            )
            return [columns[places[0]]]
        for alike in (str.strip, str.casefold, bare):
            if found := [c for c in columns if alike(c) == alike(key)]:
                return found[:1]
        targets = {e.target.casefold(): e.target for e in mapping if e.target}
        if target := targets.get(bare(key)):
            return [columns[p] for p in mapping.places(target)]
        near = nearest(key, [*columns, *targets.values()])
        raise UsageError(f"--key {key}: {self.path} has no such column{near}. {_give(columns)}")

    def _with_key(self, mapping: Mapping) -> Mapping:
        """Take the key for the catalogue number where the table has no other one."""
        if mapping.places("catalogNumber"):
            return mapping
        return Mapping(
            tuple(
                Entry(e.column, "catalogNumber", "told by --key")
                if e.column in self.key_columns and e.target is None
                else e
                for e in mapping
            )
        )

    def numbers(self, tally: Tally) -> Numbers:
        """Read the keys of all rows. Raises SourceError where the column is empty or there are no rows."""
        keys: list[Key] = []
        lines: list[int] = []
        seen: set[tuple[str, int]] = set()
        same: set[int] = set()
        for name in sorted(self.file.number_columns() & set(self.key_columns)):
            tally.remark(f"column {name!r} holds numbers, not text: leading zeros, if there were any, are lost")
        for chunk in self.file.chunks(tally):
            key_places = [chunk.columns.index(c) for c in self.key_columns if c in chunk.columns]
            code_places = [self._place(chunk, target) for target in ("institutionCode", "collectionCode")]
            for row, line in zip(chunk.rows, chunk.lines, strict=True):
                text = next((t for p in key_places if (t := str(row[p]).strip())), "")
                codes = [str(row[p]).strip() for p in code_places if p is not None]
                if text and (mark := (text, hash(tuple(map(str, row))))) in seen:
                    same.add(len(keys))
                elif text:
                    seen.add(mark)
                if self.file.format != "workbook" and looks_shortened(text):
                    tally.count(SHORTENED, line=line)
                keys.append(Key(text, len(keys), _codes(codes)))
                lines.append(line)
        tally.count("rows of the table that stand there twice, word for word (taken once)", len(same))
        if not keys:
            raise SourceError(f"{self.path}: 0 records, a header only; give the table with its rows.")
        if not any(key.text for key in keys):
            raise SourceError(
                f"{self.path}: column {self.key_columns[0]!r} is empty in every row. "
                + _give([e.column for e in self.mapping])
            )
        return Numbers(keys, lines, same)

    def _place(self, chunk: Chunk, target: str) -> int | None:
        name = next((self.mapping.entries[p].column for p in self.mapping.places(target)), None)
        return chunk.columns.index(name) if name in chunk.columns else None

    def columns_of(
        self, wanted: Table[int, Any], label: str, root: Path, tally: Tally
    ) -> Iterator[tuple[list[int], dict[str, list[Any]]]]:
        """Yield, chunk by chunk, the places of wanted rows and what they tell, by manifest column."""
        assembler, columns = None, None
        begin = 0
        for chunk in self.file.chunks(Tally()):  # what is odd in it was counted when the keys were read
            if assembler is None or chunk.columns != columns:
                if chunk.columns != tuple(e.column for e in self.mapping):
                    self.mapping = self._with_key(self._guess(chunk))
                assembler, columns = Assembler(self.mapping, label, root, tally), chunk.columns
            places = [i for i in range(len(chunk.rows)) if begin + i in wanted]
            part = Chunk(
                chunk.file, chunk.columns, [chunk.rows[i] for i in places], [chunk.numbers[i] for i in places],
                [chunk.lines[i] for i in places],
                {new: chunk.beyond[i] for new, i in enumerate(places) if i in chunk.beyond},
            )  # fmt: skip
            if places:
                yield [begin + i for i in places], assembler.records(part)
            begin += len(chunk.rows)

    def better_key(self, stems: Sequence[str]) -> str:
        """Return a sentence about another column that would fit more files, or ''."""
        names = {plain(stem) for stem in stems}
        fits = {c: len(names & {plain(v) for v in values if v}) for c, values in self._columns().items()}
        best = max(fits, key=lambda c: fits[c], default="")
        return f" Column {best!r} fits some of them: --key {best!r}." if best and fits[best] else ""

    def file_column(self, names: set[str]) -> str:
        """Return the column whose values are mostly names of files of `names` (in small letters), or ''."""
        for column, values in self._columns().items():
            filled = [v.replace("\\", "/").rpartition("/")[2].casefold() for v in values if v.strip()]
            if filled and sum(v in names for v in filled) * 2 > len(filled):
                return column
        return ""

    def _columns(self) -> dict[str, list[str]]:
        chunk = self.file.first()
        rows: Sequence[Sequence[Cell]] = chunk.rows[:SAMPLED_ROWS]
        return {c: [str(row[i]) for row in rows] for i, c in enumerate(chunk.columns)}


def _codes(codes: Sequence[str]) -> tuple[str, ...]:
    filled = [code for code in codes if code]
    return tuple(dict.fromkeys([*filled, " ".join(filled)])) if filled else ()


def _give(columns: Sequence[str]) -> str:
    shown = ", ".join(c[:60] for c in columns[:30])
    more = f" and {len(columns) - 30} more" if len(columns) > 30 else ""
    return f"Say --key COLUMN with one of: {shown}{more}."
