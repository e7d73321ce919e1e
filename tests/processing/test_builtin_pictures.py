"""thumbnail, resize and the encoders: what is written can be read again, and is the same every time."""

import io

import numpy as np
import pytest
from PIL import Image

from vasculum.errors import ProcessorError
from vasculum.pixels.encode import encode_jpeg, encode_png, encode_webp
from vasculum.processing.builtin.resize import Resize
from vasculum.processing.builtin.thumbnail import Thumbnail
from vasculum.processing.contract import declaration_of, given_by_name
from vasculum.processing.types import Integer, Picture, Pixels

RNG = np.random.default_rng(3)


def smooth(size=64):
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    return np.stack(
        [np.tile(ramp, (size, 1)), np.tile(ramp[:, None], (1, size)), np.full((size, size), 90, np.uint8)], 2
    )


def opened(data):
    return Image.open(io.BytesIO(data))


def test_a_png_gives_back_every_pixel_and_says_srgb():
    pixels = RNG.integers(0, 256, (17, 31, 3), dtype=np.uint8)
    picture = opened(encode_png(pixels))
    assert np.array_equal(np.asarray(picture), pixels)
    assert picture.info["srgb"] == 0


@pytest.mark.parametrize(("encode", "format_"), [(encode_jpeg, "JPEG"), (encode_webp, "WEBP")])
def test_lossy_formats_stay_near_and_shrink_with_quality(encode, format_):
    pixels = smooth()
    fine, coarse = encode(pixels, 95), encode(pixels, 30)
    assert opened(fine).format == format_
    assert np.abs(np.asarray(opened(fine).convert("RGB")).astype(int) - pixels).mean() < 3
    assert len(coarse) < len(fine)


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png, encode_webp])
def test_the_same_pixels_give_the_same_bytes_however_they_lie_in_memory(encode):
    pixels = smooth()
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = pixels
    assert encode(pixels) == encode(pixels.copy()) == encode(wide[:, 32:96])


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png, encode_webp])
@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((1, 70_000, 3), np.uint8),
        [[1, 2, 3]],
    ],
)
def test_pixels_of_another_kind_are_refused(encode, pixels):
    with pytest.raises(ProcessorError, match="cannot write a"):
        encode(pixels)


@pytest.mark.parametrize("quality", [0, 101, 85.0, "85", True, None])
def test_a_quality_that_cannot_be_is_refused(quality):
    with pytest.raises(ProcessorError, match="from 1 to 100"):
        encode_jpeg(smooth(), quality)
    with pytest.raises(ProcessorError, match="from 1 to 100"):
        Thumbnail(quality=quality)


def test_a_thumbnail_is_the_picture_without_padding():
    pixels = np.full((2, 64, 64, 3), 255, np.uint8)
    inside = np.zeros((2, 64, 64), bool)
    inside[0, :, 10:50] = True
    inside[1, 20:29] = True
    pixels[inside] = [200, 30, 30]
    given = Thumbnail(size=64)(pixels, inside)
    assert (given["width"], given["height"]) == ([40, 64], [64, 9])
    first = opened(given["image"][0])
    assert first.size == (40, 64)
    assert np.abs(np.asarray(first).astype(int) - [200, 30, 30]).max() <= 3


def test_settings_shape_the_declaration():
    assert declaration_of(Thumbnail).wants == Pixels(256)
    assert declaration_of(Thumbnail(size=100)).wants == Pixels(100)
    given = declaration_of(Thumbnail(size=100)).gives
    assert {column: type(kind) for column, kind in given.items()} == {
        "image": Picture, "width": Integer, "height": Integer
    }  # fmt: skip
    assert declaration_of(Resize(size=1024, fit="crop")).wants == Pixels(1024, "crop")
    assert declaration_of(Resize(size=4096)).batch == 1
    assert given_by_name(Thumbnail) == (("inside",), {"size": 256, "quality": 85})


def test_resize_writes_the_whole_square_in_the_format_asked_for():
    square = smooth(32)
    for format_ in ("jpeg", "png", "webp"):
        (data,) = Resize(size=32, format=format_)(square[None])["image"]
        assert opened(data).format == format_.upper()
        assert opened(data).size == (32, 32)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": 7}, "size=7"),
        ({"size": 9000}, "size=9000"),
        ({"size": "512"}, "size='512'"),
        ({"fit": "cropped"}, "did you mean crop"),
        ({"format": "jpg"}, "did you mean jpeg"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings, said):
    with pytest.raises(ProcessorError) as refusal:
        Resize(**settings)
    assert said in str(refusal.value)
