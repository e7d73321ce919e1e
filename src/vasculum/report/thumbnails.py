"""Small pictures inside the page: each a `data:` address of a JPEG, PNG or WebP, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from markupsafe import Markup

from vasculum.processing.types import Picture
from vasculum.study.study import ResultColumn, Study

SIZE = 256
QUALITY = 78
MOST_BYTES = 32_000
"""A picture of the study that is larger is made smaller before it goes into the page."""

MOST_IN_ALL = 3_500_000
"""All pictures of a page together, in bytes before base64 makes them a third longer."""


def own_pictures(study: Study) -> ResultColumn | None:
    """Return the column of the study's own thumbnails, where it has one."""
    return next((c for c in study.columns if c.processor == "thumbnail" and isinstance(c.kind, Picture)), None)


class Thumbnails:
    """Gives `data:` addresses as long as all of them together stay within `MOST_IN_ALL`."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._own = own_pictures(study)
        self._left = MOST_IN_ALL

    def of(self, media_ids: Sequence[str], column: str | None = None) -> dict[str, Markup]:
        """Return address by media id: of a Picture column, or of the images themselves.

        An image that cannot be read, or for which no room is left, has none.
        """
        own = column or (self._own.name if self._own else None)
        found = self._study.pictures(own, media_ids) if own else {}
        small = {media_id: _small(data) for media_id, data in found.items()}
        if column is None:
            others = [media_id for media_id in media_ids if media_id not in found]
            originals = self._study.corpus.image_bytes(others) if others else ()
            small.update((media_id, _made_smaller(data)) for media_id, data in originals)
        addresses: dict[str, Markup] = {}
        for media_id, data in small.items():
            if data is not None and len(data) <= self._left:
                self._left -= len(data)
                coded = base64.b64encode(data).decode()
                addresses[media_id] = Markup(f"data:{media_type(data)};base64,{coded}")
        return addresses


def media_type(data: bytes) -> str | None:
    """Return the media type of a JPEG, PNG or WebP by its first bytes, or None for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _small(data: bytes) -> bytes | None:
    """Return `data` where it is small and every browser shows it, else a small JPEG of it, or None."""
    return data if len(data) <= MOST_BYTES and media_type(data) else _made_smaller(data)


def _made_smaller(data: bytes) -> bytes | None:
    """Return a JPEG, `SIZE` pixels on the longer side, without padding; None where it cannot be decoded."""
    from vasculum.pixels.decode import decode
    from vasculum.pixels.encode import encode_jpeg
    from vasculum.pixels.errors import PixelError
    from vasculum.pixels.geometry import Want

    want = Want(SIZE, "pad")
    try:
        fitted = decode(data, [want]).fit(want)
    except PixelError:
        return None
    left, top, right, bottom = fitted.box
    return encode_jpeg(fitted.pixels[top:bottom, left:right], QUALITY)
