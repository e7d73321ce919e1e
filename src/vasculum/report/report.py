"""Write the report: one HTML file that needs nothing else and asks nothing of any network.

The one door to jinja2. Everything that a template prints passes `words.shown` and is escaped. The page
forbids itself everything remote by its content security policy, which names its one style sheet and its one
script by their hashes: a script or style that slipped in would not run.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import hashlib
import importlib.resources
import re
from pathlib import Path

import jinja2
from markupsafe import Markup

import vasculum
from vasculum.errors import UsageError
from vasculum.report import plots, sentences, words
from vasculum.report.explained import Explained
from vasculum.report.gallery import in_order, panels
from vasculum.report.gather import Facts, gather
from vasculum.report.meanings import Meaning, meanings
from vasculum.report.rows import all_rows
from vasculum.report.summaries import Labels, Numbers, Summary
from vasculum.store.replacing import replacing
from vasculum.study.study import Study

MOST_SINGLE_LABELS = 3
"""A text column of which every value is another (a hash, an id) is not drawn where there are more rows than this."""

STYLES = ("page.css", "images.css")
SCRIPTS = (
    "words.js", "page.js", "unpack.js", "filters.js", "ticks.js", "saving.js", "cabinet.js", "table.js", "images.js",
    "start.js",
)  # fmt: skip
"""The parts of the one style sheet and the one script, in order."""

GENERATOR = b'<meta name="generator" content="vasculum'
"""What marks a file as a report: only such a file is replaced by another report."""


@dataclasses.dataclass(frozen=True, slots=True)
class Drawn:
    """A results column with its drawings."""

    summary: Summary
    plot: Markup | None
    by_institution: Markup | None
    figures: tuple[sentences.Line, ...]
    remark: str = ""
    meaning: Meaning = dataclasses.field(default_factory=Meaning)
    beware: str = ""
    sure: bool = False
    legend: str = ""


def write_report(study: Study, out: Path) -> Path:
    """Write the report of `study` to `out`, whole or not at all, and return `out`.

    An earlier report at `out` is replaced. Raises UsageError where `out` is another kind of file or cannot be written.
    """
    if out.is_file():
        with out.open("rb") as there:
            if GENERATOR not in there.read(4096):
                raise UsageError(f"{out}: exists and is no report of vasculum. Choose another name for the report.")
    page = render(study).encode("utf-8", errors="backslashreplace")
    with replacing(out) as file:
        file.write(page)
    return out


def render(study: Study) -> str:
    """Return the page as text."""
    with study.database() as database:
        facts = gather(study, database)
        shown = panels(study, database, facts.columns)
        ordered = in_order(study.columns)
        ordered += [column for column in study.columns if column not in ordered]
        rows = all_rows(database, ordered, facts.rows)
    known = meanings(study)
    style = Markup("").join(_part(f"styles/{name}") for name in STYLES)
    script = _script()
    return _template().render(
        facts=facts,
        drawn=[
            _said(_drawn(place, column), known.get(column.name), facts.explained.get(column.name))
            for place, column in enumerate(facts.columns)
        ],
        panels=shown,
        rows=rows,
        study_id=str(study.document.get("id", "")),
        file_stem=_file_stem(facts.name),
        warnings=sentences.warnings(facts),
        summary=sentences.summary(facts),
        made=sentences.made(facts),
        provenance=sentences.provenance(facts),
        processors=[(p.get("name", ""), sentences.processor_lines(p)) for p in sentences.processors(facts)],
        citation=sentences.citation(facts),
        licence_meanings=sentences.LICENCE_MEANINGS,
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        version=vasculum.__version__,
        written=sentences.day(datetime.datetime.now(datetime.UTC).isoformat()),
        worked=_worked(facts),
    )


def _drawn(place: int, column: Summary) -> Drawn:
    key, title = f"plot-{place}", f"{column.processor}: {column.column}"
    if isinstance(column.drawn, Numbers):
        numbers = column.drawn
        return Drawn(
            column,
            plots.histogram(key, title, numbers) if numbers.bins else None,
            plots.groups(f"{key}-by", f"{title}, by institution", numbers) if numbers.groups else None,
            tuple(sentences.figures(numbers, column.values)),
        )
    if isinstance(column.drawn, Labels) and column.drawn.distinct == column.values > MOST_SINGLE_LABELS:
        return Drawn(column, None, None, (), "All of them differ.")
    if isinstance(column.drawn, Labels):
        return Drawn(column, plots.bars(key, title, column.drawn, column.values), None, ())
    return Drawn(column, None, None, ())


def _said(drawn: Drawn, meaning: Meaning | None, found: Explained | None) -> Drawn:
    """Return a drawn column with what is said of it."""
    column = drawn.summary
    return dataclasses.replace(
        drawn,
        meaning=meaning or Meaning(),
        beware=sentences.beware(column.name, found),
        sure=found is not None and found.beware,
        legend=sentences.legend(column.drawn) if isinstance(column.drawn, Numbers) else "",
    )


def _file_stem(name: str) -> str:
    """Return a study's name as the beginning of a file's name that every system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60] or "study"


def _script() -> Markup:
    """Return the parts of the script as one, with names of its own."""
    parts = Markup("\n").join(_part(f"scripts/{name}") for name in SCRIPTS)
    return Markup('"use strict";\n(() => {{\n{}}})();\n').format(parts)


def _worked(facts: Facts) -> Markup:
    """Return the thin bar that shows which part of the images gave a result."""
    width = 400 * facts.ok / facts.rows if facts.rows else 0
    return plots.element(
        "svg",
        Markup("").join(
            [
                plots.element("rect", width=400, height=6, class_="failed"),
                plots.element("rect", width=width, height=6, class_="bar"),
            ]
        ),
        viewBox="0 0 400 6",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="worked",
    )


def _part(name: str) -> Markup:
    """Return a style sheet or script of this package, as it is."""
    return Markup(importlib.resources.files(__package__).joinpath(name).read_text("utf-8"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vasculum.report", package_path="parts"),
        autoescape=True,
        finalize=words.shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=words.count, number=words.number, value=words.value)
    environment.globals.update(share=words.share, some=words.some)
    return environment.get_template("page.html.j2")
