"""Taking a JPEG apart by its markers, and putting together what a decoder needs.

The decoder is given only segments that were read here (never the file as it came), so that both see one
frame. That matters: simplejpeg 1.9 writes past its buffer when a lossless frame is decoded at a scale.
Markers: ITU-T T.81, annex B. ICC in APP2: ICC.1, annex B.4.
"""

from __future__ import annotations

import dataclasses
import re

from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError
from vasculum.pixels.orientation import orientation_of

JPEG = "image/jpeg"
SOI, EOI, SOS, DAC, DHT, DQT, DRI = b"\xff\xd8", 0xD9, 0xDA, 0xCC, 0xC4, 0xDB, 0xDD
APP0, APP1, APP2, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
LOSSLESS = 0xC3
PROGRESSIVE = frozenset({0xC2, 0xCA})
DECODABLE = frozenset({0xC0, 0xC1, 0xC2, LOSSLESS, 0xC9, 0xCA})
KEPT = frozenset({DHT, DQT, DRI, DAC}) | FRAMES
MOST_SCANS = 500  # libjpeg-turbo's own advice against files that make every scan cost a whole picture
# One 0xFF and a code that is neither stuffing, fill nor a restart. No repetition: the search stays linear.
NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclasses.dataclass(frozen=True, slots=True)
class JpegParts:
    """What the markers before the first scan say, and the bytes of them that a decoder needs."""

    width: int
    height: int
    frame: int  # the code of the frame marker
    precision: int  # bits a sample
    components: tuple[int, ...]  # their ids
    orientation: int
    profile: bytes | None
    head: bytes  # SOI and the segments that matter, up to the first SOS
    scans_at: int  # where the first SOS stands in the file
    scans_alone: bool  # one scan holds everything: nothing but rows has to be kept in memory


def take_apart(data: bytes) -> JpegParts:
    """Read the markers up to the first scan. Raises PixelError (truncated, corrupt, unsupported)."""
    head = [SOI]
    frame: tuple[int, bytes] | None = None
    exif: bytes | None = None
    icc: dict[int, bytes] = {}
    icc_total = 0
    at = 2
    while True:
        marker, body, following = _segment(data, at)
        if marker == SOS:
            break
        if marker in FRAMES:
            if frame is not None:
                raise PixelError(Status.CORRUPT, f"{JPEG}: two frame headers")
            frame = (marker, body)
        if marker == APP0 and body.startswith(b"JFIF\x00") and len(body) >= 14:
            # The version is normalised: an unknown one is a warning to libjpeg, and no damage.
            head.append(_rebuilt(marker, b"JFIF\x00\x01\x01" + body[7:12] + b"\x00\x00"))
        elif marker in KEPT or (marker == APP14 and body.startswith(b"Adobe")):
            head.append(_rebuilt(marker, body))
        elif marker == APP1 and exif is None and body.startswith(b"Exif\x00\x00"):
            exif = body
        elif marker == APP2 and body.startswith(b"ICC_PROFILE\x00") and len(body) > 14:
            icc.setdefault(body[12], body[14:])
            icc_total = body[13]
        at = following
    if frame is None:
        raise PixelError(Status.CORRUPT, f"{JPEG}: a scan before any frame header")
    whole_profile = icc_total > 0 and sorted(icc) == list(range(1, icc_total + 1))
    profile = b"".join(icc[number] for number in sorted(icc)) if whole_profile else None
    return _with_frame(frame, b"".join(head), at, body, orientation_of(exif), profile)


def _with_frame(
    frame: tuple[int, bytes], head: bytes, scans_at: int, scan: bytes, orientation: int, profile: bytes | None
) -> JpegParts:
    marker, body = frame
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise PixelError(Status.CORRUPT, f"{JPEG}: the frame header has a wrong length")
    precision, count = body[0], body[5]
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if not (width and height):
        raise PixelError(Status.CORRUPT, f"{JPEG}: the frame header says {width} x {height} pixels")
    if marker not in DECODABLE:
        raise PixelError(Status.UNSUPPORTED, f"{JPEG}: coding process SOF{marker - 0xC0}")
    if precision != 8:
        raise PixelError(Status.UNSUPPORTED, f"{JPEG}: {precision} bits a sample")
    if count not in (1, 3, 4):
        raise PixelError(Status.UNSUPPORTED, f"{JPEG}: {count} components")
    alone = marker not in PROGRESSIVE and bool(scan) and scan[0] == count
    ids = tuple(body[6::3])
    return JpegParts(width, height, marker, precision, ids, orientation, profile, head, scans_at, alone)


def for_decoder(data: bytes, parts: JpegParts) -> bytes:
    """Return the JPEG with only the segments that matter, closed by an end marker.

    A baseline picture that lacks nothing but its end marker is whole; one that is really cut still fails in
    a strict decoder. Where several scans build the picture that cannot be relied on, so they are counted:
    PixelError(truncated) unless every coefficient of every component has come down to its last bit.
    """
    if not parts.scans_alone:
        _check_scans(data, parts)
    return b"".join((parts.head, memoryview(data)[parts.scans_at :], b"\xff\xd9"))


def _check_scans(data: bytes, parts: JpegParts) -> None:
    # Of each component the lowest bit (Al) still missing of coefficients 0 to 63; 255: nothing came at all.
    missing = {component: bytearray(b"\xff" * 64) for component in parts.components}
    at, scans = parts.scans_at, 0
    while True:
        try:
            marker, body, at = _segment(data, at)
        except PixelError:
            break  # the end, whether marked or not: what came is judged below
        if marker != SOS:
            continue
        scans += 1
        if scans > MOST_SCANS:
            raise PixelError(Status.TOO_LARGE, f"{JPEG}: more than {MOST_SCANS} scans")
        count = body[0] if body else 0
        if len(body) != 4 + 2 * count:
            raise PixelError(Status.CORRUPT, f"{JPEG}: a scan header has a wrong length")
        first, last, low = body[-3], body[-2], body[-1] & 15
        if parts.frame not in PROGRESSIVE:
            first, last, low = 0, 63, 0
        for component in body[1 : 1 + 2 * count : 2]:
            if component in missing and first <= last <= 63:
                missing[component][first : last + 1] = bytes([low]) * (last + 1 - first)
        found = NEXT_MARKER.search(data, at)
        if found is None:
            break
        at = found.start()
    if any(any(bits) for bits in missing.values()):
        raise PixelError(Status.TRUNCATED, f"{JPEG}: ends after {scans} scans, before the picture is whole")


def _segment(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return marker code, body and the place behind the segment that starts at `at`."""
    if at < len(data) and data[at] != 0xFF:
        raise PixelError(Status.CORRUPT, f"{JPEG}: no marker at byte {at}")
    while at < len(data) and data[at] == 0xFF:  # fill bytes
        at += 1
    if at + 3 > len(data):
        raise PixelError(Status.TRUNCATED, f"{JPEG}: ends inside its header")
    marker = data[at]
    if marker < 0xC0 or 0xD0 <= marker <= EOI:
        raise PixelError(Status.CORRUPT, f"{JPEG}: marker {marker:#04x} where a segment should start (byte {at})")
    length = int.from_bytes(data[at + 1 : at + 3], "big")
    following = at + 1 + length
    if length < 2:
        raise PixelError(Status.CORRUPT, f"{JPEG}: a segment of length {length} at byte {at}")
    if following > len(data):
        raise PixelError(Status.TRUNCATED, f"{JPEG}: ends inside its header")
    return marker, data[at + 3 : following], following


def _rebuilt(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
