"""Small pictures of a study's images: its own thumbnails where it has some, else made from the corpus."""

from __future__ import annotations

from collections.abc import Sequence

from vasculum.pixels.errors import PixelError
from vasculum.pixels.smaller import smaller_jpeg
from vasculum.processing.types import Picture
from vasculum.study.study import ResultColumn, Study

SIZE = 256
QUALITY = 78
MOST_BYTES = 32_000
"""A picture of the study that is larger is made smaller."""


def own_pictures(study: Study) -> ResultColumn | None:
    """Return the column of the study's own thumbnails, where it has one."""
    return next((c for c in study.columns if c.processor == "thumbnail" and isinstance(c.kind, Picture)), None)


def small_pictures(
    study: Study, media_ids: Sequence[str], column: str | None = None, *, webp: bool = True
) -> dict[str, bytes]:
    """Return a small JPEG, PNG or WebP by media id: of a Picture column, or of the images themselves.

    An image that cannot be read has none. Without `webp`, a WebP becomes a JPEG.
    """
    thumbnails = own_pictures(study)
    own = column or (thumbnails.name if thumbnails else None)
    found = study.pictures(own, media_ids) if own else {}
    small = {media_id: _small(data, webp) for media_id, data in found.items()}
    if column is None:
        others = [media_id for media_id in media_ids if media_id not in found]
        originals = study.corpus.image_bytes(others) if others else ()
        small.update((media_id, _made_smaller(data)) for media_id, data in originals)
    return {media_id: data for media_id, data in small.items() if data is not None}


def media_type(data: bytes) -> str | None:
    """Return the media type of a JPEG, PNG or WebP by its first bytes, or None for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _small(data: bytes, webp: bool) -> bytes | None:
    """Return `data` where it is small and of a known type, else a small JPEG of it, or None."""
    kind = media_type(data)
    return data if len(data) <= MOST_BYTES and kind and (webp or kind != "image/webp") else _made_smaller(data)


def _made_smaller(data: bytes) -> bytes | None:
    """Return a JPEG, `SIZE` pixels on the longer side, without padding; None where it cannot be decoded."""
    try:
        return smaller_jpeg(data, SIZE, QUALITY)
    except PixelError:
        return None
