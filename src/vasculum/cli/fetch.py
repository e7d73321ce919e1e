"""`vasculum fetch`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from vasculum.cli.options import (
    corpus_argument,
    json_option,
    pairs,
    retry_option,
    selection,
    statuses,
    strict_option,
    subset_options,
)
from vasculum.cli.progress import Watcher, say, summary
from vasculum.errors import EXIT_FAILED_ROWS, EXIT_OK


@click.command(
    epilog="\b\nExamples:\n  vasculum fetch sheets\n  vasculum fetch sheets --in-place --where \"family = 'Fagaceae'\""
)
@corpus_argument
@subset_options
@click.option("--in-place", is_flag=True, help="Leave the files where they are; note their state and read them there.")
@click.option("--root", "roots", metavar="[SOURCE=]FOLDER", multiple=True, help="Where a source's files are now.")
@retry_option
@strict_option
@json_option
def command(
    corpus: Path,
    in_place: bool,
    roots: tuple[str, ...],
    retry: tuple[str, ...],
    strict: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Get the bytes of the images into CORPUS, as they are. Only what is missing or changed is read."""
    from vasculum.corpus.corpus import Corpus

    opened = Corpus.open(corpus)
    named = _roots(opened.sources, roots)
    with Watcher("fetch") as watcher:
        fetched = opened.fetch(
            opened.select(selection(options)),
            in_place=in_place,
            retry=statuses(retry),
            roots=named,
            progress=watcher,
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(fetched) | {"counts": dict(fetched.counts)}))
    else:
        _tell(corpus, fetched)
    return EXIT_FAILED_ROWS if strict and fetched.failed else EXIT_OK


def _roots(sources: dict[str, Any], values: tuple[str, ...]) -> dict[str, str]:
    """Return SOURCE=FOLDER options; a folder alone is meant for the only source there is."""
    if len(values) == 1 and "=" not in values[0] and len(sources) == 1:
        return {next(iter(sources)): values[0]}
    return pairs(values, "--root")


def _tell(corpus: Path, fetched: Any) -> None:
    if fetched.counts:
        say(f"{corpus}: {summary(fetched.counts)}; {fetched.already:,} were there already.")
    else:
        say(f"{corpus}: nothing to do: all {fetched.wanted:,} local media were there already, unchanged.")
    if fetched.on_the_web:
        say(f"{fetched.on_the_web:,} media have web addresses only; this version fetches local files.")
    if fetched.failed:
        say(f"Failed ones are listed by: vasculum status {corpus}. Tried again with: --retry STATUS.")
    if fetched.wanted:
        say(f"Next: vasculum apply {corpus} thumbnail quality --out STUDY")
