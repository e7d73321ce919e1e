"""`quality`: is an image sharp, well exposed, and how much of it is frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasculum.processing.builtin.picture import boxes, cut, grey
from vasculum.processing.contract import processor
from vasculum.processing.types import Float, Pixels

SIZE = 512
CLIPPED = 2
DARK = 80
BLANK = 250
ALIKE = 0.9


@processor(
    Pixels(SIZE),
    gives={
        "sharpness": Float(
            unit="squared grey levels",
            meaning="how much fine detail there is (variance of the Laplacian): low where blurred, or where the sheet is bare",
        ),
        "exposure": Float(unit="0 to 1", meaning="how light the image is as a whole: 0 is black, 1 white"),
        "contrast": Float(unit="0 to 0.5", meaning="how far light and dark lie apart (standard deviation)"),
        "clipped_low": Float(unit="0 to 1", meaning="part of the image that is pure black, its detail lost"),
        "clipped_high": Float(unit="0 to 1", meaning="part of the image that is pure white, its detail lost"),
        "border_left": Float(unit="0 to 1", meaning="share of the width that is dark or blank frame, from the left"),
        "border_right": Float(unit="0 to 1", meaning="share of the width that is dark or blank frame, from the right"),
        "border_top": Float(unit="0 to 1", meaning="share of the height that is dark or blank frame, from the top"),
        "border_bottom": Float(
            unit="0 to 1", meaning="share of the height that is dark or blank frame, from the bottom"
        ),
        "megapixels": Float(unit="megapixel", meaning="width times height of the original"),
    },
)
def quality(
    pixels: NDArray[np.uint8], inside: NDArray[np.bool_], width: list[int], height: list[int]
) -> dict[str, list[float]]:
    """Sharpness, exposure, contrast, clipping, borders and megapixels of pictures.

    Of uint8 `(N, 512, 512, 3)`, on luma Y' (Rec. BT.601, 0 to 255) of the picture at a long side of 512 pixels, padding left out:
    - `sharpness`: variance of the Laplacian (4 neighbours), in squared grey levels (Pech-Pacheco et al. 2000,
      doi:10.1109/ICPR.2000.903548). It depends on the size it is taken at (512 here: blur finer than that
      does not show) and on what is shown: a bare sheet scores low. Compare within one kind of image; there is
      no universal limit;
    - `exposure`: mean, 0 (black) to 1 (white); `contrast`: standard deviation, 0 to 0.5 (Peli 1990's RMS
      contrast);
    - `clipped_low`, `clipped_high`: share of pixels at most 2, at least 253;
    - `border_left`, `border_right`, `border_top`, `border_bottom`: share of the width or height, from that
      side, of lines that are dark (90 % of the pixels under 80) or blank (90 % at least 250). It ends at the
      first line with something else in it, such as a ruler. Pale paper margins are no border;
    - `megapixels`: width x height of the original / 1,000,000.
    """
    rows = [_measured(grey(cut(square, box))) for square, box in zip(pixels, boxes(inside), strict=True)]
    columns = {column: [row[column] for row in rows] for column in rows[0]} if rows else {}
    return columns | {"megapixels": [w * h / 1e6 for w, h in zip(width, height, strict=True)]}


def _measured(luma: NDArray[np.uint8]) -> dict[str, float]:
    counts = np.bincount(luma.ravel(), minlength=256)
    value = np.arange(256)
    contrast = _variance(luma.size, int(counts @ value), int(counts @ value**2)) ** 0.5
    dark, blank = luma < DARK, luma >= BLANK
    return {
        "sharpness": _sharpness(luma),
        "exposure": int(counts @ value) / luma.size / 255,
        "contrast": contrast / 255,
        "clipped_low": int(counts[: CLIPPED + 1].sum()) / luma.size,
        "clipped_high": int(counts[255 - CLIPPED :].sum()) / luma.size,
        "border_left": _border(dark, blank, axis=0),
        "border_right": _border(dark[:, ::-1], blank[:, ::-1], axis=0),
        "border_top": _border(dark, blank, axis=1),
        "border_bottom": _border(dark[::-1], blank[::-1], axis=1),
    }


def _variance(count: int, total: int, squares: int) -> float:
    """Return the variance from whole sums: exact until the division."""
    return (count * squares - total * total) / (count * count)


def _sharpness(luma: NDArray[np.uint8]) -> float:
    if min(luma.shape) < 3:
        return 0.0  # no pixel has four neighbours
    wide = luma.astype(np.int16)
    middle = wide[1:-1, 1:-1]
    laplacian = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * middle
    flat = laplacian.ravel()
    counts = np.bincount(flat.astype(np.intp) + 1020, minlength=2041)
    value = np.arange(-1020, 1021)
    return _variance(flat.size, int(counts @ value), int(counts @ value**2))


def _border(dark: NDArray[np.bool_], blank: NDArray[np.bool_], axis: int) -> float:
    """Return the share of lines, from the first on, that are dark or blank; `axis` runs along a line."""
    least = ALIKE * dark.shape[axis]
    plain = (np.count_nonzero(dark, axis=axis) >= least) | (np.count_nonzero(blank, axis=axis) >= least)
    return float((len(plain) if plain.all() else int(plain.argmin())) / len(plain))
