"""`color`: a few well-defined numbers on the colours of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasculum.processing.builtin.picture import boxes, cut
from vasculum.processing.contract import processor
from vasculum.processing.types import Float, Pixels, Text

NEAR_WHITE = 240
NEAR_BLACK = 25
COLOURED = 26
HUES = (
    "red", "orange", "yellow", "yellow-green", "green", "blue-green", "cyan", "azure", "blue", "violet", "magenta", "rose",
)  # fmt: skip
"""Twelfths of the circle of hues; the middle of the first is 0 degrees."""

# Linear sRGB to XYZ, D65 (IEC 61966-2-1). Rows are divided by their sums, the white point, so that grey is
# neutral.
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], dtype=np.float64)
_STEPS = 65_535  # of X/Xn, Y/Yn, Z/Zn from 0 to 1
_FINE = 64  # further steps while the three channels are added
_UNIT = 1 << 24  # of f(t): whole numbers, so that sums are exact


def _shares_of_white() -> NDArray[np.int32]:
    """Return `(3 of XYZ, 3 channels, 256 values)`: what a value adds to X/Xn, Y/Yn, Z/Zn, in fine steps."""
    value = np.arange(256) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    rows = _TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(rows[:, :, None] * linear * _STEPS * _FINE).astype(np.int32))


def _f_of_lab() -> NDArray[np.int32]:
    """Return f(t) of CIE 1976 L*a*b* (ISO/CIE 11664-4) for t = 0 to 1 in steps, times 2^24."""
    t = np.arange(_STEPS + 1) / _STEPS
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.asarray(np.rint(f * _UNIT).astype(np.int32))


_SHARES = _shares_of_white()
_F = _f_of_lab()


@processor(
    Pixels(256),
    gives={
        "lightness": Float(unit="0 to 100", meaning="mean lightness L*: 0 is black, 100 white"),
        "a_star": Float(meaning="mean a*: below 0 greenish, above 0 reddish"),
        "b_star": Float(meaning="mean b*: below 0 bluish, above 0 yellowish"),
        "saturation": Float(unit="0 to 1", meaning="mean saturation: 0 is grey"),
        "near_white": Float(unit="0 to 1", meaning="share of the picture that is nearly white"),
        "near_black": Float(unit="0 to 1", meaning="share of the picture that is nearly black"),
        "hue": Text(missing=True, meaning="the hue that most of its coloured pixels have; none where there are none"),
    },
)
def color(pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """Mean colour, saturation, near-white, near-black and main hue of pictures.

    Of uint8 `(N, 256, 256, 3)`, all over the picture at a long side of 256 pixels, padding left out:
    - `lightness`, `a_star`, `b_star`: means of L* (0 to 100), a* (green to red) and b* (blue to yellow) of
      CIE 1976 L*a*b*, D65, from sRGB; by tables, within 0.1 of the formula;
    - `saturation`: mean of HSV's S = (max − min) / max, 0 to 1 (Smith 1978, doi:10.1145/965139.807361);
    - `near_white`, `near_black`: share of pixels whose three values are all at least 240, or all at most 25;
    - `hue`: name of the twelfth of HSV's circle of hues that weighs most (an angle has no mean, so a name, not a
      number), each pixel weighing max − min; only pixels where that is 26 or more count; null where there is none.
    A camera's white balance moves all of these: compare within one institution and era.
    """
    rows = [_colors(cut(square, box)) for square, box in zip(pixels, boxes(inside), strict=True)]
    return {column: [row[column] for row in rows] for column in rows[0]} if rows else {}


def _colors(picture: NDArray[np.uint8]) -> dict[str, Any]:
    red, green, blue = (np.ascontiguousarray(picture[..., channel]).ravel() for channel in range(3))
    count = red.size
    most = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    f_x, f_y, f_z = (_mean_f(row, red, green, blue) for row in _SHARES)
    return {
        "lightness": 116 * f_y - 16,
        "a_star": 500 * (f_x - f_y),
        "b_star": 200 * (f_y - f_z),
        "saturation": _mean_saturation(most, least),
        "near_white": int(np.count_nonzero(least >= NEAR_WHITE)) / count,
        "near_black": int(np.count_nonzero(most <= NEAR_BLACK)) / count,
        "hue": _main_hue(red, green, blue, most, most - least),
    }


def _mean_f(shares: NDArray[np.int32], *channels: NDArray[np.uint8]) -> float:
    """Return the mean of f(t) over the pixels, t being the sum of what the channels add."""
    total = sum(table[channel] for table, channel in zip(shares, channels, strict=True))
    steps = np.minimum((np.asarray(total) + _FINE // 2) // _FINE, _STEPS)
    return int(_F[steps].sum(dtype=np.int64)) / (len(channels[0]) * _UNIT)


def _mean_saturation(most: NDArray[np.uint8], least: NDArray[np.uint8]) -> float:
    pairs = np.bincount(most.astype(np.intp) * 256 + least, minlength=65_536).reshape(256, 256)
    value = np.arange(256)
    differences = (pairs * (value[:, None] - value[None, :])).sum(axis=1)
    total: float = np.sum(differences[1:] / value[1:])
    return total / len(most)


def _main_hue(
    red: NDArray[np.uint8],
    green: NDArray[np.uint8],
    blue: NDArray[np.uint8],
    most: NDArray[np.uint8],
    spread: NDArray[np.uint8],
) -> str | None:
    coloured = np.flatnonzero(spread >= COLOURED)
    if not len(coloured):
        return None
    r, g, b = (channel[coloured].astype(np.int32) for channel in (red, green, blue))
    top, width = most[coloured], spread[coloured].astype(np.int32)
    numerator = np.where(top == r, g - b, np.where(top == g, b - r + 2 * width, r - g + 4 * width))
    # a sector reaches 15 degrees to both sides of its middle; sixtieths of a degree keep the division whole
    step = (numerator * 60 + 15 * width) // (30 * width) % len(HUES)
    weights = np.bincount(step, weights=width, minlength=len(HUES))
    return HUES[int(weights.argmax())]
