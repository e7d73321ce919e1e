"""What the bytes are, by the bytes alone: names and declared types are never believed."""

from __future__ import annotations

import codecs

from vasculum.outcomes import Status

TEXT_LOOKED_AT = 65_536
JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
JXL_SIGNATURE = b"\x00\x00\x00\x0cJXL \r\n\x87\n"

SUPPORTED = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (JP2_SIGNATURE, "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/x-jp2-codestream"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
)
UNSUPPORTED = (
    (JXL_SIGNATURE, "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"gimp xcf", "image/x-xcf"),
    (b"SIMPLE  =", "image/fits"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"IIU\x00", "image/x-panasonic-rw2"),
    (b"\x8aMNG\r\n\x1a\n", "video/x-mng"),
    (b"II\xbc\x01", "image/jxr"),
)
OTHER_THINGS = (
    (b"%PDF-", "application/pdf"),
    (b"%!PS", "application/postscript"),
    (b"\x1f\x8b", "application/gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
)
# The first brand of an ISO media file; any other brand is a video.
BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic",
    b"heim": "image/heic", b"heis": "image/heic", b"hevc": "image/heic", b"hevx": "image/heic",
    b"crx ": "image/x-canon-cr3",
}  # fmt: skip
ANY_STILL = (b"mif1", b"msf1", b"miaf")  # say "a still picture" and leave the codec to the list of brands
HTML_STARTS = ("<!doctype html", "<html", "<head", "<body", "<script", "<title", "<div", "<p>", "<!--")
PLACEHOLDER_WORDS = ("preview pending", "no preview")


def sniff(data: bytes) -> tuple[Status, str | None]:
    """Say what the bytes are: a status, and the media type where it can be told.

    OK: an image of a kind decoded here (nothing is said of its health). EMPTY: no bytes. NOT_AN_IMAGE:
    something else. PLACEHOLDER: an SVG that says "Preview Pending" or "No Preview", as iDigBio answers for
    an image that it cannot serve (yet). UNSUPPORTED: an image of another kind. CORRUPT: a JPEG behind blank
    lines. Raises nothing.
    """
    if not data:
        return Status.EMPTY, None
    if data == b"\xff\xd8":
        return Status.OK, "image/jpeg"
    for signature, image_type in SUPPORTED:
        if data.startswith(signature):
            return Status.OK, image_type
    if data[:4] == b"RIFF":
        kind = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}.get(data[8:12])
        return (Status.OK if kind == "image/webp" else Status.NOT_AN_IMAGE), kind
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    for signature, image_type in UNSUPPORTED:
        if data.startswith(signature):
            return Status.UNSUPPORTED, image_type
    if data[:1] == b"P" and data[1:2] in b"1234567" and data[2:3] in (b"\n", b"\r", b" ", b"\t"):
        return Status.UNSUPPORTED, "image/x-portable-anymap"
    for signature, other_type in OTHER_THINGS:
        if data.startswith(signature):
            return Status.NOT_AN_IMAGE, other_type
    if data[:64].lstrip().startswith(b"\xff\xd8\xff"):
        return Status.CORRUPT, "image/jpeg"
    return _text(data[:TEXT_LOOKED_AT])


def _iso_media(data: bytes) -> tuple[Status, str | None]:
    length = min(int.from_bytes(data[:4], "big"), 4096, len(data))
    brands = [data[8:12]] + [data[at : at + 4] for at in range(16, length - 3, 4)]
    known = BRANDS.get(brands[0])
    if known is None and brands[0] in ANY_STILL:
        known = next((BRANDS[brand] for brand in brands if brand in BRANDS), "image/heif")
    if known is None:
        return Status.NOT_AN_IMAGE, "video/quicktime" if brands[0] == b"qt  " else "video/mp4"
    return (Status.OK if known == "image/avif" else Status.UNSUPPORTED), known


def _text(data: bytes) -> tuple[Status, str | None]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    else:
        text = data.decode("utf-8-sig", errors="replace")
    start = text.lstrip("\ufeff \t\r\n\f\v").lower()
    if start.startswith("<svg") or (start.startswith(("<?xml", "<!--", "<!doctype svg")) and "<svg" in start):
        if any(word in start for word in PLACEHOLDER_WORDS):
            return Status.PLACEHOLDER, "image/svg+xml"
        return Status.UNSUPPORTED, "image/svg+xml"
    if start.startswith(HTML_STARTS) or (start.startswith("<?xml") and "<html" in start[:2000]):
        return Status.NOT_AN_IMAGE, "text/html"
    if start.startswith("<?xml"):
        return Status.NOT_AN_IMAGE, "application/xml"
    if text.startswith("\ufffd") or any(c == "\ufffd" or (c < " " and c not in "\t\r\n\f\x1b") for c in text[:1024]):
        return Status.NOT_AN_IMAGE, None
    return Status.NOT_AN_IMAGE, "application/json" if start.startswith(("{", "[")) else "text/plain"
