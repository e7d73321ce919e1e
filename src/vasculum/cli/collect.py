"""`vasculum collect`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from vasculum.cli.options import corpus_argument, given, json_option, source_options
from vasculum.cli.progress import say


class Kind(click.Choice[str]):
    """The kinds of sources; where a file stands in their place, the one that is meant is named."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind. Raises click.UsageError where it was left out."""
        if value not in self.choices and (Path(value).exists() or Path(value).suffix):
            kind = "folder" if Path(value).is_dir() and not list(Path(value).glob("*.parquet")) else "table"
            corpus = (ctx.params.get("corpus") if ctx else None) or "CORPUS"
            raise click.UsageError(f"say what {value} is: vasculum collect {corpus} {kind} {value}", ctx)
        return str(super().convert(value, param, ctx))


@click.command(
    epilog="""\b
Examples:
  vasculum collect sheets table records.csv
  vasculum collect sheets table export.tsv --map accessURI=photo_url --map catalogNumber=barcode
  vasculum collect sheets table records.xlsx --root D:\\scans
  vasculum collect sheets folder D:\\scans --labels
  vasculum collect sheets folder D:\\scans --records export.xlsx --key Barcode
  vasculum collect sheets shards downloaded-dataset"""
)
@corpus_argument
@click.argument("kind", type=Kind(["table", "folder", "shards"]))
@click.argument("source", type=click.Path(path_type=Path))
@source_options
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Table: folder that relative image paths start from (default: the table's). Folder: where SOURCE is now.",
)
@click.option("--labels", is_flag=True, help="Folder only: label each image with its folder's name.")
@json_option
def command(
    corpus: Path, kind: str, source: Path, root: Path | None, labels: bool, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Add the media of a table (CSV, TSV, Excel, JSON lines, Parquet), a folder of images, or shards to CORPUS.

    Shards are WebDataset tars or Parquet files with the images in them; they are read in place, nothing is unpacked.

    Collecting the same again adds nothing; new and changed rows are added. Nothing is written into the source.
    """
    from vasculum.corpus.corpus import Corpus
    from vasculum.errors import UsageError, VasculumError

    if kind == "shards" and options["encoding"]:
        raise UsageError("--encoding is for tables.")
    if kind != "folder" and labels:
        raise UsageError("--labels is for folders.")
    opened = Corpus.create(corpus)
    try:
        collected = opened.collect(kind, source, root=root, labels=labels, told=say, **given(options))
    except VasculumError:
        opened.forget_if_empty()
        raise
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(collected)))
        return
    say(f"{corpus}: {collected}")
    if collected.elsewhere:
        say(f"{collected.elsewhere:,} were given by another source before; what that said of them stands.")
    if collected.several_records:
        say(f"{collected.several_records:,} of them show more than one specimen record.")
    if collected.rejected:
        rows = "1 row was" if collected.rejected == 1 else f"{collected.rejected:,} rows were"
        say(f"{rows} kept aside; `vasculum status {corpus} --rejects` lists them with line and reason.")
    say(f"Next: vasculum fetch {corpus}")
