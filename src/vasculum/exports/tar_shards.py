"""WebDataset: tar files `00000.tar` and so on; of each image KEY.jpg (or .png …), KEY.json (its row), and with a label
KEY.txt (the label) and KEY.cls (its number in `classes.json`). Owner and time are zero: equal images, equal files."""

from __future__ import annotations

import bisect
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from vasculum.exports.attribution import write_small
from vasculum.exports.json_lines import json_objects
from vasculum.store import disk


class _Whole(io.RawIOBase):
    """A file that takes all that is written to it, through the one place that changes a disk."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:  # type: ignore[override]
        disk.write(self._file, data)
        return len(data)


class TarShards:
    """Writes one tar file after another."""

    def __init__(self, folder: Path, classes: list[str] | None) -> None:
        self._folder = folder
        self._classes = classes
        self._numbers = {label: number for number, label in enumerate(classes or [])}
        self._ends: list[int] = []
        self._count = self._shard = 0
        self._file: BinaryIO | None = None
        self._tar: tarfile.TarFile | None = None
        self._given = 0

    def begin(self, schema: pa.Schema, ends: list[int]) -> None:
        """Note where each shard ends."""
        self._ends = ends

    def file_of(self, folder: str, stem: str, ending: str) -> str:
        """Return shard and member of the next image."""
        shard = bisect.bisect_right(self._ends, self._given)
        self._given += 1
        return f"{shard:05d}.tar/{stem}.{ending}"

    def add(self, rows: pa.RecordBatch, stems: list[str], endings: list[str], images: Iterator[bytes]) -> None:
        """Write images and rows."""
        labels = rows["label"].to_pylist() if self._classes is not None else [None] * len(stems)
        for stem, ending, image, line, label in zip(stems, endings, images, json_objects(rows), labels, strict=True):
            tar = self._opened()
            _member(tar, f"{stem}.{ending}", image)
            _member(tar, f"{stem}.json", line.encode())
            if label is not None:
                _member(tar, f"{stem}.cls", str(self._numbers[label]).encode())
                _member(tar, f"{stem}.txt", label.encode())
            self._count += 1
            if self._count == self._ends[self._shard]:
                self._end()
                self._shard += 1

    def _opened(self) -> tarfile.TarFile:
        if self._tar is None:
            self._file = (self._folder / f"{self._shard:05d}.tar").open("xb", buffering=0)
            self._tar = tarfile.open(fileobj=_Whole(self._file), mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        return self._tar

    def _end(self) -> None:
        if self._tar is not None and self._file is not None:
            self._tar.close()
            self._file.close()
        self._tar = self._file = None

    def finish(self, licences: list[str], told: str) -> None:
        """Write the names of the classes."""
        self._end()
        if self._classes is not None:
            write_small(self._folder / "classes.json", json.dumps(self._classes, ensure_ascii=False, indent=0) + "\n")


def _member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
