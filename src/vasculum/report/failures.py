"""What went wrong, in groups, and what to do about it."""

from __future__ import annotations

import dataclasses
import shlex

from vasculum.outcomes import MEANINGS, Status
from vasculum.report.queries import ROWS
from vasculum.store.sql import Database
from vasculum.study.study import Study

DETAILS = 3

_FETCHED_LATER = frozenset(list(Status)[1 : list(Status).index(Status.EMPTY)])
"""What comes of getting an image: it is got again by `fetch`, not by `apply`."""

_BAD_FILES = frozenset({Status.EMPTY, Status.NOT_AN_IMAGE, Status.TRUNCATED, Status.CORRUPT})
"""What is wrong with the file itself: it gives the same however often it is read."""


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


def failures(study: Study, database: Database) -> tuple[Failure, ...]:
    """Return the failures by status, the most frequent first. Messages that differ only in the file are one."""
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
        f"select coalesce(r.status, '') as status, {_without_file()} as detail, count(*) as n, "
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


def _without_file() -> str:
    """Return the detail as SQL, the path or address of its own image replaced by an ellipsis.

    A message names a file by its whole path, of which the record has the end: what stands before it, back to the
    colon and space that a message puts before a path, goes with it.
    """
    detail = "coalesce(r.detail, '')"
    for name in ("m.local_path", "m.accessURI"):
        at = f"position({name} in {detail})"
        before = f"regexp_replace(left({detail}, {at} - 1), '(^|: )[^:]*[/\\\\]$', '\\1')"
        after = f"substr({detail}, {at} + length({name}))"
        detail = f"CASE WHEN length({name}) > 3 AND {at} > 0 THEN {before} || '…' || {after} ELSE {detail} END"
    return detail


def _failure(study: Study, word: str, count: int, details: tuple[Detail, ...], kinds: int) -> Failure:
    known = Status(word) if word in MEANINGS else None
    advice, commands = _again(study, known)
    meaning = known.meaning if known else "a word that this version of vasculum does not know"
    return Failure(word or "no status", meaning, count, advice, commands, details, kinds - len(details))


def _again(study: Study, status: Status | None) -> tuple[str, tuple[str, ...]]:
    """Return what to expect of trying again, and the commands that do."""
    corpus = shlex.quote(str(study.document["corpus"]["path"]))
    fetch = f"vasculum fetch {corpus}"
    resume = f"vasculum resume {shlex.quote(str(study.path.resolve()))}"
    if status is None or status is Status.DROPPED:
        return "These are not tried again.", ()
    if status is Status.NOT_FETCHED:
        return "Get them, then go on with the study.", (fetch, resume)
    if status in _BAD_FILES:
        return "Trying again gives the same. Replace the file with a good one, then fetch and go on.", (fetch, resume)
    advice = (
        "Trying again later may end otherwise."
        if status.transient
        else "Trying again gives the same, unless the image or the processor has changed."
    )
    if status is Status.NOT_FOUND:
        advice = "Put the file where the record says it is, then fetch and go on."
    if status in _FETCHED_LATER:
        return advice, (f"{fetch} --retry {status}", resume)
    return advice, (f"{command_of(study)} --retry {status}",)


def command_of(study: Study) -> str:
    """Return the command that goes on with a study, put together from study.json, to be run from any folder."""
    words = ["vasculum", "apply", str(study.document["corpus"]["path"])]
    words += [str(entry.get("spec") or entry["name"]) for entry in study.document["processors"]]
    words += ["--out", str(study.path.resolve())]
    if study.document.get("size") not in (None, "original"):
        words += ["--size", str(study.document["size"])]
    selection = study.selection
    for option in ("where", "sample", "seed", "by", "limit"):
        if getattr(selection, option):
            words += [f"--{option}", str(getattr(selection, option))]
    for alias, path in selection.studies:
        words += ["--with", f"{alias}={path}"]
    return shlex.join(words)
