"""Getting the bytes of local files: read, hashed, sniffed, and either kept in a shard or left in place."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.fetching.members import LARGEST_FILE, Wanted, is_member, read_members, state
from vasculum.jobs import Context, JobReport
from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError
from vasculum.pixels.header import read_header
from vasculum.store import names
from vasculum.store.folder import Folder
from vasculum.store.parquet import BytesWriter, TableWriter, read_groups
from vasculum.tables import BYTES_SCHEMA, IMAGES_SCHEMA, TEXT, Column, schema

TRIES = 3
"""How often a file that changes while it is read is read again."""

PLAN_SCHEMA = schema((
    Column("media_id", TEXT, "of the manifest"),
    Column("path", TEXT, "absolute path of the file"),
    Column("shard_path", TEXT, "absolute path of the shard that the path leads through; null: it is a file"),
    Column("attempts", pa.int32(), "how often it was tried before"),
    Column("known_sha256", TEXT, "of the bytes that the corpus holds already"),
    Column("known_shard", TEXT, "the shard that holds them"),
    Column("known_door", TEXT, "which road answered before"),
    Column("problem", TEXT, "why there is no path"),
))  # fmt: skip


def stamp(path: Path) -> str | None:
    """Return a tag of a file's state (size and time of change), or None where there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return state(found)


def key_of(text: str) -> int:
    """Return the image key: the first 8 bytes of a sha256 as a signed integer. `text` is hex, or any tag."""
    digest = bytes.fromhex(text[:16]) if len(text) == 64 else hashlib.sha256(text.encode()).digest()[:8]
    return int.from_bytes(digest, "big", signed=True)


@dataclasses.dataclass(frozen=True, slots=True)
class FetchLocalJob:
    """Gets the local files of one row group of a plan: one shard and its outcome file."""

    corpus: str
    run_name: str
    job: int
    plan: str
    in_place: bool

    def run(self, context: Context) -> JobReport:
        """Read, hash, sniff and keep; commit the shard first and the outcomes last. Raises StoreError."""
        folder = Folder(self.corpus)
        shard = names.part_name("bytes", self.run_name, self.job)
        rows: list[dict[str, Any]] = []
        counts: dict[str, int] = {}
        with BytesWriter(folder, shard, BYTES_SCHEMA) as writer:
            for wanted, row, data in self._all(folder):
                if context.stop.is_set():
                    break
                if row["status"] == Status.OK and not self.in_place:
                    if wanted["known_sha256"] == row["sha256"] and wanted["known_shard"]:
                        row["shard"] = wanted["known_shard"]
                    else:
                        row["shard"] = shard
                        writer.add({"media_id": row["media_id"], "sha256": row["sha256"], "bytes": data})
                    row["shard_sha256"] = row["sha256"]
                rows.append(row)
                counts[row["status"]] = counts.get(row["status"], 0) + 1
                context.progress({row["status"]: 1})
        if not rows:
            return JobReport(self.job, None, {}, complete=not context.stop.is_set())
        name = names.twin(shard, "images")
        with TableWriter(folder, name, IMAGES_SCHEMA) as outcomes:
            outcomes.write(pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA))
        return JobReport(self.job, name, counts, complete=not context.stop.is_set())

    def _all(self, folder: Folder) -> Iterator[tuple[Mapping[str, Any], dict[str, Any], bytes]]:
        """Yield what is wanted with its outcome and bytes. Each shard is opened once for all that is wanted of it."""
        for table in read_groups(folder.file(self.plan), [self.job]):
            for shard, group in itertools.groupby(table.to_pylist(), key=lambda wanted: wanted["shard_path"]):
                if shard is not None:
                    yield from self._members(shard, list(group))
                    continue
                for wanted in group:
                    began = time.monotonic()
                    row = self._new(wanted)
                    data = b"" if wanted["problem"] else _read(Path(wanted["path"]), row)
                    if wanted["problem"]:
                        row.update(status=Status.NO_ACCESS_URI, detail=wanted["problem"])
                    yield wanted, self._ended(wanted, row, data, began), data

    def _members(
        self, shard: str, group: list[dict[str, Any]]
    ) -> Iterator[tuple[Mapping[str, Any], dict[str, Any], bytes]]:
        began = time.monotonic()
        for place, got in read_members(shard, [Wanted(wanted["path"][len(shard) + 1 :]) for wanted in group]):
            wanted = group[place]
            row = self._new(wanted)
            row.update(final_uri=wanted["path"], etag=got.etag)
            if got.changed:
                row["last_modified"] = datetime.datetime.fromtimestamp(got.changed, datetime.UTC)
            if got.failure:
                row.update(status=got.failure[0], detail=got.failure[1])
            else:
                row.update(n_bytes=len(got.data), sha256=hashlib.sha256(got.data).hexdigest())
            yield wanted, self._ended(wanted, row, got.data, began), got.data
            began = time.monotonic()

    def _new(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = dict.fromkeys(IMAGES_SCHEMA.names)
        row.update(
            media_id=wanted["media_id"], size="original", run=self.run_name, attempts=wanted["attempts"] + 1,
            door="in_place" if self.in_place else "copy",
        )  # fmt: skip
        return row

    def _ended(self, wanted: Mapping[str, Any], row: dict[str, Any], data: bytes, began: float) -> dict[str, Any]:
        """Fill in what the bytes say, and what follows from how it ended."""
        if row["status"] is None:
            _look(data, row)
        if row["status"] == Status.OK:
            by_state = self.in_place and not is_member(row["etag"])
            row["image_key"] = key_of(row["etag"]) if by_state else key_of(row["sha256"])
        elif wanted["known_shard"]:
            row["door"] = "copy"  # the bytes that are kept stay true: see truth.images
        elif wanted["known_door"] == "in_place":
            row["door"] = "in_place"  # it was read where it lay and cannot be any more
        row["seconds"] = time.monotonic() - began
        row["at"] = datetime.datetime.now(datetime.UTC)
        return row


def _read(path: Path, row: dict[str, Any]) -> bytes:
    """Read a file whole, the same before and after; fill in what is known of it, or why not."""
    row["final_uri"] = str(path)
    try:
        for _ in range(TRIES):
            with path.open("rb") as file:
                before = os.fstat(file.fileno())
                row["etag"] = state(before)
                row["last_modified"] = datetime.datetime.fromtimestamp(before.st_mtime, datetime.UTC)
                row["n_bytes"] = before.st_size
                if before.st_size > LARGEST_FILE:
                    row.update(status=Status.TOO_LARGE, detail=f"{before.st_size:,} bytes; at most {LARGEST_FILE:,}")
                    return b""
                data = file.read()
                if state(os.fstat(file.fileno())) == row["etag"] and len(data) == before.st_size:
                    row["sha256"] = hashlib.sha256(data).hexdigest()
                    return data
        row.update(status=Status.HASH_MISMATCH, detail=f"kept changing while it was read ({TRIES} times)")
    except FileNotFoundError:
        row.update(status=Status.NOT_FOUND, detail=f"no such file: {path}", etag=None)
    except IsADirectoryError:
        row.update(status=Status.NOT_FOUND, detail=f"is a folder: {path}", etag=None)
    except PermissionError:
        row.update(status=Status.FORBIDDEN, detail=f"permission denied: {path}")
    except (OSError, ValueError) as error:
        row.update(status=Status.CONNECTION, detail=f"cannot be read: {path}: {error}")
    return b""


def _look(data: bytes, row: dict[str, Any]) -> None:
    """Fill in type and size as the bytes themselves say, and the status."""
    try:
        header = read_header(data)
    except PixelError as error:
        row.update(status=error.status, detail=error.detail)
        return
    row.update(
        status=Status.OK, image_type=header.image_type, width=header.width, height=header.height,
        orientation=header.orientation, icc=header.icc,
    )  # fmt: skip
