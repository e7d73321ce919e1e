"""The EXIF orientation: read from untrusted bytes, and undone."""

from __future__ import annotations

import struct

from PIL import Image

UPRIGHT = 1
TAG = 0x0112
# orientation → what turns the stored picture upright
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(exif: bytes | None) -> int:
    """Return the orientation (1 to 8) that an EXIF block states; 1 where it states none, or nonsense.

    `exif` may start with `Exif\\0\\0` or with the TIFF header. Unreadable EXIF must not lose the picture.
    """
    if not exif:
        return UPRIGHT
    body = exif[6:] if exif.startswith(b"Exif\x00\x00") else exif
    order = {b"II": "<", b"MM": ">"}.get(body[:2])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(order + "I", body, 4)
        (entries,) = struct.unpack_from(order + "H", body, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", body, entry)
            if tag == TAG:
                letter = {1: "B", 3: "H", 4: "I"}.get(kind)
                if letter is None or count != 1:
                    return UPRIGHT
                return checked(struct.unpack_from(order + letter, body, entry + 8)[0])
    except struct.error:
        pass
    return UPRIGHT


def checked(value: object) -> int:
    """Return `value` where it is an orientation from 1 to 8, else 1."""
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Say whether width and height change places when the picture is turned upright."""
    return orientation >= 5


def turned_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright (the same object where nothing is to turn)."""
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
