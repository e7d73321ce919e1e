"""`thumbnail`: a small JPEG of each image, without padding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasculum.pixels.encode import checked_quality, encode_jpeg
from vasculum.processing.builtin.picture import boxes, cut
from vasculum.processing.builtin.resize import batch_of, checked_size
from vasculum.processing.contract import processor
from vasculum.processing.types import Integer, Picture, Pixels

GIVES = {
    "image": Picture(meaning="a small copy of the picture"),
    "width": Integer(unit="pixel", meaning="of the small copy"),
    "height": Integer(unit="pixel", meaning="of the small copy"),
}


@processor(Pixels(256), gives=GIVES)
class Thumbnail:
    """A JPEG whose longer side is `size` pixels, in the picture's own proportions, at JPEG quality `quality`.

    `image` is the JPEG (sRGB, upright), `width` and `height` are its own, in pixels. Raises ProcessorError
    for a size or quality that cannot be.
    """

    def __init__(self, size: int = 256, quality: int = 85) -> None:
        self.size = checked_size("thumbnail", size)
        self.quality = checked_quality(quality)
        processor(Pixels(size), gives=GIVES, name="thumbnail", batch=batch_of(size))(self)

    def __call__(self, pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> dict[str, list[Any]]:
        """Return the JPEG and its width and height of each picture of uint8 `(N, size, size, 3)`."""
        pictures = [cut(square, box) for square, box in zip(pixels, boxes(inside), strict=True)]
        return {
            "image": [encode_jpeg(picture, self.quality) for picture in pictures],
            "width": [picture.shape[1] for picture in pictures],
            "height": [picture.shape[0] for picture in pictures],
        }
