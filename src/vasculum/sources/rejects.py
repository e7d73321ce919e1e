"""What a source could not take, and how much of everything it met: nothing is dropped without a line here."""

from __future__ import annotations

import dataclasses
from collections import Counter

MOST_TEXT = 2_000
MOST_LISTED = 100_000
"""So many rejects are kept with their text; all are counted."""

NO_ADDRESS = "no image address"


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

    def count(self, what: str, n: int = 1) -> None:
        """Count `what`, a phrase for a person."""
        self.counts[what] += n

    def reject(self, file: str, line: int | None, reason: str, text: str, kind: str | None = None) -> None:
        """Keep a row aside under `reason`; `kind` is what it counts as (the reason itself when None)."""
        self.counts[kind or reason] += 1
        if len(self.rejects) < MOST_LISTED:
            cut = text[:MOST_TEXT].encode("utf-8", "backslashreplace").decode("utf-8")
            self.rejects.append(Reject(file, line, reason, cut))
        else:
            self.counts["rejects counted but not listed"] += 1
