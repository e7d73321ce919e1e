"""The decode policy: what turns bytes into pixels, in words and numbers that a study writes down."""

from __future__ import annotations

import dataclasses
import math

from vasculum.errors import UsageError

RULES = 1  # raised whenever the same bytes and numbers would give other pixels than before


@dataclasses.dataclass(frozen=True, slots=True)
class DecodePolicy:
    """How images are decoded.

    `oversample`: a JPEG is decoded at the smallest DCT scale that leaves at least this many pixels a side
    for each pixel wanted (2: within about 43 dB of a full decode at worst; 1: faster, 33 dB).
    `max_pixels_scaled`: the most pixels of a JPEG that can be decoded scaled. `max_pixels_whole`: the most
    pixels of anything that is held whole (other formats, progressive JPEG, and what a scaled decode comes
    to). In pixels.
    """

    oversample: float = 2.0
    max_pixels_scaled: int = 1_000_000_000
    max_pixels_whole: int = 200_000_000

    def __post_init__(self) -> None:
        if not (math.isfinite(self.oversample) and self.oversample >= 1):
            raise UsageError(f"decode policy: oversample={self.oversample!r}; expected a number from 1 up.")
        for name in ("max_pixels_scaled", "max_pixels_whole"):
            if getattr(self, name) < 1:
                raise UsageError(f"decode policy: {name}={getattr(self, name)!r}; expected 1 or more pixels.")

    def as_dict(self) -> dict[str, str | float | int]:
        """Return every word and number that the pixels depend on, for study.json and the fingerprint."""
        return {
            "rules": RULES,
            "jpeg": "strict, smallest DCT scale that serves",
            "oversample": float(self.oversample),
            "max_pixels_scaled": self.max_pixels_scaled,
            "max_pixels_whole": self.max_pixels_whole,
            "orientation": "applied",
            "icc": "to sRGB",
            "intent": "relative colorimetric",
            "alpha": "white",
            "frame": "first",
            "sixteen_bit": "scaled",
        }
