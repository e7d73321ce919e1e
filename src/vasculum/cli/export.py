"""`vasculum export`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from vasculum.cli.progress import say


@click.command(
    epilog="""\b
Examples:
  vasculum export quality-study --as csv sheets.csv
  vasculum export study --as csv - --columns catalogNumber,greenness_green_share --sort -greenness_green_share"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--as", "kind", type=click.Choice(["csv", "jsonl", "parquet"]), required=True, help="Kind of file.")
@click.option("--columns", metavar="A,B,…", help="Columns of results and manifest (default: the main ones).")
@click.option("--where", metavar="SQL", help="Only rows that meet this SQL over results and manifest.")
@click.option("--sort", metavar="A,-B", help="Sort by these columns; a minus before one for descending.")
@click.option("--overwrite", is_flag=True, help="Replace OUT where it is there already.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Where the study's corpus is now, if it was moved.")
def command(
    study: Path, out: Path, kind: Literal["csv", "jsonl", "parquet"], columns: str | None, where: str | None, sort: str | None, overwrite: bool,
    corpus: Path | None,
) -> None:  # fmt: skip
    """Write the results of STUDY to OUT ('-': standard output), joined with specimen terms, licence and credit.

    Ids stay text. In CSV, text cells that a spreadsheet would run as a formula get a single quote before them.
    """
    from vasculum.study.export import export
    from vasculum.study.study import Study

    named = [name.strip() for name in columns.split(",")] if columns else None
    rows = export(
        Study.open(study, corpus=corpus),
        kind,
        out,
        columns=named,
        where=where,
        sort=sort,
        overwrite=overwrite,
    )
    say(f"{rows:,} rows written to {out}")
