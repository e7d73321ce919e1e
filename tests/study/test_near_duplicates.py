"""Which images of a study look nearly the same is a question to its results."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from sheets import sheet_bytes, write_sheets
from vasculum import Corpus, SubsetError


def test_a_re_encoded_copy_is_found_and_others_are_not(tmp_path: Path) -> None:
    table = write_sheets(tmp_path / "sheets", 6)
    copy = io.BytesIO()
    Image.open(io.BytesIO(sheet_bytes(2))).resize((128, 192)).save(copy, "JPEG", quality=60)
    (tmp_path / "sheets" / "00005.jpg").write_bytes(copy.getvalue())
    corpus = Corpus.create(tmp_path / "corpus")
    corpus.collect("table", table)
    corpus.fetch()
    study = corpus.apply("phash", out=tmp_path / "study")
    names = {row["media_id"]: row["local_path"] for row in corpus.manifest().to_pylist()}
    found = study.near_duplicates().to_pylist()
    assert {names[row["media_id"]] for row in found} == {"00002.jpg", "00005.jpg"}
    assert {row["group"] for row in found} == {0}
    assert study.near_duplicates(0).num_rows in (0, 2)
    with pytest.raises(SubsetError, match="Apply phash to it first"):
        corpus.apply("color", out=tmp_path / "other").near_duplicates()
