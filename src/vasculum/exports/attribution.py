"""Who is to be named beside which image: ATTRIBUTION.csv for programs, ATTRIBUTION.md for people."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import BinaryIO, Self

import pyarrow as pa

from vasculum.exports.delimited import header_line, row_lines
from vasculum.rights import license_words
from vasculum.store import disk

COLUMNS = ("media_id", "catalogNumber", "credit_line", "rightsHolder", "creator", "license_id", "record_page")
UNCLEAR = {
    "restricted": "ALL RIGHTS RESERVED: ask the rights holder before you pass them on",
    "unknown": "LICENCE UNKNOWN: nothing says that they may be used; ask the institution",
}


class Attribution:
    """Both files in the making, for `with`: rows are added as images are written, counts come last and stand first."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.licences: Counter[str] = Counter()
        self._folder = folder
        self._list = work / "attribution"
        self._table: BinaryIO
        self._lines: BinaryIO

    def __enter__(self) -> Self:
        self._table = (self._folder / "ATTRIBUTION.csv").open("xb")
        self._lines = self._list.open("xb")
        self._table.write(header_line(["file", *COLUMNS]))
        return self

    def add(self, files: list[str], batch: pa.RecordBatch) -> None:
        """Add the images of some rows, that are in `files` (one name a row)."""
        if not files:
            return
        columns = [batch[name].cast(pa.string()) for name in COLUMNS]
        self._table.write(row_lines(pa.RecordBatch.from_arrays([pa.array(files), *columns], names=["file", *COLUMNS])))
        for file, row in zip(files, batch.select(list(COLUMNS)).to_pylist(), strict=True):
            licence = row["license_id"] or "unknown"
            self.licences[licence] += 1
            credit = (
                row["credit_line"] or "; ".join(filter(None, (row["creator"], row["rightsHolder"]))) or "nobody named"
            )
            holder = f"; rights: {marked(row['rightsHolder'])}" if row["rightsHolder"] else ""
            page = f"; {marked(row['record_page'])}" if row["record_page"] else ""
            words = license_words(licence)
            named = "" if words in credit else f"; {marked(words)}"
            line = f"- {marked(file)}: {marked(credit)}{named}{holder}{page}\n"
            self._lines.write(line.encode())

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._table.close()
        self._lines.close()
        if kind is not None:
            return
        with (self._folder / "ATTRIBUTION.md").open("xb") as file, self._list.open("rb") as lines:
            file.write(self._head().encode())
            shutil.copyfileobj(lines, file)
        self._list.unlink()

    def _head(self) -> str:
        unclear = [
            f"**{self.licences[name]:,} images: {words}.**\n\n"
            for name, words in UNCLEAR.items()
            if self.licences[name]
        ]
        counts = [f"| {marked(name)} | {count:,} |\n" for name, count in self.licences.most_common()]
        return "".join([
            "# Attribution\n\n", *unclear, "Name whoever is named here wherever you show or pass on an image.\n\n",
            "| licence | images |\n| --- | ---: |\n", *counts, "\n## Every image\n\n",
        ])  # fmt: skip

    def warnings(self) -> list[str]:
        """Return a line for a person about each kind of licence that grants nothing."""
        return [
            f"warning: {self.licences[name]:,} images: {words}."
            for name, words in UNCLEAR.items()
            if self.licences[name]
        ]


def write_small(path: Path, text: str) -> None:
    """Write a small text file of a layout."""
    with path.open("xb", buffering=0) as file:
        disk.write(file, text.encode())


def marked(text: str) -> str:
    """Return a text on one line in which Markdown and HTML mean nothing."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~&!])", r"\\\1", clean)
