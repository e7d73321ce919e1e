"""Pixels to encoded bytes: JPEG, PNG and WebP, the same bytes for the same pixels and library versions.

Nothing is written into the files but the picture. They are sRGB: a JPEG or WebP without a profile is read as
sRGB, a PNG says so in its sRGB chunk. (An embedded profile would carry the time of its making, and no two
files be equal.)
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from vasculum.errors import ProcessorError

LONGEST_SIDE = {"jpeg": 65_500, "png": 65_500, "webp": 16_383}
"""Longest side in pixels that each format is written with (libjpeg and libwebp hold no more)."""

FULL_CHROMA_FROM = 90
"""JPEG: from this quality on, colour is kept at full resolution (4:4:4); below it, at half (4:2:0)."""


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 85) -> bytes:
    """Return a baseline JPEG of `pixels`, uint8 `(H, W, 3)` sRGB; `quality` 1 to 100 as libjpeg counts.

    Raises ProcessorError for another shape, type or quality.
    """
    picture = _picture(pixels, "jpeg")
    subsampling = "4:4:4" if checked_quality(quality) >= FULL_CHROMA_FROM else "4:2:0"
    return _saved(picture, "JPEG", quality=quality, subsampling=subsampling, optimize=True, progressive=False)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a lossless PNG of `pixels`, uint8 `(H, W, 3)` sRGB.

    Raises ProcessorError for another shape or type.
    """
    marked = PngImagePlugin.PngInfo()
    marked.add(b"sRGB", b"\x00")  # rendering intent: perceptual
    return _saved(_picture(pixels, "png"), "PNG", pnginfo=marked, compress_level=4)


def encode_webp(pixels: NDArray[np.uint8], quality: int = 85) -> bytes:
    """Return a lossy WebP of `pixels`, uint8 `(H, W, 3)` sRGB; `quality` 1 to 100 as libwebp counts.

    Raises ProcessorError for another shape, type or quality.
    """
    return _saved(_picture(pixels, "webp"), "WEBP", quality=checked_quality(quality), method=2, lossless=False)


def checked_quality(quality: object) -> int:
    """Return `quality` where it is a whole number from 1 to 100, else raise ProcessorError."""
    if not isinstance(quality, int) or isinstance(quality, bool) or not 1 <= quality <= 100:
        raise ProcessorError(f"quality={quality!r}: expected a whole number from 1 to 100, such as 85.")
    return quality


def _picture(pixels: NDArray[np.uint8], format_: str) -> Image.Image:
    shape: tuple[int, ...] = getattr(pixels, "shape", ())
    kind: object = getattr(pixels, "dtype", type(pixels).__name__)
    if len(shape) != 3 or shape[2] != 3 or min(shape) < 1 or kind != np.uint8:
        raise ProcessorError(f"cannot write a {format_}: expected uint8 pixels (H, W, 3), got {kind} {shape}.")
    if max(shape) > LONGEST_SIDE[format_]:
        raise ProcessorError(
            f"cannot write a {format_} of {shape[1]} x {shape[0]} pixels: the longest side may be "
            f"{LONGEST_SIDE[format_]}. Choose a smaller size."
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


def _saved(picture: Image.Image, format_: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format_, **options)
    return stream.getvalue()
