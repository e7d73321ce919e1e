"""Which medium a row is about: an id from the medium's identity, never from its content."""

from __future__ import annotations

import hashlib
import re

IMAGE_EXTENSIONS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".jp2": "image/jp2",
    ".j2k": "image/jp2",
    ".jpx": "image/jpx",
    ".jpf": "image/jpx",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jxl": "image/jxl",
}
"""Extensions of image files and their media types. Where files share a stem, the first of these leads."""

_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE)
_GLOBAL = re.compile(r"(?:urn:|ark:/?\d)\S+", re.IGNORECASE)


def global_id(text: str) -> str | None:
    """Return `text` where it is unique by itself: a urn, an ark or a UUID; no web address is.

    A UUID is the same however it is written: without `urn:uuid:`, in lower case.
    """
    text = text.strip()
    if match := _UUID.fullmatch(text):
        return match[1].lower()
    return text if _GLOBAL.fullmatch(text) else None


def without_extension(path: str) -> str:
    """Return `path` without the extension of an image file; anything else after a dot is part of the name."""
    stem, dot, extension = path.rpartition(".")
    named = stem and not stem.endswith("/")
    return stem if named and (dot + extension).lower() in IMAGE_EXTENSIONS else path


def media_id(
    *,
    label: str,
    row: int | str,
    own_id: str | None = None,
    access_uri: str | None = None,
    local_path: str | None = None,
) -> str:
    """Return the 32 hex digits that name a medium for good, of the first identity that there is.

    `id:` the medium's own id, as global_id gives it · `uri:` its address exactly as published · `file:`
    source label and path under its root, '/' between folders, without extension · `row:`
    source label and row.
    """
    if own_id:
        identity = f"id:{own_id}"
    elif access_uri:
        identity = f"uri:{access_uri}"
    elif local_path:
        identity = f"file:{label}/{without_extension(local_path)}"
    else:
        identity = f"row:{label}:{row}"
    return hashlib.sha256(identity.encode("utf-8")).hexdigest()[:32]
