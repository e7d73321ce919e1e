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
from typing import Generic, Literal, TypeVar

How = Literal["mapping", "exact", "normalised", "suffix", "prefix", "ambiguous", "none"]
RULES: tuple[How, ...] = ("mapping", "exact", "normalised", "suffix", "prefix")

_SEPARATORS = re.compile(r"[\s\-_.\u2010-\u2015]+")
_PIECES = re.compile(r"\d+|[^\d]+")
# each is looked for at the first of several separators only, so that a long run of them costs no more than its length
_SUFFIX = re.compile(
    r"(?:(?<!\s)\s*\((?P<bracket>\d{1,3})\)"
    r"|(?<![\s_\-])(?P<by>[\s_\-]+)(?:(?P<count>\d{1,3})|[a-z]|v\d{1,2}|front|back|recto|verso|labels?|detail)"
    r"|(?<![\s_\-\u2013])[\s_\-\u2013]+(?:copy|kopie|copie|copia|cópia)(?:\s+\d{1,3})?)$",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\d{1,2}|0\d\d")
_LETTERED = re.compile(r"[^\W\d_]\d{1,20}$")
_DECIMAL = re.compile(r"\d+\.(\d+)", re.ASCII)
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""Letters, digits and signs of full width (U+FF01 to U+FF5E) and what they are in ASCII."""
MOST_SUFFIXES = 3
MOST_LENGTH = 200
"""A longer number or name is matched exactly, or not at all."""
LEAST_LEFT = 4
"""Characters that a name has without its suffix."""
SURE_LEFT = 5
"""Digits, in one piece, of a number without letters that '-2' may be taken off from: 1911-2 is no image of 1911."""
SURE_DIGITS = 6
"""A number written in one piece fits one written in groups only where it has so many digits."""

_Found = TypeVar("_Found")


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


def _folded(text: str) -> str:
    """Return a text without capitals and full width. '²' and '½' stay what they are: 12² is not 122."""
    composed = unicodedata.normalize("NFC", text).translate(_WIDE)
    return unicodedata.normalize("NFC", composed.casefold())


@functools.lru_cache(maxsize=100_000)
def plain(text: str) -> str:
    """Return a name or number as it is compared: Unicode NFC, no capitals, no blanks, hyphens, underscores, dots.

    Characters of full width count as ASCII. Leading zeros of each run of digits go ('E 00457728', 'e-457728' and
    'E00457728' are one). Between two digits a '|' stays where something stood: '1-12' is not '11-2'. A text of more
    than MOST_LENGTH characters comes back as it is.
    """
    if len(text) > MOST_LENGTH:
        return text
    groups = [group for group in _SEPARATORS.split(_folded(text)) if group]
    written = ""
    for group in groups:
        pieces = [piece.lstrip("0") or "0" if piece.isdecimal() else piece for piece in _PIECES.findall(group)]
        between = "|" if written and written[-1].isdecimal() and group[0].isdecimal() else ""
        written += between + "".join(pieces)
    return written


def joined(text: str) -> str | None:
    """Return a number as `plain` does but all its digits in one piece ('B 10 0000123': b100000123), where that is sure.

    None for one that has too few digits for that, whose last group may count images ('E00457728-2'), or that is long.
    """
    if len(text) > MOST_LENGTH or _SUFFIX.search(text.strip()):
        return None
    bare = _SEPARATORS.sub("", _folded(text))
    digits = [piece for piece in _PIECES.findall(bare) if piece.isdecimal()]
    if len(digits) != 1 or len(digits[0]) < SURE_DIGITS:
        return None
    return plain(bare)


def bases(stem: str) -> Iterator[str]:
    """Yield the stem without its last suffix, then without the one before it, and so on.

    Only one of the suffixes may be a count such as '_2', and it has to be one surely (see `_counts_images`).
    """
    stem = stem.strip()
    counted = False
    for _ in range(MOST_SUFFIXES):
        found = _SUFFIX.search(stem) if len(stem) <= MOST_LENGTH else None
        if found is None:
            return
        base = stem[: found.start()].rstrip()
        if len(base) < LEAST_LEFT:
            return
        if count := found["count"]:
            if counted or not _counts_images(base, found["by"], count):
                return
            counted = True
        yield base
        stem = base


def _counts_images(base: str, by: str, count: str) -> bool:
    """Return whether digits at the end of a name tell images apart, and are not the last part of another number.

    After '_' two digits are, or three with a zero first. After a blank or hyphen, as numbers have them (1911-12,
    10-123), one digit is where the last group before it is long, or the only one and a letter stands at it (E123-2).
    """
    if "_" in by:
        return _COUNT.fullmatch(count) is not None
    runs = re.findall(r"\d+", base)
    lettered = len(runs) == 1 and _LETTERED.search(base) is not None
    return len(count) == 1 and bool(runs) and (len(runs[-1]) >= SURE_LEFT or lettered)


class _Names(Generic[_Found]):
    """Things by what is the same when written plainly; one in groups and one in a single piece are the same, too."""

    def __init__(self) -> None:
        self._plain: dict[str, dict[_Found, None]] = {}
        self._joined: dict[str, dict[_Found, None]] = {}

    def add(self, written: str, thing: _Found, *, join: bool = True) -> None:
        """Let `thing` be found as `written`; with `join` in one piece, too."""
        if len(written) > MOST_LENGTH:
            return
        self._plain.setdefault(plain(written), {})[thing] = None
        if join and "|" in plain(written) and (one := joined(written)) is not None:
            self._joined.setdefault(one, {})[thing] = None

    def find(self, name: str) -> list[_Found]:
        """Return the things that a name may be."""
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
        self._texts: dict[int, str] = {}
        self._written: _Names[str] = _Names()
        self._prefixed: _Names[int] = _Names()
        told = [(key, text) for key in keys if (text := key.text.strip()) and key.row not in same]
        parts = {found[1] for _, text in told if len(text) <= MOST_LENGTH and (found := _DECIMAL.fullmatch(text))}
        for key, text in told:
            # numbers that some program wrote as 12.0: not where others are 12.1, so that the part counts
            number = text.removesuffix(".0") if parts == {"0"} and _DECIMAL.fullmatch(text) else text
            if text not in self.exact:
                self._written.add(number, text)
            self.exact.setdefault(text, []).append(key.row)
            self._texts[key.row] = text
            for code in key.codes:
                self._add_code(code, number, key.row)

    def _add_code(self, code: str, number: str, row: int) -> None:
        """Let the row be found with the code before its number, and without the code where it begins with that."""
        # digits and digits are never joined or cut apart: 100123 is not 123 of collection 10
        self._prefixed.add(f"{code} {number}", row, join=not code.isdecimal())
        rest = number[len(code) :]
        begins = number.casefold().startswith(code.casefold()) and rest.strip()
        if begins and not rest.strip()[0].isalpha() and not (code[-1].isdecimal() and rest[0].isdecimal()):
            self._prefixed.add(rest.strip(), row)

    def numbers(self, name: str) -> list[str]:
        """Return the numbers of the table that a name is, exactly or else plainly written."""
        name = name.strip()
        return [name] if name in self.exact else self._written.find(name)

    def rows(self, name: str) -> list[int]:
        """Return the rows that a person may mean by a number, with a code before it ('B 123', 'B:123') or without."""
        if numbers := self.numbers(name):
            return [row for number in numbers for row in self.exact[number]]
        return self._prefixed.find(name.strip()) or self._prefixed.find(name.strip().replace(":", " ", 1))

    def find(self, file: str, stem: str) -> Match:
        """Return what the file of this stem shows, by the rules 2 to 5."""
        whole = stem.strip()
        if found := self.numbers(stem):
            return self._numbered(file, found, "exact" if whole in self.exact else "normalised")
        shorter = list(bases(stem))
        for base in shorter:
            if found := self.numbers(base):
                return self._numbered(file, found, "suffix")
        for base in (whole, *shorter):
            if rows := self._prefixed.find(base):
                return self._match(file, rows, "prefix")
        return Match(file, "none")

    def _numbered(self, file: str, numbers: Sequence[str], how: How) -> Match:
        return self._match(file, [row for number in numbers for row in self.exact[number]], how)

    def _match(self, file: str, rows: Sequence[int], how: How) -> Match:
        numbers = list(dict.fromkeys(self._texts[row] for row in rows))
        if len(numbers) > 1:
            listed = ", ".join(repr(n[:100]) for n in numbers[:5]) + (" …" if len(numbers) > 5 else "")
            return Match(file, "ambiguous", tuple(rows), f"fits {len(numbers)} numbers: {listed}")
        if len(rows) > 1:
            note = f"the number {numbers[0][:100]!r} stands in {len(rows)} rows"
            return Match(file, "ambiguous", tuple(rows), note)
        return Match(file, how, tuple(rows))


def examples(texts: Iterable[str], most: int = 3) -> str:
    """Return the first few texts in quotes, with commas between."""
    found = [repr(text) for _, text in zip(range(most), texts, strict=False)]
    return ", ".join(found)
