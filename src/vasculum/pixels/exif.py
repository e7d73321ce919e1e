"""What a camera or scanner wrote about an image (EXIF), read by Pillow from bytes that nobody vouches for.

Whatever Pillow makes of a loop, a bomb or garbage, what comes out is a value that makes sense, or None.
Tags: CIPA DC-008 (Exif 3.0).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import re
import unicodedata
import warnings
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

from vasculum.pixels.opening import FORMATS, quiet

LONGEST_TEXT = 1_000
MOST_DPI = 100_000.0
INCH_IN_CM = 2.54

_KINDS = ("JPEG", *dict.fromkeys(FORMATS.values()))
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
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_KINDS) as image:
                tags = image.getexif()
                return _read(dict(tags), dict(tags.get_ifd(ExifTags.IFD.Exif)), image.info.get("dpi"))
    except Exception:  # Pillow raises many kinds for hostile bytes; none of them says anything of the picture
        return Exif()


def _read(main: Mapping[int, Any], taken: Mapping[int, Any], density: Any) -> Exif:
    base = ExifTags.Base
    orientation = main.get(base.Orientation)
    scale = {None: 1.0, 2: 1.0, 3: INCH_IN_CM}.get(main.get(base.ResolutionUnit))
    dpi = [_dots(main.get(tag), scale) for tag in (base.XResolution, base.YResolution)]
    if base.XResolution not in main and isinstance(density, tuple) and len(density) == 2:
        dpi = [_dots(value, 1.0) for value in density]
    return Exif(
        make=_text(main.get(base.Make)),
        model=_text(main.get(base.Model)),
        taken=_moment(taken, base.DateTimeOriginal, base.OffsetTimeOriginal)
        or _moment(taken, base.DateTimeDigitized, base.OffsetTimeDigitized),
        software=_text(main.get(base.Software)),
        orientation=orientation if isinstance(orientation, int) and orientation in range(1, 9) else None,
        dpi_x=dpi[0],
        dpi_y=dpi[1],
        copyright=_text(main.get(base.Copyright), parts=2),
        artist=_text(main.get(base.Artist)),
    )


def _text(value: Any, parts: int = 1) -> str | None:
    """Return a text without controls, at most 1,000 characters; `parts` of it that a zero byte divides, by '; '."""
    if not isinstance(value, str):
        return None
    found = [_cleaned(part) for part in value[: 8 * LONGEST_TEXT].split("\0")[:parts]]
    return "; ".join(part for part in found if part)[:LONGEST_TEXT].strip() or None


def _cleaned(text: str) -> str:
    with contextlib.suppress(UnicodeError):  # Pillow reads Latin-1, as old cameras wrote; what is UTF-8 shows it
        text = text.encode("latin-1").decode("utf-8")
    kept = (c if unicodedata.category(c)[0] != "C" or c in _JOINERS else " " for c in text)
    return " ".join("".join(kept).split())


def _moment(taken: Mapping[int, Any], tag: int, offset_tag: int) -> str | None:
    found = re.match(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", _text(taken.get(tag)) or "", re.ASCII)
    try:
        moment = datetime.datetime(*(int(part) for part in found.groups())) if found else None  # type: ignore[arg-type]
    except ValueError:
        return None
    offset = _text(taken.get(offset_tag)) or ""
    known = re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", offset, re.ASCII)
    return f"{moment.isoformat()}{offset if known else ''}" if moment else None


def _dots(value: Any, scale: float | None) -> float | None:
    """Return a density that a device can have, in dots an inch, else None; 1 is what software writes that knows none."""
    try:
        found = float(value) * (scale or 0.0)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if 1 < found <= MOST_DPI else None
