"""exif: what cameras write is read; what nobody should write gives nulls."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vasculum.pixels.exif import Exif, read_exif
from vasculum.processing.builtin.exif import exif

COLUMNS = ("make", "model", "taken", "software", "orientation", "dpi_x", "dpi_y", "copyright", "artist")


def tags(**more):
    written = Image.Exif()
    written[0x010F] = "NIKON CORPORATION"
    written[0x0110] = "NIKON D800E"
    written[0x0112] = 6
    written[0x011A] = 600.0
    written[0x011B] = 300.0
    written[0x0128] = 2
    written[0x0131] = "Lightroom 4.4"
    written[0x013B] = "A. Smith"
    written[0x8298] = "(c) 2014 The Museum"
    below = written.get_ifd(0x8769)
    below[0x9003] = "2014:03:19 14:13:56"
    for tag, value in more.items():
        (below if tag.startswith("b") else written)[int(tag[1:], 16)] = value
    return written


def image_with(written, format_="JPEG", **options):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, format_, exif=written, **options)
    return stream.getvalue()


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_cameras_words_are_read_from_every_format(format_):
    found = read_exif(image_with(tags(), format_))
    assert found.make == "NIKON CORPORATION"
    assert found.model == "NIKON D800E"
    assert found.taken == (None if format_ == "TIFF" else "2014-03-19T14:13:56")  # Pillow leaves it out there
    assert found.software == "Lightroom 4.4"
    assert found.orientation == 6
    assert (found.dpi_x, found.dpi_y) == (600, 300)
    assert found.copyright == "(c) 2014 The Museum"
    assert found.artist == "A. Smith"


def test_the_processor_gives_a_value_for_each_image_in_order():
    given_columns = exif([image_with(tags()), b"", b"<html>", image_with(Image.Exif())])
    assert tuple(given_columns) == COLUMNS
    assert given_columns["model"] == ["NIKON D800E", None, None, None]
    assert given_columns["orientation"] == [6, None, None, None]


def test_the_offset_of_the_clock_is_kept_and_nonsense_is_not():
    assert read_exif(image_with(tags(b9011="+02:00"))).taken == "2014-03-19T14:13:56+02:00"
    assert read_exif(image_with(tags(b9011="+99:00"))).taken == "2014-03-19T14:13:56"
    for nonsense in ("0000:00:00 00:00:00", "2014:13:40 00:00:00", "    :  :     :  :  ", "yesterday", ""):
        assert read_exif(image_with(tags(b9003=nonsense))).taken is None
    assert read_exif(image_with(tags(b9003="    :  :     :  :  ", b9004="2015:01:02 03:04:05"))).taken == (
        "2015-01-02T03:04:05"
    )


@pytest.mark.parametrize(("written", "read"), [(0, None), (9, None), (65535, None), (1, 1), (8, 8)])
def test_an_orientation_that_cannot_be_is_null(written, read):
    assert read_exif(image_with(tags(x0112=written))).orientation == read


def test_density_falls_back_on_jfif_and_png_and_minds_its_unit():
    assert read_exif(image_with(Image.Exif(), dpi=(420, 421))).dpi_y == 421
    assert read_exif(image_with(Image.Exif(), "PNG", dpi=(300, 300))).dpi_x == pytest.approx(300, abs=0.1)
    assert read_exif(image_with(tags(x0128=3, x011A=100.0))).dpi_x == pytest.approx(254)
    assert read_exif(image_with(tags(x0128=1))).dpi_x is None
    assert read_exif(image_with(tags(x011A=0.0, x011B=1e9))).dpi_y is None


def tiff(*entries, order="<", data=b""):
    """A TIFF structure of one directory: entries are (tag, type, count, four bytes), data lies behind it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    body = b"".join(struct.pack(order + "HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return head + body + struct.pack(order + "I", 0) + data


def text(tag, raw, order="<"):
    place = 8 + 2 + 12 + 4
    return tiff((tag, 2, len(raw), struct.pack(order + "I", place)), order=order, data=raw)


def in_jpeg(block):
    """A real JPEG that carries the structure."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", exif=b"Exif\0\0" + block)
    return stream.getvalue()


def in_jpeg_text(*entry):
    return in_jpeg(text(*entry))


def in_jpeg_tiff(*entries, **options):
    return in_jpeg(tiff(*entries, **options))


def test_text_is_cleaned_of_control_characters_and_cut():
    assert read_exif(in_jpeg_text(0x010F, b"  a\x1b[31m\tb\r\n\x07c \x00rest")).make == "a [31m b c"
    assert read_exif(in_jpeg_text(0x010F, "a\u202eb\u0085c\ufeffd".encode())).make == "a b c d"
    assert read_exif(in_jpeg_text(0x010F, "می\u200cخواهم".encode())).make == "می\u200cخواهم"
    assert read_exif(in_jpeg_text(0x010F, b"M\xfcller & S\xf6hne\x00")).make == "Müller & Söhne"
    assert read_exif(in_jpeg_text(0x010F, b"\x00" * 40)).make is None
    assert read_exif(in_jpeg_text(0x010F, b" " * 40)).make is None
    assert read_exif(in_jpeg_text(0x010F, b"\xed\xa0\x80abcd")).make.encode("utf-8")
    assert len(read_exif(in_jpeg_text(0x010F, b"x" * 50_000)).make) == 1000
    assert len(read_exif(in_jpeg_text(0x010F, "é".encode() * 20_000)).make) == 1000
    assert (
        read_exif(in_jpeg_text(0x8298, b"A. Photographer\x00The Editor\x00more\x00")).copyright
        == "A. Photographer; The Editor"
    )


def test_both_byte_orders_short_values_and_long_orientations():
    assert read_exif(in_jpeg_tiff((0x010F, 2, 4, b"abc\0"), order=">")).make == "abc"
    assert read_exif(in_jpeg_tiff((0x0112, 4, 1, b"\0\0\0\6"), order=">")).orientation == 6
    assert read_exif(in_jpeg_tiff((0x0112, 3, 1, b"\0\6\0\0"), order=">")).orientation == 6


@pytest.mark.parametrize(
    "block",
    [
        b"II*\0",
        b"II*\0\x08\0\0\0",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x00\0\0\0",
        b"II+\0\x08\0\0\0\0\0\0\0",
        tiff((0x8769, 4, 1, b"\x08\0\0\0")),  # the Exif directory is this one
        tiff((0x010F, 2, 0xFFFFFFFF, b"\x08\0\0\0")),
        tiff((0x010F, 2, 100, b"\xff\xff\xff\xff")),
        tiff((0x010F, 7, 4, b"abcd")),
        tiff((0x010F, 2, 0, b"abcd")),
        tiff((0x0112, 3, 0, b"\6\0\0\0")),
        tiff((0x0112, 2, 1, b"\6\0\0\0")),
        tiff((0x011A, 5, 1, b"\xf0\xff\xff\xff")),
        tiff((0x011A, 5, 1, b"\x1a\0\0\0"), data=b"\x01\0\0\0\0\0\0\0"),  # a number over zero
        b"II*\0\x08\0\0\0\xff\xff" + b"\x0f\x01" * 9,
    ],
)
def test_hostile_structures_give_nulls(block):
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block + b"\xff\xd9"
    assert read_exif(block) == read_exif(jpeg) == Exif()


def test_hostile_containers_give_nulls():
    endless = [
        b"\xff\xd8" + b"\xff" * 5_000_000,
        b"\xff\xd8" + b"\xff\xe2\x00\x02" * 1_000_000,
        b"\xff\xd8\xff\xe1\x00\x00" * 1_000,
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0II*\0",
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 500_000,
        b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffeXIf",
        b"RIFF\0\0\0\0WEBP" + b"EXIF\0\0\0\0" * 500_000,
        b"II*\0\x08\0\0\0\xff\xff" + b"\x0f\x01\x02\0\xff\xff\xff\x7f\0\0\0\0" * 65_535,
    ]
    assert exif(endless)["make"] == [None] * len(endless)


@settings(max_examples=300)
@given(st.binary(max_size=300), st.integers(0, 400), st.binary(max_size=8))
def test_no_bytes_raise_and_all_text_can_be_written(noise, at, patch):
    whole = image_with(tags())
    broken = whole[:at] + patch + whole[at + len(patch) :]
    for data in (noise, b"\xff\xd8\xff" + noise, b"II*\0\x08\0\0\0" + noise, broken, whole[:at]):
        found = read_exif(data)
        for column in COLUMNS:
            value = getattr(found, column)
            if isinstance(value, str):
                assert 0 < len(value) <= 1000
                assert value.encode("utf-8")
                assert "\x00" not in value
