"""Write the rows of a study, or its images, in the form that other programs open.

Tables, one file: `xlsx`, `csv`, `jsonl`, `parquet`. Images with their rows, a folder: `imagefolder`, `webdataset`,
`huggingface`. Rows are streamed; everything is written beside the place it is meant for and renamed when whole: what is
there is whole.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, get_args

import pyarrow as pa

from vasculum.errors import UsageError, nearest
from vasculum.exports.delimited import write_csv
from vasculum.exports.json_lines import write_jsonl
from vasculum.exports.parquet import write_parquet
from vasculum.jobs import Watch
from vasculum.store import disk, runs
from vasculum.store.replacing import check_free, replacing

Kind = Literal["xlsx", "csv", "jsonl", "parquet", "imagefolder", "webdataset", "huggingface"]
KINDS: tuple[str, ...] = get_args(Kind)
FOLDERS = ("imagefolder", "webdataset", "huggingface")
STREAMED = ("csv", "jsonl")
STDOUT = "-"
MOST_PICTURES = 5_000
"""Rows of a workbook that have a small picture, unless another number is asked for."""


class Exportable(Protocol):
    """What an export of a table asks of a study."""

    def joined(
        self, columns: Sequence[str] | None, where: str | None, sort: str | None
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return the schema and the batches of the wanted rows, results and manifest joined."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What may be chosen besides study, kind and place; see `export`."""

    columns: Sequence[str] | None = None
    where: str | None = None
    sort: str | None = None
    overwrite: bool = False
    bom: bool = False
    thumbnails: int | None = None
    label: str | None = None
    size: int | None = None
    seed: int | None = None
    shards: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    kind: str
    out: str
    rows: int
    """Rows, or images, that were written."""
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many were not, by reason; none in a table."""
    licences: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many images there are of each licence, in a folder."""


def export(
    study: Any,
    kind: Kind | None,
    out: Path,
    *,
    columns: Sequence[str] | None = None,
    where: str | None = None,
    sort: str | None = None,
    overwrite: bool = False,
    bom: bool = False,
    thumbnails: int | None = None,
    label: str | None = None,
    size: int | None = None,
    seed: int | None = None,
    shards: int | None = None,
    progress: Watch | None = None,
    told: Callable[[str], None] | None = None,
) -> int:
    """Write the rows or images of `study` to `out` and return how many there were.

    `kind` is one of KINDS; None: by the ending of `out`. `columns`, `where` and `sort` choose columns, rows and order;
    None for columns means the main ones. `out` as `-` writes CSV or JSON lines to standard output. `bom` begins a CSV
    with the mark by which Excel knows UTF-8. `thumbnails` is how many rows of a workbook have a small picture. Of images:
    `label` names the column of their class, `size` makes them JPEGs of so many pixels on the longer side, `seed` shuffles
    them (the same everywhere), `shards` is the number of shards. `progress` counts images as they are read; `told`
    receives lines for a person. Raises UsageError for what cannot be asked for, StoreError where the disk refuses.
    """
    options = Options(columns, where, sort, overwrite, bom, thumbnails, label, size, seed, shards)
    return write_export(study, kind, Path(out), options, progress=progress, told=told).rows


def write_export(
    study: Any,
    kind: str | None,
    out: Path,
    options: Options,
    *,
    progress: Watch | None = None,
    told: Callable[[str], None] | None = None,
) -> Exported:
    """Do what `export` does and return all there is to say of it."""
    chosen = _checked(kind or kind_of(out), out, options)
    tell = told or (lambda _: None)
    if chosen in FOLDERS:
        from vasculum.exports.image_folders import write_images

        return write_images(study, chosen, out, options, progress, tell)
    if chosen == "xlsx":
        check_free(out, options.overwrite)
        with replacing(out, overwrite=options.overwrite) as file:
            return Exported(chosen, str(out), _write_workbook(study, file, out, options, tell))
    if str(out) != STDOUT:
        check_free(out, options.overwrite)
    schema, batches = study.joined(options.columns, options.where, options.sort)
    if str(out) == STDOUT:
        rows = _write_table(chosen, sys.stdout.buffer, schema, batches, options, tell)
        sys.stdout.buffer.flush()
    else:
        with replacing(out, overwrite=options.overwrite) as file:
            rows = _write_table(chosen, file, schema, batches, options, tell)
    return Exported(chosen, str(out), rows)


def kind_of(out: Path) -> str:
    """Return the kind of file that the ending of `out` names. Raises UsageError where it names none."""
    ending = out.suffix.lower().removeprefix(".")
    tables = [kind for kind in KINDS if kind not in FOLDERS]
    if ending not in tables:
        raise UsageError(
            f"{out}: its ending says nothing of the kind of export. Say it with --as: {', '.join(KINDS)}; "
            f"or name a file that ends with {', '.join('.' + kind for kind in tables)}."
        )
    return ending


def command_line() -> str:
    """Return how this process was called, for whoever reads the export later."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _checked(kind: str, out: Path, options: Options) -> str:
    """Return `kind` where it and the options go together. Raises UsageError."""
    if kind not in KINDS:
        raise UsageError(f"export: there is no kind {kind!r}{nearest(kind, KINDS)}. Use {', '.join(KINDS)}.")
    if str(out) == STDOUT and kind not in STREAMED:
        name = {"parquet": "Parquet", "xlsx": "a workbook"}.get(kind, f"a folder ({kind})")
        raise UsageError(f"export: {name} cannot be written to standard output. Name a file, or use csv or jsonl.")
    own = {
        "--bom": (options.bom, ("csv",)),
        "--thumbnails": (options.thumbnails is not None, ("xlsx",)),
        "--label": (options.label is not None, FOLDERS),
        "--size": (options.size is not None, FOLDERS),
        "--seed": (options.seed is not None, FOLDERS),
        "--shards": (options.shards is not None, FOLDERS[1:]),
    }
    for option, (asked, kinds) in own.items():
        if asked and kind not in kinds:
            raise UsageError(f"{option} is for --as {' or '.join(kinds)}, not for {kind}. Leave it out.")
    if options.sort is not None and options.seed is not None:
        raise UsageError("--sort and --seed exclude each other: one gives an order, the other shuffles.")
    if options.shards is not None and options.shards < 1:
        raise UsageError(f"--shards {options.shards}: expected 1 or more.")
    if options.thumbnails is not None and options.thumbnails < 0:
        raise UsageError(f"--thumbnails {options.thumbnails}: expected 0 or more.")
    return kind


def _write_table(
    kind: str, file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch], options: Options,
    tell: Callable[[str], None],
) -> int:  # fmt: skip
    if kind == "csv":
        return write_csv(file, schema, batches, bom=options.bom, told=tell)
    return (write_jsonl if kind == "jsonl" else write_parquet)(file, schema, batches)


def _write_workbook(study: Any, file: BinaryIO, out: Path, options: Options, tell: Callable[[str], None]) -> int:
    from vasculum.exports.spreadsheet import Book, write_xlsx
    from vasculum.study.thumbnails import small_pictures

    ids_last = sorted(study.export_columns, key=lambda name: name == "media_id")  # a person looks for numbers and names
    shown = list(dict.fromkeys(options.columns or ids_last))
    counted = [name for name in ("media_id", "status", "license_id") if name not in shown]
    schema, batches = study.joined([*shown, *counted], options.where, options.sort)
    document = study.document
    facts = [
        ("made by", f"vasculum {runs.versions().get('vasculum', '')}".strip()),
        ("made on", runs.now_text()),
        ("command", command_line()),
        ("study", str(study.path.resolve())),
        ("study made", str(document.get("created", ""))),
        ("corpus", document["corpus"]["path"]),
        ("images asked for", str(study.selection)),
        ("rows asked for", options.where or "all of the study"),
        ("processors", ", ".join(entry["name"] for entry in document["processors"])),
    ]
    most = MOST_PICTURES if options.thumbnails is None else options.thumbnails
    meanings = {f"{entry['name']}_status": (f"what came of {entry['name']}", "") for entry in document["processors"]}
    for column in study.columns:  # a processor may say what it gives
        told, unit = column.kind.meaning, column.kind.unit
        meanings[column.name] = (told or f"given by processor {column.processor}", unit)

    def pictures(media_ids: Sequence[str]) -> Mapping[str, bytes]:
        return small_pictures(study, media_ids, webp=False)

    book = Book(shown, facts, pictures, most, tell, out.parent, meanings)
    try:
        return write_xlsx(file, schema, batches, book)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise disk.explain(error, out, "write") from error
