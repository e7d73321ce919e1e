"""Which file shows which record: names of files against numbers of a table. Pure; nothing is guessed.

The rules, in this order; the first that gives an answer is taken, and an answer of two numbers is none:

1. `mapping`: a person's own list of number and file.
2. `exact`: the file's name without its extension is the number.
3. `normalised`: both are the same when written plainly (see `plain`).
4. `suffix`: the same, after an ending that tells images of one specimen apart (`_1`, `_b`, `(2)`, ` - Kopie`) is taken
   off the file's name. Only where the whole name fits nothing.
5. `prefix`: the same, where file or number leaves out the code of the institution or collection that the record has.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Literal

How = Literal["mapping", "exact", "normalised", "suffix", "prefix", "ambiguous", "none"]
RULES: tuple[How, ...] = ("mapping", "exact", "normalised", "suffix", "prefix")

_SEPARATORS = re.compile(r"[\s\-_.\u2010-\u2015]+")
_PIECES = re.compile(r"\d+|[^\d]+")
_SUFFIX = re.compile(
    r"(?:\s*\(\d{1,3}\)"
    r"|[\s_\-]+(?:\d{1,3}|[a-z]|v\d{1,2}|front|back|recto|verso|labels?|detail)"
    r"|(?:\s+|_|\s*[-\u2013]\s*)(?:copy|kopie|copie|copia|cópia)(?:\s+\d{1,3})?)$",
    re.IGNORECASE,
)
MOST_SUFFIXES = 3
SURE_DIGITS = 6
"""A number written in one piece fits one written in groups only where it has so many digits."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """The number of one row of the table, with the codes that other people may write before it."""

    text: str
    row: int
    """Place of the row among the data rows, 0 for the first."""
    codes: tuple[str, ...] = ()
    """What may stand before the number: institutionCode, collectionCode, both."""


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """What became of one file: the rows that it shows (may show: `ambiguous`), by which rule, and a note where none."""

    file: str
    how: How
    rows: tuple[int, ...] = ()
    note: str = ""


@functools.lru_cache(maxsize=100_000)
def plain(text: str) -> str:
    """Return a name or number as it is compared: Unicode NFKC, no capitals, no blanks, hyphens, underscores, dots.

    Leading zeros of each run of digits go ('E 00457728', 'e-457728' and 'E00457728' are one). Between two digits a
    '|' stays where something stood: '1-12' is not '11-2'.
    """
    groups = [group for group in _SEPARATORS.split(unicodedata.normalize("NFKC", text).casefold()) if group]
    written = ""
    for group in groups:
        pieces = [piece.lstrip("0") or "0" if piece.isdecimal() else piece for piece in _PIECES.findall(group)]
        between = "|" if written and written[-1].isdecimal() and group[0].isdecimal() else ""
        written += between + "".join(pieces)
    return written


def joined(text: str) -> str | None:
    """Return a number as `plain` does but all its digits in one piece ('B 10 0000123': b100000123), where that is sure.

    None for one that has too few digits for that, or whose last group may count images ('E00457728-2').
    """
    if _SUFFIX.search(text.strip()):
        return None
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).casefold())
    digits = [piece for piece in _PIECES.findall(bare) if piece.isdecimal()]
    if len(digits) != 1 or len(digits[0]) < SURE_DIGITS:
        return None
    return plain(bare)


def bases(stem: str) -> Iterator[str]:
    """Yield the stem without its last suffix, then without the one before it, and so on."""
    for _ in range(MOST_SUFFIXES):
        base = _SUFFIX.sub("", stem.rstrip()).rstrip()
        if base == stem.rstrip() or not base:
            return
        yield base
        stem = base


class _Names:
    """Numbers by what is the same when written plainly; one in groups and one in a single piece are the same, too."""

    def __init__(self) -> None:
        self._plain: dict[str, dict[str, None]] = {}
        self._joined: dict[str, dict[str, None]] = {}

    def add(self, written: str, number: str) -> None:
        """Let `number` be found as `written`."""
        self._plain.setdefault(plain(written), {})[number] = None
        if "|" in plain(written) and (one := joined(written)) is not None:
            self._joined.setdefault(one, {})[number] = None

    def find(self, name: str) -> list[str]:
        """Return the numbers that a name may be."""
        whole = plain(name)
        if found := self._plain.get(whole):
            return list(found)
        one = joined(name)
        if one is None:
            return []
        return list((self._plain if "|" in whole else self._joined).get(one, ()))


class Index:
    """The numbers of a table, found by a file's name.

    `same`: rows that repeat an earlier one word for word; they count as that one.
    """

    def __init__(self, keys: Iterable[Key], same: Container[int] = ()) -> None:
        self.exact: dict[str, list[int]] = {}
        self._written = _Names()
        self._prefixed = _Names()
        for key in keys:
            text = key.text.strip()
            if not text or key.row in same:
                continue
            if text not in self.exact:
                self._written.add(text, text)
            self.exact.setdefault(text, []).append(key.row)
            for code in key.codes:
                self._add_code(code, text)

    def _add_code(self, code: str, text: str) -> None:
        """Let the number be found with the code before it, and without the code where it begins with that."""
        self._prefixed.add(f"{code} {text}", text)
        rest = text[len(code) :].strip()
        if text.casefold().startswith(code.casefold()) and rest and not rest[0].isalpha():
            self._prefixed.add(rest, text)

    def numbers(self, name: str) -> list[str]:
        """Return the numbers of the table that a name is, exactly or else plainly written."""
        name = name.strip()
        return [name] if name in self.exact else self._written.find(name)

    def find(self, file: str, stem: str) -> Match:
        """Return what the file of this stem shows, by the rules 2 to 5."""
        whole = stem.strip()
        if found := self.numbers(stem):
            return self._match(file, found, "exact" if whole in self.exact else "normalised")
        shorter = list(bases(stem))
        for base in shorter:
            if found := self.numbers(base):
                return self._match(file, found, "suffix")
        for base in (whole, *shorter):
            if found := self._prefixed.find(base):
                return self._match(file, found, "prefix")
        return Match(file, "none")

    def _match(self, file: str, numbers: Sequence[str], how: How) -> Match:
        if len(numbers) > 1:
            listed = ", ".join(repr(n) for n in numbers[:5]) + (" …" if len(numbers) > 5 else "")
            rows = tuple(row for number in numbers for row in self.exact[number])
            return Match(file, "ambiguous", rows, f"fits {len(numbers)} numbers: {listed}")
        rows = tuple(self.exact[numbers[0]])
        if len(rows) > 1:
            return Match(file, "ambiguous", rows, f"the number {numbers[0]!r} stands in {len(rows)} rows")
        return Match(file, how, rows)


def examples(texts: Iterable[str], most: int = 3) -> str:
    """Return the first few texts in quotes, with commas between."""
    found = [repr(text) for _, text in zip(range(most), texts, strict=False)]
    return ", ".join(found)
