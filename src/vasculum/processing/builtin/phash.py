"""`phash`: a 64-bit fingerprint of what an image looks like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasculum.processing.builtin.picture import grey
from vasculum.processing.contract import processor
from vasculum.processing.types import Pixels, Text

SIDE = 32
LOW = 8


def _cosines() -> NDArray[np.int64]:
    """Return the first 8 rows of the DCT-II of 32 values, times 2^20, rounded, so that sums are exact."""
    frequency, place = np.arange(LOW)[:, None], np.arange(SIDE)[None, :]
    return np.asarray(np.rint(np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE)) * 2**20).astype(np.int64))


_COSINES = _cosines()


@processor(
    Pixels(SIDE, fit="squash"),
    gives={"hash": Text(unit="16 hex digits", meaning="perceptual hash: pictures that look alike differ in few bits")},
)
def phash(pixels: NDArray[np.uint8]) -> dict[str, list[str]]:
    """A fingerprint of what each picture looks like, to find near-duplicates by.

    `hash`: 64-bit DCT perceptual hash of uint8 `(N, 32, 32, 3)`, as 16 hex digits. N. Krawetz, "Looks Like It" (hackerfactor.com, 2011): the picture squashed to 32 x 32, grey; of its DCT
    the 8 x 8 lowest frequencies; a bit is 1 where the value is above the median of the 64, row by row, most
    significant bit first. On the same 32 x 32 pixels the bits are those of `imagehash.phash`; that library
    turns to grey before it resizes, so hashes from one image may differ in a bit or two. A picture of one
    colour has the hash 8000000000000000. Count the bits that differ to compare two; `near_duplicate_groups`
    does so for many.
    """
    values = grey(pixels).astype(np.int64)
    low = _COSINES @ values @ _COSINES.T
    flat = low.reshape(len(low), LOW * LOW)
    middle = np.sort(flat, axis=1)[:, LOW * LOW // 2 - 1 : LOW * LOW // 2 + 1].sum(axis=1)
    bits = 2 * flat > middle[:, None]
    return {"hash": [row.tobytes().hex() for row in np.packbits(bits, axis=1)]}
