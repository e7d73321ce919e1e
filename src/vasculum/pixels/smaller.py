"""An encoded image made into a small JPEG: upright, sRGB, in its own proportions, without padding."""

from __future__ import annotations

from vasculum.pixels.decode import Want, decode
from vasculum.pixels.encode import encode_jpeg


def smaller_jpeg(data: bytes, size: int, quality: int = 85) -> bytes:
    """Return a JPEG of an encoded image whose longer side is `size` pixels (small pictures are enlarged).

    Raises PixelError where it cannot be decoded, UsageError for a size that cannot be.
    """
    want = Want(size, "pad")
    fitted = decode(data, [want]).fit(want)
    left, top, right, bottom = fitted.box
    return encode_jpeg(fitted.pixels[top:bottom, left:right], quality)
