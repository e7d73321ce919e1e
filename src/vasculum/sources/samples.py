"""The media in one shard: those of a WebDataset tar, and those of a Parquet file, each with the cells of its record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq

from vasculum.errors import SourceError, one_line
from vasculum.sources import encoded
from vasculum.sources.identity import IMAGE_EXTENSIONS
from vasculum.sources.objects import BadObjectError, cells_of
from vasculum.sources.parquet import cells_of as column_cells
from vasculum.sources.parquet import only_bytes
from vasculum.sources.rejects import Tally
from vasculum.sources.tar import BLOCK, Member, TarIndex, is_tar
from vasculum.sources.values import Cell

LONGEST_TEXT = 16 * 2**20
"""Bytes of the longest JSON or text member that is read."""
MOST_MEMBERS = 2_000_000
TEXTS = ("json", "cls", "txt")
"""Members that tell of a sample, by all that follows the first dot of their names."""
LABELS = ("cls", "txt")
RECORD_ROWS = 1_000


@dataclasses.dataclass(slots=True)
class Medium:
    """One image in a shard: its place in it, the cells of its record, the number of its sample or row, from 1."""

    inner: str
    cells: Mapping[str, Cell]
    number: int
    format: str | None = None


@dataclasses.dataclass(slots=True)
class _Sample:
    images: list[Member] = dataclasses.field(default_factory=list)
    texts: dict[str, Member] = dataclasses.field(default_factory=dict)


class TarShard:
    """A WebDataset tar: members of one stem, up to the first dot of their last name, are one sample."""

    labels = LABELS
    """Columns that may be the label, the surest first."""

    def __init__(self, file: BinaryIO, name: str, tally: Tally) -> None:
        self._file, self._name, self._tally = file, name, tally
        self._size = file.seek(0, 2)

    def media(self) -> Iterator[Medium]:
        """Yield the images in the order in which their samples begin. What cannot be taken is a reject."""
        for number, (key, sample) in enumerate(self._samples().items(), start=1):
            cells = self._cells(key, sample.texts)
            if not sample.images:
                text = one_line(f"{key}: {', '.join(sample.texts)}")
                self._tally.reject(self._name, None, "the sample has no image", text, "samples without an image")
            for member in sample.images:
                yield Medium(member.name, cells, number, IMAGE_EXTENSIONS[_extension(member.name)])

    def _samples(self) -> dict[str, _Sample]:
        """Return the samples by key. The whole archive is walked first: members of one need not stand together."""
        index = TarIndex(self._file, self._size)
        samples: dict[str, _Sample] = {}
        names: set[str] = set()
        for member in index:
            folder, _, last = member.name.rpartition("/")
            if last.startswith(".") or "__MACOSX" in folder:
                self._tally.count("hidden members passed over")
                continue
            stem, _, extension = last.partition(".")
            if _extension(last) not in IMAGE_EXTENSIONS and extension.lower() not in TEXTS:
                self._tally.count("members that are neither image nor JSON, txt or cls (passed over)")
                continue
            trouble = member.trouble or ("a second one of its name; the first counts" if member.name in names else "")
            if trouble:
                kind = "members that cannot be taken"
                self._tally.reject(self._name, None, f"member {one_line(member.name)!r} is {trouble}", "", kind)
                continue
            names.add(member.name)
            if len(names) > MOST_MEMBERS:
                raise SourceError(f"{self._name}: more than {MOST_MEMBERS:,} members; split it into smaller tar files.")
            sample = samples.setdefault(f"{folder}/{stem}" if folder else stem, _Sample())
            if extension.lower() in TEXTS:
                sample.texts[extension.lower()] = member
            else:
                sample.images.append(member)
        if index.remark.startswith("without"):
            self._tally.count("tar files without an end mark (perhaps cut between two members)")
        elif index.remark:
            self._tally.reject(self._name, None, f"the tar is {index.remark}", "", "tar files that are damaged or cut")
        return samples

    def _cells(self, key: str, texts: Mapping[str, Member]) -> dict[str, Cell]:
        cells: dict[str, Cell] = {}
        for extension in TEXTS:
            if extension not in texts:
                continue
            text, why = self._text(texts[extension])
            if not why and extension == "json":
                try:
                    cells = cells_of(text)
                except BadObjectError as error:
                    why = str(error)
            elif not why:
                cells[extension if extension not in cells else f"{extension} (file)"] = text.strip()
            if why:
                reason = f"{one_line(key)}.{extension} {why}; the image is taken without it"
                self._tally.reject(self._name, None, reason, text, "samples whose record cannot be read")
        return cells

    def _text(self, member: Member) -> tuple[str, str]:
        """Return the text of a member and '', or '' and why it cannot be read."""
        if member.size > LONGEST_TEXT:
            return "", f"has {member.size:,} bytes, more than a record"
        self._file.seek(member.offset)
        data = self._file.read(member.size)
        if len(data) < member.size:
            return "", "is cut off"
        try:
            return data.decode("utf-8-sig"), ""
        except UnicodeDecodeError:
            return "", "is not utf-8 text"


class ParquetShard:
    """A Parquet file with columns of encoded images; every other column is one of the record."""

    def __init__(self, file: BinaryIO, name: str, tally: Tally) -> None:
        """Raises SourceError where it cannot be opened or holds no images."""
        self._name, self._tally = name, tally
        try:
            self._file: pq.ParquetFile = encoded.open_parquet(file)
            self._images = encoded.image_columns(self._file)
        except encoded.PROBLEMS as error:
            raise SourceError(f"{name}: {_told(error)}") from None
        self._schema = self._file.schema_arrow
        features = encoded.features(self._schema)
        self._classes = {c: names for c in self._schema.names if (names := encoded.class_names(features.get(c)))}
        self.labels: Sequence[str] = tuple(self._classes) if len(self._classes) == 1 else ()
        if not self._images:
            columns = ", ".join(one_line(c)[:60] for c in self._schema.names[:30])
            raise SourceError(
                f"{name}: no column holds encoded images (columns: {columns}). If it is a table of addresses, collect "
                "it with: vasculum collect CORPUS table FILE"
            )

    def media(self) -> Iterator[Medium]:
        """Yield the images, row by row. The images' bytes are not read."""
        row = 0
        read, names = self._read()
        try:
            for group in range(self._file.num_row_groups):
                left = self._file.metadata.row_group(group).num_rows
                if not read:
                    for place in range(row, row + left):
                        yield from self._row(place, {})
                    row += left
                    continue
                for batch in self._file.iter_batches(RECORD_ROWS, row_groups=[group], columns=read, use_threads=False):
                    columns = self._columns(batch, row)
                    for place in range(batch.num_rows):
                        yield from self._row(
                            row + place, {names.get(name, name): cells[place] for name, cells in columns.items()}
                        )
                    row += batch.num_rows
        except encoded.PROBLEMS as error:
            reason = f"row {row} and what follows cannot be read: {_told(error)}"
            self._tally.reject(self._name, row, reason, "", "Parquet files that are damaged")

    def _row(self, row: int, cells: Mapping[str, Cell]) -> Iterator[Medium]:
        for column in self._images:
            yield Medium(f"{column}/{row}", cells, row + 1)

    def _read(self) -> tuple[list[str], dict[str, str]]:
        """Return the columns to read and the names of those that are the path beside an image."""
        read, names = [], {}
        for field in self._schema:
            if field.name in self._images:
                place = field.type.get_field_index("path") if encoded.is_struct(field.type) else -1
                if place >= 0 and encoded.is_text(field.type.field(place).type):
                    read.append(f"{field.name}.path")
                    names[field.name] = f"{field.name}.path"
            elif self._schema.get_field_index(field.name) < 0:
                self._tally.count(f"column {one_line(field.name)!r}, whose name is not its own, left out: files")
            elif not only_bytes(field, self._name, self._tally):
                read.append(field.name)
        return read, names

    def _columns(self, batch: Any, row: int) -> dict[str, list[Cell]]:
        columns: dict[str, list[Cell]] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name in columns or self._schema.get_field_index(name) < 0:
                continue
            if name in self._images:
                columns[name] = [encoded.encoded(value)[1] or "" for value in column.to_pylist()]
            elif name in self._classes:
                columns[name] = [_class(value, self._classes[name]) for value in column.to_pylist()]
            else:
                columns[name] = self._without_bad(name, column_cells(column), row)
        return columns

    def _without_bad(self, name: str, cells: list[Cell | None], row: int) -> list[Cell]:
        for place, cell in enumerate(cells):
            if cell is None:
                reason = f"row {row + place}: column {one_line(name)} is not utf-8 text; the image is taken without it"
                self._tally.reject(self._name, row + place + 1, reason, "", "rows without utf-8 text")
        return [cell if cell is not None else "" for cell in cells]


def _class(value: Any, names: Sequence[str]) -> Cell:
    known = isinstance(value, int) and 0 <= value < len(names)
    return names[value] if known else "" if value is None else str(value)


def _extension(name: str) -> str:
    last = name.rpartition("/")[2]
    return f".{last.rpartition('.')[2].lower()}" if "." in last else ""


def _told(error: BaseException) -> str:
    said = one_line(" ".join(str(error).split()))[:200]
    if "encrypt" in said.lower() or "decrypt" in said.lower():
        return "the Parquet file is encrypted; write it again without encryption."
    return f"not a whole Parquet file ({said}); fetch or write it again."


def open_shard(file: BinaryIO, path: Path, name: str, tally: Tally) -> TarShard | ParquetShard:
    """Return an open shard by its first bytes. Raises SourceError, with a remedy, for what is none."""
    start = file.read(BLOCK)
    if start[:4] == b"PAR1":
        return ParquetShard(file, name, tally)
    for magic, told in _OTHERS:
        if start.startswith(magic):
            raise SourceError(f"{path}: {told}.")
    if not start:
        raise SourceError(f"{path}: the file is empty (0 bytes).")
    if not is_tar(start):
        raise SourceError(f"{path}: neither a tar nor a Parquet file, by its bytes; fetch it again or name another.")
    return TarShard(file, name, tally)


_CANNOT = "a compressed tar cannot be read at random"
_OTHERS = (
    (b"PARE", "the Parquet file is encrypted; write it again without encryption"),
    (b"\x1f\x8b", f"compressed with gzip; unpack it (gunzip); {_CANNOT}"),
    (b"\x28\xb5\x2f\xfd", f"compressed with zstd; unpack it (unzstd); {_CANNOT}"),
    (b"BZh", f"compressed with bzip2; unpack it (bunzip2); {_CANNOT}"),
    (b"\xfd7zXZ", f"compressed with xz; unpack it (unxz); {_CANNOT}"),
    (b"PK", "a zip archive; unpack it into a folder and collect that with: vasculum collect CORPUS folder DIR"),
)
