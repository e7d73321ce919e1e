"""What a report says of the study as a whole: counts, failures, licences, institutions, data sets."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping
from typing import Any

from vasculum.outcomes import MEANINGS, Status
from vasculum.report.asked import Readable
from vasculum.report.summaries import Summary, summarise

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
    rows: int
    ok: int
    wanted: int | None
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


def gather(study: Readable, wanted: int | None = None) -> Facts:
    """Ask the study everything that the report says. `wanted`: how many images it should have, if known."""
    totals = study.sql(
        "select count(*) as rows, count(*) filter (status = 'ok') as ok, "
        "count(*) filter (trim(institutionCode) <> '') as held from joined"
    ).to_pylist()[0]
    names = study.sql("select * from results limit 0").schema.names
    with_pictures = {c.processor for c in study.columns if type(c.kind).__name__ == "Picture"}
    # What comes beside pictures (their width and height) is of less interest: last.
    ordered = sorted(study.columns, key=lambda column: column.processor in with_pictures)
    institution = "coalesce(nullif(trim(institutionCode), ''), '')"
    return Facts(
        name=study.path.name or str(study.path),
        document=study.document,
        rows=totals["rows"],
        ok=totals["ok"],
        wanted=wanted,
        columns=tuple(summarise(study, column, names) for column in ordered[:MOST_COLUMNS]),
        columns_in_all=len(ordered),
        failures=_failures(study),
        licences=_tallies(study, "coalesce(nullif(trim(license_id), ''), 'unknown')"),
        institutions=_tallies(study, institution),
        publishers=_tallies(study, "coalesce(trim(publisher_name), '')"),
        datasets=_tallies(
            study,
            "coalesce(trim(dataset_key), '')",
            "coalesce(nullif(trim(publisher_name), ''), source_name, '')",
        ),
        with_institution=totals["held"],
    )


def _tallies(study: Readable, name: str, more: str = "''") -> Table:
    found = study.sql(
        f"select left({name}, 200) as name, left({more}, 200) as more, count(*) as n, "
        "count(*) filter (status = 'ok') as ok, count(*) over () as in_all "
        "from joined group by all order by n desc, name limit $1",
        [MOST_ROWS],
    ).to_pylist()
    rows = tuple(Tally(row["name"] or "", row["n"], row["ok"], row["more"] or "") for row in found)
    return Table(rows, found[0]["in_all"] if found else 0)


def _failures(study: Readable) -> tuple[Failure, ...]:
    counts = study.sql(
        "select coalesce(status, '') as status, count(*) as n from results "
        "where status is distinct from 'ok' group by all order by n desc, status"
    ).to_pylist()
    details: dict[str, list[Detail]] = {}
    kinds: dict[str, int] = {}
    table = study.sql(
        "select status, left(detail, 500) as detail, n, left(example, 200) as example, kinds from ("
        "select *, count(*) over (partition by status) as kinds, "
        "row_number() over (partition by status order by n desc, detail) as place from ("
        "select coalesce(status, '') as status, coalesce(detail, '') as detail, count(*) as n, "
        "min_by(coalesce(nullif(catalogNumber, ''), local_path, accessURI, media_id), media_id) "
        "as example from joined where status is distinct from 'ok' group by 1, 2)"
        ") where place <= $1 order by status, place",
        [DETAILS],
    )
    for row in table.to_pylist():
        kinds[row["status"]] = row["kinds"]
        details.setdefault(row["status"], []).append(
            Detail(row["detail"] or "no detail was written", row["n"], row["example"] or "")
        )
    return tuple(
        _failure(
            study, row["status"], row["n"], tuple(details.get(row["status"], ())), kinds.get(row["status"], 0)
        )
        for row in counts
    )


def _failure(study: Readable, word: str, count: int, details: tuple[Detail, ...], kinds: int) -> Failure:
    known = Status(word) if word in MEANINGS else None
    advice, commands = _again(study, known)
    meaning = known.meaning if known else "a word that this version of vasculum does not know"
    return Failure(word or "no status", meaning, count, advice, commands, details, kinds - len(details))


def _again(study: Readable, status: Status | None) -> tuple[str, tuple[str, ...]]:
    """Return what to expect of trying again, and the commands that do."""
    folder = shlex.quote(str(study.path))
    corpus = shlex.quote(str(study.document.get("corpus", {}).get("path") or "CORPUS"))
    if status is None or status is Status.DROPPED:
        return "These are not tried again.", ()
    if status is Status.NOT_FETCHED:
        advice = "Get them, then go on with the study."
        return advice, (f"vasculum fetch {corpus}", f"vasculum resume {folder}")
    advice = (
        "Trying again later may end otherwise."
        if status.transient
        else "Trying again gives the same, unless the image or the processor has changed."
    )
    again = f"vasculum resume {folder} --retry {status}"
    if status in _FETCHED_LATER:
        return advice, (f"vasculum fetch {corpus} --retry {status}", again)
    return advice, (again,)


def as_text(value: object) -> str:
    """Return a value of study.json on one line: a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
