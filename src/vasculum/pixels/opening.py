"""Opening the formats that Pillow reads: one format at a time, quietly, without Pillow's own limit.

Pillow's limit on pixels is one number a process, checked after its plugins have read the header. Ours
(policy.py) stands before it, on the size read from the header, so Pillow's is switched off here.
"""

from __future__ import annotations

import io
import threading
import warnings

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from vasculum.pixels.errors import only_pixel_errors

Image.MAX_IMAGE_PIXELS = None

FORMATS = {
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/jp2": "JPEG2000",
    "image/x-jp2-codestream": "JPEG2000",
}
_one_at_a_time = (
    threading.Lock()
)  # silencing warnings changes the whole process: one thread at a time, for the header only


def quiet() -> threading.Lock:
    """Return the lock to hold while warnings are silenced, which changes the whole process."""
    return _one_at_a_time


def open_image(data: bytes, image_type: str, *, cut: bool = False) -> Image.Image:
    """Open an image without decoding it. `cut`: the file is known to end too early. Raises PixelError."""
    with only_pixel_errors(image_type, cut=cut), quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=(FORMATS[image_type],))
        except UnidentifiedImageError:
            # The signature was right, so this is what Pillow says of a header that it cannot read or use.
            raise ValueError("its header is damaged or of a kind that cannot be read") from None
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            dict(image.tag_v2)  # reads all tags now, in here, where their warnings are kept quiet
    return image
