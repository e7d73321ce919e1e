"""Pictures and odd files for the tests of pixels: every byte is made here."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageDraw

Array = npt.NDArray[np.uint8]
BLOCK = 16


def blocks(width: int = 64, height: int = 48, seed: int = 1) -> Array:
    """Flat blocks of 16 x 16 pixels, each of another colour: JPEG keeps their centres."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 226, (-(-height // BLOCK), -(-width // BLOCK), 3), dtype=np.uint8)
    return np.ascontiguousarray(small.repeat(BLOCK, 0).repeat(BLOCK, 1)[:height, :width])


def sheet(width: int = 1000, height: int = 1500) -> Array:
    """A herbarium sheet in outline: paper, a stem with leaves, a label with fine lines, a ruler."""
    rng = np.random.default_rng(7)
    picture = Image.new("RGB", (width, height), (232, 224, 205))
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y = (int(v) for v in rng.integers(0, (width * 3 // 4, height * 3 // 4)))
        long, wide = (int(v) for v in rng.integers(20, 120, 2))
        draw.ellipse((x, y, x + long, y + wide), fill=tuple(int(v) for v in rng.integers(40, 130, 3)))
    for row in range(25):
        draw.text((width - 330, height - 330 + 12 * row), f"Plantae vasculares no. {row * 7919}", fill=(30, 30, 40))
    for tick in range(0, width, 20):
        draw.rectangle((tick, height - 30, tick + 10, height - 5), fill=(0, 0, 0))
    noise = rng.normal(0, 2, (height, width, 1))
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)


def encoded(pixels: Array | Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The picture in one of Pillow's formats."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    out = io.BytesIO()
    if kind == "JPEG":
        options = {"quality": 92, **options}
    picture.save(out, kind, **options)
    return out.getvalue()


def exif_of(orientation: int, order: str = "<", letter: str = "H") -> bytes:
    """An EXIF block that states nothing but an orientation."""
    kind = {"H": 3, "I": 4}[letter]
    value = struct.pack(order + letter, orientation).ljust(4, b"\0")
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHI", 0x0112, kind, 1) + value
    return b"Exif\0\0" + head + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


def as_stored(upright: Array, orientation: int) -> Array:
    """The pixels that a camera stores so that `orientation` turns them into `upright`."""
    flipped = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    return np.ascontiguousarray(flipped)


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def behind_start(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with further segments behind its first two bytes."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def scans_start(jpeg: bytes) -> int:
    return jpeg.index(b"\xff\xda")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, bits: int, colour: int, *chunks: bytes) -> bytes:
    """A PNG of the given header and chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def swapped_profile() -> bytes:
    """An ICC profile that is sRGB but for red and green, which have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table = 132 + 12 * int.from_bytes(profile[128:132], "big")
    tags = profile[128:table].replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return profile[:128] + tags + profile[table:]


def lossless_jpeg(grey: Array) -> bytes:
    """A lossless JPEG (SOF3, predictor 1) of a grey picture: ITU-T T.81, annex H."""
    height, width = grey.shape
    values = grey.astype(int)
    expected = np.empty_like(values)
    expected[:, 1:] = values[:, :-1]
    expected[1:, 0] = values[:-1, 0]
    expected[0, 0] = 128
    bits = []
    for difference in (values - expected).ravel():
        category = int(abs(difference)).bit_length()
        bits.append(f"{category:04b}")  # every category has a code of four bits
        if category:
            bits.append(f"{difference if difference > 0 else difference + (1 << category) - 1:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    frame = segment(0xC3, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    table = segment(0xC4, b"\x00" + bytes((0, 0, 0, 9, *[0] * 12)) + bytes(range(9)))
    return b"\xff\xd8" + table + frame + segment(0xDA, b"\x01\x01\x00\x01\x00\x00") + scan + b"\xff\xd9"


def bombs() -> dict[str, bytes]:
    """Headers that promise far more pixels than anyone should take memory for."""
    side = 60_000
    tags = ((256, side), (257, side), (259, 4), (273, 8), (279, 4))
    tiff = b"II*\0" + struct.pack("<IH", 8, len(tags))
    tiff += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + bytes(4)
    jpeg = bytearray(encoded(blocks()))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    lossless = 0x2F | 16_382 << 8 | 16_382 << 22
    webp = b"VP8L" + struct.pack("<I", 10) + lossless.to_bytes(5, "little") + bytes(5)
    gif = struct.pack("<HHBBB", side, side, 0, 0, 0) + b",\0\0\0\0" + struct.pack("<HH", side, side)
    bmp = struct.pack("<IIIIiiHHIIiiII", 58, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return {
        "png": png_of(side, side, 8, 2, chunk(b"IDAT", zlib.compress(bytes(100)))),
        "gif": b"GIF89a" + gif + b"\0\x02\x02\x44\x01\0;",
        "bmp": b"BM" + bmp + bytes(4),
        "tiff": tiff,
        "webp": b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp,
        "jpeg": bytes(jpeg),
    }
