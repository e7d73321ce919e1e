"""The arithmetic of fitting: how large to decode, which part to take, where it lies. No pixels here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from vasculum.errors import UsageError

Fit = Literal["pad", "crop", "squash"]
Filter = Literal["lanczos", "bilinear"]
LARGEST_SIZE = 16_384


@dataclasses.dataclass(frozen=True, slots=True)
class Want:
    """A square of `size` pixels: how the picture fits in, the grey (0 to 255) around it, the filter."""

    size: int
    fit: Fit
    fill: int = 255
    filter: Filter = "lanczos"

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST_SIZE:
            raise UsageError(f"size={self.size!r}; expected 1 to {LARGEST_SIZE} pixels.")
        if self.fit not in ("pad", "crop", "squash"):
            raise UsageError(f"fit={self.fit!r}; expected 'pad', 'crop' or 'squash'.")
        if not 0 <= self.fill <= 255:
            raise UsageError(f"fill={self.fill!r}; expected 0 (black) to 255 (white).")
        if self.filter not in ("lanczos", "bilinear"):
            raise UsageError(f"filter={self.filter!r}; expected 'lanczos' or 'bilinear'.")


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Which part of a picture becomes how large, and where in the square it lies."""

    source: tuple[float, float, float, float]  # in pixels of the picture, fractions allowed
    size: tuple[int, int]
    box: tuple[int, int, int, int]  # left, top, right, bottom


def place(width: int, height: int, want: Want) -> Place:
    """Return where a picture of `width` x `height` pixels goes. No side ever comes to zero pixels."""
    size = want.size
    whole = (0.0, 0.0, float(width), float(height))
    if want.fit == "squash":
        return Place(whole, (size, size), (0, 0, size, size))
    if want.fit == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return Place((left, top, left + side, top + side), (size, size), (0, 0, size, size))
    inner_width, inner_height = scaled_down(width, height, size)
    left, top = (size - inner_width) // 2, (size - inner_height) // 2
    return Place(whole, (inner_width, inner_height), (left, top, left + inner_width, top + inner_height))


def scaled_down(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Return the sides, in proportion, of a picture whose longer side becomes `long_side`; none is zero."""
    longest = max(width, height)
    # Whole numbers only (round half up): the same on every machine.
    scaled = [max(1, (2 * side * long_side + longest) // (2 * longest)) for side in (width, height)]
    return scaled[0], scaled[1]


def needed_scale(
    width: int, height: int, wants: Sequence[Want], whole: int | Literal[False] | None, oversample: float
) -> float:
    """Return the smallest scale (0 to 1) at which every want has `oversample` pixels a side for one.

    `crop` and `squash` go by the side that is scaled down least. The shorter side keeps at least one pixel.
    """
    longest, shortest = max(width, height), min(width, height)
    scale = 1 / shortest
    for want in wants:
        scale = max(scale, oversample * want.size / (longest if want.fit == "pad" else shortest))
    if whole is None:
        return 1.0
    if whole is not False:
        scale = max(scale, oversample * whole / longest if whole < longest else 1.0)
    return min(1.0, scale)
