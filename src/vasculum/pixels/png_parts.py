"""Taking a PNG apart by its chunks, and putting together what a decoder needs.

Only the chunks that make the pixels are handed on: text that inflates to 100 MB, animation and broken notes
never reach the decoder. Chunks: W3C PNG, third edition.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Iterator

from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError
from vasculum.pixels.orientation import orientation_of

PNG = "image/png"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_PROFILE = 4_000_000
INFLATED_AT_ONCE = 1 << 20
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type → samples a pixel
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


@dataclasses.dataclass(frozen=True, slots=True)
class PngParts:
    """What the chunks say besides the pixels. `cut`: the file ends before its last chunk is whole."""

    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool
    orientation: int
    profile: bytes | None
    cut: bool


def take_apart(data: bytes) -> PngParts:
    """Read the chunks of a PNG, without its pixels. Raises PixelError (truncated, corrupt, unsupported)."""
    if len(data) < 33:
        raise PixelError(Status.TRUNCATED, f"{PNG}: ends inside its header")
    if data[8:16] != b"\x00\x00\x00\x0dIHDR" or zlib.crc32(data[12:29]) != int.from_bytes(data[29:33], "big"):
        raise PixelError(Status.CORRUPT, f"{PNG}: the header chunk is damaged")
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise PixelError(Status.CORRUPT, f"{PNG}: the header says {width} x {height} pixels")
    exif: bytes | None = None
    profile: bytes | None = None
    cut = True
    for kind, start, end in _chunks(data):
        if kind == b"IEND":
            cut = False
        elif kind == b"eXIf" and exif is None:
            exif = data[start:end]
        elif kind == b"iCCP" and profile is None:
            profile = _inflated_profile(data[start:end])
    return PngParts(width, height, bits, colour, bool(data[28]), orientation_of(exif), profile, cut)


def for_decoder(data: bytes, parts: PngParts) -> bytes:
    """Return the PNG with only the chunks that make its pixels; their checksums are verified.

    Raises PixelError(corrupt) for a wrong checksum and PixelError(unsupported) for an unknown critical chunk.
    """
    kept: list[bytes | memoryview] = [data[:33]]
    view = memoryview(data)
    for kind, start, end in _chunks(data):
        if kind == b"IHDR" or kind == b"IEND":
            continue
        if kind not in (b"PLTE", b"IDAT", b"tRNS"):
            if not kind[0] & 0x20:
                raise PixelError(Status.UNSUPPORTED, f"{PNG}: critical chunk {kind.decode('ascii')!r}")
            continue
        if end + 4 > len(data):  # the file ends here: what came of the chunk may still be all that is needed
            body = data[start:end]
            kept.append(_chunk(kind, body))
            break
        if zlib.crc32(view[start - 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise PixelError(Status.CORRUPT, f"{PNG}: wrong checksum of chunk {kind.decode('ascii')}")
        scaled = _scaled_key(data[start:end], parts) if kind == b"tRNS" else None
        kept.append(view[start - 8 : end + 4] if scaled is None else _chunk(kind, scaled))
    return b"".join((*kept, END))


def has_every_row(data: bytes, parts: PngParts) -> bool:
    """Inflate the pixel data, keeping nothing, and say whether they are as many as the header promises.

    Needed because Pillow leaves the rest black, without an error, where deflate ends properly but early.
    """
    depth = parts.bits * CHANNELS.get(parts.colour, 1)
    expected = 0
    for left, top, step_x, step_y in ADAM7 if parts.interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(parts.width - left) // step_x), -(-(parts.height - top) // step_y)
        if columns > 0 and rows > 0:
            expected += rows * (1 + -(-columns * depth // 8))
    inflate = zlib.decompressobj()
    for kind, start, end in _chunks(data):
        packed = data[start:end] if kind == b"IDAT" else b""
        while packed and expected > 0:
            expected -= len(inflate.decompress(packed, INFLATED_AT_ONCE))
            packed = inflate.unconsumed_tail
    return expected <= 0


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk's body; the last may end with the file."""
    at = 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if not kind.isalpha():
            raise PixelError(Status.CORRUPT, f"{PNG}: no chunk at byte {at}")
        yield kind, at + 8, min(at + 8 + length, len(data))
        if kind == b"IEND":
            return
        at += 12 + length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _scaled_key(body: bytes, parts: PngParts) -> bytes | None:
    """Return the transparent colour in the decoder's 8-bit samples (Pillow compares them unscaled), or
    None.
    """
    if parts.colour == 0 and parts.bits < 8 and len(body) == 2:
        largest = (1 << parts.bits) - 1
        return (int.from_bytes(body, "big") * 255 // largest & 255).to_bytes(2, "big")
    if parts.colour == 2 and parts.bits == 16 and len(body) == 6:
        return bytes(value for at in (0, 2, 4) for value in (0, body[at]))
    return None


def _inflated_profile(body: bytes) -> bytes | None:
    """Return the profile of an iCCP chunk, or None where it is broken or larger than any profile is."""
    name, _, packed = body.partition(b"\x00")
    if not 0 < len(name) < 80 or packed[:1] != b"\x00":
        return None
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(packed[1:], LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if inflate.eof else None
