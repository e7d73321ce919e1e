from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shards import IMAGE, hugging_face, samples, write_tar
from sheets import run_command, sheet_bytes
from vasculum import Corpus
from vasculum.fetching import members
from vasculum.fetching.members import Wanted, read_members
from vasculum.study.verify import verify

SHEETS = [sheet_bytes(n) for n in range(10)]


def shards(folder: Path) -> Path:
    """Ten sheets in two tars and the same ten in a Parquet file of three row groups."""
    write_tar(folder / "a.tar", samples(range(6)))
    write_tar(folder / "sub" / "b.tar", samples(range(6, 10), folder=""))
    hugging_face(folder / "train.parquet", SHEETS)
    return folder


def collected(tmp_path: Path, name: str = "corpus", **options: Any) -> Corpus:
    folder = tmp_path / "shards"
    if not folder.exists():
        shards(folder)
    corpus = Corpus.create(tmp_path / name)
    corpus.collect("shards", folder)
    corpus.fetch(**options)
    return corpus


def by_path(corpus: Corpus) -> dict[str, dict[str, Any]]:
    paths = dict(zip(*(corpus.manifest()[c].to_pylist() for c in ("media_id", "local_path")), strict=True))
    return {paths[row["media_id"]]: row for row in corpus.images().to_pylist()}


def results(corpus: Corpus, out: Path) -> dict[str, tuple[Any, ...]]:
    table = corpus.apply("color", out=out).results
    return {r["media_id"]: tuple(v for k, v in sorted(r.items()) if k != "run") for r in table.to_pylist()}


def test_copied_and_in_place_give_the_same_results(tmp_path: Path) -> None:
    copy, place = collected(tmp_path, "copy"), collected(tmp_path, "place", in_place=True)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").rglob("*")}
    assert results(copy, tmp_path / "s1") == results(place, tmp_path / "s2")
    assert copy.images()["status"].to_pylist() == place.images()["status"].to_pylist() == ["ok"] * 20
    assert place.folder.names("bytes") == []
    rows = by_path(place)
    assert rows["a.tar/d/00003.jpg"]["sha256"] == rows["train.parquet/image/3"]["sha256"]
    assert rows["a.tar/d/00003.jpg"]["door"] == "in_place"
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").rglob("*")} == before
    ids = copy.images()["media_id"].to_pylist()
    assert dict(copy.image_bytes(ids)) == dict(place.image_bytes(ids))
    assert len(dict(place.image_bytes(ids))) == 20
    for corpus in (copy, place):
        assert verify(corpus.path).problems == []
    assert verify(place.path).checked["files in place"] == 20


def test_a_second_fetch_reads_nothing_and_a_copy_takes_the_place_of_in_place(tmp_path: Path) -> None:
    corpus = collected(tmp_path, in_place=True)
    again = corpus.fetch(in_place=True)
    assert (again.already, dict(again.counts)) == (20, {})
    study = corpus.apply("color", out=tmp_path / "study")
    assert dict(corpus.fetch().counts) == {"ok": 20}
    assert corpus.folder.names("bytes")
    known = study.folder.names("results")
    corpus.apply("color", out=tmp_path / "study")
    assert study.folder.names("results") == known  # the same bytes: nothing was done again


def test_each_shard_is_opened_once_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    plain = members.open if hasattr(members, "open") else open

    def counting(path: str, *arguments: Any, **options: Any) -> Any:
        opened.append(Path(path).name)
        return plain(path, *arguments, **options)

    monkeypatch.setattr(members, "open", counting, raising=False)
    collected(tmp_path)
    assert sorted(opened) == ["a.tar", "b.tar", "train.parquet"]


def test_a_shard_that_moved_its_members_is_read_while_the_bytes_are_the_same(tmp_path: Path) -> None:
    corpus = collected(tmp_path, in_place=True)
    wanted = [m for n in reversed(range(6)) for m in samples([n])]
    write_tar(tmp_path / "shards" / "a.tar", [("d/new.txt", b"more"), *wanted])
    os.utime(tmp_path / "shards" / "train.parquet", (1, 1))
    study = corpus.apply("color", out=tmp_path / "study")
    assert study.counts() == {"ok": 20}
    assert verify(corpus.path).problems == []


def test_other_bytes_are_a_mismatch_and_a_lost_shard_is_not_found(tmp_path: Path) -> None:
    corpus = collected(tmp_path, in_place=True)
    swapped = samples(range(6))
    swapped[0] = ("d/00000.jpg", sheet_bytes(77))
    write_tar(tmp_path / "shards" / "a.tar", [m for m in swapped if "00005" not in m[0]])
    hugging_face(tmp_path / "shards" / "train.parquet", [*SHEETS[:4], None, sheet_bytes(78), *SHEETS[6:8]])
    (tmp_path / "shards" / "sub" / "b.tar").unlink()
    study = corpus.apply("color", out=tmp_path / "study")
    ids = {media_id: path for path, media_id in ((p, r["media_id"]) for p, r in by_path(corpus).items())}
    found = {ids[r["media_id"]]: (r["status"], r["detail"]) for r in study.results.to_pylist()}
    failed = {path: status for path, (status, _) in found.items() if status != "ok"}
    assert failed == {
        "a.tar/d/00000.jpg": "hash_mismatch", "a.tar/d/00005.jpg": "not_found",
        "train.parquet/image/4": "not_found", "train.parquet/image/5": "hash_mismatch",
        "train.parquet/image/8": "not_found", "train.parquet/image/9": "not_found",
        **{f"sub/b.tar/{n:05d}.jpg": "not_found" for n in range(6, 10)},
    }  # fmt: skip
    assert "no such shard" in found["sub/b.tar/00006.jpg"][1] or "b.tar" in found["sub/b.tar/00006.jpg"][1]
    assert len(verify(corpus.path).problems) == len(failed)
    # as they were again: what could not be read is done again, the rest is not
    shutil.rmtree(tmp_path / "shards")
    shards(tmp_path / "shards")
    corpus.fetch(in_place=True)
    assert corpus.apply("color", out=tmp_path / "study").counts() == {"ok": 20}


def test_cut_damaged_and_null_images_are_rows_with_words(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    whole = write_tar(folder / "w.tar", samples(range(4))).read_bytes()
    place = whole.index(SHEETS[3]) + 100
    (folder / "w.tar").write_bytes(whole[:place])
    hugging_face(folder / "n.parquet", [SHEETS[0], None, b"", b"<html>"])
    pq.write_table(
        pa.table({"image": pa.array([{"bytes": SHEETS[1], "path": "a.jpg"}, {"bytes": None, "path": "b.jpg"}], IMAGE)}),
        folder / "p.parquet",
    )
    found = {path: (row["status"], row["detail"]) for path, row in by_path(collected(tmp_path)).items()}
    assert found["w.tar/d/00003.jpg"] == (
        "truncated",
        f"{folder}/w.tar: the tar ends after 100 of its {len(SHEETS[3]):,} bytes",
    )
    assert found["n.parquet/image/1"][0] == "not_found"
    assert found["n.parquet/image/2"][0] == "empty"
    assert found["n.parquet/image/3"][0] == "not_an_image"
    assert "it names only a path, 'b.jpg'" in found["p.parquet/image/1"][1]
    assert [status for status, _ in found.values()].count("ok") == 5


@pytest.mark.parametrize("name", ["a.tar", "train.parquet"])
def test_a_shard_that_is_damaged_after_the_collect_is_told_row_by_row(tmp_path: Path, name: str) -> None:
    shards(tmp_path / "shards")
    corpus = Corpus.create(tmp_path / "corpus")
    corpus.collect("shards", tmp_path / "shards")
    path = tmp_path / "shards" / name
    for data in (b"", b"PAR1" + bytes(100), os.urandom(5000), path.read_bytes()[:3000]):
        path.write_bytes(data)
        fetched = corpus.fetch()
        assert set(fetched.counts) <= {"ok", "corrupt", "not_found", "truncated"}
        assert sum(fetched.counts.values()) == 20 - fetched.already
    path.unlink()
    path.mkdir()
    assert corpus.fetch().counts


def test_read_members_answers_for_all_that_is_wanted(tmp_path: Path) -> None:
    path = hugging_face(tmp_path / "t.parquet", SHEETS)
    wanted = ["image/9", "image/0", "image/0", "image/10", "image/-1", "image/x", "species/1", "none/1", "image", "/1"]
    got = dict(read_members(str(path), [Wanted(w) for w in wanted]))
    assert sorted(got) == list(range(10))
    assert [got[i].data for i in range(3)] == [SHEETS[9], SHEETS[0], SHEETS[0]]
    assert all(got[i].failure for i in range(3, 10))
    tar = write_tar(tmp_path / "t.tar", samples(range(2)), tarfile.GNU_FORMAT)
    got = dict(read_members(str(tar), [Wanted("d/00001.jpg"), Wanted("d/00001.jpg"), Wanted("nothing"), Wanted("")]))
    assert (got[0].data, got[1].data) == (SHEETS[1], SHEETS[1])
    assert got[2].failure == ("not_found", f"{tar}: the tar has no such member")
    assert [g.failure is not None for _, g in read_members(str(tmp_path / "no.tar"), [Wanted("a")])] == [True]


def test_the_command_line_takes_one_shard_and_a_folder_and_reports(tmp_path: Path) -> None:
    shards(tmp_path / "shards")
    told = run_command("collect", "c", "shards", "shards/a.tar", cwd=tmp_path)
    assert told.returncode == 0
    assert "6 media in source 'a'" in told.stderr
    assert "the sample's class or text" in told.stderr
    assert "1 shard\n" in told.stderr
    assert run_command("collect", "c", "shards", "shards", cwd=tmp_path).returncode == 0
    assert "26 ok" in run_command("fetch", "c", "--in-place", cwd=tmp_path).stderr
    assert run_command("apply", "c", "quality", "--out", "s", cwd=tmp_path).returncode == 0
    assert run_command("report", "s", cwd=tmp_path).returncode == 0
    assert "data:image/jpeg" in (tmp_path / "s" / "report.html").read_text()
    packed = run_command("collect", "d", "shards", "no.tar.gz", cwd=tmp_path)
    assert (packed.returncode, packed.stderr.count("\n")) == (1, 1)
    moved = tmp_path / "shards"
    moved.rename(tmp_path / "elsewhere")
    lost = run_command("fetch", "c", "--in-place", cwd=tmp_path)
    assert lost.returncode == 1
    assert "--root" in lost.stderr
    found = run_command("fetch", "c", "--in-place", "--root", "shards=elsewhere", "--root", "a=elsewhere", cwd=tmp_path)
    assert "26 were there already" in found.stderr
    assert run_command("apply", "c", "color", "--out", "s2", "--json", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "shards").exists()
