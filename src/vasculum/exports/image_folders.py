"""Images with their rows as a folder for training: chosen, read once, and written by one of three layouts.

The order is a shuffle by MD5 of `shuffle:SEED:media_id` (hex), the same on every machine, unless a sort is asked for.
Only images whose results are ok go in; the others are listed in `left_out.csv`, with why. `ATTRIBUTION.md` and `.csv` name
everybody who is to be named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from vasculum.errors import UsageError
from vasculum.exports.attribution import Attribution
from vasculum.exports.chosen import FOLDER, LABEL, RESTRICTED, STEM, Chosen, choose
from vasculum.exports.export import Exported, Options, command_line
from vasculum.exports.gathering import Gathered, Got, gather, in_shards
from vasculum.exports.hugging_face import HuggingFace
from vasculum.exports.image_folder import ImageFolder
from vasculum.exports.tar_shards import TarShards
from vasculum.jobs import Watch
from vasculum.store import runs
from vasculum.store.replacing import check_free_folder, left_over, only_copies, replacing_folder, write_mark
from vasculum.study.study import Study

BYTES_PER_SHARD = 256 * 2**20
Told = Callable[[str], None]


class Layout(Protocol):
    """One way to lay out images and rows in a folder."""

    def begin(self, schema: pa.Schema, ends: list[int]) -> None:
        """Be told the columns of the rows to come, and after how many images each shard ends."""

    def add(self, rows: pa.RecordBatch, stems: list[str], endings: list[str], images: Iterator[bytes]) -> None:
        """Write the next rows and their images."""

    def finish(self, licences: list[str], told: str) -> None:
        """Write what comes last; `told` says what the folder is."""

    def file_of(self, folder: str, stem: str, ending: str) -> str:
        """Return where the next image goes, for ATTRIBUTION."""


def write_images(
    study: Study, kind: str, out: Path, options: Options, progress: Watch | None, tell: Told
) -> Exported:  # fmt: skip
    """Write a layout of the study's images to the folder `out`, whole or not at all, and return what was written.

    Raises UsageError where nothing is to be written, the options do not hold, or an earlier export was set aside and
    is all there is; StoreError where the disk refuses.
    """
    check_free_folder(out, options.overwrite)
    for earlier in only_copies(out):
        raise UsageError(
            f"{out}: is missing, and {earlier} is the export that was there: another was stopped as it took its place. "
            f"Rename it back (to {out.name}) or to another name, then export again."
        )
    for litter in left_over(out):
        tell(f"note: {litter} is what a stopped export left behind; nothing reads it, delete it.")
    with replacing_folder(out, overwrite=options.overwrite) as folder:
        work = folder / "work"
        work.mkdir()
        chosen = choose(study, options, folder, work, by_label=kind == "imagefolder" and options.label is not None)
        if not len(chosen):
            chosen.left_out.close()
            raise UsageError(_nothing(chosen, options))
        layout = _layout(kind, folder, chosen, options)
        gathered = gather(study, chosen, options.size, work, progress, _placing(kind, folder, chosen))
        attribution = _write(layout, chosen, gathered, folder, work, options, tell)
        exported = _told(study, kind, out, folder, chosen, attribution, options, tell)
        layout.finish(list(exported.licences), _what(study, exported))
        (work / "rows.parquet").unlink()
        work.rmdir()
    return exported


def _layout(kind: str, folder: Path, chosen: Chosen, options: Options) -> Layout:
    if kind == "imagefolder":
        return ImageFolder(folder)
    classes = chosen.classes if options.label else None
    return TarShards(folder, classes) if kind == "webdataset" else HuggingFace(folder, classes)


def _placing(kind: str, folder: Path, chosen: Chosen) -> Callable[[Got], None] | None:
    """Return what writes an image to its place at once, for the layout in which each is a file."""
    if kind != "imagefolder":
        return None
    places: list[str] = []
    for batch in chosen.batches():
        places += [
            f"{sub}/{stem}" for sub, stem in zip(batch[FOLDER].to_pylist(), batch[STEM].to_pylist(), strict=True)
        ]
    for sub in {place.partition("/")[0] for place in places}:
        (folder / sub).mkdir()
    return lambda got: ImageFolder.place(folder / f"{places[got.rank]}.{got.ending}", got.data)


def _write(
    layout: Layout, chosen: Chosen, gathered: Gathered, folder: Path, work: Path, options: Options, tell: Told
) -> Attribution:  # fmt: skip
    there = gathered.lengths > 0
    count = int(there.sum())
    if not count:
        raise UsageError("export: none of the images could be read; nothing was written. Run: vasculum fetch CORPUS")
    shards = options.shards or max(1, -(-int(gathered.lengths.sum()) // BYTES_PER_SHARD))
    if shards > count:
        tell(f"note: {count:,} images make {count:,} shards at most.")
    rank, begun = 0, False
    with Attribution(folder, work) as attribution:
        for batch in chosen.batches():
            ranks = [rank + place for place in range(batch.num_rows) if there[rank + place]]
            kept = batch.take(pa.array([found - rank for found in ranks], pa.int64()))
            rank += batch.num_rows
            rows = _rows(kept, chosen.shown, options.label)
            if not begun:
                layout.begin(rows.schema, in_shards(gathered.lengths[there], min(shards, count)))
                begun = True
            stems, endings = kept[STEM].to_pylist(), [gathered.ending(found) for found in ranks]
            places = zip(kept[FOLDER].to_pylist(), stems, endings, strict=True)
            attribution.add([layout.file_of(*place) for place in places], kept)
            layout.add(rows, stems, endings, (gathered.take(found) for found in ranks))
    gathered.close()
    return attribution


def _rows(batch: pa.RecordBatch, shown: tuple[str, ...], label: str | None) -> pa.RecordBatch:
    """Return the columns that go beside the images, the label last."""
    named = [name for name in shown if label is None or name != "label"]
    rows = batch.select(named)
    return rows if label is None else rows.append_column("label", batch[LABEL])


def _told(
    study: Study, kind: str, out: Path, folder: Path, chosen: Chosen, attribution: Attribution, options: Options, tell: Told
) -> Exported:  # fmt: skip
    """Say what was written and what was not, to a person and in the folder."""
    chosen.left_out.close()
    left = dict(chosen.left_out.counts.most_common())
    exported = Exported(kind, str(out), attribution.licences.total(), left, dict(attribution.licences.most_common()))
    for line in attribution.warnings():
        tell(line)
    if left:
        words = ", ".join(f"{count:,} {reason}" for reason, count in left.items())
        tell(f"{sum(left.values()):,} images are left out: {words}; {out / 'left_out.csv'} lists them.")
    if RESTRICTED in left:
        tell(_hint(chosen))
    write_mark(folder, {
        "made_by": f"vasculum {runs.versions().get('vasculum', '')}".strip(), "made_on": runs.now_text(), "command": command_line(),
        "kind": kind, "study": study.document["id"], "images": exported.rows, "left_out": left, "licences": exported.licences,
        "where": options.where, "order": options.sort or f"shuffled by md5('shuffle:{options.seed or 0}:' || media_id)",
        "label": options.label, "classes": len(chosen.classes) if options.label else None, "size": options.size,
    })  # fmt: skip
    return exported


def _hint(chosen: Chosen) -> str:
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in chosen.licences)
    return f'To take restricted images that you may use, name them in --where: --where "license_id IN ({listed})"'


def _nothing(chosen: Chosen, options: Options) -> str:
    left = chosen.left_out.counts
    if not left:
        return (
            f"export: no row meets --where {options.where!r}; nothing was written."
            if options.where
            else "export: the study has no rows."
        )
    words = ", ".join(f"{count:,} {reason}" for reason, count in left.most_common())
    hint = f" {_hint(chosen)}" if RESTRICTED in left else ""
    return f"export: no image is left to write ({words}); nothing was written.{hint}"


def _what(study: Study, exported: Exported) -> str:
    return f"{exported.rows:,} specimen images with the results of the study {study.path.resolve().name}"
