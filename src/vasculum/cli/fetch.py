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
        click.echo(json.dumps(dataclasses.asdict(fetched)))
    else:
        _tell(corpus, fetched)
    return EXIT_FAILED_ROWS if strict and fetched.failed else EXIT_OK


def _roots(sources: dict[str, Any], values: tuple[str, ...]) -> dict[str, str]:
    """Return SOURCE=FOLDER options; a folder alone is meant for the only source there is."""
    if len(values) == 1 and "=" not in values[0] and len(sources) == 1:
        return {next(iter(sources)): values[0]}
    return pairs(values, "--root")


def _tell(corpus: Path, fetched: Any) -> None:
    before = f"{fetched.already:,} were there already" if fetched.already else ""
    still = f"{summary(fetched.failing)} before, as they were" if fetched.failing else ""
    more = "; ".join(words for words in (before, still) if words)
    if fetched.counts:
        say(f"{corpus}: {summary(fetched.counts)}{f'; {more}' if more else ''}.")
    else:
        say(f"{corpus}: nothing to do{f': {more}' if more else ''}.")
    for example in fetched.examples:
        say(f"  {example}")
    if fetched.failed > len(fetched.examples):
        say(f"  … and {fetched.failed - len(fetched.examples):,} more; `vasculum status {corpus} --failed` lists them.")
    if fetched.kept:
        say(f"Of {fetched.kept:,} of these the earlier bytes are kept and used.")
    if fetched.counts.keys() == {"not_found"} and not fetched.already:
        say("Do the paths start elsewhere? Say where with: --root FOLDER")
    if fetched.on_the_web:
        say(f"{fetched.on_the_web:,} media have web addresses only; this version fetches local files.")
    if fetched.already or fetched.counts.get("ok"):
        say(f"Next: vasculum apply {corpus} thumbnail quality --out STUDY")
