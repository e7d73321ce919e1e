"""`exif`: what the camera or scanner wrote about an image."""

from __future__ import annotations

from typing import Any

from vasculum.pixels.exif import read_exif
from vasculum.processing.contract import processor
from vasculum.processing.types import Bytes, Float, Integer, Text

GIVES = {
    "make": Text(missing=True, meaning="maker of the camera or scanner"),
    "model": Text(missing=True, meaning="model of the camera or scanner"),
    "taken": Text(missing=True, unit="ISO 8601", meaning="when the picture was taken, as the camera says"),
    "software": Text(missing=True, meaning="software that wrote the file"),
    "orientation": Integer(missing=True, unit="1 to 8", meaning="EXIF orientation"),
    "dpi_x": Float(missing=True, unit="dots per inch", meaning="resolution across, as claimed"),
    "dpi_y": Float(missing=True, unit="dots per inch", meaning="resolution down, as claimed"),
    "copyright": Text(missing=True, meaning="copyright as written in the file; the record may say otherwise"),
    "artist": Text(missing=True, meaning="artist as written in the file"),
}


@processor(Bytes(), gives=GIVES)
def exif(data: list[bytes]) -> dict[str, list[Any]]:
    """What the camera or scanner wrote into each image (EXIF); null where it is missing or makes no sense.

    Of encoded JPEG, PNG, WebP and TIFF.

    `make`, `model`, `software`, `copyright`, `artist`: as written, without control characters, at most 1,000
    characters. Copyright here may contradict the record's licence: the record is what was published. `taken`:
    ISO 8601 to the second, with an offset only where the camera gave one. `orientation`: 1 to 8. `dpi_x`,
    `dpi_y`: dots an inch as claimed (EXIF, else JFIF or PNG); stale on many derivatives: do not measure with
    them. Nothing is decoded, and no bytes raise an error.
    """
    found = [read_exif(bytes(one)) for one in data]
    return {column: [getattr(one, column) for one in found] for column in GIVES}
