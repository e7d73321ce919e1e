"""Cutting a large picture into squares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vasculum.errors import UsageError

WHITE = 255


def cut_tiles(
    pixels: npt.NDArray[np.uint8], size: int, overlap: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Cut `(H, W, 3)` uint8 pixels into squares, row by row; beyond the edge of the picture is white.

    Returns the tiles, uint8 `(T, size, size, 3)`, and for each the part of the picture in it, int32 `(T,
    4)`: left, top, right, bottom in pixels of the picture. Neighbours share `overlap` pixels; every pixel
    is in some tile. Raises UsageError unless 0 ≤ overlap < size.
    """
    if size < 1 or not 0 <= overlap < size:
        raise UsageError(f"tiles of size={size}, overlap={overlap}; expected a size from 1 up and an overlap below it.")
    height, width = pixels.shape[:2]
    corners = [(left, top) for top in _starts(height, size, overlap) for left in _starts(width, size, overlap)]
    tiles = np.full((len(corners), size, size, 3), WHITE, dtype=np.uint8)
    boxes = np.empty((len(corners), 4), dtype=np.int32)
    for number, (left, top) in enumerate(corners):
        right, bottom = min(left + size, width), min(top + size, height)
        tiles[number, : bottom - top, : right - left] = pixels[top:bottom, left:right]
        boxes[number] = (left, top, right, bottom)
    return tiles, boxes


def _starts(length: int, size: int, overlap: int) -> range:
    """Return where tiles start along one side: no tile lies wholly in what its neighbour already holds."""
    step = size - overlap
    count = 1 if length <= size else -(-(length - size) // step) + 1
    return range(0, count * step, step)
