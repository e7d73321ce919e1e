"""Which pictures go into a page, and in what form."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from stored_study import Make, jpeg, media_id

from vasculum.processing.types import Float, Picture
from vasculum.report.report import write_report
from vasculum.study.thumbnails import MOST_BYTES, media_type


def rows(n: int) -> tuple[list[Any], list[Any]]:
    manifest = [{"media_id": media_id(i), "catalogNumber": f"0{i}"} for i in range(n)]
    results = [{"media_id": media_id(i), "status": "ok", "a_x": float(i)} for i in range(n)]
    return manifest, results


def pictures_of(study: Any, tmp_path: Path) -> list[bytes]:
    page = write_report(study, tmp_path / "report.html").read_text("utf-8")
    return [base64.b64decode(found) for found in re.findall(r'src="data:image/\w+;base64,([^"]*)"', page)]


def noise(width: int, height: int) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 250, (height, width, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=95)
    return written.getvalue()


def test_the_studys_own_thumbnails_are_used_as_they_are(make: Make, tmp_path: Path) -> None:
    own = {media_id(i): jpeg((i, 140, 60)) for i in range(5)}
    columns = {"a_x": Float(), "thumbnail_image": Picture()}
    study = make(columns, *rows(5), pictures={"thumbnail_image": own})
    assert pictures_of(study, tmp_path) == [own[media_id(i)] for i in (4, 3, 2, 1, 0)]


def test_a_picture_column_has_its_own_panel(make: Make, tmp_path: Path) -> None:
    own, heat = ({media_id(i): jpeg((i, green, 60)) for i in range(5)} for green in (140, 20))
    columns = {"a_x": Float(), "thumbnail_image": Picture(), "heat_map": Picture()}
    study = make(columns, *rows(5), pictures={"thumbnail_image": own, "heat_map": heat})
    found = pictures_of(study, tmp_path)
    assert sorted(found[5:]) == sorted(heat.values())
    assert "heat: map" in (tmp_path / "report.html").read_text("utf-8")


def test_without_thumbnails_the_originals_are_made_small(make: Make, tmp_path: Path) -> None:
    originals = {
        media_id(0): noise(900, 1200),
        media_id(1): b"<svg onload='alert(1)'>",
        media_id(2): jpeg((1, 2, 3)),
    }
    found = pictures_of(make({"a_x": Float()}, *rows(4), originals=originals), tmp_path)
    assert sorted(Image.open(io.BytesIO(one)).size for one in found) == [(192, 256), (192, 256)]
    assert (tmp_path / "report.html").read_text("utf-8").count("no picture") == 2


def test_a_large_picture_of_a_study_is_made_small(make: Make, tmp_path: Path) -> None:
    study = make(
        {"a_x": Float(), "heat_map": Picture()},
        *rows(1),
        pictures={"heat_map": {media_id(0): noise(900, 1200)}},
    )
    (small,) = pictures_of(study, tmp_path)
    assert len(small) < MOST_BYTES
    assert Image.open(io.BytesIO(small)).size == (192, 256)


def test_only_pictures_that_browsers_show_are_known() -> None:
    assert media_type(jpeg((1, 2, 3))) == "image/jpeg"
    assert media_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    for other in (b"<svg xmlns=", b"GIF89a", b"", b"RIFF\0\0\0\0WAVE"):
        assert media_type(other) is None
