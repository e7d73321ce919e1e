"""A person's own list of which file shows which number: two columns of a table. It wins over every rule."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vasculum.errors import SourceError, UsageError
from vasculum.sources.identity import without_extension
from vasculum.sources.matching import Index, Match
from vasculum.sources.names import bare
from vasculum.sources.reading import TableFile
from vasculum.sources.rejects import Tally
from vasculum.sources.terms import ADDRESSES, FILES, NAMES
from vasculum.sources.values import local_path

NUMBERS = ("number", "nummer", "numéro", "número", "key", *NAMES["catalogNumber"])
ROWS = ("row", "line", "zeile", "ligne", "fila")
NAMES_OF_FILES = ("file", "datei", *ADDRESSES[FILES])


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """One row of the list: `number` and `file` as they stand there, its line, and the row of the table it names."""

    number: str
    file: str
    line: int
    row: str = ""


@dataclasses.dataclass(frozen=True)
class Pairs:
    """The list, read: its rows, and how many of them name only one of the two."""

    path: Path
    rows: list[Pair]
    halves: int


@dataclasses.dataclass(frozen=True, slots=True)
class Unused:
    """A row of the list that names no such number or file, and why it was not used."""

    pair: Pair
    why: str


def read_pairs(path: Path, key: str) -> Pairs:
    """Read a match file: the columns of numbers and of files by their names (`key` is one, too), or in that order.

    A third column, `row`, may say which row of the table is meant where several have the number.

    Raises SourceError for a file that is no table, UsageError where the two columns cannot be told.
    """
    file = TableFile(path)
    first = file.first()
    number, name = _columns(path, first.columns, key)
    rows: list[Pair] = []
    halves = 0
    if (number, name) == (0, 1) and not _known(first.columns[0], NUMBERS):
        rows.append(Pair(first.columns[0], first.columns[1], 1))  # perhaps no header but the first pair
    where = next((i for i, c in enumerate(first.columns) if _known(c, ROWS) and i not in (number, name)), None)
    tally = Tally()
    for chunk in file.chunks(tally):
        if chunk.columns != first.columns:
            raise SourceError(f"{path}: its rows have different columns; give two: number and file.")
        for row, line in zip(chunk.rows, chunk.lines, strict=True):
            told = "" if where is None else str(row[where]).strip()
            one = Pair(str(row[number]).strip(), str(row[name]).strip(), line, told)
            if one.number and one.file:
                rows.append(one)
            else:
                halves += 1
    if tally.rejects:
        first_bad = tally.rejects[0]
        raise SourceError(f"{path}: {first_bad.reason}; mend it, so that no row of it is passed over.")
    return Pairs(path, rows, halves)


def _known(column: str, names: Sequence[str]) -> bool:
    return bare(column) in names


def _columns(path: Path, columns: Sequence[str], key: str) -> tuple[int, int]:
    """Return the places of the numbers and of the files."""
    number = next((i for i, c in enumerate(columns) if bare(c) == bare(key)), None)
    if number is None:
        number = next((i for i, c in enumerate(columns) if _known(c, NUMBERS)), None)
    name = next((i for i, c in enumerate(columns) if _known(c, NAMES_OF_FILES)), None)
    if number is None and name is None and len(columns) == 2:
        return 0, 1
    if number is None or name is None:
        raise UsageError(
            f"--match {path}: it needs a column of numbers and a column of files; it has {', '.join(columns[:20])}. "
            "Call them number and file."
        )
    return number, name


class Files:
    """The files of a folder, found by what a person may write: path, else name, with or without extension."""

    def __init__(self, root: Path, media: Sequence[Sequence[str]]) -> None:
        """`media` holds, for each medium, the paths of its files under `root`."""
        self.root = root
        self._paths: dict[str, dict[int, None]] = {}
        self._names: dict[str, dict[int, None]] = {}
        for place, paths in enumerate(media):
            for path in paths:
                for way in (path, without_extension(path)):
                    self._paths.setdefault(_folded(way), {})[place] = None
                    self._names.setdefault(_folded(way.rpartition("/")[2]), {})[place] = None

    def find(self, text: str) -> list[int]:
        """Return the places of the media that a text may mean."""
        for way in (text, text.removeprefix("'")):  # vasculum's own tables write a quote before '=', '+', '-', '@'
            path, _ = local_path(way, self.root)
            if path is None:
                continue
            if found := self._paths.get(_folded(path)) or self._names.get(_folded(path)):
                return list(found)
        return []


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def apply_pairs(
    pairs: Pairs, files: Files, names: Sequence[str], index: Index, lines: Sequence[int]
) -> tuple[dict[int, Match], list[Unused]]:
    """Return the matches that the list makes, by the place of the file in `names`, and the rows that make none.

    `lines` are where the rows of the table stand, by place.
    A file that the list names and whose number is not in the table has no record: the rules do not overrule a person.
    """
    shown: dict[int, dict[int, None]] = {}
    unused: list[Unused] = []
    refused: dict[int, str] = {}
    for pair in pairs.rows:
        places = files.find(pair.file)
        rows = index.rows(pair.number) or index.rows(pair.number.removeprefix("'"))
        if len(rows) > 1 and pair.row:
            rows = [row for row in rows if str(lines[row]) == pair.row.removesuffix(".0")] or rows
        why = _problem(pair, places, [lines[row] for row in rows])
        if pair.line == 1 and why and not places:
            continue  # it was a header
        if why:
            unused.append(Unused(pair, why))
            refused.update((place, f"line {pair.line} of {pairs.path.name}: {why}") for place in places[:1])
        else:
            shown.setdefault(places[0], {}).update(dict.fromkeys(rows))
    matches = {place: Match(names[place], "mapping", tuple(rows)) for place, rows in shown.items()}
    for place, why in refused.items():
        matches.setdefault(place, Match(names[place], "none", note=why))
    return matches, unused


def _problem(pair: Pair, places: Sequence[int], lines: Sequence[int]) -> str:
    if not places:
        return f"there is no file {pair.file[:100]!r} in the folder"
    if len(places) > 1:
        return f"{pair.file[:100]!r} is the name of {len(places)} files; give the path"
    if not lines:
        return f"no record has the number {pair.number[:100]!r}"
    if len(lines) > 1:
        which = ", ".join(str(line) for line in lines[:5]) + (" …" if len(lines) > 5 else "")
        return (
            f"the number {pair.number[:100]!r} fits {len(lines)} rows of the table ({which}); write it as it stands "
            "there, with the code of its institution before it, or give the row in a column 'row'"
        )
    return ""


def told_lines(unused: Iterable[Unused], path: Path, most: int = 3) -> Iterator[str]:
    """Yield the first few unused rows as lines for a person."""
    for _, one in zip(range(most), unused, strict=False):
        yield f"line {one.pair.line} of {path.name}: {one.why}"
