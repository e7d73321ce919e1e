"""`vasculum apply`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from vasculum.cli.options import (
    corpus_argument,
    json_option,
    retry_option,
    selection,
    statuses,
    strict_option,
    subset_options,
)
from vasculum.cli.progress import Watcher, say, summary
from vasculum.errors import EXIT_FAILED_ROWS, EXIT_OK, UsageError


@click.command(
    epilog="""\b
Examples:
  vasculum apply sheets thumbnail quality --out quality-study
  vasculum apply sheets samples/greenness.py --out greenness --where "year < 1950"
  vasculum apply sheets "small=thumbnail(size=128)" my.py:Stain models/lycopods --out study
  vasculum apply sheets thumbnail --out study --dry-run"""
)
@corpus_argument
@click.argument("processors", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the study; it goes on where it stands.")
@subset_options
@click.option("--size", metavar="SIZE", help="Which size of image, where the corpus holds several.")
@click.option("-n", "--dry-run", "dry", is_flag=True, help="Say what would be done, and do nothing.")
@retry_option
@click.option("--redo", is_flag=True, help="Let results go that were made by other code or lie beyond the subset.")
@click.option("--keep", is_flag=True, help="Let results stand that were made by other code; do only what is missing.")
@click.option("--workers", type=click.IntRange(1), help="Images at once (default: the cores that were given).")
@strict_option
@json_option
def command(
    corpus: Path, processors: tuple[str, ...], out: Path | None, size: str | None, dry: bool, retry: tuple[str, ...],
    redo: bool, keep: bool, workers: int | None, strict: bool, as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Run PROCESSORS over images of CORPUS; results go to a study.

    A processor is a built-in's name (see `vasculum processors`), FILE.py:NAME, or a model folder with card.json; settings
    stand in brackets, NAME= before it gives it another name.
    """
    from vasculum.corpus.corpus import Corpus
    from vasculum.engines.local import LocalEngine
    from vasculum.study.apply import apply, dry_run

    if redo and keep:
        raise UsageError("--redo and --keep exclude each other.")
    subset = Corpus.open(corpus).select(selection(options))
    if dry:
        return _tell_plan(dry_run(subset, processors, out=out, size=size), as_json)
    if out is None:
        raise UsageError("--out FOLDER is missing: where the study is to be. (--dry-run needs none.)")
    engine = LocalEngine(workers)

    def go(choices: dict[str, Any]) -> Any:
        with watcher:
            return apply(
                subset, processors, out=out, size=size, retry=statuses(retry), engine=engine, progress=watcher, told=say,
                **choices,
            )  # fmt: skip

    watcher = Watcher("apply")
    study = asking_anew(go, {"redo": redo, "keep": keep})
    counts = study.counts()
    failed = sum(counts.values()) - counts.get("ok", 0)
    if as_json:
        click.echo(json.dumps({"study": str(out), "worked_on": dict(watcher.counts), "results": counts}))
    else:
        tell_results(out, counts)
        say(_advice(corpus, out, study, counts))
    return EXIT_FAILED_ROWS if strict and failed else EXIT_OK


def asking_anew(go: Callable[[dict[str, Any]], Any], choices: dict[str, Any]) -> Any:
    """Return what `go` gives. Where results exist that no longer fit, ask on a terminal and try once more.

    Raises ChangedError where nobody can be asked, click.Abort where the answer is to stop.
    """
    from vasculum.study.apply import ChangedError

    try:
        return go(choices)
    except ChangedError as error:
        if any(choices.values()) or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        say(str(error))
    answer = click.prompt("redo, keep or stop?", type=click.Choice(["redo", "keep", "stop"]), err=True)
    if answer == "stop":
        raise click.Abort
    return go({**choices, answer: True})


def tell_results(out: Path, counts: Mapping[str, int]) -> int:
    """Say how many results of each status a study has, and return how many are not ok."""
    say(f"{out}: {sum(counts.values()):,} results: {summary(counts)}.")
    return sum(count for status, count in counts.items() if status != "ok")


def _advice(corpus: Path, out: Path, study: Any, counts: dict[str, int]) -> str:
    """Return what to do next: the report, or where there is no good result at all, what stands in the way."""
    if set(counts) == {"not_fetched"}:
        return f"No image has been fetched yet. Next: vasculum fetch {corpus}"
    if "ok" not in counts:
        first = study.sql(
            "SELECT status, detail FROM results ORDER BY status = 'processor_error' DESC, media_id LIMIT 1"
        )
        row = first.to_pylist()[0]
        return f"warning: no image gave a result. The first: {row['status']}: {row['detail']}"
    if len(counts) > 1:
        return f"What failed is listed by: vasculum status {out} --failed. Next: vasculum report {out}"
    return f"Next: vasculum report {out}"


def _tell_plan(plan: Any, as_json: bool) -> int:
    if as_json:
        content = {
            "wanted": plan.wanted,
            "done": plan.done,
            "todo": plan.todo.num_rows,
            "to_decode": plan.to_decode,
            "waiting": plan.waiting,
            "beyond": plan.beyond,
        }
        click.echo(json.dumps(content))
        return EXIT_OK
    click.echo(
        f"wanted: {plan.wanted:,}  done: {plan.done:,}  to do: {plan.todo.num_rows:,}, of which to read: {plan.to_decode:,}"
    )
    for status, count in plan.waiting.items():
        click.echo(f"  {count:,} have no image to work on: {status}")
    if plan.beyond:
        click.echo(f"  {plan.beyond:,} results of the study lie beyond this subset (--redo lets them go)")
    return EXIT_OK
