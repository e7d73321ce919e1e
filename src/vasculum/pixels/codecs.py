"""Which kinds of image this installation can decode."""

from __future__ import annotations

from PIL import features

_FEATURES = {"JPEG": "jpg", "PNG": "zlib", "TIFF": "libtiff", "WebP": "webp", "JPEG 2000": "jpg_2000", "AVIF": "avif"}


def codecs() -> dict[str, bool]:
    """Return each kind of image and whether its codec is there."""
    found = {kind: bool(features.check(name)) for kind, name in _FEATURES.items()}
    return {**found, "colour profiles": bool(features.check("littlecms2"))}
