"""histogram, color and quality: numbers that are known beforehand, on pictures made for it."""

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasculum.errors import ProcessorError
from vasculum.processing.builtin.color import HUES, color
from vasculum.processing.builtin.histogram import Histogram
from vasculum.processing.builtin.quality import quality
from vasculum.processing.contract import declaration_of

RNG = np.random.default_rng(11)
SIDE = 64


def filled(rgb):
    return np.full((1, SIDE, SIDE, 3), rgb, np.uint8)


def everywhere(pixels):
    return np.ones(pixels.shape[:3], bool)


def only(columns):
    return {name: values[0] for name, values in columns.items()}


def quality_of(picture):
    pixels = picture[None]
    return only(quality(pixels, everywhere(pixels), [4000], [6000]))


# --- color


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((119, 119, 119), (50.03, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_known_colours_have_their_known_lab(rgb, lab):
    found = only(color(filled(rgb), everywhere(filled(rgb))))
    assert (found["lightness"], found["a_star"], found["b_star"]) == pytest.approx(lab, abs=0.05)


def lab_by_the_formula(rgb):
    value = np.array(rgb) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = matrix @ linear / matrix.sum(axis=1)
    x, y, z = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_any_colour_is_within_a_tenth_of_the_formula(rgb):
    found = only(color(filled(rgb), everywhere(filled(rgb))))
    assert (found["lightness"], found["a_star"], found["b_star"]) == pytest.approx(lab_by_the_formula(rgb), abs=0.1)


def test_the_mean_is_taken_over_lab_and_not_over_rgb():
    pixels = filled((0, 0, 0))
    pixels[0, :, : SIDE // 2] = 255
    found = only(color(pixels, everywhere(pixels)))
    assert found["lightness"] == pytest.approx(50, abs=1e-6)
    assert (found["near_white"], found["near_black"]) == (0.5, 0.5)
    assert found["hue"] is None


@settings(max_examples=50)
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_saturation_and_hue_are_those_of_hsv(rgb):
    hue, saturation, _ = colorsys.rgb_to_hsv(*(value / 255 for value in rgb))
    found = only(color(filled(rgb), everywhere(filled(rgb))))
    assert found["saturation"] == pytest.approx(saturation)
    if max(rgb) - min(rgb) < 26:
        assert found["hue"] is None
    else:
        apart = abs(HUES.index(found["hue"]) * 30 - hue * 360)
        assert min(apart, 360 - apart) <= 15 + 1e-9


def test_the_main_hue_is_of_the_most_coloured_not_of_the_paper():
    pixels = filled((240, 235, 220))
    pixels[0, 10:40, 10:40] = [60, 140, 50]
    assert only(color(pixels, everywhere(pixels)))["hue"] == "green"


def test_padding_does_not_count():
    pixels = np.full((1, SIDE, SIDE, 3), 255, np.uint8)
    inside = np.zeros((1, SIDE, SIDE), bool)
    inside[0, :, 20:40] = True
    pixels[inside] = [10, 200, 30]
    for processor in (color, Histogram()):
        small, whole = (
            only(processor(pixels, inside)),
            only(processor(filled((10, 200, 30)), np.ones((1, 64, 64), bool))),
        )
        assert all(np.all(small[name] == whole[name]) for name in whole)
    assert quality(pixels, inside, [1], [1])["sharpness"] == [0.0]


# --- histogram


def test_a_histogram_tells_shares_by_channel_and_range():
    pixels = filled((0, 16, 255))
    pixels[0, : SIDE // 4] = [255, 15, 255]
    shares = Histogram()(pixels, everywhere(pixels))["shares"]
    assert shares.shape == (1, 48)
    assert shares.dtype == np.float32
    red, green, blue = shares[0].reshape(3, 16)
    assert (red[0], red[15]) == (0.75, 0.25)
    assert (green[0], green[1]) == (0.25, 0.75)
    assert blue[15] == 1


@pytest.mark.parametrize("bins", [1, 8, 256])
def test_bins_shape_the_vector_and_each_channel_sums_to_one(bins):
    pixels = RNG.integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    shares = Histogram(bins)(pixels, everywhere(pixels))["shares"]
    assert declaration_of(Histogram(bins)).gives["shares"].length == 3 * bins
    np.testing.assert_allclose(shares.reshape(3, 3, bins).sum(axis=2), 1, rtol=1e-6)


@pytest.mark.parametrize("bins", [0, 3, 512, 16.0, True, "16"])
def test_bins_that_do_not_divide_are_refused(bins):
    with pytest.raises(ProcessorError, match="power of two"):
        Histogram(bins)


# --- quality


def blurred(picture, times):
    wide = picture.astype(float)
    for _ in range(times):
        wide = (wide + sum(np.roll(wide, step, axis) for axis in (0, 1) for step in (-1, 1))) / 5
    return wide.round().astype(np.uint8)


def test_blur_lowers_sharpness_step_by_step():
    sharp = np.repeat(RNG.integers(0, 256, (SIDE, SIDE, 1), dtype=np.uint8), 3, axis=2)
    found = [quality_of(blurred(sharp, times))["sharpness"] for times in (0, 2, 4, 8)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 20 * found[-1]


def test_the_laplacian_of_a_known_picture_has_its_known_variance():
    dot = np.zeros((5, 5, 3), np.uint8)
    dot[2, 2] = 100
    laplacian = np.array([0, 100, 0, 100, -400, 100, 0, 100, 0])
    assert quality_of(dot)["sharpness"] == pytest.approx(laplacian.var())


def test_even_pictures_have_their_exposure_and_no_contrast():
    found = quality_of(np.full((SIDE, SIDE, 3), 128, np.uint8))
    assert found["exposure"] == pytest.approx(128 / 255)
    assert (found["contrast"], found["sharpness"]) == (0, 0)
    halves = np.zeros((SIDE, SIDE, 3), np.uint8)
    halves[:, SIDE // 2 :] = 255
    found = quality_of(halves)
    assert (found["exposure"], found["contrast"]) == (0.5, 0.5)
    assert (found["clipped_low"], found["clipped_high"]) == (0.5, 0.5)


def test_borders_are_measured_from_each_side():
    picture = np.full((100, 200, 3), 190, np.uint8)
    picture[:7] = 20
    picture[-12:] = 255
    picture[:, :30] = 40
    picture[:, -5:] = 79
    found = quality_of(picture)
    assert found["border_top"] == pytest.approx(0.07)
    assert found["border_left"] == pytest.approx(0.15)
    assert found["border_right"] == pytest.approx(0.025)
    assert found["border_bottom"] == 0  # more than a tenth of each of its lines is dark
    picture[:, :30] = picture[:, -5:] = 190
    picture[-12:] = 255
    assert quality_of(picture)["border_bottom"] == pytest.approx(0.12)


def test_a_border_ends_at_the_first_line_with_something_in_it():
    picture = np.full((100, 100, 3), 190, np.uint8)
    picture[:, :20] = 30
    picture[30:50, 8:12] = 250
    assert quality_of(picture)["border_left"] == pytest.approx(0.08)


def test_pale_paper_is_no_border_and_a_dark_picture_is_all_border():
    paper = quality_of(np.full((SIDE, SIDE, 3), 235, np.uint8))
    assert [paper[f"border_{side}"] for side in ("left", "right", "top", "bottom")] == [0, 0, 0, 0]
    assert quality_of(np.zeros((SIDE, SIDE, 3), np.uint8))["border_left"] == 1


def test_megapixels_are_the_originals():
    assert quality_of(np.zeros((8, 8, 3), np.uint8))["megapixels"] == 24


def test_pictures_one_pixel_wide_have_numbers_too():
    pixels = np.full((1, 16, 16, 3), 255, np.uint8)
    inside = np.zeros((1, 16, 16), bool)
    inside[0, :, 8] = True
    found = only(quality(pixels, inside, [1], [16]))
    assert all(np.isfinite(value) for value in found.values())


# --- all


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_image_alone_gives_the_same_bits_as_in_a_batch(seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    inside = np.zeros((4, 32, 32), bool)
    for square in inside:
        left, top = rng.integers(0, 16, 2)
        square[top : 32 - top, left : 32 - left] = True
    runs = [
        lambda p, i: color(p, i),
        lambda p, i: Histogram()(p, i),
        lambda p, i: quality(p, i, [10] * len(p), [10] * len(p)),
    ]
    for run in runs:
        together = run(pixels, inside)
        for place in range(4):
            alone = run(pixels[place : place + 1].copy(), inside[place : place + 1].copy())
            assert all(np.array_equal(alone[name][0], together[name][place]) for name in together)
