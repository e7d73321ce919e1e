"""Folders of images for training: loaded by `datasets` and `webdataset`, whole or not there, nobody's name forgotten."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any, BinaryIO

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image

from sheets import run_command, sheet_bytes
from vasculum import Corpus, StoreError, Study, UsageError, export
from vasculum.exports.chosen import asks_for_restricted
from vasculum.exports.gathering import in_shards
from vasculum.exports.names import MOST_BYTES
from vasculum.store import disk
from vasculum.store.replacing import MARK

KINDS = ("imagefolder", "webdataset", "huggingface")
FAMILIES = ("Abies", "ABIES", "con", "../x", "test")
LICENCES = {
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "by": "https://creativecommons.org/licenses/by/4.0/",
}


def make_study(folder: Path, rows: list[dict[str, str]], *processors: Any) -> Study:
    """A study of these rows; where a row names a picture in `bytes`, the file is written."""
    (folder / "sheets").mkdir(parents=True)
    columns = [
        "catalogNumber",
        "family",
        "eventDate",
        "accessURI",
        "license",
        "rightsHolder",
        "references",
        "typeStatus",
    ]
    with (folder / "sheets" / "t.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        for number, row in enumerate(rows):
            (folder / "sheets" / f"{number}.jpg").write_bytes(row.get("bytes") or sheet_bytes(number))  # type: ignore[arg-type]
            table.writerow({"accessURI": f"{number}.jpg", **row})
    corpus = Corpus.create(folder / "corpus")
    corpus.collect("table", folder / "sheets" / "t.csv")
    corpus.fetch()
    return corpus.apply(*(processors or ("color",)), out=folder / "study")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    rows = [
        {"catalogNumber": f"0045{n:04d}", "family": FAMILIES[n % 5], "eventDate": f"1901-05-{n + 1:02d}", "license": LICENCES["by" if n % 2 else "cc0"],
         "rightsHolder": "A <b>herbarium</b>\n# yes", "references": f"https://example.org/{n}"}
        for n in range(15)
    ]  # fmt: skip
    rows[3] |= {"catalogNumber": "00450002", "license": "All rights reserved"}
    rows[4] |= {"license": ""}
    rows[5] |= {"bytes": b"no picture"}  # type: ignore[dict-item]
    rows[6] |= {"catalogNumber": "US:Botany/00.45"}
    rows[7] |= {"catalogNumber": "us:botany/00.45"}
    rows[8] |= {"catalogNumber": "nul"}
    return make_study(tmp_path_factory.mktemp("layouts"), rows)


def wanted(study: Study) -> dict[str, dict[str, Any]]:
    """The rows that go into a layout, by media id."""
    found = study.sql("SELECT * FROM joined WHERE status = 'ok' AND license_id <> 'restricted'").to_pylist()
    assert len(found) == 13
    return {row["media_id"]: row for row in found}


def attribution(out: Path) -> list[dict[str, str]]:
    with (out / "ATTRIBUTION.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names_in(tar: str) -> list[str]:
    with tarfile.open(tar) as opened:
        return opened.getnames()


def picture(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def check_rows(study: Study, loaded: list[dict[str, Any]], key: str = "image") -> None:
    """Every wanted image is there once, with its pixels and its row, zeros kept."""
    rows, originals = wanted(study), dict(study.corpus.image_bytes(list(wanted(study))))
    assert sorted(row["media_id"] for row in loaded) == sorted(rows)
    for row in loaded:
        full = rows[row["media_id"]]
        for name in (
            "catalogNumber",
            "family",
            "license_id",
            "year",
            "color_lightness",
            "color_hue",
            "record_keys",
            "records",
        ):
            assert row[name] == full[name], name
        assert np.array_equal(np.asarray(row[key].convert("RGB")), picture(originals[row["media_id"]]))


def test_datasets_loads_the_image_folder(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(study, "imagefolder", out) == 13
    loaded = datasets.load_dataset("imagefolder", data_dir=str(out), cache_dir=str(tmp_path / "cache"), split="train")
    check_rows(study, list(loaded))
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text("utf-8").splitlines()]
    originals = dict(study.corpus.image_bytes([line["media_id"] for line in lines]))
    assert all((out / line["file_name"]).read_bytes() == originals[line["media_id"]] for line in lines)
    assert {line["eventDate"] for line in lines} == {row["eventDate"] for row in wanted(study).values()}
    names = {path.name.casefold() for path in (out / "images").iterdir() if "otany" in path.name}
    assert names == {"us_botany_00_45.jpg", "us_botany_00_45_2.jpg"}


def test_labels_are_folders_with_safe_names(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(study, "imagefolder", out, label="family") == 13
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text("utf-8").splitlines()]
    folder_of = {line["label"]: line["file_name"].split("/")[0] for line in lines}
    assert set(folder_of) == set(FAMILIES)
    assert len({name.casefold() for name in folder_of.values()}) == 5
    assert {folder_of["con"], folder_of["../x"], folder_of["test"]} == {"con_", "_._x", "Test"}
    assert all(line["label"] == line["family"] for line in lines)
    assert {path.name for path in out.iterdir() if path.is_dir()} == set(folder_of.values())
    assert sorted(line["file_name"] for line in lines) == sorted(
        path.relative_to(out).as_posix() for path in out.rglob("*.jpg")
    )
    loaded = datasets.load_dataset("imagefolder", data_dir=str(out), cache_dir=str(tmp_path / "cache"))
    check_rows(study, list(loaded["train"]))
    stems = [line["file_name"].rpartition("/")[2] for line in lines]
    assert "nul_.jpg" in stems
    assert all("." not in name.removesuffix(".jpg") and len(name) < MOST_BYTES for name in stems)


def test_webdataset_loads_the_shards(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(study, "webdataset", out, label="family", shards=3) == 13
    shards = sorted(str(path) for path in out.glob("*.tar"))
    assert [Path(shard).name for shard in shards] == ["00000.tar", "00001.tar", "00002.tar"]
    loaded = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil"))
    check_rows(study, [{**sample["json"], "jpg": sample["jpg"]} for sample in loaded], "jpg")
    classes = json.loads((out / "classes.json").read_text("utf-8"))
    assert classes == sorted(FAMILIES)
    assert all(classes[sample["cls"]] == sample["txt"] == sample["json"]["family"] for sample in loaded)
    assert all("." not in sample["__key__"] for sample in loaded)
    files = [row["file"] for row in attribution(out)]
    members = [f"{Path(shard).name}/{name}" for shard in shards for name in names_in(shard)]
    assert files == [name for name in members if name.endswith(".jpg")]
    sizes = [Path(shard).stat().st_size for shard in shards]
    assert max(sizes) < 1.6 * min(sizes)


def test_datasets_loads_the_hugging_face_folder(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(study, "huggingface", out, label="family", shards=2) == 13
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"), split="train")
    assert isinstance(loaded.features["image"], datasets.Image)
    assert loaded.features["label"].names == sorted(FAMILIES)
    check_rows(study, list(loaded))
    assert all(loaded.features["label"].int2str(row["label"]) == row["family"] for row in loaded)
    assert [row["media_id"] for row in loaded] == [row["media_id"] for row in attribution(out)]
    assert [path.name for path in sorted((out / "data").iterdir())] == [
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]
    assert "license: other" in (out / "README.md").read_text("utf-8")
    export(study, "huggingface", tmp_path / "cc0", where="license_id = 'CC0-1.0'")
    assert (tmp_path / "cc0" / "README.md").read_text("utf-8").startswith("---\nlicense: cc0-1.0\n")


def test_vectors_lists_and_truth_values_come_through_hugging_face(tmp_path: Path) -> None:
    code = tmp_path / "odd.py"
    code.write_text(
        "from vasculum import processor, Pixels, Vector, ListOf, Text, Boolean\n"
        "@processor(Pixels(32), gives={'vector': Vector(2), 'words': ListOf(Text()), 'sure': Boolean()})\n"
        "def odd(pixels):\n    n = len(pixels)\n"
        "    return {'vector': [[0.5, 1.0]] * n, 'words': [['00', 'b']] * n, 'sure': [True] * n}\n"
    )
    found = make_study(tmp_path / "s", [{"catalogNumber": "1", "license": "CC0"}], f"{code}:odd")
    export(found, "huggingface", tmp_path / "out", label="odd_sure")
    (row,) = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"), split="train")
    assert (row["odd_vector"], row["odd_words"], row["odd_sure"], row["label"]) == ([0.5, 1.0], ["00", "b"], True, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_images_can_be_made_smaller(study: Study, tmp_path: Path, kind: str) -> None:
    export(study, kind, tmp_path / "out", size=60)  # type: ignore[arg-type]
    if kind == "imagefolder":
        images = [path.read_bytes() for path in (tmp_path / "out").rglob("*.jpg")]
    elif kind == "webdataset":
        images = [
            sample["jpg"] for sample in webdataset.WebDataset(str(tmp_path / "out" / "00000.tar"), shardshuffle=False)
        ]
    else:
        images = [
            row["bytes"] for row in pq.read_table(next((tmp_path / "out" / "data").iterdir()))["image"].to_pylist()
        ]
    assert [picture(image).shape for image in images] == [(60, 40, 3)] * 13


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_folder_and_another_another_order(study: Study, tmp_path: Path, kind: str) -> None:
    for name, seed in (("a", None), ("b", 0), ("c", 1)):
        export(study, kind, tmp_path / name, seed=seed)  # type: ignore[arg-type]
    files = [
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file() and path.name != MARK
        }
        for name in "abc"
    ]
    assert files[0] == files[1]
    orders = [[row["media_id"] for row in attribution(tmp_path / name)] for name in "abc"]
    assert orders[0] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    import hashlib

    assert orders[2] == sorted(
        orders[2], key=lambda media_id: hashlib.md5(f"shuffle:1:{media_id}".encode()).hexdigest()
    )
    export(study, kind, tmp_path / "d", sort="-catalogNumber")  # type: ignore[arg-type]
    numbers = [row["catalogNumber"] for row in attribution(tmp_path / "d")]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_is_named_and_what_is_left_out_is_listed(study: Study, tmp_path: Path, kind: str) -> None:
    told: list[str] = []
    out = tmp_path / "out"
    export(study, kind, out, told=told.append)  # type: ignore[arg-type]
    rows = wanted(study)
    for row in attribution(out):
        full = rows[row["media_id"]]
        assert (row["credit_line"], row["license_id"], row["record_page"]) == (
            full["credit_line"],
            full["license_id"],
            full["record_page"],
        )
    page = (out / "ATTRIBUTION.md").read_text("utf-8")
    assert page.startswith("# Attribution\n\n**1 images: LICENCE UNKNOWN")
    assert page.count("\n- ") == 13
    assert "<b>" not in page.replace("\\<b", "")
    assert "| CC0-1.0 | 7 |" in page
    with (out / "left_out.csv").open(newline="", encoding="utf-8") as file:
        left = {row["catalogNumber"]: row["reason"] for row in csv.DictReader(file)}
    assert left == {"00450002": "restricted licence", "00450005": "not_an_image"}
    assert any("1 images: LICENCE UNKNOWN" in line for line in told)
    assert any(line.startswith("2 images are left out: ") and "1 restricted licence" in line for line in told)
    hint = next(line for line in told if "--where" in line)
    where = hint.split('--where "')[1].rstrip('"')
    mark = json.loads((out / MARK).read_text("utf-8"))
    assert (mark["images"], mark["left_out"]) == (13, {"restricted licence": 1, "not_an_image": 1})
    assert export(study, kind, tmp_path / "all", where=where, told=told.append) == 14  # type: ignore[arg-type]
    assert "ALL RIGHTS RESERVED" in (tmp_path / "all" / "ATTRIBUTION.md").read_text("utf-8")


def test_an_image_that_changed_or_went_is_left_out_and_said(tmp_path: Path) -> None:
    rows = [{"catalogNumber": str(n), "license": "CC0"} for n in range(4)]
    (tmp_path / "s" / "sheets").mkdir(parents=True)
    for number in range(4):
        (tmp_path / "s" / "sheets" / f"{number}.jpg").write_bytes(sheet_bytes(number))
    with (tmp_path / "s" / "sheets" / "t.csv").open("w", encoding="utf-8") as file:
        file.write(
            "catalogNumber,accessURI,license\n"
            + "".join(f"{row['catalogNumber']},{n}.jpg,CC0\n" for n, row in enumerate(rows))
        )
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("table", tmp_path / "s" / "sheets" / "t.csv")
    corpus.fetch(in_place=True)
    found = corpus.apply("color", out=tmp_path / "study")
    (tmp_path / "s" / "sheets" / "1.jpg").unlink()
    (tmp_path / "s" / "sheets" / "2.jpg").write_bytes(sheet_bytes(99))
    for kind in KINDS:
        out = tmp_path / kind
        assert export(found, kind, out) == 2  # type: ignore[arg-type]
        with (out / "left_out.csv").open(newline="", encoding="utf-8") as file:
            left = {row["catalogNumber"]: row["reason"] for row in csv.DictReader(file)}
        assert left == {"1": "not_found", "2": "hash_mismatch"}
        assert {row["catalogNumber"] for row in attribution(out)} == {"0", "3"}


def test_what_cannot_be_is_said_in_one_line_and_leaves_nothing(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options, told in [
        ({"label": "famly"}, "--label famly: there is no such column (did you mean family"),
        ({"label": "color_lightness"}, "--label color_lightness: is double; a label is a text"),
        ({"columns": ["label"], "label": "family"}, "--columns label: the layout has a column"),
        ({"columns": ["famly"]}, "did you mean family"),
        ({"where": "family = 'none'"}, "no row meets"),
        ({"where": "manifest.famly = 'none'"}, "has no column 'famly'"),
        ({"where": "license_id IS NULL OR family = 'ABIES' AND status <> 'ok'"}, "no row meets"),
        ({"sort": "family", "seed": 1}, "exclude each other"),
        ({"label": "typeStatus"}, "no image is left to write (13 no label"),
        ({"shards": 2}, "--shards is for --as webdataset or huggingface, not for imagefolder"),
        ({"bom": True}, "--bom is for --as csv"),
    ]:
        with pytest.raises(UsageError) as raised:
            export(study, "imagefolder", out, **options)  # type: ignore[arg-type]
        assert told in str(raised.value)
    for place, told in [
        (Path("-"), "standard output"),
        (tmp_path / "no" / "out", "there is no folder"),
        (tmp_path / ".." / "..", "Name a new one"),
    ]:
        with pytest.raises(UsageError, match=told):
            export(study, "webdataset", place)
    assert list(tmp_path.iterdir()) == []


def test_only_an_earlier_export_is_overwritten(study: Study, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="holds other things than an export"):
        export(study, "imagefolder", mine, overwrite=True)
    export(study, "imagefolder", tmp_path / "out")
    with pytest.raises(UsageError, match="exists already"):
        export(study, "imagefolder", tmp_path / "out")
    export(study, "webdataset", tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "images").exists()
    assert (tmp_path / "out" / "00000.tar").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


@pytest.mark.parametrize(
    "where",
    [
        "license_id = 'restricted'",
        "family = 'Abies' AND manifest.license_id='restricted'",
        "\"license_id\" IN ('CC0-1.0', 'restricted')",
        "license_id in ('restricted', 'it''s', 'unknown') and family is not null and genus not like 'x%'",
    ],
)
def test_restricted_images_are_asked_for_by_their_licence(where: str) -> None:
    assert asks_for_restricted(where)


@pytest.mark.parametrize(
    "where",
    [
        None,
        "true",
        "locality <> 'restricted'",
        "locality = 'restricted'",
        "my_license_id = 'restricted'",
        "license_id <> 'restricted'",
        "license_id != 'restricted'",
        "license_id NOT IN ('restricted')",
        "NOT license_id = 'restricted'",
        "NOT (family = 'x' AND license_id IN ('restricted'))",
        "(license_id = 'restricted') IS NULL OR true",
        "(license_id = 'restricted') = false",
        "false = (license_id = 'restricted')",
        "true -- license_id = 'restricted'",
        "locality <> 'license_id = ''restricted'' '",
        "locality <> $$license_id = 'restricted'$$",
        "locality = 'license_id = ' || 'restricted'",
        "license_id LIKE '%'",
    ],
)
def test_other_conditions_do_not_let_restricted_images_out(where: str | None) -> None:
    assert not asks_for_restricted(where)


def test_a_place_called_restricted_lets_no_restricted_image_out(study: Study, tmp_path: Path) -> None:
    export(study, "imagefolder", tmp_path / "out", where="coalesce(family, '') <> 'restricted'")
    assert "restricted" not in {row["license_id"] for row in attribution(tmp_path / "out")}
    with pytest.raises(UsageError, match=r"1 restricted licence.*license_id IN \('restricted'\)"):
        export(study, "imagefolder", tmp_path / "two", where="license_id LIKE 'restr%'")


def test_a_label_may_be_called_like_any_file_of_the_export(tmp_path: Path) -> None:
    names = [MARK, "classes.json", "metadata.jsonl", "README.md", "left_out.csv", "ATTRIBUTION.csv", "work", "images"]
    rows = [{"catalogNumber": str(n), "family": name, "license": "CC0"} for n, name in enumerate(names)]
    out = tmp_path / "out"
    assert export(make_study(tmp_path / "s", rows), "imagefolder", out, label="family") == len(names)
    assert json.loads((out / MARK).read_text("utf-8"))["images"] == len(names)
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text("utf-8").splitlines()]
    assert sorted(line["label"] for line in lines) == sorted(names)
    assert all((out / line["file_name"]).is_file() for line in lines)


def test_an_export_set_aside_by_a_writer_that_was_killed_is_to_be_renamed_back(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(study, "imagefolder", out)
    aside, unfinished = tmp_path / ".out.0123abcd.old", tmp_path / ".out.89ab4567.tmp"
    out.rename(aside)  # as a kill between the two renames leaves it
    unfinished.mkdir()
    told: list[str] = []
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="Rename it back") as raised:
            export(study, "imagefolder", out, overwrite=overwrite, told=told.append)
        assert str(aside) in str(raised.value)
        assert "delete" not in str(raised.value)
    assert not told
    assert (aside / MARK).is_file()
    aside.rename(out)
    export(study, "imagefolder", out, overwrite=True, told=told.append)
    assert [line for line in told if "delete it" in line] == [
        f"note: {unfinished} is what a stopped export left behind; nothing reads it, delete it."
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_one_line_and_leaves_what_was_there(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    out = tmp_path / "out"
    export(study, "imagefolder", out)
    before = sorted(path.name for path in out.rglob("*"))
    calls, write = [0], disk.write

    def full(file: BinaryIO, data: bytes) -> None:
        calls[0] += 1
        if calls[0] > 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, data)

    monkeypatch.setattr(disk, "write", full)
    with pytest.raises(StoreError, match="the disk is full"):
        export(study, kind, out, overwrite=True)  # type: ignore[arg-type]
    assert sorted(path.name for path in out.rglob("*")) == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_no_folder(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import sys, time\nfrom vasculum.store import disk\nfrom vasculum import Study, export\nwrite = disk.write\n"
        "def slow(file, data):\n    write(file, data)\n    print('written', flush=True)\n    time.sleep(0.2)\n"
        "disk.write = slow\nexport(Study.open(sys.argv[1]), sys.argv[2], sys.argv[3])\n"
    )
    for kind in KINDS:
        started = subprocess.Popen(
            [sys.executable, "-c", code, study.path, kind, out], stdout=subprocess.PIPE, env=os.environ
        )
        assert started.stdout is not None
        for _ in range(6):
            assert started.stdout.readline()
        started.send_signal(signal.SIGKILL)
        started.wait()
        started.stdout.close()
        assert not out.exists()
        told: list[str] = []
        assert export(study, kind, out, told=told.append) == 13  # type: ignore[arg-type]
        assert sum("what a stopped export left behind" in line for line in told) == len(
            list(tmp_path.glob(".out.*.tmp"))
        )
        export(study, kind, out, overwrite=True)  # type: ignore[arg-type]
        out.rename(tmp_path / kind)


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(study: Study, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom vasculum.store import disk\nwrite = disk.write\n"
        "def slow(file, data):\n    write(file, data)\n    print('written', flush=True)\n    time.sleep(0.2)\n"
        "disk.write = slow\nfrom vasculum.cli.main import main\nsys.argv[0] = 'vasculum'\nmain()\n"
    )
    words = [sys.executable, "-c", code, "export", study.path, tmp_path / "out", "--as", "huggingface", "--size", "50"]
    started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    assert started.stdout is not None
    for _ in range(4):
        assert started.stdout.readline()
    began = time.monotonic()
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=60)
    assert started.returncode == 130
    assert time.monotonic() - began < 20
    assert told.decode().strip().startswith("error: interrupted.")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(study: Study, tmp_path: Path) -> None:
    done = run_command("export", study.path, tmp_path / "out", "--as", "imagefolder", "--label", "family", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kind"], told["rows"], told["left_out"]["restricted licence"]) == ("imagefolder", 13, 1)
    assert "LICENCE UNKNOWN" in done.stderr
    done = run_command("export", study.path, tmp_path / "a.xlsx")
    assert done.stderr == f"15 rows written to {tmp_path / 'a.xlsx'}\n"
    done = run_command("export", study.path, tmp_path / "a.csv", "--bom")
    assert "catalogNumber: the zeros (such as catalogNumber 0045" in done.stderr
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfmedia_id,")
    done = run_command("export", study.path, tmp_path / "folder")
    assert done.returncode == 2
    assert "Say it with --as: xlsx" in done.stderr
    done = run_command(
        "export",
        study.path,
        "-",
        "--as",
        "csv",
        "--columns",
        "catalogNumber",
        "--where",
        "manifest.family = 'con' AND results.status = 'ok'",
    )
    assert done.stdout.startswith("catalogNumber\n")
    assert len(done.stdout.splitlines()) == 4


def test_shards_are_as_near_to_equal_as_whole_images_allow() -> None:
    lengths = np.random.default_rng(0).integers(1, 1000, 500)
    ends = in_shards(lengths, 7)
    sizes = [part.sum() for part in np.split(lengths, ends[:-1])]
    assert max(sizes) - min(sizes) < 2000
    assert in_shards(np.array([10**9, 1, 1]), 3) == [1, 2, 3]
    assert in_shards(np.array([1, 1, 10**9]), 3) == [1, 2, 3]
    assert in_shards(np.array([5]), 1) == [1]
