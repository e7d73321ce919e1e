"""What comes out as pixels: orientation, colour, depth, transparency, first frame, and the scaled road."""

from __future__ import annotations

import math
import struct
import threading
import warnings
import zlib

import numpy as np
import pixel_pictures as make
import pytest
from PIL import Image, ImageCms

from vasculum.errors import UsageError
from vasculum.pixels.decode import Want, decode
from vasculum.pixels.header import read_header
from vasculum.pixels.policy import DecodePolicy

WHOLE_DECODE = DecodePolicy(oversample=1e9)


def pixels_of(data: bytes) -> make.Array:
    return decode(data, [], whole=None).whole(None)


def centres(pixels: make.Array) -> make.Array:
    return pixels[make.BLOCK // 2 :: make.BLOCK, make.BLOCK // 2 :: make.BLOCK]


def farthest(one: make.Array, other: make.Array) -> int:
    return int(np.abs(centres(one).astype(int) - centres(other).astype(int)).max())


def psnr(one: make.Array, other: make.Array) -> float:
    mean = float(((one.astype(float) - other.astype(float)) ** 2).mean())
    return math.inf if mean == 0 else 10 * math.log10(255**2 / mean)


@pytest.mark.parametrize(
    ("kind", "options", "image_type", "tolerance"),
    [
        ("JPEG", {"subsampling": 0}, "image/jpeg", 6),
        ("JPEG", {"subsampling": 1}, "image/jpeg", 6),
        ("JPEG", {"subsampling": 2, "progressive": True}, "image/jpeg", 6),
        ("PNG", {}, "image/png", 0),
        ("GIF", {}, "image/gif", 8),
        ("BMP", {}, "image/bmp", 0),
        ("TIFF", {}, "image/tiff", 0),
        ("TIFF", {"compression": "tiff_lzw"}, "image/tiff", 0),
        ("TIFF", {"compression": "tiff_adobe_deflate", "big_tiff": True}, "image/tiff", 0),
        ("TIFF", {"compression": "jpeg"}, "image/tiff", 8),
        ("WEBP", {"lossless": True}, "image/webp", 0),
        ("WEBP", {"quality": 95}, "image/webp", 10),
        ("JPEG2000", {}, "image/jp2", 0),
        ("JPEG2000", {"no_jp2": True}, "image/x-jp2-codestream", 0),
        ("AVIF", {"quality": 95}, "image/avif", 8),
    ],
)
def test_every_supported_format_gives_its_picture(
    kind: str, options: dict[str, object], image_type: str, tolerance: int
) -> None:
    picture = make.blocks()
    data = make.encoded(picture, kind, **options)
    header = read_header(data)
    assert (header.image_type, header.width, header.height) == (image_type, 64, 48)
    assert farthest(pixels_of(data), picture) <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_picture_comes_upright_whatever_its_orientation(kind: str, orientation: int) -> None:
    upright = make.blocks()
    stored = make.as_stored(upright, orientation)
    exif: object = make.exif_of(orientation)
    if kind == "TIFF":
        exif = Image.Exif()
        exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(make.encoded(stored, kind, exif=exif, **options), [Want(48, "pad")], whole=None)
    assert (decoded.width, decoded.height) == (64, 48)
    assert farthest(decoded.whole(None), upright) <= 10
    fitted = decoded.fit(Want(48, "pad"))
    assert fitted.box == (0, 6, 48, 42)
    expected = decode(make.encoded(upright, "PNG"), [Want(48, "pad")]).fit(Want(48, "pad"))
    assert psnr(fitted.pixels, expected.pixels) > 30


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_out_of_range_is_ignored(orientation: int) -> None:
    data = make.encoded(make.blocks(), exif=make.exif_of(orientation, ">"))
    assert read_header(data).orientation == 1
    assert farthest(pixels_of(data), make.blocks()) <= 6


def test_orientation_written_as_a_long_counts() -> None:
    assert read_header(make.encoded(make.blocks(), exif=make.exif_of(6, ">", "I"))).orientation == 6


def test_garbage_in_exif_does_not_lose_the_picture() -> None:
    data = make.behind_start(make.encoded(make.blocks()), make.segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xffxyz"))
    assert farthest(pixels_of(data), make.blocks()) <= 6


def test_a_profile_is_converted_to_srgb() -> None:
    picture = make.blocks()
    plain, tagged = (make.encoded(picture, "PNG", icc_profile=p) for p in (None, make.swapped_profile()))
    assert farthest(pixels_of(plain), picture) == 0
    assert farthest(pixels_of(tagged), picture[:, :, [1, 0, 2]]) <= 2


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "AVIF"])
def test_a_profile_is_found_in_every_format_that_can_carry_one(kind: str) -> None:
    picture = make.blocks()
    data = make.encoded(picture, kind, icc_profile=make.swapped_profile())
    assert read_header(data).icc == "sRGB built-in"
    assert farthest(pixels_of(data), picture[:, :, [1, 0, 2]]) <= 40
    assert farthest(pixels_of(data), picture) > 60


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = make.blocks()
    assert farthest(pixels_of(make.encoded(picture, "PNG", icc_profile=srgb)), picture) == 0


def test_a_broken_profile_or_one_of_another_space_is_ignored() -> None:
    picture = make.blocks()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (b"no profile at all", make.swapped_profile()[:300], lab):
        assert farthest(pixels_of(make.encoded(picture, "PNG", icc_profile=profile)), picture) == 0
    data = make.encoded(picture, "PNG", icc_profile=b"no profile at all")
    assert read_header(data).icc == "unreadable"


def test_a_profile_with_a_missing_part_is_ignored_and_the_picture_kept() -> None:
    part = make.segment(0xE2, b"ICC_PROFILE\0\x01\x02" + make.swapped_profile()[:200])
    data = make.behind_start(make.encoded(make.blocks()), part)
    assert read_header(data).icc is None
    assert farthest(pixels_of(data), make.blocks()) <= 6


def test_cmyk_is_turned_into_rgb_in_jpeg_and_tiff() -> None:
    picture = make.blocks()
    cmyk = Image.fromarray(picture).convert("CMYK")
    assert farthest(pixels_of(make.encoded(cmyk, "TIFF")), picture) <= 2
    assert farthest(pixels_of(make.encoded(cmyk, "JPEG", quality=97)), picture) <= 8


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    grey = make.blocks()[:, :, 0]
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    for kind in ("PNG", "TIFF", "JPEG2000"):
        assert np.array_equal(pixels_of(make.encoded(deep, kind))[:, :, 1], grey)


def test_one_bit_pictures_are_black_and_white() -> None:
    grey = (make.blocks()[:, :, 0] > 128).astype(np.uint8) * 255
    line = Image.fromarray(grey).convert("1")
    for kind, options in (("PNG", {}), ("TIFF", {"compression": "group4"})):
        assert np.array_equal(pixels_of(make.encoded(line, kind, **options))[:, :, 2], grey)


def test_lab_is_turned_into_rgb() -> None:
    picture = make.blocks()
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    data = make.encoded(ImageCms.profileToProfile(Image.fromarray(picture), srgb, lab, outputMode="LAB"), "TIFF")
    assert farthest(pixels_of(data), picture) <= 8


def test_transparent_parts_become_white() -> None:
    picture = make.blocks()
    alpha = np.full((48, 64, 1), 255, np.uint8)
    alpha[:16, :16] = 0
    alpha[16:32, :16] = 128
    expected = picture.copy()
    expected[:16, :16] = 255
    expected[16:32, :16] = (picture[16:32, :16].astype(int) * 128 + 255 * 127 + 127) // 255
    rgba = np.concatenate([picture, alpha], 2)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        assert farthest(pixels_of(make.encoded(rgba, kind, **options)), expected) <= 2
    grey = make.encoded(Image.fromarray(rgba).convert("LA"), "PNG")
    assert farthest(pixels_of(grey)[:16, :16], expected[:16, :16]) == 0


def test_a_palette_with_transparency_is_laid_over_white() -> None:
    few = Image.fromarray(make.blocks()).quantize(12)
    first = int(np.asarray(few)[8, 8])
    expected = np.asarray(few.convert("RGB")).copy()
    expected[np.asarray(few) == first] = 255
    for data in (
        make.encoded(few, "PNG", transparency=bytes(0 if i == first else 255 for i in range(12))),
        make.encoded(few, "GIF", transparency=first),
    ):
        assert farthest(pixels_of(data), expected) <= 1


@pytest.mark.parametrize(("bits", "colour", "key"), [(2, 0, 2), (8, 0, 2), (16, 0, 770), (16, 2, 770)])
def test_the_transparent_colour_of_a_png_becomes_white_at_every_depth(bits: int, colour: int, key: int) -> None:
    channels = 3 if colour == 2 else 1
    levels = [key, 1] if bits < 16 else [key, 40_000]
    if bits == 2:
        rows = bytes((0, levels[0] << 6 | levels[1] << 4))
    else:
        rows = b"\0" + b"".join(struct.pack(">H" if bits == 16 else ">B", v) * channels for v in levels)
    data = make.png_of(
        2, 1, bits, colour,
        make.chunk(b"tRNS", struct.pack(">H", key) * channels),
        make.chunk(b"IDAT", zlib.compress(rows)),
    )  # fmt: skip
    seen = pixels_of(data)
    assert seen[0, 0].tolist() == [255, 255, 255]
    assert seen[0, 1].max() < 200


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_many_frames_the_first_is_taken(kind: str) -> None:
    first, second = (Image.fromarray(make.blocks(seed=seed)) for seed in (1, 2))
    options = {"lossless": True} if kind == "WEBP" else {}
    data = make.encoded(first, kind, save_all=True, append_images=[second], **options)
    assert farthest(pixels_of(data), make.blocks(seed=1)) <= 10


@pytest.mark.parametrize(
    "want", [Want(256, "pad"), Want(200, "crop"), Want(128, "squash"), Want(200, "pad", filter="bilinear")]
)
@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_scaled_decoding_is_close_to_a_whole_decode(want: Want, kind: str) -> None:
    data = make.encoded(make.sheet(1001, 1499), kind)
    scaled = decode(data, [want]).fit(want)
    whole = decode(data, [want], WHOLE_DECODE).fit(want)
    assert scaled.box == whole.box
    assert psnr(scaled.pixels, whole.pixels) >= 40


def test_one_decode_serves_squares_and_the_whole_picture() -> None:
    data = make.encoded(make.sheet(600, 900))
    wants = [Want(64, "pad"), Want(32, "crop"), Want(32, "squash", filter="bilinear")]
    together = decode(data, wants, whole=300)
    assert together.whole(300).shape == (300, 200, 3)
    for want in wants:
        assert psnr(together.fit(want).pixels, decode(data, [want]).fit(want).pixels) >= 40


def test_a_want_that_was_not_named_is_refused_rather_than_blurred() -> None:
    decoded = decode(make.encoded(make.sheet(800, 1200)), [Want(64, "pad")])
    with pytest.raises(UsageError, match=r"decoded at 0\.125 .* Name it in the wants"):
        decoded.fit(Want(512, "pad"))
    with pytest.raises(UsageError, match="needs 1"):
        decoded.whole(None)


def test_the_whole_picture_is_never_enlarged() -> None:
    data = make.encoded(make.blocks(), "PNG")
    assert decode(data, [], whole=500).whole(500).shape == (48, 64, 3)
    assert decode(data, [], whole=32).whole(32).shape == (24, 32, 3)


@pytest.mark.parametrize("shape", [(1, 10_000), (10_000, 1), (3, 8191), (1, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "JPEG2000"])
def test_extreme_shapes_are_fitted_without_vanishing_or_exploding(shape: tuple[int, int], kind: str) -> None:
    picture = np.full((*shape, 3), (200, 40, 60), np.uint8)
    data = make.encoded(picture, kind)
    for want in (Want(64, "pad", fill=0), Want(64, "crop"), Want(64, "squash")):
        fitted = decode(data, [want]).fit(want)
        left, top, right, bottom = fitted.box
        inside = fitted.pixels[top:bottom, left:right]
        assert inside.size > 0
        assert np.abs(inside.astype(int) - (200, 40, 60)).max() <= 6


def test_a_lossless_jpeg_is_decoded_whole_even_for_a_small_want() -> None:
    grey = make.blocks(256, 192)[:, :, 0]
    for _ in range(20):  # at a scale the decoder would write past its memory
        decoded = decode(make.lossless_jpeg(grey), [Want(8, "pad")])
    assert np.array_equal(decoded.whole(None)[:, :, 0], grey)


def test_the_same_bytes_give_the_same_pixels_in_every_thread() -> None:
    data = [
        make.encoded(make.sheet(400, 600), icc_profile=make.swapped_profile(), exif=make.exif_of(6)),
        make.encoded(make.blocks(), "TIFF", compression="tiff_lzw"),
        make.encoded(make.blocks(), "PNG"),
    ]
    want = Want(64, "pad")
    expected = [decode(one, [want]).fit(want).pixels.tobytes() for one in data]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(10):
            wrong.extend(
                i for i, one in enumerate(data) if decode(one, [want]).fit(want).pixels.tobytes() != expected[i]
            )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_tiff_with_odd_tags_gives_its_picture_and_no_warning() -> None:
    data = make.encoded(make.blocks(), "TIFF", tiffinfo={65000: "x" * 50, 305: "scanner"})
    at = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[at : at + 2], "little")
    odd = bytearray(data)
    for place in range(at + 2, at + 2 + 12 * entries, 12):
        if int.from_bytes(data[place : place + 2], "little") in (65000, 305):
            odd[place + 4 : place + 8] = b"\xff\xff\xff\x7f"  # two thousand million values
    odd[at + 2 + 12 * entries : at + 6 + 12 * entries] = data[4:8]  # the next directory is this one again
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert farthest(pixels_of(bytes(odd)), make.blocks()) == 0


def test_the_policy_says_in_words_what_the_pixels_depend_on() -> None:
    words = DecodePolicy(oversample=1).as_dict()
    assert words["oversample"] == 1.0
    assert (words["alpha"], words["icc"], words["orientation"]) == ("white", "to sRGB", "applied")
    with pytest.raises(UsageError, match=r"oversample=0\.5"):
        DecodePolicy(oversample=0.5)
