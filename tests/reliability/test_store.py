"""The small promises that the larger ones stand on: commits, runs, sweeping, readers beside writers, engines that end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from trials import fault

from sheets import make_corpus
from vasculum import Corpus
from vasculum.engines.local import LocalEngine
from vasculum.errors import StoreError
from vasculum.jobs import Context, JobReport
from vasculum.store import disk, names, parquet, runs, tidy, truth
from vasculum.store.folder import Folder
from vasculum.store.parquet import BytesWriter, TableWriter
from vasculum.store.sql import Database, lists_anew
from vasculum.tables import BYTES_SCHEMA, IMAGES_SCHEMA, RESULTS_SCHEMA


def results_of(folder: Folder) -> dict[str, str]:
    with Database([folder.path]) as database:
        database.files("files", [folder.file(name) for name in folder.names("results")], RESULTS_SCHEMA)
        return dict(database.rows(f"SELECT media_id, detail FROM ({truth.results('files')})"))


def commit(folder: Folder, run: str, rows: dict[str, str]) -> None:
    table = pa.Table.from_pylist(
        [{"media_id": key, "run": run, "status": "ok", "detail": value} for key, value in rows.items()],
        schema=RESULTS_SCHEMA,
    )
    parquet.write_table(folder, names.part_name("results", run, 0), table)


def begin_and_raise(folder: Folder, error: BaseException) -> None:
    with TableWriter(folder, "results/a.parquet", RESULTS_SCHEMA) as writer:
        writer.write(RESULTS_SCHEMA.empty_table())
        raise error


def write_40_mb(folder: Folder) -> None:
    with BytesWriter(folder, "bytes/a.parquet", BYTES_SCHEMA) as writer:
        for number in range(40):
            writer.add({"media_id": str(number), "sha256": "", "bytes": os.urandom(2**20)})


def test_what_a_block_itself_raises_passes_as_it_is_and_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for error in (FileNotFoundError("elsewhere"), ValueError("of the block"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            begin_and_raise(folder, error)
    assert folder.names("results") == []
    assert list((tmp_path / "_tmp").iterdir()) == []


def test_a_write_that_fails_in_the_middle_of_a_large_file_names_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for n in (1, 2):
        with fault("write", n), pytest.raises(StoreError, match=r"bytes/a\.parquet: cannot write: the disk is full"):
            write_40_mb(folder)
        assert folder.names("bytes") == []
        assert list((tmp_path / "_tmp").iterdir()) == []


LIMITED = """
import resource, signal, sys
from vasculum.errors import StoreError
from vasculum.store.folder import Folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with Folder(sys.argv[1]).commit("bytes/one") as file:
        for _ in range(200):
            file.write(bytes(65_536))
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_file_that_the_system_lets_grow_no_further_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'bytes' / 'one'}: cannot write: File too large" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_disk_that_takes_a_write_in_pieces_gets_all_of_it(tmp_path: Path) -> None:
    class Slow:
        def __init__(self) -> None:
            self.data = bytearray()

        def write(self, data: memoryview) -> int:
            taken = data[: max(1, len(data) // 3)]
            self.data += taken
            return len(taken)

    slow = Slow()
    disk.write(slow, b"0123456789" * 50)  # type: ignore[arg-type]
    assert slow.data == b"0123456789" * 50


def test_where_no_image_was_added_no_file_appears(tmp_path: Path) -> None:
    with BytesWriter(Folder(tmp_path), "bytes/a.parquet", BYTES_SCHEMA):
        pass
    assert list(tmp_path.rglob("*.*")) == []


def test_a_reader_beside_one_who_tidies_sees_every_row_every_time(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    commit(folder, "r000001aaaa", dict.fromkeys("abcd", "1"))
    stop = threading.Event()
    failures: list[BaseException] = []

    def write_and_tidy() -> None:
        try:
            number = 1
            while not stop.is_set():
                number += 1
                run = names.next_run(folder.names("results"))
                commit(folder, run, dict.fromkeys("bc", str(number)))
                tidy.tidy(folder, "results", run, RESULTS_SCHEMA, truth.results("files"))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=write_and_tidy)
    thread.start()
    read = lists_anew(results_of)
    last = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        found = read(folder)
        assert set(found) == set("abcd")
        assert int(found["b"]) >= last
        last = int(found["b"])
    stop.set()
    thread.join()
    assert failures == []


def test_sources_that_another_process_added_are_not_lost(tmp_path: Path) -> None:
    first = make_corpus(tmp_path, 2, fetch=False)
    second = Corpus.open(first.path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.jpg").write_bytes((tmp_path / "sheets" / "00000.jpg").read_bytes())
    second.collect("folder", tmp_path / "folder")
    first.fetch(roots={"records": tmp_path / "sheets"})
    assert set(Corpus.open(first.path).sources) == {"records", "folder"}


def test_sweeping_takes_what_dead_runs_left_and_nothing_of_the_living(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with runs.running(folder, "fetch", {}) as alive:
        dead = {**alive.content, "pid": 2**22 + 1, "ended": None}
        folder.write_json("runs/r000009dead.json", dead)
        for run in (alive.name, "r000009dead"):
            for name in (f"_tmp/{run}-000000-1234.tmp", f"runs/{run}/plan.parquet"):
                folder.file(name).parent.mkdir(parents=True, exist_ok=True)
                folder.file(name).write_bytes(b"x")
        tidy.sweep(folder)
        left = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.suffix != ".json"}
    assert {name for name in left if "dead" in name} == set()
    assert {f"_tmp/{alive.name}-000000-1234.tmp", f"runs/{alive.name}/plan.parquet"} <= left


def test_a_run_in_another_container_with_the_same_number_is_not_taken_for_dead(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with runs.running(folder, "fetch", {}) as mine:
        other = {**mine.content, "boot": "another boot or container", "pid": 2**22 + 1, "ended": None}
        folder.write_json("runs/r000000aaaa.json", other)
        assert "r000000aaaa" in {name for name, _ in runs.live(folder)}
        assert "r000000aaaa" not in runs.over(folder)


def test_jobs_do_not_outlive_their_engine_when_its_user_fails() -> None:
    at_work = threading.Event()
    ended = threading.Event()

    class Quick:
        def run(self, context: Context) -> JobReport:
            return JobReport(0, None, {})

    class Long:
        def run(self, context: Context) -> JobReport:
            at_work.set()
            context.stop.wait(30)
            ended.set()
            return JobReport(1, None, {})

    reports = LocalEngine(2).run([Quick(), Long()], lambda _: None)
    assert next(reports).job == 0
    at_work.wait(10)
    reports.close()
    assert ended.is_set()


def test_a_fold_that_fails_ends_the_jobs_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vasculum.corpus import fetch as fetching

    corpus = make_corpus(tmp_path, 12, fetch=False)
    monkeypatch.setattr(fetching, "SHARD_ROWS", 1)
    monkeypatch.setattr(tidy, "FOLD_AT", 2)

    def full(*arguments: object, **named: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(tidy, "fold", full)
    caught = None
    try:
        corpus.fetch()
    except StoreError as error:
        caught = error  # its traceback holds the frames, as a notebook's last error does
    assert caught is not None
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job")]
    monkeypatch.undo()
    corpus.fetch()
    assert corpus.images().num_rows == 12


def test_an_images_row_that_is_dropped_wins_over_all_and_kept_bytes_over_failures(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    def row(media_id: str, run: int, status: str, shard: str | None, door: str) -> dict[str, object]:
        return {
            "media_id": media_id,
            "size": "original",
            "run": f"r{run:06d}aaaa",
            "status": status,
            "shard": shard,
            "door": door,
        }

    rows = [
        row("kept", 1, "ok", "bytes/a", "copy"), row("kept", 2, "not_found", None, "copy"),
        row("changed", 1, "ok", "bytes/a", "copy"), row("changed", 2, "ok", "bytes/b", "copy"),
        row("in place", 1, "ok", None, "in_place"), row("in place", 2, "not_found", None, "in_place"),
        row("moved in place", 1, "ok", "bytes/a", "copy"), row("moved in place", 2, "ok", None, "in_place"),
        row("dropped", 1, "dropped", None, "copy"), row("dropped", 2, "ok", "bytes/a", "copy"),
        row("came back", 1, "not_found", None, "copy"), row("came back", 2, "ok", "bytes/a", "copy"),
    ]  # fmt: skip
    for number, one in enumerate(rows):
        parquet.write_table(folder, f"images/{number}.parquet", pa.Table.from_pylist([one], schema=IMAGES_SCHEMA))
    with Database([tmp_path]) as database:
        database.files("files", [folder.file(name) for name in folder.names("images")], IMAGES_SCHEMA)
        found = {
            row[0]: row[1:]
            for row in database.rows(f"SELECT media_id, run[4:7], status FROM ({truth.images('files')})")
        }
    assert found == {
        "kept": ("0001", "ok"), "changed": ("0002", "ok"), "in place": ("0002", "not_found"),
        "moved in place": ("0002", "ok"), "dropped": ("0001", "dropped"), "came back": ("0002", "ok"),
    }  # fmt: skip
