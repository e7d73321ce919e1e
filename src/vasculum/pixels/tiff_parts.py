"""The first directory of a TIFF or BigTIFF, read without a decoder: size, kind, orientation, data.

Tags: TIFF 6.0; BigTIFF design (libtiff); DNG 1.6.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError
from vasculum.pixels.orientation import checked

TIFF = "image/tiff"
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 256, 257, 258, 259, 262, 274
STRIP_OFFSETS, SAMPLES, STRIP_ROWS, STRIP_BYTES, PLANES = 273, 277, 278, 279, 284
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
SUBFILE, SUBDIRECTORIES, SAMPLE_FORMAT, PROFILE, DNG_VERSION = 254, 330, 339, 34675, 50706
WANTED = frozenset({
    WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, STRIP_OFFSETS, SAMPLES, STRIP_ROWS,
    STRIP_BYTES, PLANES, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, SUBFILE, SUBDIRECTORIES,
    SAMPLE_FORMAT, PROFILE, DNG_VERSION,
})  # fmt: skip
# What the decoder is shown; bare numbers: fill order, planes, CCITT, predictor, palette, tiles, JPEG, YCbCr.
MAKING_PIXELS = frozenset({
    WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, 266, STRIP_OFFSETS, SAMPLES, STRIP_ROWS, STRIP_BYTES,
    PLANES, 292, 293, 317, 320, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, 338, SAMPLE_FORMAT, 347,
    *range(512, 522), 529, 530, 531, 532,
})  # fmt: skip
LETTERS = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}  # type of a tag → struct letter
RAW_PHOTOMETRICS = (32803, 34892)  # colour filter array, linear raw
MOST_TAGS = 4096
MOST_VALUES = 4_000_000
LARGEST_PROFILE = 4_000_000
LARGEST_TILE = 4096 * 4096  # pixels, where the picture itself is smaller
JPEG_COMPRESSIONS = (6, 7)


@dataclasses.dataclass(frozen=True, slots=True)
class TiffParts:
    """What the first directory says. `cut`: some of its pixel data would lie beyond the end of the file."""

    width: int
    height: int
    bits: int  # a sample
    orientation: int
    profile: bytes | None
    compression: int
    cut: bool


def take_apart(data: bytes) -> TiffParts:
    """Read the first directory. Raises PixelError (truncated, corrupt; unsupported for raw camera files)."""
    if len(data) < 8:
        raise PixelError(Status.TRUNCATED, f"{TIFF}: ends inside its header")
    try:
        tags = _tags(data)
    except struct.error as error:
        raise PixelError(Status.CORRUPT, f"{TIFF}: its first directory cannot be read") from error
    width, height = _first(tags, WIDTH, 0), _first(tags, HEIGHT, 0)
    if not (width and height):
        raise PixelError(Status.CORRUPT, f"{TIFF}: its first directory says {width} x {height} pixels")
    tile = _first(tags, TILE_WIDTH, 0) * _first(tags, TILE_HEIGHT, 0)
    if tile > max(LARGEST_TILE, 2 * width * height):  # the decoder takes memory for a whole tile
        raise PixelError(Status.CORRUPT, f"{TIFF}: tiles of {tile} pixels in {width} x {height} pixels")
    thumbnail = _first(tags, SUBFILE, 0) & 1 and SUBDIRECTORIES in tags
    if DNG_VERSION in tags or thumbnail or _first(tags, PHOTOMETRIC, 0) in RAW_PHOTOMETRICS or data[8:10] == b"CR":
        raise PixelError(Status.UNSUPPORTED, f"{TIFF}: a raw camera file, not a picture")
    if any(kind not in (1, 4) for kind in tags.get(SAMPLE_FORMAT, ())):
        raise PixelError(Status.UNSUPPORTED, f"{TIFF}: samples that are no plain numbers from 0 up")
    bits = _first(tags, BITS, 1)
    if bits > 16:
        raise PixelError(Status.UNSUPPORTED, f"{TIFF}: {bits} bits a sample")
    offsets = tags.get(TILE_OFFSETS) or tags.get(STRIP_OFFSETS, ())
    lengths = tags.get(TILE_BYTES) or tags.get(STRIP_BYTES, ())
    if len(offsets) < _pieces(tags, width, height):
        raise PixelError(Status.CORRUPT, f"{TIFF}: {len(offsets)} strips or tiles, too few for its size")
    cut = any(offset + length > len(data) for offset, length in zip(offsets, lengths, strict=False))
    profile = bytes(tags[PROFILE]) if PROFILE in tags and max(tags[PROFILE], default=0) < 256 else None
    orientation = checked(_first(tags, ORIENTATION, 1))
    return TiffParts(width, height, bits, orientation, profile, _first(tags, COMPRESSION, 1), cut)


def _pieces(tags: dict[int, tuple[int, ...]], width: int, height: int) -> int:
    """Return how many strips or tiles the picture must have: where one is missing, decoders leave black."""
    if TILE_OFFSETS in tags:
        tile_width, tile_height = max(1, _first(tags, TILE_WIDTH, 1)), max(1, _first(tags, TILE_HEIGHT, 1))
        pieces = -(-width // tile_width) * -(-height // tile_height)
    else:
        pieces = -(-height // max(1, _first(tags, STRIP_ROWS, height)))
    return pieces * (_first(tags, SAMPLES, 1) if _first(tags, PLANES, 1) == 2 else 1)


def _first(tags: dict[int, tuple[int, ...]], tag: int, default: int) -> int:
    values = tags.get(tag)
    return values[0] if values else default


@dataclasses.dataclass(frozen=True, slots=True)
class _Layout:
    """How numbers are laid out in this file: classic or BigTIFF, little or big end first."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def entry(self) -> str:
        return self.order + ("HHQ" if self.big else "HHI")

    @property
    def inline(self) -> int:
        return 8 if self.big else 4


def _layout(data: bytes) -> _Layout:
    return _Layout("<" if data[:2] == b"II" else ">", data[2:4] in (b"+\x00", b"\x00+"))


def _entries(data: bytes, layout: _Layout) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, count and place of the value of each entry of the first directory, each tag once."""
    (at,) = struct.unpack_from(layout.offset, data, layout.inline)
    if at >= len(data):
        raise PixelError(Status.CORRUPT, f"{TIFF}: its first directory lies beyond the end of the file")
    (count,) = struct.unpack_from(layout.count, data, at)
    if count > MOST_TAGS:
        raise PixelError(Status.CORRUPT, f"{TIFF}: {count} tags in one directory")
    at += struct.calcsize(layout.count)
    head = struct.calcsize(layout.entry)
    seen: set[int] = set()
    for place in range(at, at + count * (head + layout.inline), head + layout.inline):
        tag, kind, values = struct.unpack_from(layout.entry, data, place)
        if tag not in seen:
            seen.add(tag)
            yield tag, kind, values, place + head


def _tags(data: bytes) -> dict[int, tuple[int, ...]]:
    layout = _layout(data)
    found: dict[int, tuple[int, ...]] = {}
    for tag, kind, values, place in _entries(data, layout):
        letter = LETTERS.get(kind)
        if tag not in WANTED or letter is None:
            continue
        size, start = values * struct.calcsize("=" + letter), place
        if size > layout.inline:
            (start,) = struct.unpack_from(layout.offset, data, place)
        if tag == PROFILE and (start + size > len(data) or size > LARGEST_PROFILE):
            continue  # a broken profile is ignored, as everywhere
        if start + size > len(data) or values > MOST_VALUES:
            raise PixelError(Status.CORRUPT, f"{TIFF}: tag {tag} has {values} values, beyond the file or reason")
        found[tag] = struct.unpack_from(f"{layout.order}{values}{letter}", data, start)
    return found


def for_decoder(data: bytes) -> bytes:
    """Return the TIFF with one directory that holds only the tags that make the pixels.

    Further pages, private tags, loops and the orientation (which Pillow would apply itself) never reach the
    decoder.
    """
    layout = _layout(data)
    kept = sorted(
        (tag, data[place - struct.calcsize(layout.entry) : place + layout.inline])
        for tag, _, _, place in _entries(data, layout)
        if tag in MAKING_PIXELS
    )
    at = len(data) + len(data) % 2
    directory = struct.pack(layout.count, len(kept)) + b"".join(entry for _, entry in kept)
    header = data[: layout.inline] + struct.pack(layout.offset, at)
    body = memoryview(data)[len(header) :]
    return b"".join((header, body, b"\x00" * (len(data) % 2), directory, struct.pack(layout.offset, 0)))
