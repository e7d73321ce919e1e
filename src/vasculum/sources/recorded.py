"""A folder of images together with a table of their records: files and rows matched, all of both accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from vasculum.errors import SourceError
from vasculum.sources.folder import BATCH_ROWS, FolderSource
from vasculum.sources.identity import without_extension
from vasculum.sources.matching import RULES, Index, Match, examples
from vasculum.sources.names import Mapping
from vasculum.sources.pairs import Files, Pairs, Unused, apply_pairs
from vasculum.sources.records import Records
from vasculum.sources.rejects import Reject, Tally
from vasculum.tables import SOURCE_SCHEMA

WORDS = {
    "mapping": "by the match file",
    "exact": "exactly",
    "normalised": "written otherwise",
    "suffix": "without a suffix such as _1",
    "prefix": "with or without the institution's code",
}
COLUMNS = ("file", "number", "how", "row", "note")
"""Of the list of matches. Its `file` and `number` are what a match file needs."""
OF_FILE = ("media_id", "source_name", "source_key", "local_path", "format", "variants")


class RecordedFolder:
    """A folder whose files were matched with the records of a table. `batches` gives all of its media."""

    kind = "folder"

    def __init__(self, folder: FolderSource, records: Records, pairs: Pairs | None, query: dict[str, Any]) -> None:
        self.folder, self.records = folder, records
        self.path, self.label, self.root = folder.path, folder.label, folder.root
        self.query = {**folder.query, "records": query}
        self._tally = Tally()
        self._rows = Tally()
        self._media = list(folder.media())
        if not self._media:
            raise SourceError(f"{folder.no_images()}; give the folder that the images are in.")
        self.numbers = records.numbers(self._tally)
        self._pairs = pairs
        self.unused: list[Unused] = []
        self.matches = self._matched(self.numbers.index())
        self._wanted: dict[int, list[int]] = {}
        for place, match in enumerate(self.matches):
            for row in match.rows if match.how in RULES else ():
                self._wanted.setdefault(row, []).append(place)
        self._refuse_nothing()

    @property
    def mapping(self) -> Mapping:
        """What each column of the table was taken for."""
        return self.records.mapping

    @property
    def rejects(self) -> list[Reject]:
        """Files and rows that could not be taken."""
        return [*self.folder.rejects, *self._tally.rejects, *self._rows.rejects]

    @property
    def counts(self) -> dict[str, int]:
        """How many files and records there are and what became of them, in words; complete after a reading."""
        return {**self.folder.counts, **self._tally.counts, **self._rows.counts, **self._counted()}

    @property
    def notes(self) -> list[str]:
        """What a person should know: how the files were matched, examples of what was not, oddities."""
        odd = self._rows.sentences(without=("rows read",))
        return [
            *self.records.remarks, *self._sentences(), *self.folder.notes,
            *self._tally.sentences(without=("rows read",)), *odd,
        ]  # fmt: skip

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield one row for each link of a file and a record, then the files without one, by tables.SOURCE_SCHEMA."""
        self._rows = Tally()
        for rows, told in self.records.columns_of(self._wanted, self.label, self.root, self._rows):
            links = [(i, place) for i, row in enumerate(rows) for place in self._wanted[row]]
            for begin in range(0, len(links), BATCH_ROWS):
                yield self._batch(rows, told, links[begin : begin + BATCH_ROWS])
        alone = [self._media[place] for place, match in enumerate(self.matches) if match.how not in RULES]
        for begin in range(0, len(alone), BATCH_ROWS):
            yield pa.RecordBatch.from_pylist(alone[begin : begin + BATCH_ROWS], schema=SOURCE_SCHEMA)

    def _batch(self, rows: list[int], told: dict[str, list[Any]], links: list[tuple[int, int]]) -> pa.RecordBatch:
        arrays = []
        for field in SOURCE_SCHEMA:
            name = field.name
            if name in OF_FILE:
                found = [self._media[place].get(name) for _, place in links]
            elif name == "record_keys":
                found = [told[name][i] or [self.numbers.keys[rows[i]].text] for i, _ in links]
            elif name == "label":
                found = [self._media[place]["label"] or told[name][i] for i, place in links]
            else:
                found = [told[name][i] if name in told else None for i, _ in links]
            arrays.append(pa.array(found, type=field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=SOURCE_SCHEMA)

    def report(self) -> Iterator[dict[str, Any]]:
        """Yield the list of matches, by COLUMNS: every file, every record without one, every unused row of the match file."""
        for match in self.matches:
            rows = match.rows if match.how in RULES else ()
            for row in rows or (None,):
                number, line = (None, None) if row is None else self._told(row)
                yield dict(zip(COLUMNS, (match.file, number, match.how, line, match.note or None), strict=True))
        doubted = {row: m.file for m in self.matches if m.how == "ambiguous" for row in m.rows}
        for row in self._without_file():
            number, line = self._told(row)
            note = "no file" if number else "no number in this row"
            if row in doubted:
                note = f"ambiguous: {doubted[row]} fits several rows"
            yield dict(zip(COLUMNS, (None, number, "none", line, note), strict=True))
        for one in self.unused:
            note = f"line {one.pair.line} of the match file: {one.why}"
            yield dict(zip(COLUMNS, (one.pair.file, one.pair.number, "not used", None, note), strict=True))

    def _told(self, row: int) -> tuple[str | None, int]:
        return self.numbers.keys[row].text or None, self.numbers.lines[row]

    def _without_file(self) -> list[int]:
        return [k.row for k in self.numbers.keys if k.row not in self._wanted and k.row not in self.numbers.same]

    def _matched(self, index: Index) -> list[Match]:
        names = [row["local_path"] for row in self._media]
        told: dict[int, Match] = {}
        if self._pairs is not None:
            several = [[r["local_path"], *(v["uri"] for v in r["variants"] or ())] for r in self._media]
            told, self.unused = apply_pairs(self._pairs, Files(self.root, several), names, index, self.numbers.lines)
        return [told.get(place) or index.find(name, _stem(name)) for place, name in enumerate(names)]

    def _refuse_nothing(self) -> None:
        """Raise SourceError where no file fits any record: the key is wrong, or the folder or the table."""
        if self._wanted:
            return
        files = examples(_stem(m.file) for m in self.matches)
        numbers = examples(k.text for k in self.numbers.keys if k.text)
        raise SourceError(
            f"no file of {self.path} fits a record of {self.records.path}: files are called like {files}, numbers in "
            f"column {self.records.key_columns[0]!r} look like {numbers}."
            + self.records.better_key([_stem(m.file) for m in self.matches])
            + self._file_column()
            + " Name another column with --key, or pair them in a table of two columns, number and file, with --match."
        )

    def _file_column(self) -> str:
        names = {m.file.rpartition("/")[2].casefold() for m in self.matches}
        column = self.records.file_column(names)
        if not column:
            return ""
        return (
            f" The table names the files in column {column!r}: vasculum collect CORPUS table {self.records.path} "
            f"--root {self.path} --map 'accessURI={column}'."
        )

    def _counted(self) -> dict[str, int]:
        how = Counter(match.how for match in self.matches)
        found = {f"files matched {WORDS[rule]}": how[rule] for rule in RULES}
        found["files without a record"] = how["none"]
        found["files not matched because several records fit"] = how["ambiguous"]
        found["records without a file"] = len(self._without_file())
        found["records with more than one image"] = sum(len(places) > 1 for places in self._wanted.values())
        found["files that show more than one record"] = sum(len(m.rows) > 1 for m in self.matches if m.how in RULES)
        found["rows of the match file that could not be used"] = len(self.unused)
        found["rows of the match file with only one of number and file"] = self._pairs.halves if self._pairs else 0
        return {what: n for what, n in found.items() if n}

    def _sentences(self) -> Iterator[str]:
        counted = self._counted()
        matched = {rule: n for rule in RULES if (n := counted.get(f"files matched {WORDS[rule]}", 0))}
        files = "file has" if len(self.matches) == 1 else "files have"
        of = f"{sum(matched.values()):,} of {len(self.matches):,} {files} a record"
        yield f"{of}, by {self.records.key_columns[0]!r}: " + ", ".join(f"{n:,} {WORDS[r]}" for r, n in matched.items())
        none = (m.file for m in self.matches if m.how == "none")
        doubtful = (f"{m.file} ({m.note})" for m in self.matches if m.how == "ambiguous")
        missing = (k for row in self._without_file() if (k := self.numbers.keys[row].text))
        shown = {
            "files without a record": examples(none),
            "files not matched because several records fit": "; ".join(t for t, _ in zip(doubtful, range(3), strict=False)),
            "records without a file": examples(missing),
            "rows of the match file that could not be used": "; ".join(
                f"line {u.pair.line}: {u.why}" for u in self.unused[:3]
            ),
        }  # fmt: skip
        for what, n in counted.items():
            if not what.startswith("files matched"):
                yield f"{n:,} {_one(what) if n == 1 else what}" + (
                    f", such as {shown[what]}" if shown.get(what) else ""
                )
        if zeros := self._zeros_lost():
            lack = "1 number of the table lacks" if len(zeros) == 1 else f"{len(zeros):,} numbers of the table lack"
            yield (
                f"{lack} zeros that the names of files have (such as {zeros[0]}): "
                "perhaps a spreadsheet dropped them; the corpus keeps what the table says"
            )
        if len(matched) and sum(matched.values()) < len(self.matches) and (said := self._file_column()):
            yield said.strip()

    def _zeros_lost(self) -> list[str]:
        found = []
        for match in self.matches:
            if match.how == "normalised":
                number, stem = self.numbers.keys[match.rows[0]].text, _stem(match.file)
                if number.isdecimal() and stem.isdecimal() and len(stem) > len(number):
                    found.append(f"{stem} / {number}")
        return found


def _one(what: str) -> str:
    """Return the words of a count as they are for one: 'files that show …' is 'file that shows …'."""
    first, _, rest = what.partition(" ")
    return f"{first.removesuffix('s')} {rest}".replace("file that show ", "file that shows ", 1)


def _stem(path: str) -> str:
    return without_extension(path).rpartition("/")[2]
