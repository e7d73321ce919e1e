"""A folder of images as a source of manifest rows. It is only looked at: nothing is written."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.errors import SourceError, UsageError
from vasculum.sources.identity import IMAGE_EXTENSIONS, media_id
from vasculum.sources.names import Mapping
from vasculum.sources.rejects import Reject, Tally
from vasculum.tables import SOURCE_SCHEMA

BATCH_ROWS = 10_000
PASSED_OVER = {
    "thumbs.db",
    "desktop.ini",
    "__macosx",
    ".ipynb_checkpoints",
    "$recycle.bin",
    "system volume information",
}
_RANK = {extension: place for place, extension in enumerate(IMAGE_EXTENSIONS)}


class FolderSource:
    """A folder of images. `batches` reads it, as often as it is asked to, in the order of the names."""

    kind = "folder"
    mapping = Mapping(())

    def __init__(self, path: Path, label: str, labels: bool) -> None:
        self.path, self.label, self.labels = path, label, labels
        self.root = Path(os.path.normpath(Path.cwd() / path))
        self.query: dict[str, Any] = {"folder": self.root.name, "labels": labels}
        self._tally = Tally()
        self._others: Counter[str] = Counter()
        """The extensions of the files that are no images."""

    @property
    def rejects(self) -> list[Reject]:
        """What could not be taken in the last reading; complete when it has ended."""
        return self._tally.rejects

    @property
    def counts(self) -> dict[str, int]:
        """How many media the last reading met and what it passed over, in words; complete at its end."""
        return dict(self._tally.counts)

    @property
    def notes(self) -> list[str]:
        """One line for each thing in `counts` that a person should know, and one where there is no image."""
        said = self._tally.sentences(without=("rows read", "image links"))
        return said if self._tally.counts["rows read"] else [self.no_images(), *said]

    def no_images(self) -> str:
        """Return the line for a folder without images: it says what is there instead."""
        there = ", ".join(f"{n:,} {e or 'without an extension'}" for e, n in self._others.most_common(5))
        return f"{self.path}: 0 images in the folder" + (f"; its other files: {there}" if there else "")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield one row a medium as batches of tables.SOURCE_SCHEMA.

        Files of one folder and one stem are one medium: a JPEG leads, the others are its `variants`.
        """
        rows: list[dict[str, Any]] = []
        for row in self.media():
            rows.append(row)
            if len(rows) == BATCH_ROWS:
                yield pa.RecordBatch.from_pylist(rows, schema=SOURCE_SCHEMA)
                rows = []
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=SOURCE_SCHEMA)

    def media(self) -> Iterator[dict[str, Any]]:
        """Yield the same row by row, as dicts without what they leave empty."""
        self._tally, self._others = Tally(), Counter()
        self._tally.count("rows read", 0)
        folders = [""]
        while folders:
            folder = folders.pop()
            files, below = self._listed(folder)
            folders.extend(reversed(below))
            by_stem: dict[str, list[str]] = {}
            for name in files:
                by_stem.setdefault(name[: -len(_extension(name))], []).append(name)
            for names in by_stem.values():
                yield self._row(folder, sorted(names, key=lambda n: (_RANK[_extension(n).lower()], n)))

    def _row(self, folder: str, names: list[str]) -> dict[str, Any]:
        paths = [_below(folder, name) for name in names]
        self._tally.count("rows read")
        self._tally.count("image links")
        others = [{"size": None, "uri": p, "format": _media_type(p)} for p in paths[1:]]
        self._tally.count("files beside an image of the same name (kept as its variants)", len(others))
        return {
            "media_id": media_id(label=self.label, row=paths[0], local_path=paths[0]),
            "source_name": self.label,
            "source_key": paths[0],
            "record_keys": [],
            "local_path": paths[0],
            "license_id": "unknown",
            "format": _media_type(paths[0]),
            "label": folder.rpartition("/")[2] or None if self.labels else None,
            "variants": others or None,
        }

    def _listed(self, folder: str) -> tuple[list[str], list[str]]:
        """Return the image files of a folder by name and its folders by path, in the order of their names."""
        files: list[str] = []
        below: list[str] = []
        try:
            with os.scandir(self.root / folder) as found:
                entries = sorted(found, key=lambda e: os.fsencode(e.name))
        except OSError as error:
            self._tally.reject(
                folder,
                None,
                f"the folder cannot be read ({error.strerror})",
                folder,
                "folders that cannot be read",
            )
            return [], []
        for entry in entries:
            if entry.name.startswith((".", "~$")) or entry.name.lower() in PASSED_OVER:
                self._tally.count("hidden files or folders passed over")
                continue
            if not _decodable(entry.name):
                shown = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                where = _below(folder, shown)
                self._tally.reject(
                    where, None, "the file name is not utf-8; rename it", where, "names that are not utf-8"
                )
                continue
            self._sort(folder, entry, files, below)
        return files, below

    def _sort(self, folder: str, entry: os.DirEntry[str], files: list[str], below: list[str]) -> None:
        """Put one entry among the image files or the folders, or count why it is neither."""
        path = _below(folder, entry.name)
        try:
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if Path(target).is_dir() or not Path(target).is_relative_to(os.path.realpath(self.root)):
                    self._tally.count("links to folders or out of the folder (not followed)")
                    return
            mode = entry.stat().st_mode
        except OSError as error:
            self._tally.reject(
                path, None, f"cannot be looked at ({error.strerror})", path, "files that cannot be looked at"
            )
            return
        if stat.S_ISDIR(mode):
            below.append(path)
        elif stat.S_ISREG(mode) and _extension(entry.name).lower() in IMAGE_EXTENSIONS:
            files.append(entry.name)
        else:
            self._others[_extension(entry.name).lower()] += 1
            self._tally.count("files that are no images by their extension (passed over)")


def read_folder(path: str | Path, *, label: str, labels: bool = False) -> FolderSource:
    """Open a folder as a source: every image file below it, in a fixed order.

    `label` names the source in every row and in the ids. With `labels` the column `label` is the name of the
    folder that a file lies in (null for files of the root itself).
    Raises SourceError where there is no such folder or it cannot be read, UsageError for an empty label.
    """
    given = Path(path)
    if not label:
        raise UsageError("a source needs a label that is not empty, such as the name of its folder.")
    if not given.is_dir():
        what = (
            f"not a folder; give it as a table: vasculum collect CORPUS table {given}"
            if given.exists()
            else "no such folder"
        )
        raise SourceError(f"{given}: {what}.")
    try:
        os.scandir(given).close()
    except OSError as error:
        raise SourceError(f"{given}: the folder cannot be read ({error.strerror}); check its permissions.") from None
    return FolderSource(given, label, labels)


def _extension(name: str) -> str:
    return os.path.splitext(name)[1]  # noqa: PTH122 - a name, not a path


def _media_type(path: str) -> str:
    return IMAGE_EXTENSIONS[_extension(path).lower()]


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _decodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
