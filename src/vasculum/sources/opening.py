"""Opening a table: what its bytes say it is, its encoding, and its lines with their numbers."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import stat
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, cast

from vasculum.errors import SourceError, UsageError, nearest

Kind = Literal["delimited", "json lines", "parquet", "workbook"]

LONGEST_LINE = 64 * 1024 * 1024
"""Characters; a longer line is no row of a table."""
MOST_SEARCHED = 256 * 1024 * 1024
"""Bytes of an old Office file that are searched for the mark of a password."""
LONGEST_RECORD = 16 * 1024 * 1024
"""Characters; a quoted cell over several lines is not followed further than that."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "mac-roman", "cp437", "cp850")
_OTHER_THINGS = (
    (b"%PDF", "a PDF; give the table it was made from"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ", "compressed with xz; unpack it first"),
    (b"Rar!", "a rar archive; unpack it and give the table in it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it and give the table in it"),
    (b"\xff\xd8\xff", "a JPEG image; give the folder that it is in"),
    (b"\x89PNG", "a PNG image; give the folder that it is in"),
    (b"II*\0", "a TIFF image; give the folder that it is in"),
    (b"MM\0*", "a TIFF image; give the folder that it is in"),
)


@contextlib.contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn what reading a file can raise into a SourceError of one line."""
    try:
        yield
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file.") from None
    except PermissionError:
        raise SourceError(
            f"{path}: not allowed to read it; where it is open in Excel, close it there, else check its permissions."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{path}: the gzip file is damaged or cut off ({error}); fetch it again.") from None
    except UnicodeError as error:
        raise SourceError(f"{path}: not in the expected encoding ({error}); say --encoding.") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error}).") from None


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, through gzip where its first bytes say so."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise SourceError(
            f"{path}: not a regular file; give a table (CSV, TSV, Excel, JSON lines, Parquet) or a folder."
        )
    raw = path.open("rb")
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw


def is_packed(path: Path) -> bool:
    """Return whether a file is a gzip file, by its bytes."""
    with errors_named(path), path.open("rb") as raw:
        return raw.read(2) == b"\x1f\x8b"


def sniff(path: Path) -> tuple[Kind, str]:
    """Return what a file is, by its bytes and not its name, and its encoding ('' for Parquet and workbooks).

    Raises SourceError for a file that is no table, saying what it is.
    """
    if path.name.startswith("~$"):
        raise SourceError(
            f"{path}: the mark that Excel keeps while a workbook is open; give {path.name[2:]} and close it in Excel."
        )
    with errors_named(path), open_bytes(path) as stream:
        start = stream.read(65_536)
    if not start:
        raise SourceError(f"{path}: the file is empty (0 bytes).")
    if start[:4] == b"PAR1":
        return "parquet", ""
    if path.suffix.lower() == ".parquet":
        raise SourceError(f"{path}: not a Parquet file: it does not begin with PAR1. Give it the name of what it is.")
    if start[:2] == b"PK":
        if (what := _zipped(path)) == "":
            return "workbook", ""
        raise SourceError(f"{path}: not a table but {what}.")
    if start.startswith(_OLD_OFFICE):
        raise SourceError(f"{path}: {_old_office(path)}.")
    for magic, what in _OTHER_THINGS:
        if start.startswith(magic):
            raise SourceError(f"{path}: not a text table but {what}.")
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    if not encoding:
        encoding = "utf-8"
        _refuse_binary(path, start)
    text = start.decode(encoding, "replace").lstrip("\ufeff").lstrip()
    if text[:15].lower().startswith(("<!doctype", "<html", "<?xml", "<svg")):
        raise SourceError(f"{path}: not a table but a web page or XML; download the table itself.")
    json_named = any(s.lower() in (".jsonl", ".ndjson", ".json") for s in path.suffixes[-2:])
    if text.startswith("{") or (json_named and text):
        return "json lines", encoding
    if text.startswith("[") and text[1:].lstrip().startswith(("{", "[", "]")):
        raise SourceError(f"{path}: line 1 opens one JSON array; write JSON lines instead, one object a line.")
    return "delimited", encoding


def _zipped(path: Path) -> str:
    """Return what a zip archive is, with what to do; '' for an Excel workbook."""
    try:
        with errors_named(path), zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            of = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return "a damaged zip archive or workbook; copy it again, or save it again in Excel"
    if "xl/workbook.xml" in names or ("[Content_Types].xml" in names and any(n.startswith("xl/") for n in names)):
        return "a binary Excel workbook (xlsb); save it as .xlsx" if "xl/workbook.bin" in names else ""
    if b"spreadsheet" in of:
        return "an OpenDocument spreadsheet (ods); save it as .xlsx or CSV"
    if any(n.startswith("word/") for n in names):
        return "a Word document; give the table as .xlsx or CSV"
    return "a zip archive; unpack it and give the table in it"


def _old_office(path: Path) -> str:
    """Return what an OLE file is: a workbook that a password locks, or one of before 2007."""
    with errors_named(path), path.open("rb") as stream:
        locked = "EncryptedPackage".encode("utf-16-le") in stream.read(MOST_SEARCHED)
    if locked:
        return "the workbook is locked with a password; open it in Excel, take the password off and save it again"
    return "an old Excel workbook (xls); open it in Excel and save it as .xlsx"


def _refuse_binary(path: Path, start: bytes) -> None:
    nul_even, nul_odd = start[0:2000:2].count(0), start[1:2000:2].count(0)
    pairs = max(1, min(len(start), 2000) // 2)
    if max(nul_even, nul_odd) > pairs * 0.6 and min(nul_even, nul_odd) < pairs * 0.1:
        side = "le" if nul_odd > nul_even else "be"
        raise SourceError(f"{path}: looks like UTF-16 without a byte-order mark; say --encoding utf-16-{side}.")
    odd = sum(b < 32 and b not in (0, 9, 10, 11, 12, 13, 26, 27) for b in start[:4000])
    if odd > len(start[:4000]) * 0.05 or start[:4000].count(0) > len(start[:4000]) * 0.2:
        raise SourceError(
            f"{path}: binary data, not a text table; give CSV, TSV, an Excel workbook, JSON lines or Parquet."
        )


def check_encoding(name: str) -> str:
    """Return the encoding's name, or raise UsageError with the nearest known ones."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        raise UsageError(f"--encoding {name}: no such encoding{nearest(name, _ENCODINGS)}.") from None
    if not getattr(info, "_is_text_encoding", True):
        raise UsageError(f"--encoding {name}: not an encoding of text; try utf-8 or latin-1.")
    return name


@contextlib.contextmanager
def open_lines(path: Path, encoding: str) -> Iterator[Lines]:
    """Open a text table, through gzip where it is packed, as numbered lines."""
    with errors_named(path), open_bytes(path) as stream:
        utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        # Bytes that are no UTF-8 come through as lone surrogates, so that their line can be named.
        errors = "surrogateescape" if utf8 else "strict"
        with io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as text:
            yield Lines(text, path)


class Lines:
    """The lines of a text, with their endings: numbered, each checked, the last ones can be given back.

    `number` is that of the line last handed out; `held` are those handed out since `forget`.
    """

    def __init__(self, stream: TextIO, path: Path) -> None:
        self.path = path
        self.number = 0
        self.held: list[str] = []
        self._stream = stream
        self._again: deque[str] = deque()
        self._size = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = self._stream.readline(LONGEST_LINE)
            if not line:
                raise StopIteration
            self._check(line)
        self.number += 1
        self.held.append(line)
        self._size += len(line)
        if self._size > LONGEST_RECORD and len(self.held) > 1:
            self._again.append(self.held.pop())
            self.number -= 1
            raise StopIteration  # to a reader of quoted cells the text ends here: its quote is not closed
        return line

    def forget(self) -> None:
        """Let go of the lines handed out."""
        self.held.clear()
        self._size = 0

    def give_back(self, keep: int) -> None:
        """Take all but the first `keep` of the held lines back, to hand them out again."""
        again = self.held[keep:]
        self._again.extendleft(reversed(again))
        self.number -= len(again)
        del self.held[keep:]
        self._size = sum(map(len, self.held))

    def _check(self, line: str) -> None:
        if len(line) >= LONGEST_LINE:
            raise SourceError(f"{self.path}: line {self.number + 1} has over {LONGEST_LINE:,} characters; not a table.")
        if line.isascii():
            return
        try:
            line.encode("utf-8")
        except UnicodeEncodeError as error:
            byte = ord(line[error.start]) & 0xFF
            raise SourceError(
                f"{self.path}: line {self.number + 1} is not in the encoding utf-8 (byte 0x{byte:02x}); "
                "if the file is from Excel or an older database, say --encoding latin-1."
            ) from None
