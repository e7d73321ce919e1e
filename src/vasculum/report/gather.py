"""What a report says of the study as a whole: counts, failures, licences, institutions, data sets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vasculum.processing.types import Picture
from vasculum.report.explained import Explained, explained
from vasculum.report.failures import Failure, failures
from vasculum.report.queries import ROWS
from vasculum.report.summaries import Summary, summarise
from vasculum.store.sql import Database
from vasculum.study.study import Study

MOST_COLUMNS = 24
MOST_ROWS = 30


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """How many images one licence, institution or data set has, and how many of them have a result."""

    name: str
    count: int
    ok: int
    more: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """The first rows of a longer table, and how long it is."""

    rows: tuple[Tally, ...]
    in_all: int


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a report says in words and numbers."""

    name: str
    document: Mapping[str, Any]
    subset: str
    rows: int
    ok: int
    missing: int
    columns: tuple[Summary, ...]
    columns_in_all: int
    explained: Mapping[str, Explained]
    failures: tuple[Failure, ...]
    licences: Table
    institutions: Table
    publishers: Table
    datasets: Table
    with_institution: int

    @property
    def failed(self) -> int:
        """How many rows are not ok."""
        return self.rows - self.ok


def gather(study: Study, database: Database) -> Facts:
    """Ask the study everything that the report says. `database` is the study's own, opened."""
    totals = database.run(
        "select count(*) as rows, count(*) filter (r.status = 'ok') as ok, "
        f"count(*) filter (trim(m.institutionCode) <> '') as held from {ROWS}"
    ).to_pylist()[0]
    study.selection.prepare(database)
    missing = database.run("select count(*) as n from selected anti join results using (media_id)").to_pylist()[0]
    names = list(database.columns("results"))
    with_pictures = {column.processor for column in study.columns if isinstance(column.kind, Picture)}
    # What comes beside pictures (their width and height) is of less interest: last.
    ordered = sorted(study.columns, key=lambda column: column.processor in with_pictures)
    columns = tuple(summarise(database, column, names) for column in ordered[:MOST_COLUMNS])
    kinds = {column.name: column.kind for column in study.columns}
    compared = {column.name: explained(database, column.name, kinds[column.name]) for column in columns}
    return Facts(
        name=_name(study.path.resolve()),
        document=study.document,
        subset=str(study.selection),
        rows=totals["rows"],
        ok=totals["ok"],
        missing=missing["n"],
        columns=columns,
        columns_in_all=len(ordered),
        explained={name: found for name, found in compared.items() if found is not None},
        failures=failures(study, database),
        licences=_tallies(database, "coalesce(nullif(trim(m.license_id), ''), 'unknown')"),
        institutions=_tallies(database, "coalesce(trim(m.institutionCode), '')"),
        publishers=_tallies(database, "coalesce(trim(m.publisher_name), '')"),
        datasets=_tallies(
            database,
            "coalesce(trim(m.dataset_key), '')",
            "coalesce(nullif(trim(m.publisher_name), ''), m.source_name, '')",
        ),
        with_institution=totals["held"],
    )


def _name(path: Path) -> str:
    """Return what a person calls the study: of a run's, which is always called 'study', the folder that it lies in."""
    return path.parent.name if path.name == "study" and (path.parent / "corpus").is_dir() else path.name


def _tallies(database: Database, name: str, more: str = "''") -> Table:
    found = database.run(
        f"select left({name}, 200) as name, left({more}, 200) as more, count(*) as n, "
        "count(*) filter (r.status = 'ok') as ok, count(*) over () as in_all "
        f"from {ROWS} group by all order by n desc, name limit $1",
        [MOST_ROWS],
    ).to_pylist()
    rows = tuple(Tally(row["name"] or "", row["n"], row["ok"], row["more"] or "") for row in found)
    return Table(rows, found[0]["in_all"] if found else 0)


def as_text(value: object) -> str:
    """Return a value of study.json on one line: a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
