"""The containers of JPEG 2000 (boxes, codestream), AVIF (boxes) and WebP (RIFF), read without a decoder.

JPEG 2000: ISO/IEC 15444-1, annexes A and I. WebP: RFC 9649.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError
from vasculum.pixels.orientation import orientation_of

JP2, J2K, WEBP = "image/jp2", "image/x-jp2-codestream", "image/webp"
SIZ, COD, COC, SOT, SOD, EOC = 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93, 0xFFD9
MOST_TILES = 65_535
MOST_COMPONENTS = 4


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int, bool]]:
    """Yield kind, start and end of the body of each ISO box, and whether the box reaches beyond `end`."""
    at = start
    while at + 8 <= end:
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = end - at
        if length < head:
            return
        yield kind, at + head, min(at + length, end), at + length > end
        at += length


def boxes_are_cut(data: bytes) -> bool:
    """Say whether a box of the file ends beyond the file."""
    return any(cut for _, _, _, cut in boxes(data, 0, len(data)))


@dataclasses.dataclass(frozen=True, slots=True)
class Jpeg2000Parts:
    """What the boxes and the main header say. `levels`: how often the decoder can halve the picture."""

    width: int
    height: int
    levels: int
    profile: bytes | None
    cut: bool


def take_apart_jpeg2000(data: bytes, image_type: str) -> Jpeg2000Parts:
    """Read size, levels and profile, and follow the tile parts. Raises PixelError(truncated, corrupt)."""
    at, end, profile = 0, len(data), None
    if image_type == JP2:
        at = -1
        for kind, start, stop, _ in boxes(data, 0, len(data)):
            if kind == b"jp2h":
                profile = _colour_profile(data, start, stop)
            elif kind == b"jp2c":
                at, end = start, stop
                break
        if at < 0:
            raise PixelError(Status.TRUNCATED, f"{image_type}: ends before its codestream")
    try:
        return _codestream(data, at, end, profile, image_type)
    except struct.error:
        raise PixelError(Status.TRUNCATED, f"{image_type}: ends inside its header") from None


def _colour_profile(data: bytes, start: int, end: int) -> bytes | None:
    for kind, at, stop, _ in boxes(data, start, end):
        if kind == b"colr" and data[at : at + 1] == b"\x02":
            return data[at + 3 : stop]
    return None


def _codestream(data: bytes, at: int, end: int, profile: bytes | None, image_type: str) -> Jpeg2000Parts:
    if data[at : at + 4] != b"\xff\x4f\xff\x51":
        raise PixelError(Status.CORRUPT, f"{image_type}: the codestream does not start as one")
    right, bottom, left, top, tile_w, tile_h, tile_x, tile_y = struct.unpack_from(">8I", data, at + 8)
    (components,) = struct.unpack_from(">H", data, at + 40)
    if components > MOST_COMPONENTS:  # the decoder takes memory for each
        raise PixelError(Status.UNSUPPORTED, f"{image_type}: {components} components")
    width, height = right - left, bottom - top
    if min(width, height, tile_w, tile_h) <= 0 or max(width, height) >= 2**31:
        raise PixelError(Status.CORRUPT, f"{image_type}: the header says {width} x {height} pixels")
    tiles = -(-(right - tile_x) // tile_w) * -(-(bottom - tile_y) // tile_h)
    if not 0 < tiles <= MOST_TILES:
        raise PixelError(Status.CORRUPT, f"{image_type}: the header says {tiles} tiles")
    levels = 0
    at += 2
    while (marker := struct.unpack_from(">H", data, at)[0]) != SOT:
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker < 0xFF30 or length < 2:
            raise PixelError(Status.CORRUPT, f"{image_type}: no marker at byte {at}")
        if marker == COD:
            levels = data[at + 9]
        elif marker == COC:
            levels = 0  # components may differ: such a picture is decoded whole
            break
        at += 2 + length
    return Jpeg2000Parts(width, height, levels, profile, _lacks_tiles(data, at, end, tiles))


def _lacks_tiles(data: bytes, at: int, end: int, tiles: int) -> bool:
    """Follow the lengths of the tile parts: are they all there, and of each tile as many as it says?"""
    parts: dict[int, int] = {}
    said: dict[int, int] = {}
    while at + 12 <= end:
        marker, _, tile, length, _, count = struct.unpack_from(">HHHIBB", data, at)
        if marker != SOT:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0] if marker != EOC else end
            continue
        parts[tile] = parts.get(tile, 0) + 1
        said[tile] = max(said.get(tile, 0), count)
        if length == 0:  # until the end marker
            return data[end - 2 : end] != b"\xff\xd9"
        if length < 14 or at + length > end:
            return True
        at += length
    return len(parts) < tiles or any(parts[tile] < count for tile, count in said.items())


@dataclasses.dataclass(frozen=True, slots=True)
class WebpParts:
    """What the RIFF chunks of a WebP say. `cut`: the file is shorter than it says."""

    width: int
    height: int
    orientation: int
    profile: bytes | None
    cut: bool


def take_apart_webp(data: bytes) -> WebpParts:
    """Read size, orientation and profile of a WebP. Raises PixelError(truncated, corrupt)."""
    if len(data) < 25:
        raise PixelError(Status.TRUNCATED, f"{WEBP}: ends inside its header")
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L" and data[20] == 0x2F:
        packed = int.from_bytes(data[21:25], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    else:
        raise PixelError(Status.CORRUPT, f"{WEBP}: the first chunk is no picture header")
    if not (width and height):
        raise PixelError(Status.CORRUPT, f"{WEBP}: the header says {width} x {height} pixels")
    found: dict[bytes, bytes] = {}
    at = 12
    while kind == b"VP8X" and at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] in (b"EXIF", b"ICCP") and at + 8 + length <= len(data):
            found.setdefault(data[at : at + 4], data[at + 8 : at + 8 + length])
        at += 8 + length + (length & 1)
    cut = int.from_bytes(data[4:8], "little") + 8 > len(data)
    return WebpParts(width, height, orientation_of(found.get(b"EXIF")), found.get(b"ICCP"), cut)
