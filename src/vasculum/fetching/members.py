"""Reading images inside tar and Parquet shards, by their path through the shard (see sources/shards.py).

The state of such an image, its `etag`, is that of the shard with its place in it: `SIZE-MTIME@OFFSET+LENGTH` in a tar
(all hex), `SIZE-MTIME#ROW` in a Parquet file. While the shard is as it was, a tar is read at once at that place; else
its headers are walked. Of a Parquet file each row group is read once for all that is wanted of it, in small pieces.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import os
import re
import stat
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow.parquet as pq

from vasculum.outcomes import Status
from vasculum.sources import encoded
from vasculum.sources.tar import BLOCK, TarIndex, is_tar

LARGEST_FILE = 2**31 - 2**20
"""Bytes of the largest file taken: Arrow's binary column holds 2 GiB."""

Failure = tuple[Status, str]
_MARKS = re.compile("[@#]")
_PLACE = re.compile(r"([0-9a-f]+-[0-9a-f]+)@([0-9a-f]+)\+([0-9a-f]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """An image that is wanted from a shard: its path within it, and its etag where it was read before."""

    inner: str
    etag: str | None = None


@dataclasses.dataclass(slots=True)
class Got:
    """What came of reading one image from a shard."""

    data: bytes = b""
    etag: str | None = None
    failure: Failure | None = None
    changed: float = 0.0
    """When the shard was changed last, in seconds since 1970."""


def state(found: os.stat_result) -> str:
    """Return a tag of a file's state: its size and time of change."""
    return f"{found.st_size:x}-{found.st_mtime_ns:x}"


def state_in(etag: str | None) -> str | None:
    """Return the state of the file, or of the shard, that an etag speaks of."""
    return _MARKS.split(etag)[0] if etag else None


def is_member(etag: str) -> bool:
    """Return whether an etag is that of an image in a shard."""
    return _MARKS.search(etag) is not None


class Finder:
    """Finds the file that a path is, or leads through; remembers what it found for as long as it lives."""

    def __init__(self) -> None:
        self._shards: dict[str, tuple[str, str | None] | None] = {}

    def find(self, place: str) -> tuple[str | None, str | None]:
        """Return the state of the file that holds an image, None where there is none, and the shard that it is (or None)."""
        try:
            return state(os.stat(place)), None  # noqa: PTH116 (text as it stands: a Path would drop a last '/')
        except (OSError, ValueError):
            found = self._through(place)
        return (found[1], found[0]) if found else (None, None)

    def shard(self, place: str) -> str | None:
        """Return the shard that a path leads through, or None where there is none."""
        found = self._through(place)
        return found[0] if found else None

    def _through(self, place: str) -> tuple[str, str | None] | None:
        parent = place.rpartition("/")[0]
        if not parent:
            return None
        if parent not in self._shards:
            try:
                found = os.stat(parent)  # noqa: PTH116
            except (OSError, ValueError):
                self._shards[parent] = self._through(parent)
            else:
                self._shards[parent] = (parent, state(found)) if stat.S_ISREG(found.st_mode) else None
        return self._shards[parent]


def read_members(shard: str, wanted: Sequence[Wanted]) -> Iterator[tuple[int, Got]]:
    """Yield the place in `wanted` of each image with what came of it, in the order in which they lie in the shard."""
    left = dict(enumerate(wanted))
    try:
        with open(shard, "rb", buffering=0) as file:  # noqa: PTH123 (a path as text, as it stands in the corpus)
            before = os.fstat(file.fileno())
            read = _parquet if file.read(4) == b"PAR1" else _tar
            for index, got in read(file, shard, before, wanted):
                del left[index]
                if got.failure is None and state(os.fstat(file.fileno())) != state(before):
                    got.failure = Status.HASH_MISMATCH, f"{shard}: the shard changed while it was read"
                got.changed = before.st_mtime
                yield index, got
    except (FileNotFoundError, NotADirectoryError):
        failure = Status.NOT_FOUND, f"no such shard: {shard}"
    except PermissionError:
        failure = Status.FORBIDDEN, f"permission denied: {shard}"
    except OSError as error:
        failure = Status.CONNECTION, f"cannot be read: {shard}: {error}"
    else:
        failure = Status.CORRUPT, f"{shard}: the shard could not be read on"
    for index in left:
        yield index, Got(failure=failure)


# -- tar ------------------------------------------------------------------------------------------------------------


def _tar(file: BinaryIO, shard: str, found: os.stat_result, wanted: Sequence[Wanted]) -> Iterator[tuple[int, Got]]:
    now = state(found)
    places: list[tuple[int, int, int]] = []
    by_name: dict[str, list[int]] = {}
    for index, one in enumerate(wanted):
        told = _PLACE.fullmatch(one.etag or "")
        if told and told[1] == now:
            places.append((int(told[2], 16), int(told[3], 16), index))
        else:
            by_name.setdefault(one.inner, []).append(index)
    problem = _walk(file, shard, found.st_size, by_name, places) if by_name else None
    for offset, length, index in sorted(places):
        got = Got(etag=f"{now}@{offset:x}+{length:x}")
        if length > LARGEST_FILE:
            got.failure = Status.TOO_LARGE, f"{length:,} bytes; at most {LARGEST_FILE:,}"
        else:
            got.data = _at(file, offset, length)
            if len(got.data) < length:
                there, got.data = len(got.data), b""
                got.failure = Status.TRUNCATED, f"{shard}: the tar ends after {there:,} of its {length:,} bytes"
        yield index, got
    for index in itertools.chain.from_iterable(by_name.values()):
        yield index, Got(etag=now, failure=problem)


def _walk(
    file: BinaryIO, shard: str, size: int, by_name: dict[str, list[int]], places: list[tuple[int, int, int]]
) -> Failure:
    """Move those of `by_name` that the headers tell of into `places`; return what is wrong with the others."""
    if not is_tar(_at(file, 0, BLOCK)):
        return Status.CORRUPT, f"{shard}: neither a tar nor a Parquet file any more, by its bytes"
    index = TarIndex(file, size)
    for member in index:
        if not member.trouble and member.name in by_name:
            places += [(member.offset, member.size, place) for place in by_name.pop(member.name)]
            if not by_name:
                break
    if index.remark and not index.remark.startswith("without"):
        return Status.CORRUPT, f"{shard}: not found in what can be read of the tar, which is {index.remark}"
    return Status.NOT_FOUND, f"{shard}: the tar has no such member"


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Read `length` bytes, or what there is of them."""
    file.seek(offset)
    pieces, left = [], length
    while left and (piece := file.read(min(left, 2**24))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


# -- Parquet --------------------------------------------------------------------------------------------------------


def _parquet(file: BinaryIO, shard: str, found: os.stat_result, wanted: Sequence[Wanted]) -> Iterator[tuple[int, Got]]:
    now = state(found)
    try:
        parquet = encoded.open_parquet(file)
        told = parquet.metadata
        ends = list(itertools.accumulate(told.row_group(group).num_rows for group in range(told.num_row_groups)))
        schema = parquet.schema_arrow
    except encoded.PROBLEMS as error:
        for index in range(len(wanted)):
            yield index, Got(etag=now, failure=(Status.CORRUPT, f"{shard}: {_short(error)}"))
        return
    groups: dict[tuple[str, int], dict[int, list[int]]] = {}
    for index, one in enumerate(wanted):
        column, _, text = one.inner.rpartition("/")
        row = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
        place = schema.get_field_index(column)
        if place < 0 or not encoded.holds_bytes(schema.field(place).type):
            yield index, Got(etag=now, failure=(Status.NOT_FOUND, f"{shard}: there is no column {column!r} of bytes"))
        elif not 0 <= row < (ends[-1] if ends else 0):
            yield index, Got(etag=now, failure=(Status.NOT_FOUND, f"{shard}: there is no row {text}"))
        else:
            group = bisect.bisect_right(ends, row)
            groups.setdefault((column, group), {}).setdefault(row, []).append(index)
    for (column, group), rows in sorted(groups.items()):
        begin = ends[group - 1] if group else 0
        try:
            for row, got in _rows(parquet, shard, column, group, begin, rows):
                got.etag = f"{now}#{row:x}"
                for index in rows.pop(row):
                    yield index, got
            failure = Status.CORRUPT, f"{shard}: row group {group} ends before it"
        except encoded.PROBLEMS as error:
            failure = Status.CORRUPT, f"{shard}: row group {group} cannot be read: {_short(error)}"
        for index in itertools.chain.from_iterable(rows.values()):
            yield index, Got(etag=now, failure=failure)


def _rows(
    parquet: pq.ParquetFile, shard: str, column: str, group: int, begin: int, rows: dict[int, list[int]]
) -> Iterator[tuple[int, Got]]:
    """Yield those of `rows` (numbers in the file) that the row group holds, in order."""
    waiting = sorted(rows)
    for piece in encoded.iterate(parquet, group, column):
        while waiting and waiting[0] < begin + len(piece):
            row = waiting.pop(0)
            data, path = encoded.encoded(piece[row - begin].as_py())
            if data is not None:
                yield row, Got(data)
            else:
                only = f"; it names only a path, {path[:200]!r}" if path else ""
                told = f"{shard}: column {column!r} holds no bytes in row {row}{only}"
                yield row, Got(failure=(Status.NOT_FOUND, told))
        if not waiting:
            return
        begin += len(piece)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
