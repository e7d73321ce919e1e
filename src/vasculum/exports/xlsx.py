"""The door to XlsxWriter: sheets of typed cells, written row by row in little memory.

A text is a text whatever it looks like: no number, formula or link is guessed from it. A number keeps all its digits.
Control characters stand as Excel writes them (`_x0001_`).
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from vasculum.pixels.errors import PixelError
from vasculum.pixels.header import read_header

MOST_ROWS = 1_048_576
"""Rows of a sheet, its header included."""

MOST_CHARACTERS = 32_767
"""UTF-16 units of a cell."""

MOST_LINKS = 65_530
"""Links of a sheet; what comes after them is text."""

MOST_ADDRESS = 2_000
PICTURE_PIXELS = 96
"""Height and width of the cell that holds a picture."""

LARGEST_WHOLE = 2**53
"""Larger whole numbers are written as text: a number of Excel would change their last digits."""

Cell = str | int | float | bool | None


class _Sheet(Worksheet):  # type: ignore[misc] # XlsxWriter has no types
    """A sheet on which numbers keep 17 digits, and a text that begins with <r> and ends with </r> is a text as well."""

    def _xml_number_element(self, number: Any, attributes: Sequence[tuple[str, Any]] = ()) -> None:
        told = "".join(f' {key}="{value}"' for key, value in attributes)
        self.fh.write(f"<c{told}><v>{number!r}</v></c>")

    def _xml_rich_inline_string(self, string: str, attributes: Sequence[tuple[str, Any]] = ()) -> None:
        self._xml_inline_string(string, True, attributes)


class Book:
    """A workbook in the making, for `with`; `folder` takes its temporary files."""

    def __init__(self, file: BinaryIO, folder: Path) -> None:
        self._book = Workbook(
            file, {"constant_memory": True, "tmpdir": str(folder), "in_memory": False, "strings_to_urls": False}
        )
        self._book.use_zip64()
        top = {"valign": "top"}
        self.formats = {
            "header": self._book.add_format(
                {**top, "bold": True, "bg_color": "#E8EFE4", "bottom": 1, "num_format": "@"}
            ),
            "text": self._book.add_format({**top, "num_format": "@"}),
            "other": self._book.add_format(top),
            "link": self._book.add_format({**top, "num_format": "@", "font_color": "#0B57A4", "underline": 1}),
            "wrapped": self._book.add_format({**top, "num_format": "@", "text_wrap": True}),
        }

    def sheet(self, name: str, header: Sequence[str]) -> Sheet:
        """Begin a sheet; the one before it is ended."""
        return Sheet(self, self._book.add_worksheet(name, worksheet_class=_Sheet), name, header)

    def close(self) -> None:
        """Write everything into the file. Raises OSError where the disk refuses."""
        try:
            self._book.close()
        except FileCreateError as error:
            cause = error.args[0] if error.args else error
            raise cause if isinstance(cause, OSError) else OSError(str(error)) from error


class Sheet:
    """One sheet: a header that stays in sight, and rows."""

    def __init__(self, book: Book, sheet: Any, name: str, header: Sequence[str]) -> None:
        self.name = name
        self.rows = 0
        """Written so far, the header included."""
        self._sheet = sheet
        self._formats = book.formats
        self._links = 0
        self._widths: list[int] = [0] * len(header)
        self._sheet.freeze_panes(1, 0)
        for column, title in enumerate(header):
            self._sheet.write_string(0, column, title, self._formats["header"])
            self._widths[column] = len(title) + 3  # room for the filter's button
        self.rows = 1

    def write(self, cells: Sequence[Cell], *, links: frozenset[int] = frozenset(), wrapped: bool = False) -> None:
        """Write one row: texts as text, numbers as numbers, booleans as booleans; those at `links` as links."""
        row = self.rows
        formats = self._formats
        for column, value in enumerate(cells):
            if value is None:
                continue
            if isinstance(value, str):
                if column in links and self._links < MOST_LINKS and may_follow(value):
                    self._sheet.write_url(row, column, value, formats["link"], value)
                    self._links += 1
                else:
                    self._sheet.write_string(row, column, value, formats["wrapped" if wrapped else "text"])
            elif isinstance(value, bool):
                self._sheet.write_boolean(row, column, value, formats["other"])
            elif math.isfinite(value) and (isinstance(value, float) or abs(value) <= LARGEST_WHOLE):
                self._sheet.write_number(row, column, value, formats["other"])
            else:
                self._sheet.write_string(row, column, str(value), formats["text"])
            if row <= 1000:
                self._widths[column] = max(self._widths[column], _width(value))
        self.rows += 1

    def picture(self, column: int, data: bytes) -> None:
        """Put a picture (JPEG or PNG) into the row that is to be written next, which becomes high enough.

        What cannot be read as one is left out.
        """
        try:
            header = read_header(data)
        except PixelError:
            return
        scale = (PICTURE_PIXELS - 4) / max(header.width, header.height)
        self._sheet.set_row_pixels(self.rows, PICTURE_PIXELS)
        self._sheet.insert_image(
            self.rows, column, "picture",
            {"image_data": io.BytesIO(_without_density(data)), "x_scale": scale, "y_scale": scale, "x_offset": 2, "y_offset": 2,
             "object_position": 1, "decorative": True},
        )  # fmt: skip

    def finish(self, *, pictures: int | None = None, filtered: bool = True, widest: int = 40) -> None:
        """Set the widths of the columns (`pictures`: the one with pictures) and the filter."""
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, min(max(width, 6), widest))
        if pictures is not None:
            self._sheet.set_column_pixels(pictures, pictures, PICTURE_PIXELS + 4)
        if filtered:
            self._sheet.autofilter(0, 0, max(self.rows - 1, 1), len(self._widths) - 1)
        self._sheet.ignore_errors({"number_stored_as_text": f"A1:{_letters(len(self._widths))}{self.rows}"})


def may_follow(address: str) -> bool:
    """Return whether a text is an http or https address that can be a link: plain ASCII, a host, no user name."""
    if (
        len(address) > MOST_ADDRESS
        or not address.isascii()
        or not address.isprintable()
        or set(address) & set(' "<>\\^`{|}')
    ):
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def units(text: str) -> int:
    """Return the length of a text as Excel counts it, in UTF-16 units."""
    return len(text) if len(text) * 2 <= MOST_CHARACTERS else len(text.encode("utf-16-le")) // 2


def _width(value: Cell) -> int:
    return max(map(len, value.split("\n"))) + 1 if isinstance(value, str) else 9


def _without_density(data: bytes) -> bytes:
    """Return a JPEG that says nothing of its pixels an inch, by which XlsxWriter would scale it."""
    if data[2:4] == b"\xff\xe0" and data[6:11] == b"JFIF\0" and len(data) > 18:
        return data[:13] + b"\x00\x00\x01\x00\x01" + data[18:]
    return data


def _letters(column: int) -> str:
    """Return the letters of a column, 1 for A."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
