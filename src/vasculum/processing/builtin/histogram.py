"""`histogram`: how the values of red, green and blue are spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasculum.errors import ProcessorError
from vasculum.processing.builtin.picture import boxes, cut
from vasculum.processing.contract import processor
from vasculum.processing.types import Pixels, Vector


def _shares(bins: int) -> Vector:
    return Vector(3 * bins, unit="0 to 1", meaning="shares of pixels by value: red, then green, then blue")


@processor(Pixels(256), gives={"shares": _shares(16)})
class Histogram:
    """Shares of pixels by value, in `bins` equal ranges, for red, green and blue.

    `shares` has 3 x `bins` numbers from 0 to 1; those of one channel sum to 1 (to rounding in float32).
    Counted on the picture at a long side of 256 pixels, sRGB values as they are (gamma-encoded), padding left
    out. `bins` must divide 256: 1, 2, 4, 8, 16, 32, 64, 128 or 256, so that every range holds equally many
    values. Raises ProcessorError for another.
    """

    def __init__(self, bins: int = 16) -> None:
        if not isinstance(bins, int) or isinstance(bins, bool) or bins < 1 or 256 % bins:
            raise ProcessorError(f"histogram: bins={bins!r}; expected a power of two from 1 to 256, such as 16.")
        self.bins = bins
        processor(Pixels(256), gives={"shares": _shares(bins)}, name="histogram")(self)

    def __call__(self, pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> dict[str, NDArray[np.float32]]:
        """Return `shares`, float32 `(N, 3 * bins)`, of uint8 `(N, 256, 256, 3)`."""
        shares = np.empty((len(pixels), 3, self.bins), dtype=np.float32)
        for row, square, box in zip(shares, pixels, boxes(inside), strict=True):
            picture = cut(square, box)
            for channel in range(3):
                counts = np.bincount(picture[..., channel].ravel(), minlength=256).reshape(self.bins, -1).sum(axis=1)
                row[channel] = counts / counts.sum()
        return {"shares": shares.reshape(len(pixels), -1)}
