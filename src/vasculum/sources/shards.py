"""Parquet and WebDataset shards of other people as a source. They are only looked at: nothing is unpacked or written.

A medium in a shard has a path *through* it, under the root of its source:

    part-00000.tar/dir/abc.jpg              the member dir/abc.jpg of a tar
    train-00000-of-00002.parquet/image/17   column `image`, row 17 of the file, 0 for the first

No file has files in it, so such a path names one thing only. It is the medium's `local_path`, and with the source's
label its identity (extension and all: `abc.jpg` and `abc.png` are two media of one sample).

In a tar, members of one stem up to the first dot of the last name are a sample: images are media, `json` is their
record, `cls` or `txt` their label. In a Parquet file each column of encoded images, or of struct{bytes, path} as the
Hugging Face `datasets` library writes it, gives a medium a row; the other columns are the record.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from collections.abc import Mapping as Table
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.errors import SourceError, UsageError
from vasculum.sources.chunk import Chunk
from vasculum.sources.identity import media_id
from vasculum.sources.names import Entry, Mapping, bare, guess
from vasculum.sources.opening import errors_named
from vasculum.sources.rejects import Reject, Tally
from vasculum.sources.rows import Assembler
from vasculum.sources.samples import Medium, ParquetShard, TarShard, open_shard
from vasculum.sources.terms import ADDRESSES
from vasculum.sources.values import Cell, is_address
from vasculum.tables import SOURCE_SCHEMA

BATCH_ROWS = 5_000
SAMPLE_ROWS = 200
MOST_COLUMNS = 5_000
SUFFIXES = (".tar", ".parquet")
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".zip")
PATH = "path through the shard"
NOT_TO_MAP = ("local_path", "media_id")


class ShardsSource:
    """Shards in a folder, or one of them. `batches` reads them, as often as it is asked to, in the order of their names."""

    kind = "shards"

    def __init__(self, path: Path, label: str, overrides: Table[str, str]) -> None:
        self.path, self.label = path, label
        given = Path(os.path.normpath(Path.cwd() / path))
        self._folder = given.is_dir()
        self.root = given if self._folder else given.parent
        self.query: dict[str, Any] = {"folder" if self._folder else "file": given.name}
        if overrides:
            self.query["map"] = dict(overrides)
        self._overrides = dict(overrides)
        self._tally = Tally()
        self._shown = Mapping(())
        self._labels: tuple[str, ...] = ()
        self._labels_here: tuple[str, ...] = ()
        tally = Tally()
        first = next((chunk for chunk, _ in self._chunks(tally, SAMPLE_ROWS)), None)
        if first is None and tally.rejects:
            raise SourceError(f"{path}: no shard in it can be read, such as {tally.rejects[0].reason}")
        if first is None and not tally.counts["shards"]:
            raise SourceError(
                f"{path}: no {' or '.join(SUFFIXES)} file is below it; for a folder of images use: folder."
            )
        if first is not None:
            self._guess(first)

    @property
    def mapping(self) -> Mapping:
        """What each column of the records was taken for."""
        return self._shown

    @property
    def rejects(self) -> list[Reject]:
        """What could not be taken in the last reading; complete when it has ended."""
        return self._tally.rejects

    @property
    def counts(self) -> dict[str, int]:
        """How many shards, media and oddities the last reading met, in words; complete at its end."""
        return dict(self._tally.counts)

    @property
    def notes(self) -> list[str]:
        """One line for each thing in `counts` that a person should know, and one where there is no image."""
        said = self._tally.sentences(without=("rows read", "image links"))
        return said if self._tally.counts["image links"] else [f"{self.path}: 0 images in the shards", *said]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield one row a medium as batches of tables.SOURCE_SCHEMA. Raises SourceError for what cannot be read on."""
        self._tally = Tally()
        for name in ("rows read", "image links"):
            self._tally.count(name, 0)
        assembler: Assembler | None = None
        columns: tuple[str, ...] = ()
        for chunk, media in self._chunks(self._tally, BATCH_ROWS):
            if assembler is None or chunk.columns != columns:
                columns = chunk.columns
                assembler = Assembler(self._guess(chunk), self.label, self.root, self._tally)
            yield self._placed(assembler.batch(chunk), chunk, media)

    def _placed(self, batch: pa.RecordBatch, chunk: Chunk, media: list[Medium]) -> pa.RecordBatch:
        """Put the true path, identity and address into rows whose local_path is their place in the chunk."""
        rows = [int(place) for place in batch.column("local_path").to_pylist()]
        paths = [f"{chunk.file}/{media[row].inner}" for row in rows]
        place = next((i for i, e in enumerate(self._shown, start=1) if e.target == "accessURI"), None)
        cells: list[Cell] = ["" if place is None else chunk.rows[row][place] for row in rows]
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        columns["local_path"] = columns["source_key"] = pa.array(paths, pa.string())
        columns["media_id"] = pa.array([media_id(label=self.label, row=path) for path in paths], pa.string())
        addresses = [cell if isinstance(cell, str) and is_address(cell) else None for cell in cells]
        columns["accessURI"] = pa.array(addresses, pa.string())
        declared = columns["format"].to_pylist()
        formats = [told or media[row].format for told, row in zip(declared, rows, strict=True)]
        columns["format"] = pa.array(formats, pa.string())
        if "label" not in self._overrides:
            columns["label"] = pa.array(self._labels_of(chunk, rows, columns["label"].to_pylist()), pa.string())
        return pa.RecordBatch.from_arrays([columns[name] for name in SOURCE_SCHEMA.names], schema=SOURCE_SCHEMA)

    def _labels_of(self, chunk: Chunk, rows: list[int], read: list[str | None]) -> list[str | None]:
        """Return the labels of rows: the record's own `label`, else the class, else the text of the sample.

        Columns add up over the shards, so that one record with a `label` must not take the others' class from them.
        """
        own = any(bare(name) == "label" for name in chunk.columns[1:])
        names = [n for name in self._labels_here for n in (name, f"{name} (file)") if n in chunk.columns]
        places = [chunk.columns.index(name) for name in names]
        found: list[str | None] = []
        for row, told in zip(rows, read, strict=True):
            cells = (chunk.rows[row][place] for place in places)
            other = next((cell for cell in cells if isinstance(cell, str) and cell.strip()), None)
            told = told if told and told.strip() else None
            found.append(told or other if own else other or told)
        return found

    def _guess(self, chunk: Chunk) -> Mapping:
        """Return the mapping for the assembler; what is shown of it speaks of the record's own columns only."""
        names = chunk.columns[1:]
        overrides = {target: name for target, name in self._overrides.items() if target != "accessURI"}
        label = next((name for name in self._labels if name in names), None)
        if label and "label" not in overrides and not any(bare(name) == "label" for name in names):
            overrides["label"] = label
        rows = chunk.rows[:SAMPLE_ROWS]
        sample = {c: [str(row[i]) for row in rows if isinstance(row[i], str)] for i, c in enumerate(chunk.columns)}
        mapping = guess(chunk.columns, file=str(self.path), overrides={"local_path": PATH, **overrides}, sample=sample)
        address = self._address(names)
        self._shown = Mapping(tuple(self._entry(entry, address, label) for entry in mapping if entry.column != PATH))
        return mapping

    def _entry(self, entry: Entry, address: str | None, label: str | None) -> Entry:
        if entry.column == address:  # kept in terms_json as well, however it is written
            return Entry(entry.column, "accessURI", "where the image came from; it is read from the shard")
        if entry.target == "label" and entry.column == label and "label" not in self._overrides:
            return Entry(entry.column, "label", "the sample's class or text")
        return entry

    def _address(self, names: tuple[str, ...]) -> str | None:
        """Return the column of the images' addresses on the web: the one that was told, or the only one that is named so."""
        if "accessURI" in self._overrides:
            told = self._overrides["accessURI"]
            if told not in names:
                raise UsageError(
                    f"--map accessURI={told}: {self.path} has no column {told!r}; it has {', '.join(names)}."
                )
            return told
        named = [name for name in names if bare(name) in ADDRESSES[0]]
        return named[0] if len(named) == 1 else None

    def _chunks(self, tally: Tally, size: int) -> Iterator[tuple[Chunk, list[Medium]]]:
        """Yield chunks of rows, each of one shard; later ones may have more columns."""
        columns: dict[str, None] = {}
        for name in self._names(tally):
            try:
                with self._opened(name, tally) as shard:
                    tally.count("shards")
                    self._labels_here = tuple(shard.labels)
                    self._labels = tuple(dict.fromkeys((*self._labels, *shard.labels)))
                    held: list[Medium] = []
                    for medium in shard.media():
                        held.append(medium)
                        if len(held) == size:
                            yield _chunk(name, columns, held), held
                            held = []
                    if held:
                        yield _chunk(name, columns, held), held
            except SourceError as error:
                if not self._folder:
                    raise
                tally.reject(name, None, str(error), "", "shards that cannot be read")

    @contextmanager
    def _opened(self, name: str, tally: Tally) -> Iterator[TarShard | ParquetShard]:
        path = self.root / name
        with errors_named(path):
            if not stat.S_ISREG(path.stat().st_mode):
                raise SourceError(f"{path}: not a regular file.")
            file = path.open("rb", buffering=0)
        with file, errors_named(path):
            yield open_shard(file, path, name, tally)

    def _names(self, tally: Tally) -> Iterator[str]:
        """Yield the shards below the root in the order of their names; links to files are followed, to folders not."""
        if not self._folder:
            yield Path(os.path.normpath(Path.cwd() / self.path)).name
            return
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.root / folder) as found:
                    entries = sorted(found, key=lambda e: os.fsencode(e.name))
            except OSError as error:
                reason = f"the folder cannot be read ({error.strerror})"
                tally.reject(folder, None, reason, folder, "folders that cannot be read")
                continue
            below = []
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith((".", "_")):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(name)
                elif not entry.is_dir() and self._is_shard(name, tally):
                    yield name
            folders.extend(reversed(below))

    def _is_shard(self, name: str, tally: Tally) -> bool:
        lower = name.lower()
        if not lower.endswith((*SUFFIXES, *PACKED)):
            tally.count("files that are no shards by their extension (passed over)")
            return False
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            tally.reject(shown, None, "the file name is not utf-8; rename it", shown, "names that are not utf-8")
            return False
        return True


def _chunk(name: str, columns: dict[str, None], media: list[Medium]) -> Chunk:
    for medium in media:
        columns.update(dict.fromkeys(medium.cells))
    if len(columns) > MOST_COLUMNS:
        raise SourceError(f"{name}: more than {MOST_COLUMNS:,} different names in the records; not a table.")
    columns.pop(PATH, None)
    rows: list[Any] = [[str(i), *(m.cells.get(c, "") for c in columns)] for i, m in enumerate(media)]
    numbers = [m.number for m in media]
    return Chunk(name, (PATH, *columns), rows, numbers, numbers)


def read_shards(path: str | Path, *, label: str, overrides: Table[str, str] | None = None) -> ShardsSource:
    """Open a folder of tar or Parquet shards, searched to the bottom, or one shard, as a source.

    `label` names the source in every row and in the ids. `overrides` maps manifest columns to names in the records
    where the guess is wrong. Raises SourceError where nothing there can be read, UsageError for options.
    """
    given = Path(path)
    if not label:
        raise UsageError("a source needs a label that is not empty, such as the name of its folder.")
    for target in overrides or {}:
        if target in NOT_TO_MAP:
            raise UsageError(f"--map {target}=…: an image in a shard is named by its path through the shard.")
    if not given.exists():
        raise SourceError(f"{given}: no such file or folder.")
    return ShardsSource(given, label, overrides or {})
