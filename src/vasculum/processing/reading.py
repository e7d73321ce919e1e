"""Reading encoded images inside the child: from shards by row group, or in place, from files or other people's shards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from vasculum.errors import StoreError
from vasculum.fetching.local import stamp
from vasculum.fetching.members import Finder, Wanted, is_member, read_members
from vasculum.outcomes import Status
from vasculum.processing.items import Failure, Item
from vasculum.store import parquet

Read = tuple[int, bytes | Failure]


def read_items(items: Sequence[Item]) -> Iterator[Read]:
    """Yield each item's index with its bytes, or with why they cannot be had. Shard by shard, in their order."""
    by_shard: dict[str, list[int]] = {}
    in_others: dict[str | None, list[int]] = {}
    finder = Finder()
    for index, item in enumerate(items):
        if item.etag is None:
            by_shard.setdefault(item.place, []).append(index)
        elif is_member(item.etag):
            in_others.setdefault(finder.shard(item.place), []).append(index)
        else:
            yield index, _read_file(item)
    for other, indices in in_others.items():
        yield from _read_other(other, items, indices)
    for shard, indices in by_shard.items():
        yield from _read_shard(Path(shard), items, indices)


def _read_other(shard: str | None, items: Sequence[Item], indices: Sequence[int]) -> Iterator[Read]:
    """Yield images that lie in a shard of another's."""
    if shard is None:
        for index in indices:
            yield index, (Status.NOT_FOUND, f"no such shard: {items[index].place}")
        return
    wanted = [Wanted(items[index].place[len(shard) + 1 :], items[index].etag) for index in indices]
    for place, got in read_members(shard, wanted):
        item = items[indices[place]]
        if got.failure:
            yield indices[place], got.failure
        elif got.etag != item.etag and hashlib.sha256(got.data).hexdigest() != item.sha256:
            changed = f"changed since it was fetched: {item.place}. Run `vasculum fetch` again"
            yield indices[place], (Status.HASH_MISMATCH, changed)
        else:
            yield indices[place], got.data


def _read_file(item: Item) -> bytes | Failure:
    path = Path(item.place)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Status.NOT_FOUND, f"no such file: {path}"
    except PermissionError:
        return Status.FORBIDDEN, f"permission denied: {path}"
    except OSError as error:
        return Status.CONNECTION, f"cannot be read: {path}: {error}"
    if stamp(path) != item.etag and hashlib.sha256(data).hexdigest() != item.sha256:
        return Status.HASH_MISMATCH, f"changed since it was fetched: {path}. Run `vasculum fetch` again"
    return data


def _read_shard(path: Path, items: Sequence[Item], indices: Sequence[int]) -> Iterator[Read]:
    wanted = {items[index].media_id: index for index in indices}
    try:
        for group in range(parquet.open_file(path).num_row_groups):
            ids = parquet.ids_in_group(path, group)
            places = [(place, wanted.pop(media_id)) for place, media_id in enumerate(ids) if media_id in wanted]
            if places:
                yield from _read_group(path, group, places)
            if not wanted:
                return
        problem = Status.NOT_FETCHED, f"{path}: the shard lacks it. Run `vasculum verify` on the corpus"
    except FileNotFoundError:
        problem = Status.NOT_FETCHED, f"{path}: the shard is missing. Run `vasculum verify` on the corpus"
    except (StoreError, OSError) as error:
        problem = Status.CORRUPT, str(error)
    for index in wanted.values():
        yield index, problem


def _read_group(path: Path, group: int, places: Sequence[tuple[int, int]]) -> Iterator[Read]:
    try:
        for table in parquet.read_groups(path, [group], ["bytes"]):
            column = table["bytes"]  # not combined: that would hold the group twice
            for place, index in places:
                yield index, column[place].as_py()
    except StoreError as error:
        for _, index in places:
            yield index, (Status.CORRUPT, str(error))
