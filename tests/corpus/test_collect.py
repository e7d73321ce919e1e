"""Collect: what becomes of a table's or folder's rows in the manifest."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sheets import make_corpus, sheet_bytes, write_sheets
from vasculum import Corpus, StoreError, UsageError


def write_table(path: Path, header: str, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_zeros_survive_from_the_table_to_the_export(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.jpg").write_bytes(sheet_bytes())
    table = write_table(tmp_path / "t" / "t.csv", "catalogNumber,accessURI,recordNumber", "00457728,a.jpg,0012")
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("table", table)
    corpus.fetch()
    study = corpus.apply("color", out=tmp_path / "s")
    from vasculum.exports.export import export

    export(study, "csv", tmp_path / "out.csv", columns=["catalogNumber", "recordNumber", "color_lightness"])
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert row["catalogNumber"] == "00457728"
    assert row["recordNumber"] == "0012"
    assert float(row["color_lightness"]) > 0


def test_collecting_again_adds_nothing_and_changed_rows_move_to_history(tmp_path: Path) -> None:
    table = write_sheets(tmp_path / "sheets", 8)
    corpus = Corpus.create(tmp_path / "c")
    assert corpus.collect("table", table).new == 8
    files = sorted((tmp_path / "c" / "manifest").iterdir())
    again = corpus.collect("table", table)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 8)
    assert sorted((tmp_path / "c" / "manifest").iterdir()) == files
    text = table.read_text()
    table.write_text(
        text.replace("Plant number 3", "Another plant") + text.splitlines()[1].replace("00000.jpg", "new.jpg") + "\n"
    )
    more = corpus.collect("table", table)
    assert (more.new, more.changed, more.unchanged) == (1, 1, 7)
    manifest = corpus.manifest().to_pylist()
    assert len(manifest) == 9
    assert sum(row["scientificName"] == "Another plant" for row in manifest) == 1
    history = [row for file in (tmp_path / "c" / "history").iterdir() for row in pq.read_table(file).to_pylist()]
    assert [row["scientificName"] for row in history] == ["Plant number 3"]
    assert len(list((tmp_path / "c" / "manifest").iterdir())) == 1


def test_many_records_of_one_medium_all_stand_in_it(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "t.csv",
        "occurrenceID,accessURI,scientificName,catalogNumber",
        "o-1,https://example.org/1.jpg,Acer a,1",
        "o-2,https://example.org/1.jpg,Acer b,2",
        "o-3,https://example.org/2.jpg,Acer c,3",
        "o-2,https://example.org/1.jpg,Acer b,2",
    )
    corpus = Corpus.create(tmp_path / "c")
    collected = corpus.collect("table", table)
    assert (collected.media, collected.several_records) == (2, 1)
    one, two = sorted(corpus.manifest().to_pylist(), key=lambda row: row["accessURI"])
    assert one["scientificName"] == "Acer a"
    assert one["record_keys"] == ["o-1", "o-2"]
    assert [record["scientificName"] for record in one["records"]] == ["Acer a", "Acer b"]
    assert two["records"] is None


def test_ids_do_not_change_when_a_folder_is_mounted_elsewhere(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 5, fetch=False)
    ids = corpus.manifest()["media_id"].to_pylist()
    shutil.move(tmp_path / "sheets", tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"its folder .* is not there"):
        corpus.fetch()
    assert corpus.fetch(roots={"records": tmp_path / "elsewhere"}).counts == {"ok": 5}
    again = corpus.collect("table", tmp_path / "elsewhere" / "records.csv", root=tmp_path / "elsewhere")
    assert (again.new, again.unchanged) == (0, 5)
    assert corpus.manifest()["media_id"].to_pylist() == ids
    with pytest.raises(UsageError, match="there is no such source"):
        corpus.fetch(roots={"recodrs": tmp_path})


def test_another_table_of_the_same_name_is_not_taken_for_the_first(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 3, fetch=False)
    other = write_sheets(tmp_path / "other", 3)
    with pytest.raises(UsageError, match="the corpus has a source 'records' already"):
        corpus.collect("table", other)
    assert corpus.collect("table", other, label="other").new == 3


def test_a_folder_is_read_and_never_written(tmp_path: Path) -> None:
    source = tmp_path / "scans"
    for name in ("Quercus/a.jpg", "Quercus/b.tif", "Acer/c.png", ".hidden.jpg", "Thumbs.db", "Acer/notes.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        kind = {"tif": "TIFF", "png": "PNG"}.get(name[-3:], "JPEG")
        (source / name).write_bytes(sheet_bytes(len(name), kind=kind))
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    corpus = Corpus.create(tmp_path / "c")
    assert corpus.collect("folder", source, labels=True).new == 3
    corpus.fetch()
    assert {row["label"] for row in corpus.manifest().to_pylist()} == {"Quercus", "Acer"}
    assert {row["image_type"] for row in corpus.images().to_pylist()} == {"image/jpeg", "image/tiff", "image/png"}
    assert {path: path.stat().st_mtime_ns for path in source.rglob("*")} == before


def test_a_folder_mounted_elsewhere_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 3)
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", tmp_path / "scans")
    ids = corpus.manifest()["media_id"].to_pylist()
    shutil.move(tmp_path / "scans", tmp_path / "mount")
    with pytest.raises(UsageError, match="add --label scans"):
        corpus.collect("folder", tmp_path / "mount")
    assert corpus.collect("folder", tmp_path / "scans", root=tmp_path / "mount").unchanged == 3
    assert corpus.collect("folder", tmp_path / "mount", label="scans").unchanged == 3
    assert corpus.manifest()["media_id"].to_pylist() == ids
    assert corpus.fetch().counts == {"ok": 3}


def test_every_other_term_is_kept_and_the_licence_is_told_with_its_field(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "t.csv",
        "accessURI,dcterms:license,dwc:habitat,My own column",
        "https://example.org/1.jpg,http://creativecommons.org/licenses/by-nc/4.0/,wet meadow,=1+1",
    )
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("table", table)
    row = corpus.manifest().to_pylist()[0]
    assert row["license_id"] == "CC-BY-NC-4.0"
    assert "license" in row["license_from"]
    assert json.loads(row["terms_json"]) == {"dwc:habitat": "wet meadow", "My own column": "=1+1"}
    assert json.loads(row["rights_raw"]) == {"dcterms:license": "http://creativecommons.org/licenses/by-nc/4.0/"}


def test_rejected_rows_are_kept_with_their_lines_and_replaced_by_the_next_collect(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "t.csv", "accessURI,year", "https://example.org/1.jpg,1900", ",1901", "https://example.org/2.jpg,x"
    )
    corpus = Corpus.create(tmp_path / "c")
    for _ in range(2):
        collected = corpus.collect("table", table)
        assert (collected.media, collected.rejected) == (2, 1)
        rejects = [row for file in (tmp_path / "c" / "rejects").iterdir() for row in pq.read_table(file).to_pylist()]
        assert [(row["line"], row["reason"]) for row in rejects] == [(3, "no image address")]
    years = {row["year"] for row in corpus.manifest().to_pylist()}
    assert years == {1900, None}
