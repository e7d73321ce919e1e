"""Where a picture lies in its square, how large it is decoded, and how it is cut into tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vasculum.errors import UsageError
from vasculum.pixels.geometry import Want, needed_scale, place, scaled_down
from vasculum.pixels.tiles import cut_tiles

sides = st.integers(1, 70_000)
sizes = st.integers(1, 2048)


@given(sides, sides, sizes)
def test_pad_keeps_the_whole_picture_and_its_proportions(width: int, height: int, size: int) -> None:
    where = place(width, height, Want(size, "pad"))
    left, top, right, bottom = where.box
    assert where.source == (0, 0, width, height)
    assert 0 <= left < right <= size
    assert 0 <= top < bottom <= size
    assert max(right - left, bottom - top) == size
    assert abs((right - left) - max(1, size * width / max(width, height))) <= 0.5
    assert abs(left - (size - right)) <= 1, "centred"
    assert abs(top - (size - bottom)) <= 1


@given(sides, sides, sizes)
def test_crop_takes_the_middle_square_and_fills_everything(width: int, height: int, size: int) -> None:
    where = place(width, height, Want(size, "crop"))
    left, top, right, bottom = where.source
    assert (right - left, bottom - top) == (min(width, height),) * 2
    assert min(left, top) == 0
    assert (left + right, top + bottom) == (width, height)
    assert where.box == (0, 0, size, size)


@given(sides, sides, sizes)
def test_squash_takes_everything_and_fills_everything(width: int, height: int, size: int) -> None:
    where = place(width, height, Want(size, "squash"))
    assert where.source == (0, 0, width, height)
    assert (where.size, where.box) == ((size, size), (0, 0, size, size))


@given(sides, sides, sizes, st.sampled_from(["pad", "crop", "squash"]), st.floats(1, 8))
def test_the_decoded_size_has_the_oversample_on_the_side_that_scales_least(
    width: int, height: int, size: int, fit: str, oversample: float
) -> None:
    scale = needed_scale(width, height, [Want(size, fit)], False, oversample)  # type: ignore[arg-type]
    side = max(width, height) if fit == "pad" else min(width, height)
    assert 0 < scale <= 1
    assert scale * min(width, height) >= 1 - 1e-9
    assert scale == 1 or scale * side >= oversample * size * (1 - 1e-9)


@given(sides, sides, sizes)
def test_a_turned_picture_needs_the_same_scale_and_gets_the_same_size(width: int, height: int, size: int) -> None:
    for fit in ("pad", "crop", "squash"):
        want = Want(size, fit)  # type: ignore[arg-type]
        assert needed_scale(width, height, [want], size, 2) == needed_scale(height, width, [want], size, 2)
        assert place(width, height, want).size == place(height, width, want).size[::-1]
    assert scaled_down(width, height, size) == scaled_down(height, width, size)[::-1]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 25), st.integers(0, 24))
def test_tiles_hold_every_pixel_and_white_beyond(width: int, height: int, size: int, overlap: int) -> None:
    if overlap >= size:
        with pytest.raises(UsageError, match="overlap"):
            cut_tiles(np.zeros((height, width, 3), np.uint8), size, overlap)
        return
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    tiles, boxes = cut_tiles(pixels, size, overlap)
    assert tiles.shape == (len(boxes), size, size, 3)
    assert (tiles.dtype, boxes.dtype, boxes.shape[1]) == (np.uint8, np.int32, 4)
    again = np.full_like(pixels, 255)
    seen = np.zeros((height, width), bool)
    for tile, (left, top, right, bottom) in zip(tiles, boxes, strict=True):
        assert left < right
        assert top < bottom
        again[top:bottom, left:right] = tile[: bottom - top, : right - left]
        seen[top:bottom, left:right] = True
        assert (tile[bottom - top :] == 255).all()
        assert (tile[:, right - left :] == 255).all()
    assert seen.all()
    assert np.array_equal(again, pixels)
    assert boxes.tolist() == sorted(boxes.tolist(), key=lambda box: (box[1], box[0])), "row by row"


def test_neighbouring_tiles_share_the_overlap() -> None:
    _, boxes = cut_tiles(np.zeros((10, 22, 3), np.uint8), 10, 4)
    assert boxes[:, 0].tolist() == [0, 6, 12]
    assert boxes[:, 2].tolist() == [10, 16, 22]


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 99_999}, {"fit": "stretch"}, {"fill": 256}, {"filter": "cubic"}]
)
def test_a_want_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="expected"):
        Want(**{"size": 8, "fit": "pad", **wrong})  # type: ignore[arg-type]
