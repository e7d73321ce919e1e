"""What a source could not take, and how much of everything it met: nothing is dropped without a line here."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Container

MOST_TEXT = 2_000
MOST_LISTED = 100_000
"""So many rejects are kept with their text; all are counted."""

NO_ADDRESS = "no image address"
_PLURAL = re.compile(
    r"\b(row|line|address|path|file|folder|year|link|shard|member|sample|cell|formula|number)(?:es|s)\b"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Reject:
    """A row or file that was not taken: where it stands, why, and its text, cut at 2,000 characters."""

    file: str
    line: int | None
    reason: str
    text: str


class Tally:
    """Counts in words, and the rejects, of one reading of a source."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rejects: list[Reject] = []
        self.remarks: list[str] = []
        self._first: dict[str, int] = {}

    def count(self, what: str, n: int = 1, line: int | None = None) -> None:
        """Count `what`, a phrase for a person that begins in the plural; `line` is where it was met."""
        self.counts[what] += n
        if line is not None:
            self._first.setdefault(what, line)

    def remark(self, sentence: str) -> None:
        """Note something that a person should know and that is no count."""
        self.remarks.append(sentence)

    def add(self, other: Tally) -> None:
        """Count what another tally counted, too."""
        self.remarks += other.remarks
        self.rejects += other.rejects
        self.counts.update(other.counts)
        for what, line in other._first.items():
            self._first.setdefault(what, line)

    def sentences(self, without: Container[str] = ()) -> list[str]:
        """Return the remarks, then one line for each thing counted: how many, what, and where it was first met."""
        said = list(self.remarks)
        for what, n in self.counts.items():
            if n and what not in without:
                words = _PLURAL.sub(r"\1", what, count=1) if n == 1 else what
                where = f" (first: line {self._first[what]})" if what in self._first else ""
                said.append(f"{n:,} {words}{where}")
        return said

    def reject(self, file: str, line: int | None, reason: str, text: str, kind: str | None = None) -> None:
        """Keep a row aside under `reason`; `kind` is what it counts as (the reason itself when None)."""
        self.count(kind or reason, line=line)
        if len(self.rejects) < MOST_LISTED:
            cut = text[:MOST_TEXT].encode("utf-8", "backslashreplace").decode("utf-8")
            self.rejects.append(Reject(file, line, reason, cut))
        else:
            self.counts["rejects counted but not listed"] += 1
