"""Encoded bytes to upright 8-bit sRGB pixels: one decode for everything that is wanted of an image.

The same bytes, wants and policy give the same pixels to the bit. Every function is safe to call from threads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from vasculum.errors import UsageError
from vasculum.outcomes import Status
from vasculum.pixels import geometry, png_parts, tiff_parts
from vasculum.pixels.colour import to_srgb
from vasculum.pixels.errors import PixelError, only_pixel_errors
from vasculum.pixels.geometry import Want
from vasculum.pixels.header import Header, Parts, read_parts
from vasculum.pixels.jpeg import decode_jpeg, scales
from vasculum.pixels.opening import open_image
from vasculum.pixels.orientation import swaps_sides, turned_upright
from vasculum.pixels.policy import DecodePolicy

__all__ = ["Decoded", "Fitted", "Want", "decode"]

FILTERS = {"lanczos": Image.Resampling.LANCZOS, "bilinear": Image.Resampling.BILINEAR}
Pixels = npt.NDArray[np.uint8]
DEFAULT_POLICY = DecodePolicy()


@dataclasses.dataclass(frozen=True, slots=True)
class Fitted:
    """A picture in its square: uint8 `(size, size, 3)`, and where it lies inside."""

    pixels: Pixels
    box: tuple[int, int, int, int]  # left, top, right, bottom; the rest is fill


class Decoded:
    """One decoded image, from which squares and scaled pictures are made.

    `width`, `height`: pixels of the original, upright. `header`: what the image says of itself.
    """

    __slots__ = ("_picture", "_policy", "_scale", "_shift", "header", "height", "width")

    def __init__(self, picture: Image.Image, scale: float, shift: float, header: Header, policy: DecodePolicy) -> None:
        self._picture = picture  # RGB, as stored: turning the small result is cheaper
        self._scale = scale  # decoded pixels a side for one of the original; sizes are rounded up
        self._shift = shift  # by how many decoded pixels the picture stands right and down of where it should
        self._policy = policy
        self.header = header
        swapped = swaps_sides(header.orientation)
        self.width, self.height = (header.height, header.width) if swapped else (header.width, header.height)

    def fit(self, want: Want) -> Fitted:
        """Return the picture fitted into a square, with an antialiased resize (small pictures are enlarged).

        Raises UsageError for a want that `decode` was not told of and that its scaled pixels cannot serve.
        """
        self._check_served([want], False)
        stored = geometry.place(self.header.width, self.header.height, want)
        upright = geometry.place(self.width, self.height, want)
        inner = turned_upright(self._resized(stored.source, stored.size, want.filter), self.header.orientation)
        left, top, right, bottom = upright.box
        pixels = np.full((want.size, want.size, 3), want.fill, dtype=np.uint8)
        pixels[top:bottom, left:right] = np.asarray(inner)
        return Fitted(pixels, upright.box)

    def whole(self, long_side: int | None) -> Pixels:
        """Return the whole picture upright, uint8 `(H, W, 3)`, its longer side scaled down to `long_side`.

        None, or a longer `long_side` than the picture has: the size as it is. The array may be read-only.
        Raises UsageError where `decode` was not told of it and its scaled pixels cannot serve.
        """
        self._check_served([], long_side)
        width, height = self.header.width, self.header.height
        if long_side is None or long_side >= max(width, height):
            picture = self._picture
        else:
            size = geometry.scaled_down(width, height, long_side)
            picture = self._resized((0.0, 0.0, float(width), float(height)), size, "lanczos")
        return np.asarray(turned_upright(picture, self.header.orientation))

    def _check_served(self, wants: Sequence[Want], whole: int | Literal[False] | None) -> None:
        needed = geometry.needed_scale(self.width, self.height, wants, whole, self._policy.oversample)
        if needed > self._scale:
            raise UsageError(
                f"the image was decoded at {self._scale:g} of its size, and this needs {needed:.3g}. "
                "Name it in the wants (or whole=) of decode()."
            )

    def _resized(
        self, source: tuple[float, float, float, float], size: tuple[int, int], how: geometry.Filter
    ) -> Image.Image:
        # The decoded size is rounded up: only a fractional box hits the edges of the picture itself.
        decoded = self._picture.size
        left, top, right, bottom = (side * self._scale + self._shift for side in source)
        box = (left, top, min(right, decoded[0]), min(bottom, decoded[1]))
        return self._picture.resize(size, FILTERS[how], box=box)


def decode(
    data: bytes,
    wants: Sequence[Want],
    policy: DecodePolicy = DEFAULT_POLICY,
    *,
    whole: int | Literal[False] | None = False,
) -> Decoded:
    """Decode an image once, at the smallest scale that serves all `wants`, and `whole` where it is not False.

    `whole` is a longer side in pixels, or None for the full size. Applied: EXIF orientation, ICC profile to
    sRGB, transparent parts over white, 16 bits scaled to 8, first frame. Limits hold before memory for
    pixels is taken. Raises PixelError, and nothing else, for whatever may be wrong with the bytes: empty,
    not_an_image, placeholder, unsupported, too_large, truncated, corrupt. Raises UsageError for a `whole`
    that is no size.
    """
    if whole is not False and whole is not None and whole < 1:
        raise UsageError(f"whole={whole!r}; expected a longer side of 1 pixel or more, None or False.")
    parts = read_parts(data)
    needed = geometry.needed_scale(parts.width, parts.height, wants, whole, policy.oversample)
    if parts.jpeg is not None:
        eighths = next(n for n in scales(parts.jpeg) if n / 8 >= needed)
        _check_limits(parts, eighths / 8, policy)
        with only_pixel_errors(parts.image_type):
            picture = to_srgb(decode_jpeg(data, parts.jpeg, eighths), parts.profile, parts.largest)
        return Decoded(picture, eighths / 8, 0.0, parts.header, policy)
    _check_limits(parts, 1.0, policy)
    with only_pixel_errors(parts.image_type, cut=parts.cut):
        image, scale = _load(data, parts, needed)
        picture = to_srgb(image, parts.profile, parts.largest)
    # A halved wavelet keeps every second sample, not the mean of two: its samples stand at the left and top.
    return Decoded(picture, scale, (1 - scale) / 2, parts.header, policy)


def _check_limits(parts: Parts, scale: float, policy: DecodePolicy) -> None:
    """Refuse what would take too much memory: judged by the header alone."""
    pixels = parts.width * parts.height
    # A JPEG of one scan is decoded row by row; anything else is held whole while it is decoded.
    rows_only = parts.jpeg is not None and parts.jpeg.scans_alone
    limit = policy.max_pixels_scaled if rows_only else policy.max_pixels_whole
    if pixels > limit:
        raise PixelError(
            Status.TOO_LARGE,
            f"{parts.image_type}: {parts.width} x {parts.height} pixels; the limit is {limit / 1e6:g} "
            "million (max_pixels_scaled, max_pixels_whole of the decode policy)",
        )
    if pixels * scale * scale > policy.max_pixels_whole:
        raise PixelError(
            Status.TOO_LARGE,
            f"{parts.image_type}: {parts.width} x {parts.height} pixels, wanted at {scale:g} of that size; "
            f"the limit of decoded pixels is {policy.max_pixels_whole / 1e6:g} million",
        )


def _load(data: bytes, parts: Parts, needed: float) -> tuple[Image.Image, float]:
    """Decode with Pillow, the first frame; return it and the scale it came at."""
    if parts.png is not None:
        data = png_parts.for_decoder(data, parts.png)
    elif parts.image_type == tiff_parts.TIFF:
        data = tiff_parts.for_decoder(data)
    halvings = 0
    # One halving fewer than would do: wavelets blur less evenly than a DCT scale (35 dB against 45 measured).
    while halvings < parts.levels and 0.5 ** (halvings + 2) >= needed:
        halvings += 1
    image = _opened(data, parts)
    if halvings:
        image.reduce = halvings  # type: ignore[assignment, method-assign]
        try:
            image.load()
        except OSError:  # a tile with fewer levels than the main header says
            halvings, image = 0, _opened(data, parts)
    image.load()
    suspect = parts.png is not None and (parts.png.interlaced or _ends_empty(image))
    if parts.png is not None and suspect and not png_parts.has_every_row(data, parts.png):
        raise PixelError(Status.TRUNCATED, f"{parts.image_type}: its pixel data end before the last row")
    return image, 0.5**halvings


def _ends_empty(image: Image.Image) -> bool:
    """Say whether the last row is all zeros, as it is where the decoder never came so far."""
    width, height = image.size
    return not any(image.crop((0, height - 1, width, height)).tobytes())


def _opened(data: bytes, parts: Parts) -> Image.Image:
    image = open_image(data, parts.image_type, cut=parts.cut)
    if image.size != (parts.width, parts.height):
        raise PixelError(
            Status.CORRUPT,
            f"{parts.image_type}: two sizes, {parts.width} x {parts.height} and {image.size[0]} x {image.size[1]}",
        )
    return image
