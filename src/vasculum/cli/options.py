"""Options that several commands share: the subset, statuses to retry, roots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

SUBSET = (
    click.option("--where", metavar="SQL", help="Only media that meet this SQL over the manifest, such as \"year < 1950\"."),
    click.option("--with", "studies", metavar="NAME=STUDY", multiple=True, help="Let --where name a study's results: --with m=STUDY --where \"m.score > 0.9\"."),
    click.option("--sample", metavar="N", type=click.IntRange(0), help="A random sample of N; a larger N contains the smaller."),
    click.option("--seed", metavar="S", type=int, default=0, show_default=True, help="Another seed, another sample."),
    click.option("--by", metavar="COLUMN", help="Sample as evenly as possible from each value of COLUMN."),
    click.option("--limit", metavar="N", type=click.IntRange(0), help="Only the first N by id."),
)  # fmt: skip


SOURCE = (
    click.option("--map", "columns", metavar="COLUMN=NAME", multiple=True, help="The manifest's COLUMN is the table's (or record's) NAME, where the guess is wrong."),
    click.option("--label", metavar="NAME", help="Name of this source in the corpus (default: the file's or folder's own)."),
    click.option("--encoding", help="Encoding of the table where it is not UTF-8, such as cp1252 (Excel's CSV in western Europe)."),
    click.option("--sheet", metavar="NAME", help="Excel: the sheet to read (default: the first with rows)."),
    click.option("--header-row", metavar="N", type=click.IntRange(1), help="Excel: the row of the column names (default: the first)."),
    click.option("--records", metavar="FILE", type=click.Path(path_type=Path), help="Folder only: a table of its specimens (CSV, TSV, Excel, Parquet), matched with the files' names."),
    click.option("--key", metavar="COLUMN", help="The column of --records that files are named after, such as catalogNumber."),
    click.option("--match", metavar="FILE", type=click.Path(path_type=Path), help="A table of two columns, number and file, for files that are named otherwise; it wins."),
)  # fmt: skip


def source_options(function: F) -> F:
    """Add the options that say how a source is to be read."""
    for option in reversed(SOURCE):
        function = option(function)
    return function


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of a source that were given out of `options`. Raises click.UsageError for a --map without '='."""
    names = ("columns", "label", "encoding", "sheet", "header_row", "records", "key", "match")
    found = {name: options.pop(name) for name in names}
    return {name: value for name, value in (found | {"columns": pairs(found["columns"], "--map")}).items() if value}


def subset_options(function: F) -> F:
    """Add the options that choose a subset."""
    for option in reversed(SUBSET):
        function = option(function)
    return function


def selection(options: dict[str, Any]) -> Any:
    """Take the subset options out of `options` and return the Selection. Raises UsageError."""
    from vasculum.corpus.subset import Selection

    studies = pairs(options.pop("studies"), "--with")
    return Selection(
        studies=tuple((alias, str(Path(path).resolve())) for alias, path in studies.items()),
        **{name: options.pop(name) for name in ("where", "sample", "seed", "by", "limit")},
    )


def pairs(values: Sequence[str], option: str) -> dict[str, str]:
    """Return NAME=VALUE options as a dict. Raises click.UsageError for one without '='."""
    found: dict[str, str] = {}
    for value in values:
        name, sign, rest = value.partition("=")
        if not sign or not name or not rest:
            raise click.UsageError(f"{option} {value}: expected NAME=VALUE.")
        found[name.strip()] = rest.strip()
    return found


def statuses(values: Sequence[str]) -> list[str]:
    """Return statuses given as several options or with commas between."""
    return [status.strip() for value in values for status in value.split(",") if status.strip()]


retry_option = click.option(
    "--retry", metavar="STATUS", multiple=True, help="Redo just the rows that ended with this status (commas between several; 'transient' for all that may end otherwise)."
)  # fmt: skip
strict_option = click.option("--strict", is_flag=True, help="Exit with 3 where any row failed.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
corpus_argument = click.argument("corpus", type=click.Path(path_type=Path))
