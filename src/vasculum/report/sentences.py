"""What a report says in sentences: the summary, the provenance, how to cite."""

from __future__ import annotations

import dataclasses
import datetime
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from vasculum.report.explained import Explained
from vasculum.report.gather import Facts, as_text
from vasculum.report.summaries import Numbers
from vasculum.report.words import count, listed, number, share, some

LICENCE_MEANINGS = {
    "unknown": "no licence could be read: ask the holder before reusing these images",
    "restricted": "all rights reserved: ask the holder before reusing these images",
}
CITED = 20
"""Institutions and data sets that a citation names; the rest are counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a list of facts: what it is, and its value; `code` where the value is for machines."""

    label: str
    value: str
    code: bool = False


def mapping(value: object) -> Mapping[str, Any]:
    """Return `value` where it is a mapping, else an empty one: study.json may have been edited by hand."""
    return value if isinstance(value, Mapping) else {}


def day(text: object) -> str:
    """Return an ISO 8601 time as '14 November 2026', or the text itself where it is none."""
    try:
        moment = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    return f"{moment.day} {moment:%B %Y}"


def processors(facts: Facts) -> list[Mapping[str, Any]]:
    """Return the processors of the study, as study.json has them."""
    found = facts.document.get("processors")
    return [mapping(one) for one in found] if isinstance(found, list) else []


def summary(facts: Facts) -> list[str]:
    """Return the plain sentences at the top of the report."""
    if not facts.rows:
        return [f"The study {facts.name} has no results yet."]
    names = [str(p.get("name", "a processor")) for p in processors(facts)] or ["No processor"]
    held = facts.institutions.in_all - (0 if facts.with_institution == facts.rows else 1)
    where_from = f" from {some('institution', held)}" if held > 0 else ""
    verb = "was" if len(names) == 1 else "were"
    said = [f"{listed(names)} {verb} run on {some('image', facts.rows)}{where_from}."]
    if facts.failed == 0:
        said.append("Every one gave a result." if facts.rows > 1 else "It gave a result.")
    else:
        said.append(
            f"{count(facts.ok)} gave a result ({share(facts.ok, facts.rows)}) and {count(facts.failed)} "
            f"did not ({share(facts.failed, facts.rows)}): the figures below describe only those that did."
        )
    if facts.missing:
        have = "has" if facts.missing == 1 else "have"
        said.append(f"The study is not finished: {some('more image', facts.missing)} {have} no result yet.")
    said += _sampled(mapping(facts.document.get("subset")))
    return said


def warnings(facts: Facts) -> list[str]:
    """Return what to beware of at the top: the columns that go with the institution, the strongest first."""
    strong = sorted(
        ((found.share, name) for name, found in facts.explained.items() if found.beware), key=lambda one: -one[0]
    )
    if not strong:
        return []
    share_of, name = strong[0]
    more = [f"{other} ({_percent(share)})" for share, other in strong[1:]]
    also = f" The same holds of {listed(more)}." if more else ""
    return [
        f"Beware: {_percent(share_of)} of the differences in {name} go with the institution that holds the specimen: "
        f"it may say more about the camera and the paper than about the plant.{also} "
        "Compare images of one institution, or of one imaging line."
    ]


def beware(name: str, found: Explained | None) -> str:
    """Return what institutions explain of one column in words, or '' where it is not much."""
    if found is None or not found.much:
        return ""
    over = f"({some('image', found.rows)} of {some('institution', found.groups)})"
    if not found.beware:
        return (
            f"{_percent(found.share)} of the differences in {name} go with the institution {over}, "
            "but of so few images that may be chance."
        )
    return (
        f"Beware: {_percent(found.share)} of the differences in {name} go with the institution {over}: it may say more "
        "about the camera than about the plant."
    )


def _percent(part: float) -> str:
    return f"{min(part, 1.0) * 100:.0f} %"


def legend(numbers: Numbers) -> str:
    """Return what the marks of the drawing by institution stand for: those that are in it."""
    points = sum(bool(group.points) for group in numbers.groups)
    parts = ["Box: middle half; whiskers: ends."] if points < len(numbers.groups) else []
    parts += ["Points: single images."] if points else []
    return " ".join([*parts, "Thick line: median."])


def _sampled(subset: Mapping[str, Any]) -> list[str]:
    said = []
    if subset.get("sample"):
        sample, seed = subset["sample"], subset.get("seed")
        asked = count(sample) if isinstance(sample, int) else as_text(sample)
        said.append(
            f"These images are a random sample ({asked} asked for"
            f"{f', seed {as_text(seed)}' if seed is not None else ''}): figures for all of them may differ."
        )
    if subset.get("limit"):
        said.append("Only the first ones were taken (a limit was set), which is not a random choice.")
    return said


def made(facts: Facts) -> str:
    """Return when the study was made and with what, or '' where study.json does not say."""
    created = facts.document.get("created")
    version = mapping(facts.document.get("versions")).get("vasculum")
    parts = [f"Study of {day(created)}" if created else "", f"vasculum {version}" if version else ""]
    return ", ".join(part for part in parts if part)


def figures(numbers: Numbers, values: int) -> list[Line]:
    """Return the figures of a column of numbers; n stands beside every mean."""
    least, lower, median, upper, greatest = (number(value, numbers.spread) for value in numbers.quartiles)
    deviation = number(numbers.deviation, numbers.spread)
    spread = f", standard deviation {deviation}" if numbers.deviation is not None else ""
    mean = f"{number(numbers.mean, numbers.spread)} (n = {count(values)}{spread})"
    return [
        Line("Median", median),
        Line("Middle half", f"{lower} to {upper}"),
        Line("Range", f"{least} to {greatest}"),
        Line("Mean", mean if numbers.mean is not None else "–"),
    ]


def provenance(facts: Facts) -> list[Line]:
    """Return where the results come from, as study.json says it."""
    document = facts.document
    corpus = mapping(document.get("corpus"))
    command = [str(word) for word in document.get("command") or []]
    lines = [
        Line("Study", as_text(document.get("id", "")), True),
        Line("Fingerprint", as_text(document.get("fingerprint", "")), True),
        Line("Created", as_text(document.get("created", ""))),
        Line("Command", shlex.join(command), True),
        Line("Corpus", " ".join(str(corpus[key]) for key in ("id", "path") if corpus.get(key)), True),
        Line("Subset", facts.subset),
        Line("Size of image read", as_text(document.get("size", ""))),
        Line("Decoding", _pairs(document.get("policy"), ": ")),
        Line("Versions", _pairs(document.get("versions"), " ")),
    ]
    return [line for line in lines if line.value]


def processor_lines(processor: Mapping[str, Any]) -> list[Line]:
    """Return what study.json says of one processor, all but the name."""
    hidden = ("name", "reference", "road", "code")  # only of use to `resume`
    lines = []
    for key, value in processor.items():
        if key not in hidden and value not in (None, "", {}, []):
            words = _pairs(value, " ") if isinstance(value, Mapping) else as_text(value)
            lines.append(Line(key.capitalize(), words, True))
    return lines


def _pairs(value: object, between: str) -> str:
    return "; ".join(f"{key}{between}{as_text(one)}" for key, one in mapping(value).items())


def citation(facts: Facts) -> list[str]:
    """Return the paragraphs to cite: the tool, the institutions, the data sets."""
    document = facts.document
    version = mapping(document.get("versions")).get("vasculum")
    created = day(document["created"]) if document.get("created") else "date not recorded"
    fingerprint = f" Study fingerprint {document['fingerprint']}." if document.get("fingerprint") else ""
    said = [
        f"The vasculum developers. vasculum{f' {version}' if version else ''} [software], Apache-2.0."
        f" Results of {created}.{fingerprint}"
    ]
    for processor in processors(facts):
        if processor.get("license") or processor.get("citation"):
            parts = [str(processor.get(key)) for key in ("name", "citation", "license") if processor.get(key)]
            said.append(f"Processor {', '.join(parts)}.")
    said.append(
        _named(
            "Specimen images of",
            [(r.name, r.count) for r in facts.institutions.rows],
            facts.institutions.in_all,
        )
    )
    named = [(f"{r.more + ', ' if r.more else ''}data set {r.name}", r.count) for r in facts.datasets.rows if r.name]
    without = sum(r.count for r in facts.datasets.rows if not r.name)
    if named:
        said.append(_named("Data:", named, facts.datasets.in_all - (1 if without else 0)))
    if without:
        said.append(f"{some('image', without)} came without the name of a data set.")
    return said


def _named(first: str, names: Sequence[tuple[str, int]], in_all: int) -> str:
    parts = [f"{name or 'institutions not named'} ({some('image', amount)})" for name, amount in names[:CITED]]
    more = in_all - len(parts)
    return f"{first} {'; '.join(parts)}{f'; and {count(more)} more' if more > 0 else ''}."
