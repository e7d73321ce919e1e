"""Colour: from whatever mode and profile to sRGB, alpha over white, 16 bits scaled."""

from __future__ import annotations

import functools
import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError, one_line

LARGEST_PROFILE = 4_000_000
PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "LAB"}
SAME_WITHIN = 2  # levels: a profile that changes no probe by more is sRGB under another name
UNREADABLE = "unreadable"


def profile_name(profile: bytes | None) -> str | None:
    """Return the description of an ICC profile as one line; 'unreadable' for a broken one, None for none."""
    if not profile:
        return None
    opened = _opened(profile)
    if opened is None:
        return UNREADABLE
    try:
        return one_line(opened.profile.profile_description or "") or "without description"
    except Exception:  # lcms says what it likes of a hostile profile
        return UNREADABLE


def to_srgb(image: Image.Image, profile: bytes | None, largest: int) -> Image.Image:
    """Return the picture in 8-bit sRGB (mode RGB).

    `largest` is the value of white in a picture of more than 8 bits. Transparent parts are laid over white.
    A profile is applied (relative colorimetric) before any resize; a broken one, or one of another colour
    space than the picture's, is ignored. Raises PixelError(unsupported) for samples without a known range.
    """
    flat = _over_white(_eight_bits(image, largest))
    if flat.mode not in PROFILE_SPACES:
        flat = flat.convert("L" if flat.mode == "1" else "RGB")
    transform = _transform(profile, flat.mode) if profile and len(profile) <= LARGEST_PROFILE else None
    if transform is not None:
        converted = ImageCms.applyTransform(flat, transform)
        if converted is not None:
            return converted
    return flat if flat.mode == "RGB" else flat.convert("RGB")


def _eight_bits(image: Image.Image, largest: int) -> Image.Image:
    if image.mode in ("I", "F"):
        raise PixelError(Status.UNSUPPORTED, f"samples of mode {image.mode}, whose range is not known")
    if not image.mode.startswith("I;16"):
        return image
    # Pillow's own conversion clips 16-bit grey: the whole picture would turn white.
    samples: npt.NDArray[np.uint32] = np.asarray(image).astype(np.uint32)
    scaled = ((np.minimum(samples, largest) * 255 + largest // 2) // largest).astype(np.uint8)
    key = image.info.get("transparency")
    if isinstance(key, int):
        scaled[samples == key] = 255
    return Image.fromarray(scaled)


def _over_white(image: Image.Image) -> Image.Image:
    has_key = image.info.get("transparency") is not None
    if image.mode in ("LA", "La") or (has_key and image.mode in ("1", "L")):
        pale, alpha = image.convert("LA").split()
        canvas = Image.new("L", image.size, 255)
        canvas.paste(pale, mask=alpha)
        return canvas
    if image.mode in ("RGBA", "RGBa", "PA") or (has_key and image.mode in ("P", "RGB")):
        clear = image if image.mode == "RGBA" else image.convert("RGBA")
        canvas = Image.new("RGB", image.size, (255, 255, 255))
        canvas.paste(clear.convert("RGB"), mask=clear.getchannel("A"))
        return canvas
    return image


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except Exception:  # a broken profile is ignored, whatever lcms says of it
        return None


@functools.lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB; None where the profile is broken, of another space, or changes nothing.

    Kept by the bytes of the profile: building one takes milliseconds, and a collection uses a handful.
    """
    opened = _opened(profile)
    try:
        if opened is None or opened.profile.xcolor_space.strip().upper() != PROFILE_SPACES[mode]:
            return None
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform = ImageCms.buildTransform(opened, srgb, mode, "RGB", renderingIntent=intent)
        if mode in ("L", "RGB"):
            probe = _probe(mode)
            seen = ImageCms.applyTransform(probe, transform)
            if seen is None or _differ_by(seen, probe.convert("RGB")) <= SAME_WITHIN:
                return None
    except Exception:  # ImageCms.PyCMSError, ValueError, OSError, TypeError: broken in some other way
        return None
    return transform


def _probe(mode: str) -> Image.Image:
    """Return a picture of every ninth-step colour (RGB), or of every grey (L)."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None, :])
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    return Image.fromarray(np.ascontiguousarray(grid.reshape(27, 27, 3)))


def _differ_by(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one).astype(np.int16) - np.asarray(other).astype(np.int16)).max())
