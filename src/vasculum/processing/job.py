"""The apply job: a few hundred images through one guarded child, into one results file (and its blobs before it)."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from vasculum.jobs import Context, JobReport
from vasculum.outcomes import Status
from vasculum.processing.guard import Guard, Stopped
from vasculum.processing.items import Item, Outcome, Setup
from vasculum.processing.load import Loaded
from vasculum.processing.types import Picture
from vasculum.store import names
from vasculum.store.folder import Folder
from vasculum.store.parquet import BytesWriter, TableWriter, read_groups
from vasculum.tables import BLOBS_SCHEMA, RESULTS_COLUMNS, TEXT, Column, schema

PLAN_SCHEMA = schema((
    Column("media_id", TEXT, "of the manifest"),
    Column("place", TEXT, "the shard that holds its bytes, or the file itself; null: there is nothing to read"),
    Column("etag", TEXT, "state of the file when it was fetched in place; null: it lies in a shard"),
    Column("sha256", TEXT, "of the bytes"),
    Column("image_key", pa.int64(), "of the images row"),
    Column("status", TEXT, "what came of fetching it"),
    Column("detail", TEXT, "what happened, in words"),
))  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a study's processors give, in order; picklable."""

    processors: tuple[str, ...]
    names: tuple[tuple[str, str, bool], ...]
    """Full name, processor, whether it is a Picture (kept under blobs/)."""
    schema: pa.Schema

    @classmethod
    def of(cls, processors: Sequence[Loaded]) -> Columns:
        """Return the columns of these processors, each with its processor's name before it."""
        found = [
            (f"{loaded.name}_{column}", loaded.name, kind)
            for loaded in processors for column, kind in loaded.declaration.gives.items()
        ]  # fmt: skip
        columns = [
            Column(name, kind.arrow, kind.meaning or f"given by processor {owner}", unit=kind.unit)
            for name, owner, kind in found
        ]
        if len(processors) > 1:
            columns += [Column(f"{p.name}_status", TEXT, f"what came of processor {p.name}") for p in processors]
        return cls(
            tuple(loaded.name for loaded in processors),
            tuple((name, owner, isinstance(kind, Picture)) for name, owner, kind in found),
            schema((*RESULTS_COLUMNS, *columns)),
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ApplyJob:
    """Applies the processors to the images of one row group of a plan."""

    study: str
    run_name: str
    job: int
    plan: str
    fingerprint: str
    setup: Setup
    columns: Columns

    def run(self, context: Context) -> JobReport:
        """Work through the images; commit blobs first and results last. Raises StoreError, ProcessorError."""
        folder = Folder(self.study)
        name = names.part_name("results", self.run_name, self.job, prefix=self.fingerprint)
        rows: list[dict[str, Any]] = []
        with BytesWriter(folder, names.twin(name, "blobs"), BLOBS_SCHEMA) as blobs:
            for row in self._rows(folder, context, blobs):
                rows.append(row)
                context.progress({row["status"]: 1})
        if not rows:
            return JobReport(self.job, None, {}, complete=False)
        with TableWriter(folder, name, self.columns.schema) as writer:
            writer.write(pa.Table.from_pylist(rows, schema=self.columns.schema))
        counts = Counter(str(row["status"]) for row in rows)
        return JobReport(self.job, name, counts, complete=not context.stop.is_set())

    def _rows(self, folder: Folder, context: Context, blobs: BytesWriter) -> Iterator[dict[str, Any]]:
        items: dict[str, Item] = {}
        for table in read_groups(folder.file(self.plan), [self.job]):
            for wanted in table.to_pylist():
                if wanted["place"] is None:
                    yield self._row(wanted["media_id"], None, None, (wanted["status"], wanted["detail"]))
                else:
                    items[wanted["media_id"]] = Item(
                        wanted["media_id"],
                        wanted["place"],
                        wanted["etag"],
                        wanted["sha256"],
                        wanted["image_key"],
                    )
        if not items:
            return
        guard = context.keep(f"guard-{self.fingerprint}", lambda: Guard(self.setup, context.memory, context.stop))
        with contextlib.suppress(Stopped):
            for outcomes in guard.run(list(items.values())):
                for outcome in outcomes:
                    yield self._finished(items[outcome.media_id], outcome, blobs)

    def _finished(self, item: Item, outcome: Outcome, blobs: BytesWriter) -> dict[str, Any]:
        failures = {name: outcome.failures.get(name) for name in self.columns.processors}
        if outcome.failure and not outcome.columns and not outcome.failures:
            failures = dict.fromkeys(self.columns.processors, outcome.failure)
        first = outcome.failure or next((failure for failure in failures.values() if failure), None)
        row = self._row(item.media_id, item.image_key, item.sha256, first)
        for name, _, is_picture in self.columns.names:
            value = outcome.columns.get(name)
            if is_picture and value is not None:
                digest = hashlib.sha256(value).hexdigest()
                blobs.add({"media_id": item.media_id, "column": name, "sha256": digest, "bytes": value})
                value = digest
            row[name] = value
        if len(self.columns.processors) > 1:
            row.update({f"{name}_status": failure[0] if failure else Status.OK for name, failure in failures.items()})
        return row

    def _row(
        self, media_id: str, image_key: int | None, sha256: str | None, failure: tuple[str, str] | None
    ) -> dict[str, Any]:
        row: dict[str, Any] = dict.fromkeys(self.columns.schema.names)
        status, detail = failure or (Status.OK, None)
        row.update(
            media_id=media_id,
            run=self.run_name,
            image_key=image_key,
            sha256=sha256,
            status=str(status),
            detail=detail,
        )
        if image_key is None and len(self.columns.processors) > 1:
            row.update({f"{name}_status": str(status) for name in self.columns.processors})
        return row


def order(processors: Sequence[Loaded]) -> list[Loaded]:
    """Return the processors so that each comes after those whose columns it asks for; else in the order given."""
    by_column: Mapping[str, str] = {f"{p.name}_{c}": p.name for p in processors for c in p.declaration.gives}
    waiting, ready = list(processors), list[Loaded]()
    while waiting:
        done = {loaded.name for loaded in ready}
        nxt = next((p for p in waiting if all(by_column.get(need, need) in done for need in p.needs)), None)
        if nxt is None:
            break
        waiting.remove(nxt)
        ready.append(nxt)
    return ready
