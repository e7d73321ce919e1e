"""The store by itself: writers, folds and tidies, interleaved and killed anywhere; what is true never goes back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trials import OPERATIONS, Counter

from vasculum.store import names, parquet, tidy, truth
from vasculum.store.folder import Folder
from vasculum.store.sql import Database
from vasculum.tables import TEXT, Column, schema

SCHEMA = schema((
    Column("media_id", TEXT, "key"), Column("run", TEXT, "run"), Column("status", TEXT, "how it ended"), Column("value", TEXT, "anything")
))  # fmt: skip
WRITERS = 3


class KilledError(BaseException):
    """The process is gone: nothing that it would still do is done."""


class Store:
    """A folder, its writers, and what must be true of it."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.runs: dict[int, str] = {}
        self.own: dict[int, list[str]] = {}
        self.committed: dict[str, dict[str, str]] = {}
        """By key: run → value, of all that was ever visible."""
        self.pending: dict[str, list[dict[str, str]]] = {}
        self.count = 0

    def run(self, writer: int) -> str:
        """The run of a writer, begun where it has none."""
        if writer not in self.runs:
            listed = [*self.folder.names("results"), *self.folder.names("runs", ".json")]
            self.runs[writer] = names.next_run(listed)
            self.own[writer] = []
            self.folder.write_json(f"runs/{self.runs[writer]}.json", {})
        return self.runs[writer]

    def write(self, writer: int, keys: set[str]) -> None:
        """Commit a file with a row for each key. A retried key has a newer value in a file of its own."""
        run = self.run(writer)
        keys = {key for key in keys if run not in self.committed.get(key, {})}  # a job passes over what its run has
        if not keys:
            return
        name = names.part_name("results", run, self.count)
        self.count += 1
        rows = [
            {"media_id": key, "run": run, "status": "ok", "value": f"{run} {self.count} {key}"} for key in sorted(keys)
        ]
        self.pending[name] = rows
        parquet.write_table(self.folder, name, pa.Table.from_pylist(rows, schema=SCHEMA))
        self.own[writer].append(name)

    def fold(self, writer: int) -> None:
        """Fold the writer's own files, as a driver does."""
        files = self.own.get(writer, [])
        if len(files) > 1:
            self.own[writer] = []
            tidy.fold(self.folder, "results", self.runs[writer], files, SCHEMA)

    def tidy(self, writer: int) -> None:
        """Tidy at the end of a run, whether or not others are at work."""
        tidy.tidy(self.folder, "results", self.run(writer), SCHEMA, truth.results("files"))
        self.end(writer)

    def end(self, writer: int) -> None:
        """The writer ends, or died; the next step of it is another run."""
        self.runs.pop(writer, None)
        self.own.pop(writer, None)

    def step(self, action: str, writer: int, keys: set[str]) -> None:
        if action == "write":
            self.write(writer, keys)
        elif action == "fold":
            self.fold(writer)
        elif action == "tidy":
            self.tidy(writer)
        else:
            self.end(writer)

    def look(self) -> None:
        """Note what became visible, and compare what is true with what must be."""
        self.note()
        self.pending.clear()  # what is not visible now never will be
        found = self.truth()
        expected = {key: runs[max(runs)] for key, runs in self.committed.items()}
        assert found == expected

    def note(self) -> None:
        """Note what is visible now: a tidy may take it away as a file, never as a row."""
        for name, rows in list(self.pending.items()):
            if self.folder.file(name).exists():
                for row in rows:
                    self.committed.setdefault(row["media_id"], {})[row["run"]] = row["value"]
                del self.pending[name]

    def truth(self) -> dict[str, str]:
        with Database([self.folder.path]) as database:
            database.files("files", [self.folder.file(name) for name in self.folder.names("results")], SCHEMA)
            rows = database.rows(f"SELECT media_id, value FROM ({truth.results('files')})")
        assert len(rows) == len(dict(rows)), "a key has two rows"
        return dict(rows)


@contextmanager
def disturbed(store: Store, n: int, what: Any) -> Iterator[None]:
    """At the n-th change of the disk the process dies, or another writer takes a whole step of its own."""
    dead = False

    def strike(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal dead
        if what is None:
            dead = True
        if dead:
            counter.left = 1  # whatever is still tried in leaving fails as well
            raise KilledError
        store.note()
        store.step(*what)
        store.note()

    counter = Counter(OPERATIONS, n, strike)
    try:
        yield
    finally:
        counter.close()


KEYS = st.sets(st.sampled_from("abcde"), min_size=1, max_size=4)
ACTIONS = st.sampled_from(["write", "write", "write", "fold", "tidy", "end"])
ACTION = st.tuples(ACTIONS, st.integers(0, WRITERS - 1), KEYS)
STEPS = st.lists(
    st.tuples(ACTION, st.integers(1, 9), st.sampled_from(["kill", "other", "calm", "calm"]), ACTION), max_size=9
)


def play(steps: list[Any]) -> None:
    place = Path(tempfile.mkdtemp())
    try:
        store = Store(place)
        for (action, writer, keys), n, disturbance, other in steps:
            what = None if disturbance == "kill" else (other[0], WRITERS + other[1], other[2])
            if disturbance == "calm":
                store.step(action, writer, keys)
            else:
                try:
                    with disturbed(store, n, what):
                        store.step(action, writer, keys)
                except KilledError:
                    store.end(writer)
            store.look()
        store.tidy(0)
        store.look()
        assert len(store.folder.names("results")) <= 1
    finally:
        shutil.rmtree(place)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_committed_row_is_lost_and_no_superseded_one_comes_back(steps: list[Any]) -> None:
    play(steps)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_nor_in_many_more_interleavings(steps: list[Any]) -> None:
    play(steps)
