"""The rows that are packed into a report: all of them, exact or said to be cut, and a few for a browser without a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stored_study import Make, media_id
from test_report import opened

from vasculum.processing.types import Boolean, Float, Integer, ListOf, Text, Vector
from vasculum.report import rows as rows_of


def column(page: Any, name: str) -> list[Any]:
    found = next(one for one in page.rows()["columns"] if one["name"] == name)
    if "labels" not in found:
        return list(found["values"])
    return [None if at is None else found["labels"][at] for at in found["values"]]


def make_study(make: Make, n: int = 60) -> Any:
    columns = {
        "a_score": Float(missing=True), "a_whole": Integer(), "a_good": Boolean(), "a_word": Text(),
        "b_vector": Vector(2), "b_list": ListOf(Text()),
    }  # fmt: skip
    manifest = [
        {
            "media_id": media_id(i), "catalogNumber": f"{i:06}", "family": [None, "Rosaceae", "Fagaceae"][i % 3],
            "genus": "Genus", "local_path": f"drive/{i}.jpg",
        }
        for i in range(n)
    ]  # fmt: skip
    results = [
        {
            "media_id": media_id(i), "status": "ok", "a_score": None if i == 5 else i / 7, "a_whole": 2**60 + i,
            "a_good": i % 2 == 0, "a_word": "x" * 300 if i == 4 else f"word {i}", "b_vector": [1, 2], "b_list": ["a"],
        }
        for i in range(n)
    ]  # fmt: skip
    return make(columns, manifest, results)


def test_every_row_is_in_the_page_with_all_its_digits(make: Make, tmp_path: Path) -> None:
    page = opened(make_study(make), tmp_path)
    assert page.rows()["rows"] == 60
    by_number = dict(zip(column(page, "catalogNumber"), column(page, "a_score"), strict=True))
    assert by_number == {f"{i:06}": None if i == 5 else i / 7 for i in range(60)}
    assert sorted(column(page, "a_whole")) == sorted(str(2**60 + i) for i in range(60))
    assert set(column(page, "a_good")) == {0, 1}
    assert sorted(map(len, column(page, "a_word")))[-1] == rows_of.MOST_TEXT
    assert "Vectors, lists and pictures are not in this table: b_vector, b_list." in page.text


def test_rows_stand_in_cabinet_order_without_a_family_last(make: Make, tmp_path: Path) -> None:
    page = opened(make_study(make), tmp_path)
    families = column(page, "family")
    assert families == ["Fagaceae"] * 20 + ["Rosaceae"] * 20 + [None] * 20
    numbers = column(page, "catalogNumber")
    assert numbers[:20] == sorted(numbers[:20])


def test_hybrids_and_accents_stand_where_a_person_looks_for_them(make: Make, tmp_path: Path) -> None:
    plants = [
        ("Fagaceae", "Quercus robur"), ("Fagaceae", "Quercus × rosacea"), ("Fagaceae", "Quercus x hispanica"),
        ("Fagaceae", "Quercus ×bebbiana"), ("Rosaceae", "×Sorbaronia alpina"), ("Rosaceae", "Rosa canina"),
        ("Éricaceae", "Erica cinerea"), ("Ericaceae", "Érica alba"), ("ebenaceae", "Diospyros kaki"),
    ]  # fmt: skip
    manifest = [
        {"media_id": media_id(i), "catalogNumber": str(i), "family": family, "scientificName": name}
        for i, (family, name) in enumerate(plants)
    ]
    results = [{"media_id": media_id(i), "status": "ok", "a_x": 1.0} for i in range(len(plants))]
    page = opened(make({"a_x": Float()}, manifest, results), tmp_path)
    assert column(page, "scientificName") == [
        "Diospyros kaki", "Érica alba", "Erica cinerea", "Quercus ×bebbiana", "Quercus x hispanica", "Quercus robur",
        "Quercus × rosacea", "Rosa canina", "×Sorbaronia alpina",
    ]  # fmt: skip


def test_files_and_catalogue_numbers_are_whole_and_what_is_cut_is_said(make: Make, tmp_path: Path) -> None:
    long, number, place = "f/" * 600 + "é.jpg", "n" * 300, "é" * 201
    columns = {"a_word": Text(), "a_other": Text()}
    manifest = [
        {"media_id": media_id(0), "catalogNumber": number, "local_path": long, "scientificName": place},
        {"media_id": media_id(1), "catalogNumber": "y" * 5000, "local_path": "b.jpg", "scientificName": "é" * 200},
    ]
    results = [
        {"media_id": media_id(i), "status": "ok", "a_word": "w" * 200, "a_other": "o" * (200 + i)} for i in range(2)
    ]
    page = opened(make(columns, manifest, results), tmp_path)
    assert long in column(page, "file")
    assert number in column(page, "catalogNumber")
    assert sorted(column(page, "scientificName")) == sorted(["é" * 199 + "…", "é" * 200])
    assert set(column(page, "a_word")) == {"w" * 200}
    assert set(column(page, "a_other")) == {"o" * 199 + "…", "o" * 200}
    assert "end there with …: catalogNumber, scientificName, a_other." in page.text
    assert "Lists are saved as CSV, with the long texts of catalogNumber, scientificName, a_other cut." in page.text


def test_nothing_is_said_to_be_cut_where_nothing_is(make: Make, tmp_path: Path) -> None:
    results = [{"media_id": media_id(0), "status": "ok", "a_word": "w"}]
    page = opened(make({"a_word": Text()}, [{"media_id": media_id(0)}], results), tmp_path)
    assert "Long texts are cut" not in page.text
    assert "Lists are saved as CSV. Opened in Excel, a CSV loses the zeros" in page.text


def test_fifty_rows_are_there_without_a_script(make: Make, tmp_path: Path) -> None:
    page = opened(make_study(make), tmp_path)
    assert "The first 50 of 60. With scripts allowed" in page.text
    raw = (tmp_path / "report.html").read_text("utf-8")
    body = raw[raw.index('<tbody id="rows">') : raw.index('id="packed"')]
    assert body.count("<tr>") == 50
    assert "drive/2.jpg" in body


def test_more_rows_than_a_page_may_hold_are_said(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_of, "MOST_ROWS", 10)
    page = opened(make_study(make), tmp_path)
    assert "This is a part: 10 of 60 rows, those with the highest a_score." in page.text
    assert "vasculum export writes all of them to a file." in page.text
    assert sorted(column(page, "a_score")) == [i / 7 for i in range(50, 60)]


def test_digits_that_are_left_out_are_said(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_of, "MOST_EXACT", 10)
    page = opened(make_study(make), tmp_path)
    assert "Numbers that are not whole have 7 digits here" in page.text
    assert 0.1428571 in column(page, "a_score")
