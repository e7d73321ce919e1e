"""JPEG to pixels, strictly: damage is reported, never painted over. The door to simplejpeg."""

from __future__ import annotations

import simplejpeg
from PIL import Image

from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError, one_line
from vasculum.pixels.jpeg_parts import JPEG, LOSSLESS, JpegParts, for_decoder

EIGHTHS = (1, 2, 4, 8)  # the DCT scales that are fast; 3/8 and 5/8 cost more than the next power of two
COLOUR = {1: "GRAY", 3: "RGB", 4: "CMYK"}
UNSUPPORTED_WORDS = ("precision", "subsampling", "unsupported jpeg process", "not implemented", "colorspace")


def scales(parts: JpegParts) -> tuple[int, ...]:
    """Return the eighths at which this JPEG can be decoded, smallest first."""
    return (8,) if parts.frame == LOSSLESS else EIGHTHS


def decode_jpeg(data: bytes, parts: JpegParts, eighths: int) -> Image.Image:
    """Decode at `eighths`/8 of the size into a picture of mode L, RGB or CMYK, rounded up to whole pixels.

    Raises PixelError: `truncated` and `corrupt` for every damage that libjpeg warns of, and `unsupported`.
    """
    height, width = -(-parts.height * eighths // 8), -(-parts.width * eighths // 8)
    colour = COLOUR[len(parts.components)]
    try:
        samples = simplejpeg.decode_jpeg(
            for_decoder(data, parts),
            colour,
            min_height=height,
            min_width=width,
            min_factor=8 / eighths,
            strict=True,
        )
    except ValueError as error:
        raise PixelError(_status_of(str(error)), one_line(f"{JPEG}: {error}")) from error
    if samples.shape[:2] != (height, width):
        raise PixelError(Status.CORRUPT, f"{JPEG}: decoded to {samples.shape[1]} x {samples.shape[0]} pixels")
    if colour == "GRAY":
        return Image.fromarray(samples[:, :, 0])
    if colour == "CMYK":
        # Stored inverted, with an Adobe marker and without: so every decoder reads them.
        return Image.frombuffer("CMYK", (width, height), (255 - samples).tobytes(), "raw", "CMYK", 0, 1)
    return Image.fromarray(samples)


def _status_of(message: str) -> Status:
    text = message.lower()
    if "premature end" in text:
        return Status.TRUNCATED
    return Status.UNSUPPORTED if any(word in text for word in UNSUPPORTED_WORDS) else Status.CORRUPT
