"""`vasculum collect`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from vasculum.cli.options import corpus_argument, json_option, pairs
from vasculum.cli.progress import say


@click.command(
    epilog="""\b
Examples:
  vasculum collect sheets table records.csv
  vasculum collect sheets table export.tsv --map accessURI=photo_url --map catalogNumber=barcode
  vasculum collect sheets folder D:\\scans --labels
  vasculum collect sheets shards downloaded-dataset"""
)
@corpus_argument
@click.argument("kind", type=click.Choice(["table", "folder", "shards"]))
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "columns",
    metavar="COLUMN=NAME",
    multiple=True,
    help="The manifest's COLUMN is the table's (or record's) NAME, where the guess is wrong.",
)
@click.option(
    "--label", metavar="NAME", help="Name of this source in the corpus (default: the file's or folder's own)."
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Table: folder that relative image paths start from (default: the table's). Folder: where SOURCE is now.",
)
@click.option("--encoding", help="Encoding of the table where it is not UTF-8, such as latin-1.")
@click.option("--labels", is_flag=True, help="Folder only: label each image with its folder's name.")
@json_option
def command(
    corpus: Path, kind: str, source: Path, columns: tuple[str, ...], label: str | None, root: Path | None,
    encoding: str | None, labels: bool, as_json: bool,
) -> None:  # fmt: skip
    """Add the media of a table (CSV, TSV, JSON lines, Parquet), a folder of images, or shards to CORPUS.

    Shards are WebDataset tars or Parquet files with the images in them; they are read in place, nothing is unpacked.

    Collecting the same again adds nothing; new and changed rows are added. Nothing is written into the source.
    """
    from vasculum.corpus.corpus import Corpus
    from vasculum.errors import UsageError, VasculumError

    if kind == "folder" and (columns or encoding):
        raise UsageError("--map and --encoding are for tables.")
    if kind == "shards" and encoding:
        raise UsageError("--encoding is for tables.")
    if kind != "folder" and labels:
        raise UsageError("--labels is for folders.")
    opened = Corpus.create(corpus)
    try:
        collected = opened.collect(
            kind,
            source,
            label=label,
            root=root,
            columns=pairs(columns, "--map"),
            encoding=encoding,
            labels=labels,
            told=say,
        )
    except VasculumError:
        opened.forget_if_empty()
        raise
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(collected)))
        return
    say(
        f"{corpus}: {collected.media:,} media in source {collected.label!r}: {collected.new:,} new, "
        f"{collected.changed:,} changed, {collected.unchanged:,} as before."
    )
    if collected.elsewhere:
        say(f"{collected.elsewhere:,} were given by another source before; what that said of them stands.")
    if collected.several_records:
        say(f"{collected.several_records:,} of them show more than one specimen record.")
    if collected.rejected:
        rows = "1 row was" if collected.rejected == 1 else f"{collected.rejected:,} rows were"
        say(f"{rows} kept aside; `vasculum status {corpus} --rejects` lists them with line and reason.")
    say(f"Next: vasculum fetch {corpus}")
