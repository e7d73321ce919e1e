"""What an image says of itself before it is decoded: type, size, orientation, profile."""

from __future__ import annotations

import dataclasses

from vasculum.outcomes import Status
from vasculum.pixels import box_parts, jpeg_parts, png_parts, tiff_parts
from vasculum.pixels.colour import profile_name
from vasculum.pixels.errors import PixelError, only_pixel_errors
from vasculum.pixels.opening import open_image
from vasculum.pixels.orientation import UPRIGHT, orientation_of
from vasculum.pixels.sniff import sniff

WORDS = {
    Status.EMPTY: "no bytes",
    Status.NOT_AN_IMAGE: "the bytes are {}, not an image",
    Status.PLACEHOLDER: "a stand-in drawing ({}) came in place of the image",
    Status.UNSUPPORTED: "{} cannot be decoded here",
    Status.CORRUPT: "{} does not start at the first byte",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself; sizes in pixels as stored, before the orientation is applied."""

    image_type: str
    width: int
    height: int
    orientation: int  # 1 to 8, as in EXIF
    icc: str | None  # the description of its profile, 'unreadable' for a broken one


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """What the decoder needs to know besides the header."""

    image_type: str
    width: int
    height: int
    orientation: int = UPRIGHT
    profile: bytes | None = None
    cut: bool = False
    largest: int = 65_535  # the value of white where samples have more than 8 bits
    levels: int = 0  # how often the picture can be halved while it is decoded (JPEG 2000)
    jpeg: jpeg_parts.JpegParts | None = None
    png: png_parts.PngParts | None = None

    @property
    def header(self) -> Header:
        """The public part."""
        return Header(self.image_type, self.width, self.height, self.orientation, profile_name(self.profile))


def read_header(data: bytes) -> Header:
    """Read type, size, orientation and profile; nothing is decoded and no memory for pixels is taken.

    Raises PixelError with the status of what is wrong: empty, not_an_image, placeholder, unsupported,
    truncated, corrupt.
    """
    return read_parts(data).header


def read_parts(data: bytes) -> Parts:
    """Read what the header and the decoder need. Raises PixelError as `read_header` does."""
    status, image_type = sniff(data)
    if status is not Status.OK or image_type is None:
        raise PixelError(status, WORDS[status].format(image_type or "something else"))
    with only_pixel_errors(image_type):
        return _parts(data, image_type)


def _parts(data: bytes, image_type: str) -> Parts:
    if image_type == jpeg_parts.JPEG:
        jpeg = jpeg_parts.take_apart(data)
        return Parts(image_type, jpeg.width, jpeg.height, jpeg.orientation, jpeg.profile, jpeg=jpeg)
    if image_type == png_parts.PNG:
        png = png_parts.take_apart(data)
        return Parts(image_type, png.width, png.height, png.orientation, png.profile, png.cut, png=png)
    if image_type == tiff_parts.TIFF:
        tiff = tiff_parts.take_apart(data)
        if tiff.cut and tiff.compression in tiff_parts.JPEG_COMPRESSIONS:
            raise PixelError(Status.TRUNCATED, f"{image_type}: its pixel data end beyond the file")
        largest = 2**tiff.bits - 1 if tiff.bits > 8 else 65_535
        return Parts(image_type, tiff.width, tiff.height, tiff.orientation, tiff.profile, tiff.cut, largest)
    if image_type == box_parts.WEBP:
        webp = box_parts.take_apart_webp(data)
        return Parts(image_type, webp.width, webp.height, webp.orientation, webp.profile, webp.cut)
    if image_type in (box_parts.JP2, box_parts.J2K):
        wavelet = box_parts.take_apart_jpeg2000(data, image_type)
        if wavelet.cut:
            raise PixelError(Status.TRUNCATED, f"{image_type}: some of its tiles are missing")
        return Parts(image_type, wavelet.width, wavelet.height, profile=wavelet.profile, levels=wavelet.levels)
    # GIF, BMP, AVIF: Pillow reads their headers without taking memory for pixels.
    cut = image_type == "image/avif" and box_parts.boxes_are_cut(data)
    image = open_image(data, image_type, cut=cut)
    exif, profile = image.info.get("exif"), image.info.get("icc_profile")
    return Parts(image_type, *image.size, orientation_of(exif), profile, cut)
