"""What several built-ins need of a batch: where each picture lies in its square, and its grey.

All sums of the built-ins are over whole numbers, so that a result is the same to the bit on every machine,
and the same for an image alone as in a batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]


def boxes(inside: NDArray[np.bool_]) -> list[Box]:
    """Return left, top, right, bottom of the picture in each square.

    `inside` is bool `(N, H, W)`: a rectangle of true in each. Right and bottom are one past the last pixel.
    """
    found = []
    for rows, columns in zip(np.any(inside, axis=2), np.any(inside, axis=1), strict=True):
        top, bottom = int(rows.argmax()), len(rows) - int(rows[::-1].argmax())
        left, right = int(columns.argmax()), len(columns) - int(columns[::-1].argmax())
        found.append((left, top, right, bottom))
    return found


def cut(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return the picture alone, a view `(h, w, 3)` of one square `(H, W, 3)`."""
    left, top, right, bottom = box
    return pixels[top:bottom, left:right]


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return luma Y' of Rec. ITU-R BT.601, uint8, of sRGB pixels `(..., 3)`: 0.299 R' + 0.587 G' + 0.114 B'.

    The same whole-number arithmetic as Pillow's `convert("L")`, so equal to it in every pixel.
    """
    wide = pixels.astype(np.uint32)
    luma = wide[..., 0] * 19_595 + wide[..., 1] * 38_470 + wide[..., 2] * 7_471 + 0x8000
    return (luma >> 16).astype(np.uint8)
