"""A folder of image files, as Hugging Face's `imagefolder` reads it: `LABEL/FILE.jpg` or `images/FILE.jpg`, and rows in
`metadata.jsonl`, one JSON object a line, with `file_name`. The bytes are those of the corpus, untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from vasculum.exports.json_lines import json_objects
from vasculum.store import disk


class ImageFolder:
    """Writes the rows; the images are in their places before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO
        self._files: list[str] = []

    @staticmethod
    def place(path: Path, data: bytes) -> None:
        """Write one image. Raises OSError where the disk refuses."""
        with path.open("xb", buffering=0) as file:
            disk.write(file, data)

    def begin(self, schema: pa.Schema, ends: list[int]) -> None:
        """Begin the rows."""
        self._file = (self._folder / "metadata.jsonl").open("xb", buffering=0)

    def file_of(self, folder: str, stem: str, ending: str) -> str:
        """Return the place of an image and remember it for its row."""
        self._files.append(f"{folder}/{stem}.{ending}")
        return self._files[-1]

    def add(self, rows: pa.RecordBatch, stems: list[str], endings: list[str], images: Iterator[bytes]) -> None:
        """Write rows, each with the name of its file."""
        files = pa.array(self._files, pa.string())
        self._files = []
        named = pa.RecordBatch.from_arrays([files, *rows.columns], names=["file_name", *rows.schema.names])
        disk.write(self._file, "".join(f"{line}\n" for line in json_objects(named)).encode())

    def finish(self, licences: list[str], told: str) -> None:
        """End the rows."""
        self._file.close()
