"""Which images go into a training layout, in which order and under which names; and those that do not, and why.

What is chosen is kept in a file beside the layout until it is written, so that the rows are those of one moment and no
memory grows with them but an id and a hash each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vasculum.errors import UsageError, nearest
from vasculum.exports.delimited import header_line, row_lines
from vasculum.exports.export import Options
from vasculum.exports.names import MOST_FOLDER_BYTES, Names
from vasculum.outcomes import MEANINGS, Status
from vasculum.store import disk
from vasculum.store.replacing import MARK
from vasculum.study.study import Study

NEEDED = (
    "media_id", "status", "detail", "sha256", "catalogNumber", "local_path", "license_id", "rightsHolder", "creator",
    "credit_line", "record_page",
)  # fmt: skip
OWN = ("image", "file_name", "label")
"""Columns that a layout adds."""

FILES = (
    "metadata.jsonl",
    "README.md",
    "ATTRIBUTION.csv",
    "ATTRIBUTION.md",
    "left_out.csv",
    "classes.json",
    MARK,
    "data",
    "work",
)
STEM, FOLDER, LABEL = "__stem", "__folder", "__label"
LEFT_COLUMNS = ("media_id", "catalogNumber", "local_path", "license_id", "reason", "detail")
RESTRICTED, NO_LABEL = "restricted licence", "no label"
ROWS_AT_ONCE = 1_000
_TEXT = re.compile(r"'(?:[^']|'')*'")
_UNCLEAR = re.compile(
    r"\b(?:not\b(?!\s+(?:i?like|in|between|null)\b)|except\b|case\b)|--|/\*|\$|\\|[=<>]\s*\(", re.IGNORECASE
)
_ASKED = re.compile(
    r"""(?<![\w"'])(?:(?:manifest|joined)\s*\.\s*)?(?:"license_id"|license_id)\s*"""
    r"""(?:==?\s*'restricted'|in\s*\(\s*(?:''\s*,\s*)*'restricted'\s*(?:,\s*'(?:restricted)?'\s*)*\))(?!\s*\)*\s*(?:[=<>!]|is\b))""",
    re.IGNORECASE,
)


class LeftOut:
    """Writes `left_out.csv`, one row an image that the layout lacks; there is no such file where there is none."""

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._path = path
        self._file: BinaryIO | None = None

    def add(self, row: dict[str, Any], reason: str, detail: str | None) -> None:
        """Note one image. `reason` is a status, or one of the two above."""
        if self._file is None:
            self._file = self._path.open("xb", buffering=0)
            disk.write(self._file, header_line(LEFT_COLUMNS))
        self.counts[reason] += 1
        values = {**row, "reason": reason, "detail": detail or (MEANINGS[Status(reason)] if reason in MEANINGS else "")}
        texts = [pa.array([values.get(name)], pa.string()) for name in LEFT_COLUMNS]
        disk.write(self._file, row_lines(pa.RecordBatch.from_arrays(texts, names=list(LEFT_COLUMNS))))

    def close(self) -> None:
        """End the file."""
        if self._file is not None:
            self._file.close()


class Chosen:
    """The images that are wanted, each with a rank: its place in the order."""

    def __init__(self, file: Path, left_out: LeftOut, shown: Sequence[str]) -> None:
        self.left_out = left_out
        self.shown = tuple(shown)
        """The columns that go beside an image."""
        self.ranks: dict[str, int] = {}
        self.hashes = np.empty(0, "S64")
        """The sha256, in hex, of the bytes that the results are of; empty where they do not say."""
        self.classes: list[str] = []
        self.licences: list[str] = []
        """Every licence that some row of the study has."""
        self.file = file

    def __len__(self) -> int:
        return len(self.ranks)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows again, in order."""
        with pq.ParquetFile(self.file) as rows:
            yield from rows.iter_batches(ROWS_AT_ONCE)


def choose(study: Study, options: Options, folder: Path, work: Path, *, by_label: bool) -> Chosen:
    """Return what is to be written into `folder`. `by_label`: names need to differ within their label's folder only.

    Raises UsageError and SubsetError for columns that cannot be.
    """
    shown = list(dict.fromkeys(options.columns or study.export_columns))
    more = [*NEEDED, *([options.label] if options.label else [])]
    _check_names(study, shown, options)
    seed = None if options.sort is not None else options.seed or 0
    wanted = [*shown, *(name for name in more if name not in shown)]
    schema, batches = study.joined(wanted, options.where, options.sort, seed=seed)
    if options.label:
        _check_label(schema.field(options.label))
    chosen = Chosen(work / "rows.parquet", LeftOut(folder / "left_out.csv"), shown)
    naming = _Naming(by_label)
    take_restricted = asks_for_restricted(options.where)
    hashes: list[str] = []
    licences: set[str] = set()
    labels: set[str] = set()
    schema = pa.schema([*schema, *(pa.field(name, pa.string()) for name in (STEM, FOLDER, LABEL))])
    with pq.ParquetWriter(chosen.file, schema, compression="zstd") as rows:
        for batch in batches:
            kept, names = [], []
            for place, row in enumerate(batch.select(more).to_pylist()):
                licences.add(row["license_id"] or "unknown")
                label = label_text(row[options.label]) if options.label else None
                reason = _reason(row, take_restricted, options.label, label)
                if reason:
                    chosen.left_out.add(row, *reason)
                    continue
                names.append((*naming.of(row, label), label))
                kept.append(place)
                chosen.ranks[row["media_id"]] = len(chosen.ranks)
                hashes.append(row["sha256"] or "")
                labels.update([label] if label is not None else [])
            if kept:
                columns = batch.take(pa.array(kept, pa.int64())).columns
                added = [pa.array(values, pa.string()) for values in zip(*names, strict=True)]
                rows.write_batch(pa.RecordBatch.from_arrays([*columns, *added], schema=schema))
    chosen.hashes = np.array(hashes, "S64")
    chosen.classes, chosen.licences = sorted(labels), sorted(licences)
    return chosen


def asks_for_restricted(where: str | None) -> bool:
    """Return whether a condition asks for restricted images, in one of two ways and no other.

    They are `license_id = 'restricted'` and `license_id IN (…, 'restricted', …)`, the list of texts alone; not compared
    further, and in a condition that has no NOT around a part of it, no CASE and no comment. Whatever else lets such rows
    through leaves their images out: to pass them on is to be said, not to come about.
    """
    # Other texts are made empty, so that nothing is read in them; quoted names and comments are not looked into.
    plain = _TEXT.sub(lambda found: found[0] if found[0] == "'restricted'" else "''", where or "")
    if _UNCLEAR.search(plain):
        return False
    return _ASKED.search(plain) is not None


class _Naming:
    def __init__(self, by_label: bool) -> None:
        self._by_label = by_label
        self._folders: dict[str | None, str] = {None: "images"}
        self._folder_names = Names(MOST_FOLDER_BYTES)
        for name in ("images", *FILES):
            self._folder_names.take(name)
        self._stems: dict[str, Names] = {}

    def of(self, row: dict[str, Any], label: str | None) -> tuple[str, str]:
        """Return the name of an image's file, without its extension, and of its folder."""
        folder = self._folders[None]
        if self._by_label:
            if label not in self._folders:
                self._folders[label] = self._folder_names.take(label)
            folder = self._folders[label]
        stem = row["catalogNumber"] or PurePosixPath(row["local_path"] or "").stem or row["media_id"]
        return self._stems.setdefault(folder, Names(dots=False)).take(stem), folder


def label_text(value: Any) -> str | None:
    """Return a label as text, None where there is none: null or nothing but blanks."""
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return text if text.strip() else None


def _reason(
    row: dict[str, Any], restricted: bool, column: str | None, label: str | None
) -> tuple[str, str | None] | None:
    """Return why an image is left out and the detail, or None."""
    if row["status"] != Status.OK:
        return row["status"] or "no status", row["detail"]
    if row["license_id"] == "restricted" and not restricted:
        return RESTRICTED, "rights are claimed and nothing is granted: it may not be passed on"
    if column and label is None:
        return NO_LABEL, f"{column} is empty"
    return None


def _check_names(study: Study, shown: Sequence[str], options: Options) -> None:
    for name in OWN:
        if name in shown and not (name == "label" and options.label in (None, "label")):
            raise UsageError(f"--columns {name}: the layout has a column of that name itself. Leave it out.")
    if options.label is not None:
        with study.database() as database:
            known = list(database.columns("joined"))
        if options.label not in known:
            raise UsageError(f"--label {options.label}: there is no such column{nearest(options.label, known)}.")


def _check_label(field: pa.Field) -> None:
    type_ = field.type
    if not (pa.types.is_string(type_) or pa.types.is_boolean(type_) or pa.types.is_integer(type_)):
        raise UsageError(f"--label {field.name}: is {type_}; a label is a text, a whole number or true and false.")
