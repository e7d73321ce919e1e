"""`vasculum export`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from vasculum.cli.options import json_option
from vasculum.cli.progress import Watcher, say

KINDS = ("xlsx", "csv", "jsonl", "parquet", "imagefolder", "webdataset", "huggingface")
FOLDERS = KINDS[4:]


@click.command(
    epilog="""\b
Examples:
  vasculum export quality-study sheets.xlsx
  vasculum export quality-study sheets.csv --bom
  vasculum export study --as csv - --columns catalogNumber,greenness_green_share --sort -greenness_green_share
  vasculum export study families --as imagefolder --label family --size 512
  vasculum export study shards --as webdataset --shards 8 --where "license_id like 'CC%'"
"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--as", "kind", type=click.Choice(KINDS), help="Kind of file or folder (default: by the ending of OUT).")
@click.option("--columns", metavar="A,B,…", help="Columns of results and manifest (default: the main ones).")
@click.option("--where", metavar="SQL", help="Only rows that meet this SQL over results and manifest.")
@click.option("--sort", metavar="A,-B", help="Sort by these columns; a minus before one for descending.")
@click.option("--overwrite", is_flag=True, help="Replace OUT where it is there already.")
@click.option("--bom", is_flag=True, help="csv: begin with the mark by which Excel knows UTF-8 (ä, é, ñ).")
@click.option("--thumbnails", metavar="N", type=int, help="xlsx: how many rows have a small picture.  [default: 5000]")
@click.option("--label", metavar="COLUMN", help="Images: the column of their class; in an imagefolder, a folder each.")
@click.option(
    "--size",
    metavar="PIXELS",
    type=click.IntRange(1),
    help="Images: as JPEGs of this longer side (default: untouched).",
)
@click.option(
    "--seed", metavar="S", type=int, help="Images: another seed, another order; the same everywhere.  [default: 0]"
)
@click.option(
    "--shards", metavar="N", type=int, help="webdataset, huggingface: how many shards (default: of 256 MB or so)."
)
@click.option("--corpus", type=click.Path(path_type=Path), help="Where the study's corpus is now, if it was moved.")
@json_option
def command(
    study: Path, out: Path, kind: str | None, columns: str | None, corpus: Path | None, as_json: bool, **options: Any
) -> None:
    """Write the results of STUDY to OUT ('-': standard output), joined with specimen terms, licence and credit.

    Tables: xlsx, csv, jsonl, parquet. Images with their rows, in a folder: imagefolder, webdataset, huggingface; only
    images that are ok go in, shuffled, and left_out.csv lists the others. Ids stay text. In CSV, text cells that a
    spreadsheet would run as a formula get a single quote before them.
    """
    from vasculum.exports.export import Options, write_export
    from vasculum.study.study import Study

    named = [name.strip() for name in columns.split(",")] if columns else None
    opened = Study.open(study, corpus=corpus)
    with Watcher("export") if kind in FOLDERS else contextlib.nullcontext() as watcher:
        exported = write_export(opened, kind, out, Options(columns=named, **options), progress=watcher, told=say)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(exported), ensure_ascii=False), err=str(out) == "-")
    else:
        what = "image" if exported.kind in FOLDERS else "row"
        say(f"{exported.rows:,} {what}{'' if exported.rows == 1 else 's'} written to {out}")
        if not exported.rows and options["where"]:
            say(f"note: no {what} meets --where {options['where']}")
