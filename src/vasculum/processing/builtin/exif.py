"""`exif`: what the camera or scanner wrote about an image."""

from __future__ import annotations

from typing import Any

from vasculum.pixels.exif import read_exif
from vasculum.processing.contract import processor
from vasculum.processing.types import Bytes, Float, Integer, Text

GIVES = {
    "make": Text(missing=True),
    "model": Text(missing=True),
    "taken": Text(missing=True),
    "software": Text(missing=True),
    "orientation": Integer(missing=True),
    "dpi_x": Float(missing=True),
    "dpi_y": Float(missing=True),
    "copyright": Text(missing=True),
    "artist": Text(missing=True),
}


@processor(Bytes(), gives=GIVES)
def exif(data: list[bytes]) -> dict[str, list[Any]]:
    """EXIF of each of N encoded images (JPEG, PNG, WebP, TIFF); null where it is missing or makes no sense.

    `make`, `model`, `software`, `copyright`, `artist`: as written, without control characters, at most 1,000
    characters. Copyright here may contradict the record's licence: the record is what was published. `taken`:
    ISO 8601 to the second, with an offset only where the camera gave one. `orientation`: 1 to 8. `dpi_x`,
    `dpi_y`: dots an inch as claimed (EXIF, else JFIF or PNG); stale on many derivatives: do not measure with
    them. Nothing is decoded, and no bytes raise an error.
    """
    found = [read_exif(bytes(one)) for one in data]
    return {column: [getattr(one, column) for one in found] for column in GIVES}
