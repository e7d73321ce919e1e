from __future__ import annotations

import gzip
import json
import random
import struct
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shards import IMAGE, hugging_face, samples, write_tar
from sheets import make_corpus, sheet_bytes
from vasculum.errors import SourceError, UsageError, VasculumError
from vasculum.sources.shards import ShardsSource, read_shards
from vasculum.tables import SOURCE_SCHEMA


def rows_of(source: ShardsSource) -> list[dict[str, Any]]:
    batches = list(source.batches())
    assert all(b.schema.equals(SOURCE_SCHEMA, check_metadata=True) for b in batches)
    return pa.Table.from_batches(batches, schema=SOURCE_SCHEMA).to_pylist()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_sample_is_what_shares_a_stem_and_its_json_is_its_record(tmp_path: Path, form: int) -> None:
    write_tar(tmp_path / "b.tar", samples(range(3, 5), folder="./d//"), form)
    write_tar(tmp_path / "a" / "a.tar", samples(range(3)), form)
    source = read_shards(tmp_path, label="x")
    rows = rows_of(source)
    assert [r["local_path"] for r in rows] == [
        "b.tar/d/00003.jpg", "b.tar/d/00004.jpg",
        *(f"a/a.tar/d/{n:05d}.jpg" for n in range(3)),
    ]  # fmt: skip
    assert rows[0]["catalogNumber"] == "00000003"
    assert (rows[0]["year"], rows[0]["label"], rows[0]["format"]) == (1903, "beech", "image/jpeg")
    assert json.loads(rows[0]["terms_json"]) == {"collection no": "7"}
    assert rows[0]["record_keys"] == ["00000003"]
    assert not source.rejects
    assert [r["media_id"] for r in rows_of(source)] == [r["media_id"] for r in rows]


def test_names_that_are_long_or_not_ascii_are_read(tmp_path: Path) -> None:
    name = "é/" + "long/" * 60 + "a.jpg"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        write_tar(tmp_path / f"{form}.tar", [(name, b"x"), ("b.jpg", b"y")], form)
    assert [r["local_path"] for r in rows_of(read_shards(tmp_path, label="x"))] == [
        f"{form}.tar/{n}" for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT) for n in (name, "b.jpg")
    ]


def test_two_images_of_a_sample_are_two_media_of_one_record(tmp_path: Path) -> None:
    members = [
        ("a.jpg", b"1"),
        ("b.json", b"{}"),
        ("a.seg.png", b"2"),
        ("a.png", b"3"),
        ("a.json", b'{"catalogNumber": "007"}'),
    ]
    source = read_shards(write_tar(tmp_path / "s.tar", members), label="x")
    rows = rows_of(source)
    assert [(r["local_path"], r["catalogNumber"]) for r in rows] == [
        ("s.tar/a.jpg", "007"), ("s.tar/a.seg.png", "007"), ("s.tar/a.png", "007"),
    ]  # fmt: skip
    assert len({r["media_id"] for r in rows}) == 3
    assert [r.reason for r in source.rejects] == ["the sample has no image"]


def test_ids_rest_on_label_and_path_alone(tmp_path: Path) -> None:
    ids = [
        rows_of(read_shards(write_tar(tmp_path / where / "s.tar", [*more, ("a.jpg", b"1")]), label="x"))[-1]["media_id"]
        for where, more in (("here", []), ("there", [("0.jpg", b"0")]))
    ]
    assert ids[0] == ids[1]


def test_a_hugging_face_image_is_a_medium_a_row(tmp_path: Path) -> None:
    hugging_face(tmp_path / "data" / "train-00000-of-00001.parquet", [sheet_bytes(n) for n in range(6)])
    source = read_shards(tmp_path, label="x")
    rows = rows_of(source)
    assert [r["local_path"] for r in rows] == [f"data/train-00000-of-00001.parquet/image/{n}" for n in range(6)]
    assert [r["label"] for r in rows[:3]] == ["Fagus sylvatica", "Quercus robur", "Fagus sylvatica"]
    assert rows[5]["catalogNumber"] == "00000005"
    assert json.loads(rows[5]["terms_json"]) == {"image.path": "5.jpg"}
    assert any(e.column == "species" and e.target == "label" for e in source.mapping)


def test_image_columns_are_found_by_their_bytes_and_others_left_out(tmp_path: Path) -> None:
    sheet = sheet_bytes(1)
    table = pa.table({
        "front": pa.array([None, sheet], pa.large_binary()),
        "a/b.c": pa.array([{"bytes": sheet, "path": None}] * 2, IMAGE),
        "embedding": [b"\x00\x01", b"\x02\x03"],
        "sound": pa.array([{"bytes": b"RIFF0000WAVE", "path": "a.wav"}] * 2, IMAGE),
        "pages": pa.array([[sheet], []], pa.list_(pa.binary())),
        "url": ["https://example.org/1.jpg", "https://example.org/2.jpg"],
        "name": pa.array([b"\xff", b"ok"]),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    source = read_shards(tmp_path / "t.parquet", label="x")
    rows = rows_of(source)
    assert [r["local_path"] for r in rows] == [
        "t.parquet/front/0", "t.parquet/a/b.c/0", "t.parquet/front/1", "t.parquet/a/b.c/1",
    ]  # fmt: skip
    assert rows[2]["accessURI"] == "https://example.org/2.jpg"
    assert json.loads(rows[2]["terms_json"])["url"] == "https://example.org/2.jpg"
    assert {n.split("'")[1] for n in source.notes if "left out" in n} == {"embedding", "sound", "pages", "name"}


def test_the_shards_of_a_corpus_are_shards(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 3)
    rows = rows_of(read_shards(corpus.path / "bytes", label="x"))
    held = {r["media_id"]: r["sha256"] for r in corpus.images().to_pylist()}
    assert {json.loads(r["terms_json"])["media_id"]: r["published_hash"].removeprefix("sha256:") for r in rows} == held


def test_a_map_says_what_a_column_is_and_cannot_name_the_image(tmp_path: Path) -> None:
    path = hugging_face(tmp_path / "t.parquet", [sheet_bytes(1)], foto_url=["https://example.org/1"], sp=["Quercus"])
    source = read_shards(path, label="x", overrides={"scientificName": "sp", "accessURI": "foto_url", "label": "sp"})
    assert rows_of(source)[0]["accessURI"] == "https://example.org/1"
    with pytest.raises(UsageError, match="path through the shard"):
        read_shards(path, label="x", overrides={"local_path": "sp"})
    with pytest.raises(UsageError, match="no column 'nothing'"):
        read_shards(path, label="x", overrides={"family": "nothing"})


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.tar.gz", gzip.compress(b"x"), r"unpack it \(gunzip\); a compressed tar cannot be read at random"),
        ("a.tar", gzip.compress(b"x"), "gunzip"),
        ("a.zip", b"PK\x03\x04" + bytes(600), "a zip archive; unpack it"),
        ("a.tar", b"", "empty"),
        ("a.tar", b"<html>" + bytes(1000), "neither a tar nor a Parquet file"),
        ("a.parquet", b"PAR1" + bytes(100) + b"PAR1", "not a whole Parquet file"),
        ("a.parquet", b"PARE" + bytes(100), "encrypted"),
    ],
)
@pytest.mark.parametrize("folder", [True, False])
def test_what_is_no_shard_gets_one_line(tmp_path: Path, name: str, data: bytes, told: str, folder: bool) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=told) as raised:
        read_shards(tmp_path if folder else tmp_path / name, label="x")
    assert "\n" not in str(raised.value)


def test_in_a_folder_what_cannot_be_read_is_kept_aside(tmp_path: Path) -> None:
    write_tar(tmp_path / "b.tar", samples(range(2)))
    (tmp_path / "a.tgz").write_bytes(gzip.compress(b"x"))
    pq.write_table(pa.table({"url": ["http://x/y.jpg"]}), tmp_path / "c.parquet")
    source = read_shards(tmp_path, label="x")
    assert len(rows_of(source)) == 2
    assert [(r.file, r.reason.split(": ", 1)[1][:20]) for r in source.rejects] == [
        ("a.tgz", "compressed with gzip"), ("c.parquet", "no column holds enco"),
    ]  # fmt: skip
    with pytest.raises(SourceError, match="is below it"):
        read_shards(tmp_path.joinpath("empty").mkdir() or tmp_path / "empty", label="x")


def test_members_that_are_no_plain_files_are_rejects(tmp_path: Path) -> None:
    path = tmp_path / "h.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind in (("l.jpg", tarfile.SYMTYPE), ("h.jpg", tarfile.LNKTYPE), ("n.jpg", tarfile.CHRTYPE), ("p.jpg", tarfile.FIFOTYPE)):  # fmt: skip
            told = tarfile.TarInfo(name)
            told.type, told.linkname = kind, "/etc/passwd"
            archive.addfile(told)
        for name in ("/abs.jpg", "../up.jpg", "a/../../up.jpg", "good.jpg", "good.jpg", "./good.jpg", "dir/._x.jpg", "x\n.jpg"):  # fmt: skip
            archive.addfile(tarfile.TarInfo(name))
        told = tarfile.TarInfo("sparse.jpg")
        told.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        archive.addfile(told)
        told = tarfile.TarInfo("huge-header.jpg")
        told.pax_headers = {"comment": "x" * 3_000_000}
        archive.addfile(told)
        archive.addfile(tarfile.TarInfo("last.jpg"))
    source = read_shards(path, label="x")
    assert [r["local_path"] for r in rows_of(source)] == ["h.tar/good.jpg", "h.tar/x\n.jpg", "h.tar/last.jpg"]
    said = "\n".join(r.reason for r in source.rejects)
    for words in (
        "a link",
        "a device",
        "a pipe",
        "absolute",
        "leads upwards",
        "second one of its name",
        "sparse",
        "3,0",
    ):
        assert words in said


def test_a_tar_that_ends_early_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "w.tar", samples(range(5))).read_bytes()
    for cut in (700, len(whole) // 2, 512 * 3):
        path = tmp_path / "cut.tar"
        path.write_bytes(whole[:cut])
        source = read_shards(path, label="x")
        assert 1 <= len(rows_of(source)) < 5
        assert any("cut off" in r.reason for r in source.rejects) or "without an end mark" in str(source.notes)
    (tmp_path / "cut.tar").write_bytes(whole + whole)
    source = read_shards(tmp_path / "cut.tar", label="x")
    assert len(rows_of(source)) == 5
    assert "two archives joined" in source.rejects[0].reason


def test_a_size_beyond_the_end_of_the_file_costs_no_memory(tmp_path: Path) -> None:
    header = tarfile.TarInfo("a.json")
    header.size = 2**60
    image = tarfile.TarInfo("a.jpg")
    (tmp_path / "a.tar").write_bytes(image.tobuf() + header.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    source = read_shards(tmp_path, label="x")
    assert len(rows_of(source)) == 1
    assert {r.reason[-30:] for r in source.rejects}


def test_records_that_cannot_be_read_do_not_cost_the_image(tmp_path: Path) -> None:
    texts = (
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": {"b": [1, {"c": null}]}, "": 1}',
        b'{"catalogNumber": ["x"]}',
    )
    members = [m for i, t in enumerate(texts) for m in ((f"{i}.jpg", b"x"), (f"{i}.json", t))]
    source = read_shards(write_tar(tmp_path / "j.tar", members), label="x")
    assert len(rows_of(source)) == 6
    assert len(source.rejects) == 4
    assert all("taken without it" in r.reason for r in source.rejects)


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_any_damage_is_a_line_or_a_reject(tmp_path: Path, kind: str) -> None:
    chance = random.Random(7)
    if kind == "tar":
        whole = write_tar(tmp_path / "w.tar", samples(range(4))).read_bytes()
    else:
        whole = hugging_face(tmp_path / "w.parquet", [sheet_bytes(n) for n in range(6)]).read_bytes()
    path = tmp_path / f"d.{kind}"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            place = (
                chance.randrange(len(data) - 3000, len(data)) if kind == "parquet" else chance.randrange(1200) // 2 * 2
            )
            data[place] = chance.randrange(256)
        path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        told = ""
        try:
            rows_of(read_shards(path, label="x"))
        except VasculumError as error:
            told = str(error)
        assert "\n" not in told


def test_links_to_files_are_followed_as_in_a_download_cache(tmp_path: Path) -> None:
    write_tar(tmp_path / "blobs" / "abc", samples(range(1)))
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "a.tar").symlink_to("../blobs/abc")
    (tmp_path / "snapshot" / "loop").symlink_to(".")
    (tmp_path / "snapshot" / "b.tar").symlink_to("nothing")
    source = read_shards(tmp_path / "snapshot", label="x")
    assert [r["local_path"] for r in rows_of(source)] == ["a.tar/d/00000.jpg"]
    assert "no such file" in source.rejects[0].reason


def test_a_pax_header_of_many_records_is_read_in_time(tmp_path: Path) -> None:
    records = b"5 a=\n" * 200_000
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(records)
    image = tarfile.TarInfo("a.jpg")
    padding = bytes(-len(records) % 512)
    (tmp_path / "a.tar").write_bytes(header.tobuf() + records + padding + image.tobuf() + bytes(1024))
    assert len(rows_of(read_shards(tmp_path, label="x"))) == 1
    bad = struct.pack("512s", b"99999 a=b\n")
    header.size = 10
    (tmp_path / "a.tar").write_bytes(header.tobuf() + bad + image.tobuf() + bytes(1024))
    with pytest.raises(SourceError, match="damaged at byte 0"):
        read_shards(tmp_path, label="x")


def test_a_record_with_a_label_takes_the_class_of_no_other_sample(tmp_path: Path) -> None:
    members = samples(range(5))
    record = json.dumps({"catalogNumber": "1", "label": "from the record"}).encode()
    members = [(name, record if name == "d/00001.json" else data) for name, data in members]
    members = [(name, data) for name, data in members if name not in ("d/00003.cls", "d/00004.cls")]
    members.append(("d/00003.txt", b"a text"))
    rows = rows_of(read_shards(write_tar(tmp_path / "a.tar", members), label="x"))
    assert [row["label"] for row in rows] == ["oak", "from the record", "oak", "a text", None]
    write_tar(tmp_path / "b.tar", samples(range(2), folder="e/"))
    rows = rows_of(read_shards(tmp_path, label="x"))
    assert [row["label"] for row in rows] == ["oak", "from the record", "oak", "a text", None, "oak", "beech"]


def test_a_class_of_a_later_shard_is_not_lost_to_a_text_of_an_earlier_one(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [("a.jpg", b"1"), ("a.txt", b"a caption")])
    hugging_face(tmp_path / "b.parquet", [sheet_bytes(0), sheet_bytes(1)], txt=["one", "two"])
    rows = rows_of(read_shards(tmp_path, label="x"))
    assert [row["label"] for row in rows] == ["a caption", "Fagus sylvatica", "Quercus robur"]
