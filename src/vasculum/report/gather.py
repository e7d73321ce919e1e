"""What a report says of the study as a whole: counts, failures, licences, institutions, data sets."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping
from typing import Any

from vasculum.outcomes import MEANINGS, Status
from vasculum.processing.types import Picture
from vasculum.report.queries import ROWS
from vasculum.report.summaries import Summary, summarise
from vasculum.store.sql import Database
from vasculum.study.study import Study

MOST_COLUMNS = 24
MOST_ROWS = 30
DETAILS = 3

_FETCHED_LATER = frozenset(list(Status)[1 : list(Status).index(Status.EMPTY)])
"""What comes of getting an image: it is got again by `fetch`, not by `apply`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Detail:
    """One message, how many images have it, and one of them."""

    text: str
    count: int
    example: str


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """All images that ended with one status."""

    status: str
    meaning: str
    count: int
    advice: str
    commands: tuple[str, ...]
    details: tuple[Detail, ...]
    other_details: int


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
    return Facts(
        name=study.path.resolve().name,
        document=study.document,
        subset=str(study.selection),
        rows=totals["rows"],
        ok=totals["ok"],
        missing=missing["n"],
        columns=tuple(summarise(database, column, names) for column in ordered[:MOST_COLUMNS]),
        columns_in_all=len(ordered),
        failures=_failures(study, database),
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


def _tallies(database: Database, name: str, more: str = "''") -> Table:
    found = database.run(
        f"select left({name}, 200) as name, left({more}, 200) as more, count(*) as n, "
        "count(*) filter (r.status = 'ok') as ok, count(*) over () as in_all "
        f"from {ROWS} group by all order by n desc, name limit $1",
        [MOST_ROWS],
    ).to_pylist()
    rows = tuple(Tally(row["name"] or "", row["n"], row["ok"], row["more"] or "") for row in found)
    return Table(rows, found[0]["in_all"] if found else 0)


def _failures(study: Study, database: Database) -> tuple[Failure, ...]:
    counts = database.run(
        "select coalesce(status, '') as status, count(*) as n from results "
        "where status is distinct from 'ok' group by all order by n desc, status"
    ).to_pylist()
    details: dict[str, list[Detail]] = {}
    kinds: dict[str, int] = {}
    table = database.run(
        "select status, left(detail, 500) as detail, n, left(example, 200) as example, kinds from ("
        "select *, count(*) over (partition by status) as kinds, "
        "row_number() over (partition by status order by n desc, detail) as place from ("
        "select coalesce(r.status, '') as status, coalesce(r.detail, '') as detail, count(*) as n, "
        "min_by(coalesce(nullif(m.catalogNumber, ''), m.local_path, m.accessURI, media_id), media_id) "
        f"as example from {ROWS} where r.status is distinct from 'ok' group by 1, 2)"
        ") where place <= $1 order by status, place",
        [DETAILS],
    )
    for row in table.to_pylist():
        kinds[row["status"]] = row["kinds"]
        details.setdefault(row["status"], []).append(
            Detail(row["detail"] or "no detail was written", row["n"], row["example"] or "")
        )
    return tuple(
        _failure(study, row["status"], row["n"], tuple(details.get(row["status"], ())), kinds.get(row["status"], 0))
        for row in counts
    )


def _failure(study: Study, word: str, count: int, details: tuple[Detail, ...], kinds: int) -> Failure:
    known = Status(word) if word in MEANINGS else None
    advice, commands = _again(study, known)
    meaning = known.meaning if known else "a word that this version of vasculum does not know"
    return Failure(word or "no status", meaning, count, advice, commands, details, kinds - len(details))


def _again(study: Study, status: Status | None) -> tuple[str, tuple[str, ...]]:
    """Return what to expect of trying again, and the commands that do."""
    corpus = shlex.quote(str(study.document["corpus"]["path"]))
    resume = f"vasculum resume {shlex.quote(str(study.path))}"
    if status is None or status is Status.DROPPED:
        return "These are not tried again.", ()
    if status is Status.NOT_FETCHED:
        return "Get them, then go on with the study.", (f"vasculum fetch {corpus}", resume)
    advice = (
        "Trying again later may end otherwise."
        if status.transient
        else "Trying again gives the same, unless the image or the processor has changed."
    )
    if status in _FETCHED_LATER:
        return advice, (f"vasculum fetch {corpus} --retry {status}", resume)
    return advice, (f"{command_of(study)} --retry {status}",)


def command_of(study: Study) -> str:
    """Return the command that goes on with a study: as it was given, or put together from study.json."""
    given = study.document.get("command")
    if isinstance(given, list) and len(given) > 2 and given[1] == "apply" and "--retry" not in given:
        return shlex.join(["vasculum", *map(str, given[1:])])
    entries = study.document["processors"]
    processors = [str(entry.get("spec") or entry["name"]) for entry in entries]
    words = ["vasculum", "apply", str(study.document["corpus"]["path"]), *processors, "--out", str(study.path)]
    selection = study.selection
    for option in ("where", "sample", "seed", "by", "limit"):
        if getattr(selection, option):
            words += [f"--{option}", str(getattr(selection, option))]
    for alias, path in selection.studies:
        words += ["--with", f"{alias}={path}"]
    return shlex.join(words)


def as_text(value: object) -> str:
    """Return a value of study.json on one line: a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
