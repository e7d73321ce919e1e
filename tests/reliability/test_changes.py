"""What changed in the world is noticed, just its rows are done again, and what is kept stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from trials import Log

from sheets import make_corpus, sheet_bytes, write_sheets
from vasculum import Corpus, Study
from vasculum.engines.local import LocalEngine
from vasculum.errors import StoreError, UsageError
from vasculum.study.apply import ChangedError, apply
from vasculum.study.resume import resume
from vasculum.study.verify import verify


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "code")


def run(corpus: Corpus, log: Log, out: Path, **options: object) -> Study:
    return apply(corpus.all(), [str(log.processor)], out=out, engine=LocalEngine(1), **options)  # type: ignore[arg-type]


def runs_of(study: Study) -> dict[str, str]:
    """Which run made the row of each image that is true."""
    return {row["media_id"]: row["run"] for row in study.sql("SELECT media_id, run FROM results__true").to_pylist()}


def id_of(corpus: Corpus, number: int) -> str:
    """The media id of a sheet by its number."""
    return str(corpus.where(f"local_path = '{number:05d}.jpg'").to_arrow()["media_id"][0])


def redone(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {media_id for media_id, run in after.items() if before.get(media_id) != run}


@pytest.mark.slow
@pytest.mark.parametrize("in_place", [False, True])
def test_a_changed_file_is_noticed_and_just_its_row_is_done_again(tmp_path: Path, log: Log, in_place: bool) -> None:
    corpus = make_corpus(tmp_path, 6, fetch=False)
    corpus.fetch(in_place=in_place)
    before = runs_of(run(corpus, log, tmp_path / "study"))
    changed = id_of(corpus, 3)
    data = sheet_bytes(303)
    (tmp_path / "sheets" / "00003.jpg").write_bytes(data)
    assert dict(corpus.fetch(in_place=in_place).counts) == {"ok": 1}
    assert dict(corpus.fetch(in_place=in_place).counts) == {}
    study = run(corpus, log, tmp_path / "study")
    assert redone(before, runs_of(study)) == {changed}
    assert study.sql(f"SELECT witness_size AS n FROM results WHERE media_id = '{changed}'")["n"].to_pylist() == [
        len(data)
    ]
    assert study.results.num_rows == 6
    assert verify(tmp_path / "study").problems == verify(tmp_path / "corpus").problems == []


@pytest.mark.slow
@pytest.mark.parametrize("in_place", [False, True])
def test_a_file_that_was_only_touched_is_not_worked_on_again_where_its_bytes_are_kept(
    tmp_path: Path, log: Log, in_place: bool
) -> None:
    corpus = make_corpus(tmp_path, 3, fetch=False)
    corpus.fetch(in_place=in_place)
    before = runs_of(run(corpus, log, tmp_path / "study"))
    shards = sorted((tmp_path / "corpus" / "bytes").glob("*")) if not in_place else []
    (tmp_path / "sheets" / "00001.jpg").touch()
    assert dict(corpus.fetch(in_place=in_place).counts) == {"ok": 1}
    assert (sorted((tmp_path / "corpus" / "bytes").glob("*")) if not in_place else []) == shards
    after = runs_of(run(corpus, log, tmp_path / "study"))
    assert redone(before, after) == ({id_of(corpus, 1)} if in_place else set())


def test_an_in_place_file_that_changes_between_fetch_and_apply_fails_its_row_alone(tmp_path: Path, log: Log) -> None:
    corpus = make_corpus(tmp_path, 4, fetch=False)
    corpus.fetch(in_place=True)
    (tmp_path / "sheets" / "00002.jpg").write_bytes(sheet_bytes(99))
    study = run(corpus, log, tmp_path / "study")
    assert study.counts() == {"ok": 3, "hash_mismatch": 1}
    corpus.fetch(in_place=True)
    assert run(corpus, log, tmp_path / "study").counts() == {"ok": 4}


def test_a_deleted_file_hides_no_kept_bytes(tmp_path: Path, log: Log) -> None:
    corpus = make_corpus(tmp_path, 4)
    gone = id_of(corpus, 1)
    (tmp_path / "sheets" / "00001.jpg").unlink()
    assert dict(corpus.fetch().counts) == {"not_found": 1}
    assert set(corpus.images()["status"].to_pylist()) == {"ok"}
    assert dict(corpus.image_bytes([gone])) == {gone: sheet_bytes(1)}
    assert dict(corpus.fetch(in_place=True).counts)["not_found"] == 1  # neither does another road
    assert dict(corpus.image_bytes([gone])) == {gone: sheet_bytes(1)}
    assert run(corpus, log, tmp_path / "study").counts() == {"ok": 4}


@pytest.mark.slow
def test_a_deleted_file_that_was_read_in_place_is_not_found(tmp_path: Path, log: Log) -> None:
    corpus = make_corpus(tmp_path, 4, fetch=False)
    corpus.fetch(in_place=True)
    run(corpus, log, tmp_path / "study")
    file = tmp_path / "sheets" / "00001.jpg"
    data, times = file.read_bytes(), file.stat()
    file.unlink()
    assert dict(corpus.fetch(in_place=True).counts) == {"not_found": 1}
    assert dict(corpus.fetch(in_place=True).counts) == {}
    assert sorted(corpus.images()["status"].to_pylist()) == ["not_found", "ok", "ok", "ok"]
    assert run(corpus, log, tmp_path / "study").counts() == {"ok": 3, "not_found": 1}
    file.write_bytes(data)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert dict(corpus.fetch(in_place=True).counts) == {"ok": 1}
    assert run(corpus, log, tmp_path / "study").counts() == {"ok": 4}


def test_a_copy_that_fails_does_not_claim_what_lay_in_place(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 2, fetch=False)
    corpus.fetch(in_place=True)
    (tmp_path / "sheets" / "00001.jpg").unlink()
    corpus.fetch()
    assert sorted(zip(corpus.images()["status"].to_pylist(), corpus.images()["door"].to_pylist(), strict=True)) == [
        ("not_found", "in_place"), ("ok", "copy")
    ]  # fmt: skip


def test_a_lost_shard_is_filled_again_by_the_next_fetch(tmp_path: Path, log: Log) -> None:
    corpus = make_corpus(tmp_path, 3)
    for shard in (tmp_path / "corpus" / "bytes").glob("*"):
        shard.unlink()
    assert verify(corpus.path).problems
    assert dict(corpus.fetch().counts) == {"ok": 3}
    assert verify(corpus.path).problems == []
    assert run(corpus, log, tmp_path / "study").counts() == {"ok": 3}


def test_a_damaged_shard_is_written_anew_when_asked(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 3)
    (shard,) = (tmp_path / "corpus" / "bytes").glob("*")
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 4
    shard.write_bytes(data)
    assert verify(corpus.path).problems
    assert dict(corpus.fetch(retry=["ok"]).counts) == {"ok": 3}
    assert verify(corpus.path).problems == []


@pytest.mark.slow
def test_a_wider_subset_does_only_the_new_rows_and_a_narrower_one_must_be_meant(tmp_path: Path, log: Log) -> None:
    corpus = make_corpus(tmp_path, 8)

    def of(condition: str, **options: bool) -> Study:
        return apply(
            corpus.where(condition), [str(log.processor)], out=tmp_path / "study", engine=LocalEngine(1), **options
        )

    narrow = runs_of(of("year < 1854"))
    assert len(narrow) == 4
    wide = runs_of(of("year < 1857"))
    assert redone(narrow, wide) == {id_of(corpus, number) for number in (4, 5, 6)}
    with pytest.raises(ChangedError, match=r"holds 4 results beyond this subset. Let them go with --redo"):
        of("year < 1853")
    assert len(runs_of(Study.open(tmp_path / "study"))) == 7
    narrowed = of("year < 1853", redo=True)
    assert redone(wide, runs_of(narrowed)) == set()
    assert narrowed.results.num_rows == 3
    assert verify(tmp_path / "study").problems == []


@pytest.mark.slow
def test_retry_does_just_the_rows_with_that_status(tmp_path: Path, log: Log) -> None:
    write_sheets(tmp_path / "sheets", 5)
    (tmp_path / "sheets" / "00003.jpg").unlink()
    corpus = Corpus.create(tmp_path / "corpus")
    corpus.collect("table", tmp_path / "sheets" / "records.csv")
    assert dict(corpus.fetch().counts) == {"ok": 4, "not_found": 1}
    study = run(corpus, log, tmp_path / "study")
    before = runs_of(study)
    assert redone(before, runs_of(run(corpus, log, tmp_path / "study", retry=["not_found"]))) == {id_of(corpus, 3)}
    assert dict(corpus.fetch(retry=["not_found"]).counts) == {"not_found": 1}
    before = runs_of(study)
    assert redone(before, runs_of(run(corpus, log, tmp_path / "study", retry=["ok"]))) == set(before) - {
        id_of(corpus, 3)
    }
    with pytest.raises(UsageError, match="there is no such status"):
        run(corpus, log, tmp_path / "study", retry=["nonsense"])


@pytest.mark.slow
def test_kept_results_leave_one_true_row_an_image_on_disk(tmp_path: Path, log: Log) -> None:
    corpus = make_corpus(tmp_path, 4)
    run(corpus, log, tmp_path / "study")
    log.processor.write_text(log.processor.read_text() + "\n# changed\n")
    (tmp_path / "sheets" / "00002.jpg").write_bytes(sheet_bytes(77))
    corpus.fetch()
    study = run(corpus, log, tmp_path / "study", keep=True)
    rows = duckdb.sql(f"SELECT media_id FROM '{tmp_path}/study/results/*.parquet'").fetchall()
    assert sorted(row[0] for row in rows) == sorted(study.results["media_id"].to_pylist())


def killed_half_way(tmp_path: Path, log: Log) -> Callable[[], None]:
    """A corpus and a study that a killed run left behind: some of the results are gone, as if never committed."""
    corpus = make_corpus(tmp_path / "home", 6)
    run(corpus, log, tmp_path / "home" / "study")
    study = Study.open(tmp_path / "home" / "study")
    assert study.counts() == {"ok": 6}

    def check() -> None:
        assert Study.open(tmp_path / "away" / "study").counts() == {"ok": 6}

    apply(corpus.all().limit(2), [str(log.processor)], out=study.path, engine=LocalEngine(1), redo=True)
    document = study.folder.read_json("study.json")
    assert document is not None
    document["subset"]["limit"] = None  # as the run that was killed had written it
    study.folder.write_json("study.json", document)
    assert Study.open(study.path).counts() == {"ok": 2}
    return check


@pytest.mark.slow
def test_a_study_goes_on_after_both_folders_moved_and_the_users_file_is_gone(tmp_path: Path, log: Log) -> None:
    check = killed_half_way(tmp_path, log)
    before = runs_of(Study.open(tmp_path / "home" / "study"))
    log.processor.unlink()
    shutil.move(tmp_path / "home", tmp_path / "away")
    assert dict(resume(tmp_path / "away" / "study")) == {"ok": 6}
    check()
    assert len(redone(before, runs_of(Study.open(tmp_path / "away" / "study")))) == 4
    said: list[str] = []
    resume(tmp_path / "away" / "study", told=said.append)
    assert "nothing to do" in said[0]


@pytest.mark.slow
def test_a_study_that_cannot_find_its_corpus_says_how_to_name_it(tmp_path: Path, log: Log) -> None:
    killed_half_way(tmp_path, log)
    shutil.move(tmp_path / "home" / "study", tmp_path / "study")
    shutil.move(tmp_path / "home" / "corpus", tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="If it was moved, say where with --corpus FOLDER"):
        resume(tmp_path / "study")
    assert dict(resume(tmp_path / "study", corpus=tmp_path / "elsewhere")) == {"ok": 6}
    with pytest.raises(StoreError, match="is another corpus"):
        resume(tmp_path / "study", corpus=make_corpus(tmp_path / "third", 1).path)


def test_a_study_that_died_before_its_first_result_goes_on(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 3)
    apply(corpus.all(), ["exif"], out=tmp_path / "study", engine=LocalEngine(1))
    study = Study.open(tmp_path / "study")
    document = study.folder.read_json("study.json")
    assert document is not None
    for entry in document["processors"]:  # as study.json stands when it is first written
        del entry["reference"]
    study.folder.write_json("study.json", document)
    study.folder.delete(study.folder.names("results"))
    assert dict(resume(tmp_path / "study")) == {"ok": 3}


def test_a_corpus_goes_on_with_its_last_fetch(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "home", 6, fetch=False)
    corpus.fetch(corpus.where("year < 1852"), in_place=True)
    for file in (tmp_path / "home" / "corpus" / "images").glob("*"):
        file.unlink()
    shutil.move(tmp_path / "home" / "corpus", tmp_path / "corpus")
    assert dict(resume(tmp_path / "corpus")) == {"ok": 2}
    assert set(Corpus.open(tmp_path / "corpus").images()["door"].to_pylist()) == {"in_place"}
    assert dict(resume(tmp_path / "corpus")) == {"already there": 2}
    with pytest.raises(UsageError, match="nothing was fetched yet"):
        resume(make_corpus(tmp_path / "other", 1, fetch=False).path)
