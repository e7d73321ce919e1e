"""`resize`: each image fitted into a square and encoded anew, as training sets want them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vasculum.errors import ProcessorError, nearest
from vasculum.pixels.encode import checked_quality, encode_jpeg, encode_png, encode_webp
from vasculum.processing.contract import processor
from vasculum.processing.types import Fit, Picture, Pixels

Format = Literal["jpeg", "png", "webp"]
LARGEST = 8192


@processor(Pixels(512), gives={"image": Picture(meaning="the picture as a square")})
class Resize:
    """A square image of `size` x `size` pixels: the picture fitted by `fit`, written as `format`.

    `fit`: 'pad' (whole picture, white beyond it), 'crop' (square filled, longer side cut) or 'squash'
    (proportions changed). `format`: 'jpeg', 'png' (lossless; `quality` is not used) or 'webp' (lossy).
    `quality` is 1 to 100. Raises ProcessorError for a setting that cannot be.
    """

    def __init__(self, size: int = 512, fit: Fit = "pad", format: Format = "jpeg", quality: int = 90) -> None:
        self.size = checked_size("resize", size)
        self.fit = _one_of("fit", fit, get_args(Fit))
        self.format = _one_of("format", format, get_args(Format))
        self.quality = checked_quality(quality)
        wants = Pixels(size, fit)
        processor(
            wants, gives={"image": Picture(meaning="the picture as a square")}, name="resize", batch=batch_of(size)
        )(self)

    def __call__(self, pixels: NDArray[np.uint8]) -> dict[str, list[Any]]:
        """Return the encoded square of each of uint8 `(N, size, size, 3)`."""
        encode: dict[str, Callable[[NDArray[np.uint8]], bytes]] = {
            "jpeg": lambda square: encode_jpeg(square, self.quality),
            "png": encode_png,
            "webp": lambda square: encode_webp(square, self.quality),
        }
        return {"image": [encode[self.format](square) for square in pixels]}


def checked_size(name: str, size: object) -> int:
    """Return `size` where it is a whole number of pixels from 8 to 8192, else raise ProcessorError."""
    if not isinstance(size, int) or isinstance(size, bool) or not 8 <= size <= LARGEST:
        raise ProcessorError(f"{name}: size={size!r}; expected a whole number of pixels from 8 to {LARGEST}.")
    return size


def batch_of(size: int) -> int:
    """Return how many squares of `size` pixels to take at once: at most 32, at most 24 MiB, at least one."""
    return max(1, min(32, 8 * 1024**2 // size**2))


def _one_of(setting: str, value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ProcessorError(f"resize: {setting}={value!r}; expected {', '.join(known)}{nearest(str(value), known)}.")
    return str(value)
