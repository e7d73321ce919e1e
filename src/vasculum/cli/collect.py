"""`vasculum collect`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from vasculum.cli.options import corpus_argument, json_option, pairs
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
@click.option("--sheet", metavar="NAME", help="Excel: the sheet to read (default: the first with rows).")
@click.option(
    "--header-row", metavar="N", type=click.IntRange(1), help="Excel: the row of the column names (default: the first)."
)
@click.option("--labels", is_flag=True, help="Folder only: label each image with its folder's name.")
@click.option(
    "--records",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Folder only: a table of its specimens (CSV, TSV, Excel, Parquet), matched with the files' names.",
)
@click.option(
    "--key", metavar="COLUMN", help="The column of --records that files are named after, such as catalogNumber."
)
@click.option(
    "--match",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A table of two columns, number and file, for files that are named otherwise; it wins.",
)
@json_option
def command(
    corpus: Path, kind: str, source: Path, columns: tuple[str, ...], label: str | None, root: Path | None,
    encoding: str | None, sheet: str | None, header_row: int | None, labels: bool, records: Path | None,
    key: str | None, match: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Add the media of a table (CSV, TSV, Excel, JSON lines, Parquet), a folder of images, or shards to CORPUS.

    Shards are WebDataset tars or Parquet files with the images in them; they are read in place, nothing is unpacked.

    Collecting the same again adds nothing; new and changed rows are added. Nothing is written into the source.
    """
    from vasculum.corpus.corpus import Corpus
    from vasculum.errors import UsageError, VasculumError

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
            sheet=sheet,
            header_row=header_row,
            records=records,
            key=key,
            match=match,
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
