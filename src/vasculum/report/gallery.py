"""Which images a report shows, and what stands below each."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from vasculum.processing.types import Boolean, Float, Integer, Picture, Text
from vasculum.report import words
from vasculum.report.queries import NAME, ROWS, value, yes_or_no
from vasculum.report.summaries import Labels, Summary
from vasculum.report.thumbnails import Thumbnails
from vasculum.store.sql import Database
from vasculum.study.study import ResultColumn, Study
from vasculum.study.thumbnails import own_pictures

EACH = 6
EACH_FURTHER = 4
"""Images of a group: in the first panel, and in the panels of further columns."""

MOST_PANELS = 8
MOST_GROUPS = 4

_TEXTS = (
    "catalogNumber",
    "institutionCode",
    "credit_line",
    "rightsHolder",
    "license_id",
    "local_path",
)
_CARD_COLUMNS = ", ".join([
    "media_id", "m.record_page", f"left({NAME}, 300) as scientificName",
    *(f"left(m.{name}, 300) as {name}" for name in _TEXTS),
])  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """One image with what must stand beside it."""

    media_id: str
    address: Markup | None
    value: str
    catalog_number: str
    file: str
    name: str
    institution: str
    credit: str
    licence: str
    page: str | None

    @property
    def alternative(self) -> str:
        """What a person reads who does not see the image."""
        return f"Image of {self.name or 'a specimen without a name'}, {self.specimen}"

    @property
    def licence_line(self) -> str:
        """The licence, where the line of credit does not name it already."""
        bare = [re.sub(r"\W|_", "", text).lower() for text in (self.licence, self.credit)]  # 'CC0 1.0' is CC0-1.0
        return "" if bare[0] in bare[1] else self.licence

    @property
    def specimen(self) -> str:
        """Institution and catalogue number, the institution once where the number begins with it."""
        if not self.catalog_number:
            return f"{self.institution} {self.file or 'no catalogue number'}".strip()
        both = not self.catalog_number.upper().startswith(self.institution.upper())
        return f"{self.institution} {self.catalog_number}" if both else self.catalog_number


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Some images under one heading, of `in_all` that it could show."""

    title: str
    cards: tuple[Card, ...]
    in_all: int


@dataclasses.dataclass(frozen=True, slots=True)
class Panel:
    """The images of one results column."""

    key: str
    title: str
    rows: tuple[Row, ...]
    in_all: int

    @property
    def shown(self) -> int:
        """How many images stand in it."""
        return sum(len(row.cards) for row in self.rows)


@dataclasses.dataclass(frozen=True, slots=True)
class _Choice:
    """A heading and the query of its rows."""

    title: str
    where: str
    order: str
    in_all: int
    parameters: tuple[Any, ...] = ()


def panels(study: Study, database: Database, summaries: Sequence[Summary]) -> tuple[Panel, ...]:
    """Return the panels of the gallery: the main column first, then others, at most `MOST_PANELS`."""
    thumbnails = Thumbnails(study)
    by_name = {summary.name: summary for summary in summaries}
    own = own_pictures(study)
    found: list[Panel] = []
    for column in in_order(study.columns):
        summary = by_name.get(column.name)
        if len(found) == MOST_PANELS or summary is None or not summary.values or column == own:
            continue
        choices = _choices(study, column, summary, EACH if not found else EACH_FURTHER)
        if choices:
            each = EACH if not found else EACH_FURTHER
            found.append(_panel(database, column, summary, choices, each, thumbnails))
    return tuple(found)


def in_order(columns: Sequence[ResultColumn]) -> list[ResultColumn]:
    """Return the columns by interest: measures, yes or no, counts, texts, pictures; then the rest."""
    rank: list[type] = [Float, Boolean, Integer, Text, Picture]
    made = {column.processor for column in columns if isinstance(column.kind, Picture)}

    def key(column: ResultColumn) -> tuple[bool, int]:
        beside = column.processor in made and not isinstance(column.kind, Picture)
        return beside, next((i for i, kind in enumerate(rank) if isinstance(column.kind, kind)), len(rank))

    return sorted((c for c in columns if isinstance(c.kind, tuple(rank))), key=key)


def _choices(study: Study, column: ResultColumn, summary: Summary, each: int) -> list[_Choice]:
    here = value(column.name)
    there = f"{here} is not null"
    seed = str(study.document.get("fingerprint", "")).replace("'", "")
    by_chance = f"md5(media_id || '{seed}')"
    n = summary.values
    if isinstance(column.kind, Float | Integer):
        if n <= 4 * each:
            return [_Choice("All, the highest first", there, f"{here} desc", n)]
        middle = f"abs({here}::double - (select quantile_cont({here}::double, 0.5) from results as r))"
        return [
            _Choice("Highest", there, f"{here} desc", n),
            _Choice("Lowest", there, here, n),
            _Choice("Around the median", there, middle, n),
            _Choice("Taken at random", there, by_chance, n),
        ]
    if isinstance(summary.drawn, Labels):
        label_of = yes_or_no(column.name) if isinstance(column.kind, Boolean) else here
        return [
            _Choice(label or "(empty)", f"left({label_of}, 200) = $2", by_chance, of, (label,))
            for label, of in summary.drawn.counts[:MOST_GROUPS]
        ]
    return [_Choice("Taken at random", there, by_chance, n)]


def _panel(
    database: Database,
    column: ResultColumn,
    summary: Summary,
    choices: Sequence[_Choice],
    each: int,
    thumbnails: Thumbnails,
) -> Panel:
    limit = each if len(choices) > 1 else 4 * each
    tables = [
        database.run(
            f"select {_CARD_COLUMNS}, {value(column.name)} as value from {ROWS} where {choice.where} "
            f"order by {choice.order}, media_id limit $1",
            [limit, *choice.parameters],
        ).to_pylist()
        for choice in choices
    ]
    ids = list(dict.fromkeys(row["media_id"] for rows in tables for row in rows))
    addresses = thumbnails.of(ids, column.name if isinstance(column.kind, Picture) else None)
    rows = tuple(
        Row(choice.title, tuple(_card(row, column, addresses) for row in found), choice.in_all)
        for choice, found in zip(choices, tables, strict=True)
    )
    return Panel(f"panel-{column.name}", f"{column.processor}: {column.column}", rows, summary.values)


def _card(row: dict[str, Any], column: ResultColumn, addresses: dict[str, Markup]) -> Card:
    return Card(
        media_id=row["media_id"],
        address=addresses.get(row["media_id"]),
        value="" if isinstance(column.kind, Picture) else words.value(row["value"])[:120],
        catalog_number=row["catalogNumber"] or "",
        file=row["local_path"] or "",
        name=row["scientificName"] or "",
        institution=row["institutionCode"] or "",
        credit=row["credit_line"] or row["rightsHolder"] or "no credit line was published",
        licence=row["license_id"] or "licence unknown",
        page=words.safe_link(row["record_page"]),
    )
