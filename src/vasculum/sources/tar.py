"""What lies in a tar archive, and where: the headers alone are read, and strictly.

Python's tarfile reads extended headers of any length, and stops without a word at damage in the middle. Here a long
header is refused, links, devices and sparse files are named as what they are, and `remark` says how the archive ends.
Formats: POSIX ustar and pax, GNU (long names, base-256 sizes, sparse headers), the old V7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 512
LONGEST_HEADER = 2**20
"""Bytes of the longest extended header or long name that is read."""
LONGEST_NAME = 4096
_ZEROS = bytes(BLOCK)
_AFTER_END = 64 * BLOCK
"""So many bytes after the end mark are looked at: archives are filled up with zeros to some such length."""

_FILES = (b"0", b"\0", b"7")
_NO_DATA = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"5": "a folder", b"6": "a pipe"}
FOLDER = _NO_DATA[b"5"]


class _DamagedError(ValueError):
    """A header that cannot be one; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """One entry: its name with '/' between folders, and where its bytes lie."""

    name: str
    offset: int
    size: int
    trouble: str = ""
    """Why it is no file that can be read by its name; '' for a plain file. It may still be cut: see the file's size."""


class TarIndex:
    """Iterates over the members of an open tar file of `size` bytes; `remark` tells at the end how it ended."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.remark = ""
        """'' where it ended well; else what is wrong, in words."""

    def __iter__(self) -> Iterator[Member]:
        place = 0
        self.remark = ""
        long_name, pax, why = b"", dict[bytes, bytes](), ""
        while True:
            header = self._at(place, BLOCK)
            if len(header) < BLOCK or header == _ZEROS:
                self.remark = self._end(place, header)
                return
            try:
                kind, length, plain_name = _parsed(header)
                if kind in (b"L", b"K", b"x", b"X", b"g"):
                    data, why = self._extension(place, length, why)
                    if kind == b"L":
                        long_name = data.split(b"\0")[0]
                    elif kind in (b"x", b"X"):
                        pax = _pax(data)
                    place = self._after(place + BLOCK, length)
                    continue
                length = _octal(pax[b"size"], 10) if b"size" in pax and kind in _FILES else length
                begin = place + BLOCK + (self._sparse_headers(place, header) if kind == b"S" else 0)
            except _DamagedError as error:
                self.remark = f"damaged at byte {place:,} ({error}); what follows cannot be read"
                return
            given = pax.get(b"GNU.sparse.name") or pax.get(b"path") or long_name or plain_name
            member = _member(given, begin, length, why or _trouble(kind, given, pax))
            if member.trouble != FOLDER:
                yield member
            place = begin if kind in _NO_DATA else self._after(begin, length)
            if kind not in _NO_DATA and begin + length > self._size:
                self.remark = f"cut off: it ends within {member.name!r}"
                return
            long_name, pax, why = b"", {}, ""

    def _at(self, place: int, length: int) -> bytes:
        self._file.seek(place)
        return self._file.read(length)

    @staticmethod
    def _after(begin: int, length: int) -> int:
        return begin + -(-length // BLOCK) * BLOCK

    def _extension(self, place: int, length: int, why: str) -> tuple[bytes, str]:
        """Return the data of an extended header, or why the member that follows it has no name to trust."""
        if place + BLOCK + length > self._size:
            raise _DamagedError("an extended header is longer than the file")
        if length > LONGEST_HEADER:
            return b"", f"its extended header has {length:,} bytes, more than any name needs"
        return self._at(place + BLOCK, length), why

    def _sparse_headers(self, place: int, header: bytes) -> int:
        """Return how many bytes of further headers an old GNU sparse file has."""
        extra, more = 0, header[482] != 0
        while more:
            extra += BLOCK
            block = self._at(place + extra, BLOCK)
            if len(block) < BLOCK:
                raise _DamagedError("a sparse header is cut")
            more = block[504] != 0
        return extra

    def _end(self, place: int, header: bytes) -> str:
        if not header and place:
            return "without an end mark: it may have been cut between two members"
        if len(header) < BLOCK:
            return f"cut off at byte {place + len(header):,}"
        if self._at(place, _AFTER_END).strip(b"\0"):
            return f"more data after its end mark at byte {place:,}, which is not read (two archives joined?)"
        return ""


def is_tar(start: bytes) -> bool:
    """Return whether a file that begins with `start` (512 bytes) is a tar archive; one of zeros is an empty one."""
    try:
        return len(start) >= BLOCK and (start[:BLOCK] == _ZEROS or bool(_parsed(start[:BLOCK])[0]))
    except _DamagedError:
        return False


def _parsed(header: bytes) -> tuple[bytes, int, bytes]:
    """Return kind, length of the data, and name, after the header's checksum was found right."""
    told = _octal(header[148:156].split(b"\0")[0].strip(b" "), 8)
    if sum(header) - sum(header[148:156]) + 8 * 0x20 != told:
        raise _DamagedError("no tar header: its checksum is wrong")
    field = header[124:136]
    if field[0] in (0x80, 0xFF):  # GNU's numbers beyond 8 GB
        length = int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    else:
        length = _octal(field.split(b"\0")[0].strip(b" ") or b"0", 8)
    if not 0 <= length < 2**63:
        raise _DamagedError("the length of a member is no length")
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return header[156:157], length, prefix + b"/" + name if prefix else name


def _octal(text: bytes, base: int) -> int:
    digits = b"01234567" if base == 8 else b"0123456789"
    if not text or len(text) > 20 or text.strip(digits):
        raise _DamagedError(f"{text[:20]!r} where a number should be")
    return int(text, base)


def _pax(data: bytes) -> dict[bytes, bytes]:
    """Return the records `LENGTH KEY=VALUE` of a pax header."""
    found: dict[bytes, bytes] = {}
    place = 0
    while place < len(data) and data[place]:
        blank = data.find(b" ", place, place + 21)
        length = _octal(data[place:blank], 10) if blank > 0 else 0
        if length <= blank - place or place + length > len(data):
            raise _DamagedError("a pax header that cannot be read")
        key, _, value = data[blank + 1 : place + length - 1].partition(b"=")
        found[key] = value
        place += length
    return found


def _trouble(kind: bytes, name: bytes, pax: dict[bytes, bytes]) -> str:
    if kind == b"\0" and name.endswith(b"/"):
        return FOLDER
    if kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in pax):
        return "a sparse file; pack it again without --sparse"
    if kind in _FILES:
        return ""
    return _NO_DATA.get(kind, f"of the unknown kind {kind!r}")


def _member(given: bytes, offset: int, size: int, trouble: str) -> Member:
    """Return a member under its name without './' and doubled '/'; a name that cannot stand in a path is a trouble."""
    try:
        name = given.decode("utf-8")
    except UnicodeDecodeError:
        shown = given[:LONGEST_NAME].decode("utf-8", "backslashreplace")
        return Member(shown, offset, size, trouble or "under a name that is not utf-8")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not trouble:
        if name.startswith("/"):
            trouble = "under an absolute name"
        elif ".." in parts:
            trouble = "under a name that leads upwards ('..')"
        elif "\0" in name or not parts or len(given) > LONGEST_NAME:
            trouble = "under a name that is none"
    return Member("/".join(parts)[:LONGEST_NAME], offset, size, trouble)
