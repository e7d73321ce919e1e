"""What is wrong with the bytes is said, as one status; nothing but PixelError ever comes out."""

from __future__ import annotations

import pickle
import tracemalloc
import zlib

import numpy as np
import pixel_pictures as make
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vasculum.outcomes import Status
from vasculum.pixels.decode import Want, decode
from vasculum.pixels.errors import PixelError
from vasculum.pixels.header import read_header
from vasculum.pixels.policy import DecodePolicy
from vasculum.pixels.sniff import sniff

SMALL = Want(16, "pad")
PENDING = b'<svg xmlns="http://www.w3.org/2000/svg"><text x="50%">Preview Pending</text></svg>'
NONE = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><text>No Preview</text></svg>'


def outcome(data: bytes, policy: DecodePolicy, want: Want | None) -> tuple[Status, str]:
    """What decoding comes to, for one small square or (None) for the whole picture."""
    try:
        if want is None:
            decode(data, [], policy, whole=None).whole(None)
        else:
            decode(data, [want], policy).fit(want)
    except PixelError as error:
        return error.status, error.detail
    return Status.OK, "fine"


def status_of(data: bytes) -> Status:
    """The status, after checking that the scaled road and the whole one say the same, in one line."""
    (scaled, said), (whole, also_said) = (outcome(data, DecodePolicy(), want) for want in (SMALL, None))
    assert scaled is whole
    for detail in (said, also_said):
        assert detail.isprintable()
        assert 0 < len(detail) <= 200
    return scaled


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"", Status.EMPTY, None),
        (b"\n", Status.NOT_AN_IMAGE, "text/plain"),
        (bytes(4096), Status.NOT_AN_IMAGE, None),
        (b"<!DOCTYPE html><html><body>404</body></html>", Status.NOT_AN_IMAGE, "text/html"),
        (b"\xef\xbb\xbf \r\n <HTML>", Status.NOT_AN_IMAGE, "text/html"),
        ("\ufeff<html>".encode("utf-16-le"), Status.NOT_AN_IMAGE, "text/html"),
        (b'{"error": "not found"}', Status.NOT_AN_IMAGE, "application/json"),
        (
            b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
            Status.NOT_AN_IMAGE,
            "application/xml",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", Status.NOT_AN_IMAGE, "text/plain"),
        (b"%PDF-1.7\n", Status.NOT_AN_IMAGE, "application/pdf"),
        (b"\x1f\x8b\x08\x00", Status.NOT_AN_IMAGE, "application/gzip"),
        (b"PK\x03\x04", Status.NOT_AN_IMAGE, "application/zip"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", Status.NOT_AN_IMAGE, "video/mp4"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Status.UNSUPPORTED, "image/heic"),
        (b"\xff\x0a\x00\x01", Status.UNSUPPORTED, "image/jxl"),
        (b"8BPS\0\x01", Status.UNSUPPORTED, "image/vnd.adobe.photoshop"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><rect/></svg>", Status.UNSUPPORTED, "image/svg+xml"),
        (PENDING, Status.PLACEHOLDER, "image/svg+xml"),
        (NONE, Status.PLACEHOLDER, "image/svg+xml"),
        (b"\r\n\r\n\xff\xd8\xff\xe0", Status.CORRUPT, "image/jpeg"),
    ],
)
def test_what_is_no_picture_is_told_by_its_bytes(data: bytes, status: Status, kind: str | None) -> None:
    assert sniff(data) == (status, kind)
    assert status_of(data) is status


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("percent", [10, 50, 99])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_a_jpeg_that_ends_too_early_is_truncated(percent: int, end: bytes, progressive: bool) -> None:
    data = make.encoded(make.sheet(256, 192), progressive=progressive)
    start = make.scans_start(data)
    assert status_of(data[: start + (len(data) - start) * percent // 100] + end) is Status.TRUNCATED


@pytest.mark.parametrize("percent", [10, 50, 90])
def test_a_jpeg_whose_second_half_is_zeros_is_not_ok(percent: int) -> None:
    data = make.encoded(make.sheet(256, 192))
    kept = len(data) * percent // 100
    assert status_of(data[:kept] + bytes(len(data) - kept)) in (Status.TRUNCATED, Status.CORRUPT)


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_a_progressive_jpeg_cut_between_two_scans_is_truncated(end: bytes) -> None:
    data = make.encoded(make.sheet(256, 192), progressive=True)
    starts = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    assert len(starts) > 4
    for start in starts[1:]:
        # Each further scan is preceded by its own table: cut before that.
        at = data.rfind(b"\xff\xc4", 0, start)
        assert status_of(data[: at if at > starts[0] else start] + end) is Status.TRUNCATED


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(progressive: bool) -> None:
    data = make.encoded(make.blocks(), progressive=progressive)
    assert data.endswith(b"\xff\xd9")
    assert status_of(data[:-2]) is Status.OK
    assert status_of(data + b"junk behind the end" * 500) is Status.OK


def test_one_byte_less_of_a_baseline_scan_is_noticed() -> None:
    data = make.encoded(make.sheet(256, 192))
    assert status_of(data[:-3]) is Status.TRUNCATED


def test_a_jpeg_with_forty_altered_bytes_is_not_ok() -> None:
    data = bytearray(make.encoded(make.sheet(256, 192)))
    middle = len(data) // 2
    rng = np.random.default_rng(3)
    data[middle : middle + 40] = rng.integers(0, 255, 40, dtype=np.uint8).tobytes()  # never 0xff
    assert status_of(bytes(data)) in (Status.CORRUPT, Status.TRUNCATED)


def test_a_bad_marker_in_a_scan_is_corrupt() -> None:
    data = bytearray(make.encoded(make.sheet(256, 192)))
    middle = len(data) // 2
    data[middle : middle + 4] = b"\xff\xc4\x00\x20"
    assert status_of(bytes(data)) is Status.CORRUPT


def test_a_jpeg_cut_inside_its_header_is_truncated() -> None:
    data = make.encoded(make.blocks())
    for length in (2, 3, 11, 100, make.scans_start(data) + 4):
        assert status_of(data[:length]) is Status.TRUNCATED


def test_a_frame_without_pixels_or_with_twelve_bits_is_refused() -> None:
    data = bytearray(make.encoded(make.blocks()))
    at = data.index(b"\xff\xc0")
    deep = bytearray(data)
    deep[at + 4] = 12
    data[at + 5 : at + 9] = bytes(4)
    assert status_of(bytes(data)) is Status.CORRUPT
    assert status_of(bytes(deep)) is Status.UNSUPPORTED


def test_two_frames_in_one_jpeg_are_corrupt() -> None:
    lossless = make.lossless_jpeg(make.blocks()[:, :, 0])
    at = lossless.index(b"\xff\xc3")
    frame = lossless[at : at + 13].replace(b"\xff\xc3", b"\xff\xc0")
    assert status_of(lossless[:at] + frame + lossless[at:]) is Status.CORRUPT


@pytest.mark.parametrize("kind", ["png", "gif", "bmp", "tiff", "webp", "jpeg"])
def test_bombs_are_refused_by_their_header_without_taking_memory(kind: str) -> None:
    data = make.bombs()[kind]
    decode(make.encoded(make.blocks(), "PNG"), [SMALL])  # imports plugins before memory is watched
    tracemalloc.start()
    try:
        assert status_of(data) is Status.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert read_header(data).width > 10_000


def test_a_large_jpeg_is_too_large_only_for_what_has_to_be_held_whole() -> None:
    policy = DecodePolicy(max_pixels_whole=100_000)
    baseline, progressive = (make.encoded(make.sheet(600, 400), progressive=p) for p in (False, True))
    assert decode(baseline, [SMALL], policy).fit(SMALL).pixels.shape == (16, 16, 3)
    for data, wants in ((baseline, [Want(300, "crop")]), (progressive, [SMALL])):
        with pytest.raises(PixelError) as caught:
            decode(data, wants, policy)
        assert caught.value.status is Status.TOO_LARGE


def test_text_and_profiles_that_inflate_without_end_do_no_harm() -> None:
    packed = zlib.compress(bytes(50_000_000))
    clean = make.encoded(make.blocks(), "PNG")
    for bomb in (make.chunk(b"zTXt", b"a\0\0" + packed), make.chunk(b"iCCP", b"a\0\0" + packed)):
        pixels = decode(clean[:33] + bomb + clean[33:], [], whole=None).whole(None)
        assert np.array_equal(pixels, make.blocks())


def test_png_checksums_are_looked_at_where_they_matter() -> None:
    clean = make.encoded(make.blocks(), "PNG")
    note = bytearray(make.chunk(b"tEXt", b"a\0b"))
    note[-1] ^= 1
    assert status_of(clean[:33] + bytes(note) + clean[33:]) is Status.OK
    for kind in (b"IHDR", b"IDAT"):
        damaged = bytearray(clean)
        damaged[clean.index(kind) + 5] ^= 1
        assert status_of(bytes(damaged)) is Status.CORRUPT


def test_a_png_is_truncated_only_where_pixels_are_missing() -> None:
    data = make.encoded(make.sheet(120, 100), "PNG")
    assert status_of(data[: len(data) // 2]) is Status.TRUNCATED
    assert status_of(data[:-12]) is Status.OK


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_whose_data_end_properly_but_early_is_truncated(interlaced: bool) -> None:
    whole = 361 * 100 if not interlaced else sum(
        h * (1 + 3 * w) for w, h in [(15, 13), (15, 13), (30, 12), (30, 25), (60, 25), (60, 50), (120, 50)]
    )  # fmt: skip
    for missing, status in ((0, Status.OK), (1, Status.TRUNCATED), (whole // 2, Status.TRUNCATED)):
        data = bytearray(make.png_of(120, 100, 8, 2, make.chunk(b"IDAT", zlib.compress(bytes(whole - missing)))))
        data[28] = interlaced
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
        assert status_of(bytes(data)) is status


def test_a_tiff_with_too_few_strips_is_corrupt() -> None:
    data = bytearray(make.encoded(make.sheet(256, 192), "TIFF", compression="tiff_lzw", strip_size=4096))
    at = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[at : at + 2], "little")
    places = {int.from_bytes(data[p : p + 2], "little"): p for p in range(at + 2, at + 2 + 12 * entries, 12)}
    strips = int.from_bytes(data[places[273] + 4 : places[273] + 8], "little")
    assert strips > 10
    assert status_of(bytes(data)) is Status.OK
    for tag in (273, 279):
        data[places[tag] + 4 : places[tag] + 8] = (strips - 1).to_bytes(4, "little")
    assert status_of(bytes(data)) is Status.CORRUPT


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("TIFF", {}),
        ("TIFF", {"compression": "jpeg"}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("JPEG2000", {}),
        ("JPEG2000", {"no_jp2": True, "tile_size": (64, 64)}),
        ("AVIF", {}),
    ],
)
def test_other_formats_cut_at_two_thirds_are_truncated(kind: str, options: dict[str, object]) -> None:
    data = make.encoded(make.sheet(256, 192), kind, **options)
    if kind == "TIFF":  # Pillow may write the directory last: then the cut takes the directory with it
        at = int.from_bytes(data[4:8], "little")
        if at > len(data) // 2:
            assert status_of(data[: len(data) * 2 // 3]) in (Status.TRUNCATED, Status.CORRUPT)
            return
    assert status_of(data[: len(data) * 2 // 3]) is Status.TRUNCATED


def test_samples_of_unknown_range_are_unsupported() -> None:
    for mode in ("F", "I"):
        data = make.encoded(Image.new(mode, (20, 10)), "TIFF")
        assert status_of(data) is Status.UNSUPPORTED


def test_tiles_far_larger_than_the_picture_are_refused() -> None:
    data = make.encoded(make.blocks(), "TIFF")
    at = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[at : at + 2], "little")
    tags = [data[place : place + 12] for place in range(at + 2, at + 2 + 12 * entries, 12)]
    for tag in (322, 323):
        tags.append(tag.to_bytes(2, "little") + b"\x04\0\x01\0\0\0" + (50_000).to_bytes(4, "little"))
    directory = len(tags).to_bytes(2, "little") + b"".join(sorted(tags)) + bytes(4)
    bomb = data[:4] + len(data).to_bytes(4, "little") + data[8:] + directory
    assert status_of(bomb) is Status.CORRUPT


def test_the_error_can_be_carried_between_processes() -> None:
    error = PixelError(Status.CORRUPT, "image/png: damaged")
    again = pickle.loads(pickle.dumps(error))
    assert (again.status, again.detail, str(again)) == (error.status, error.detail, str(error))


BYTE_STATUSES = {
    Status.OK, Status.EMPTY, Status.NOT_AN_IMAGE, Status.TRUNCATED, Status.CORRUPT, Status.UNSUPPORTED,
    Status.TOO_LARGE,
}  # fmt: skip
SEEDS = [
    make.encoded(make.blocks()),
    make.encoded(make.blocks(), progressive=True),
    make.encoded(make.blocks(), exif=make.exif_of(6), icc_profile=make.swapped_profile()),
    make.encoded(Image.fromarray(make.blocks()).convert("CMYK")),
    make.lossless_jpeg(make.blocks()[:, :, 0]),
    make.encoded(make.blocks(), "PNG", exif=make.exif_of(3), icc_profile=make.swapped_profile()),
    make.encoded(Image.fromarray(make.blocks()).quantize(8), "PNG", transparency=b"\0\x80"),
]


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=12),
    cut=st.none() | st.integers(0, 5000),
)
def test_mutated_bytes_raise_nothing_but_a_pixel_error(
    seed: bytes, edits: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(seed)
    for place, value in edits:
        data[place % len(data)] = value
    mutated = bytes(data[: cut % len(data)] if cut is not None else data)
    limit = DecodePolicy(max_pixels_whole=1_000_000, max_pixels_scaled=4_000_000)
    assert outcome(mutated, limit, SMALL)[0] in BYTE_STATUSES


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_a_pixel_error(data: bytes) -> None:
    for start in (
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0",
        b"GIF89a",
        b"BM",
        b"\xff\x4f\xff\x51",
    ):
        with pytest.raises(PixelError):
            decode(start + data, [SMALL])
