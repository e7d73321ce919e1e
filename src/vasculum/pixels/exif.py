"""What a camera or scanner wrote about an image (EXIF), read from bytes that nobody vouches for.

Read here, without an image library, from JPEG (APP1), PNG (eXIf), WebP (EXIF chunk) and TIFF: one directory
and its Exif sub-directory, each entry once, no chain followed, every offset checked. So a loop, a bomb or
garbage costs nothing and gives None. Formats: CIPA DC-008 (Exif 3.0), TIFF 6.0, PNG 3rd edition, RFC 9649
(WebP).
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import struct
import unicodedata
from collections.abc import Iterator

LONGEST_TEXT = 1_000
MOST_PARTS = 10_000
MOST_DPI = 100_000.0
INCH_IN_CM = 2.54
INCH_IN_METRES = 0.0254

_TEXT_TYPES = (2, 129)
_WHOLE = {1: "B", 3: "H", 4: "I"}
_RATIONAL = 5
_MAKE, _MODEL, _ORIENTATION, _X, _Y, _UNIT, _SOFTWARE = 0x010F, 0x0110, 0x0112, 0x011A, 0x011B, 0x0128, 0x0131
_ARTIST, _COPYRIGHT, _EXIF = 0x013B, 0x8298, 0x8769
_TAKEN, _DIGITIZED, _TAKEN_OFFSET, _DIGITIZED_OFFSET = 0x9003, 0x9004, 0x9011, 0x9012
_JOINERS = "\u200c\u200d"  # format characters that some scripts are written with


@dataclasses.dataclass(frozen=True, slots=True)
class Exif:
    """What was found; None where it is missing or makes no sense.

    `taken` is ISO 8601 to the second, with an offset only where the camera gave one: when the picture was
    taken, else digitized. `orientation` is 1 to 8. `dpi_x` and `dpi_y` are dots an inch as claimed (EXIF,
    else JFIF or PNG pHYs): stale on many derivatives.
    """

    make: str | None = None
    model: str | None = None
    taken: str | None = None
    software: str | None = None
    orientation: int | None = None
    dpi_x: float | None = None
    dpi_y: float | None = None
    copyright: str | None = None
    artist: str | None = None


def read_exif(data: bytes) -> Exif:
    """Return what the encoded image `data` says of its making. Never raises for any bytes."""
    block, density = _found(data)
    tags = _Tags(block) if block else None
    read = tags.exif() if tags else Exif()
    if read.dpi_x is None and read.dpi_y is None and density:
        read = dataclasses.replace(read, dpi_x=_dpi(density[0]), dpi_y=_dpi(density[1]))
    return read


def clean_text(raw: bytes) -> str | None:
    """Return the text of an EXIF value: UTF-8, else Latin-1; without controls, at most 1,000 characters.

    It ends at the first zero byte, except that a second part after it (the editor's, in Copyright) is put
    behind '; '.
    """
    parts = [_cleaned(part) for part in raw[: 8 * LONGEST_TEXT].split(b"\0")[:2]]
    return "; ".join(part for part in parts if part)[:LONGEST_TEXT].strip() or None


def _cleaned(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    kept = (c if unicodedata.category(c)[0] != "C" or c in _JOINERS else " " for c in text)
    return " ".join("".join(kept).split())


Density = tuple[float, float] | None


def _found(data: bytes) -> tuple[bytes, Density]:
    """Return the TIFF structure that holds the EXIF (or b''), and the dots an inch found elsewhere."""
    if data[:3] == b"\xff\xd8\xff":
        return _in_jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _in_png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return next((_bare(body) for name, body in _chunks(data, 12, "<") if name == b"EXIF"), b""), None
    return (data if data[:4] in (b"II*\0", b"MM\0*") else b""), None


def _bare(body: bytes) -> bytes:
    return body[6:] if body[:6] == b"Exif\0\0" else body


def _in_jpeg(data: bytes) -> tuple[bytes, Density]:
    block, density, at = b"", None, 2
    for _ in range(MOST_PARTS):
        if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] in (0xD9, 0xDA):
            break
        if data[at + 1] == 0xFF:  # fill byte
            at += 1
            continue
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and body[:6] == b"Exif\0\0" and not block:
            block = body[6:]
        elif marker == 0xE0 and body[:5] == b"JFIF\0" and len(body) >= 12 and density is None:
            density = _density(body[7], *struct.unpack(">HH", body[8:12]))
        if length < 2:
            break
        at += 2 + length
    return block, density


def _density(unit: int, x: float, y: float) -> Density:
    """Return dots an inch of a JFIF density; unit 1 is inch, 2 centimetre, 0 no length at all."""
    scale = {1: 1.0, 2: INCH_IN_CM}.get(unit)
    return (x * scale, y * scale) if scale else None


def _in_png(data: bytes) -> tuple[bytes, Density]:
    block, density = b"", None
    for name, body in _chunks(data, 8, ">"):
        if name == b"eXIf" and not block:
            block = _bare(body)
        elif name == b"pHYs" and len(body) == 9 and body[8] == 1:
            x, y = struct.unpack(">II", body[:8])
            density = (x * INCH_IN_METRES, y * INCH_IN_METRES)
    return block, density


def _chunks(data: bytes, at: int, order: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and body of chunks: PNG ('>': length, name, body, CRC) or RIFF ('<': name, length, body)."""
    for _ in range(MOST_PARTS):
        if len(data) < at + 8:
            return
        first, second = data[at : at + 4], data[at + 4 : at + 8]
        name, length = (second, first) if order == ">" else (first, second)
        (size,) = struct.unpack(order + "I", length)
        if name in (b"eXIf", b"EXIF", b"pHYs"):
            yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + (4 if order == ">" else size % 2)


class _Tags:
    """The entries of the first directory of a TIFF structure, and of its Exif directory."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4], "")
        self.entries: dict[int, tuple[int, int, int]] = {}
        self.taken_entries: dict[int, tuple[int, int, int]] = {}
        if self.order and len(block) >= 8:
            self.entries = self._directory(*struct.unpack(self.order + "I", block[4:8]))
            below = self.whole(self.entries, _EXIF)
            self.taken_entries = self._directory(below) if below else {}

    def exif(self) -> Exif:
        orientation = self.whole(self.entries, _ORIENTATION)
        unit = self.whole(self.entries, _UNIT)
        scale = {None: 1.0, 2: 1.0, 3: INCH_IN_CM}.get(unit)
        return Exif(
            make=self.text(self.entries, _MAKE),
            model=self.text(self.entries, _MODEL),
            taken=self._moment(_TAKEN, _TAKEN_OFFSET) or self._moment(_DIGITIZED, _DIGITIZED_OFFSET),
            software=self.text(self.entries, _SOFTWARE),
            orientation=orientation if orientation in range(1, 9) else None,
            dpi_x=self._dots(_X, scale),
            dpi_y=self._dots(_Y, scale),
            copyright=self.text(self.entries, _COPYRIGHT, parts=2),
            artist=self.text(self.entries, _ARTIST),
        )

    def _directory(self, at: int) -> dict[int, tuple[int, int, int]]:
        """Return tag → (type, count, place of its value field); of a tag that comes twice, the first."""
        found: dict[int, tuple[int, int, int]] = {}
        if not 8 <= at <= len(self.block) - 2:
            return found
        (count,) = struct.unpack_from(self.order + "H", self.block, at)
        for place in range(at + 2, min(at + 2 + 12 * count, len(self.block) - 11), 12):
            tag, kind, length = struct.unpack_from(self.order + "HHI", self.block, place)
            found.setdefault(tag, (kind, length, place + 8))
        return found

    def _bytes(self, size: int, place: int) -> bytes:
        """Return a value of `size` bytes: in its field where it fits, else where the field points."""
        if size > 4:
            (place,) = struct.unpack_from(self.order + "I", self.block, place)
        return self.block[place : place + size] if place + size <= len(self.block) else b""

    def text(self, entries: dict[int, tuple[int, int, int]], tag: int, parts: int = 1) -> str | None:
        kind, length, place = entries.get(tag, (0, 0, 0))
        if kind not in _TEXT_TYPES:
            return None
        raw = self._bytes(length, place)
        return clean_text(raw if parts > 1 else raw.split(b"\0", 1)[0])

    def whole(self, entries: dict[int, tuple[int, int, int]], tag: int) -> int | None:
        kind, length, place = entries.get(tag, (0, 0, 0))
        if kind not in _WHOLE or length != 1:
            return None
        return int(struct.unpack_from(self.order + _WHOLE[kind], self.block, place)[0])

    def _dots(self, tag: int, scale: float | None) -> float | None:
        kind, length, place = self.entries.get(tag, (0, 0, 0))
        raw = self._bytes(8, place) if kind == _RATIONAL and length == 1 else b""
        if len(raw) != 8 or scale is None:
            return None
        above, below = struct.unpack(self.order + "II", raw)
        return _dpi(above / below * scale) if below else None

    def _moment(self, tag: int, offset_tag: int) -> str | None:
        text = self.text(self.taken_entries, tag) or ""
        found = re.match(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", text, re.ASCII)
        try:
            moment = datetime.datetime(*(int(part) for part in found.groups())) if found else None  # type: ignore[arg-type]
        except ValueError:
            return None
        offset = self.text(self.taken_entries, offset_tag) or ""
        known = re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", offset, re.ASCII)
        return f"{moment.isoformat()}{offset if known else ''}" if moment else None


def _dpi(value: float) -> float | None:
    """Return a density that a device can have, else None; 1 is what software writes that knows of none."""
    return value if 1 < value <= MOST_DPI else None
