"""The value of a spreadsheet's cell as the text that a person sees there."""

from __future__ import annotations

import datetime
import functools
import re
from typing import Any

SHORTENED = "long numbers that Excel has cut (it keeps 15 digits): format the column as text and fill it anew; cells"
"""What a number is counted as of which the last digits are gone."""

MOST_DIGITS = 10**15
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NO_CHARACTERS = {0, *range(0xD800, 0xE000)}
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d{2,3}")
DAY = 24 * 60 * 60 * 1000
"""Milliseconds of a day."""
LAST_DAY = 2_958_466
"""The number of the day after 9999-12-31, the last that Excel has."""
BEFORE_1904 = 1_462
"""Days by which numbers are smaller where they are counted from 1904."""
NEVER_WERE = {0: "1900-01-00", 60: "1900-02-29"}
_NOT_LETTERS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_MASK = re.compile(r'"([^"]*)"|\\(.)|(0)|([ \-/.()])|(?:\[\$-[0-9A-Fa-f]+\]|\[[A-Za-z]+\])')


def looks_shortened(text: str) -> bool:
    """Return whether a text is a number as Excel shows a long one, such as 1.23457E+14: its digits are gone."""
    return len(text) < 24 and _SCIENTIFIC.fullmatch(text.strip()) is not None


def moment(serial: int | float, number_format: str, *, from_1904: bool = False) -> str:
    """Return a number that Excel shows as a date or time, in ISO 8601; without the time where that is midnight.

    Days before 1900-03-01 are those that Excel shows: number 0 is 1900-01-00 and 60 is 1900-02-29, which never were.
    A number under 1 is a time where the format shows no day. Times are rounded to milliseconds, never into the next
    day. A number that is no date in Excel comes back as it is stored.
    """
    if not 0 <= serial < LAST_DAY - BEFORE_1904 * from_1904:
        return shown(serial, "")[0]
    day = int(serial)
    thousandths = min(round((serial - day) * DAY), DAY - 1)
    clock = (datetime.datetime.min + datetime.timedelta(milliseconds=thousandths)).time().isoformat()
    letters = _NOT_LETTERS.sub("", number_format).casefold()
    if day == 0 and ("h" in letters or "s" in letters) and not ("y" in letters or "d" in letters):
        return clock
    if from_1904:
        date = (datetime.date(1904, 1, 1) + datetime.timedelta(days=day)).isoformat()
    elif day in NEVER_WERE:
        date = NEVER_WERE[day]
    else:
        date = (datetime.date(1899, 12, 31 if day < 60 else 30) + datetime.timedelta(days=day)).isoformat()
    return f"{date}T{clock}" if thousandths else date


def shown(value: Any, number_format: str) -> tuple[str, bool]:
    """Return the text of a cell's value, and whether it is a number that has lost digits.

    Whole numbers have no '.0', and the zeros that the format asks for ('00000000': 00457728); dates are ISO 8601,
    without the time where that is midnight; other numbers are as stored, with the 15 digits that count.
    """
    if isinstance(value, str):
        return _unescaped(value), looks_shortened(value)
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), False
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return (value.date().isoformat() if midnight else value.isoformat()), False
    return (value.isoformat() if hasattr(value, "isoformat") else str(value)), False


def _number(value: int | float, number_format: str) -> tuple[str, bool]:
    if value != value or value in (float("inf"), float("-inf")):
        return "", False
    if value != int(value):
        return f"{value:.15g}", False
    whole = int(value)
    mask = _mask(number_format)
    if mask is None or whole < 0:
        return str(whole), abs(whole) >= MOST_DIGITS
    return _masked(whole, mask), whole >= MOST_DIGITS


def _masked(whole: int, mask: tuple[str | None, ...]) -> str:
    """Fill the digits of a number into a mask from the right; those that are left over go before its first place."""
    digits = str(whole).zfill(mask.count(None))
    over = len(digits) - mask.count(None)
    rest = iter(digits[over:])
    first = mask.index(None)
    filled = [next(rest) if part is None else part for part in mask]
    filled[first] = digits[:over] + str(filled[first])
    return "".join(str(part) for part in filled)


@functools.lru_cache(maxsize=1_000)
def _mask(number_format: str) -> tuple[str | None, ...] | None:
    """Return a format of zeros and fixed text, such as 00000000 or "E"00000000, part by part: None for a digit.

    None for any other format (General, 0.00, #,##0, 0%): such a number is given as it is stored.
    """
    section = number_format.split(";", 1)[0]
    parts: list[str | None] = []
    end = 0
    for match in _MASK.finditer(section):
        if match.start() != end:
            return None
        end = match.end()
        quoted, escaped, zero, plain = match.groups()
        if zero:
            parts.append(None)
        elif text := quoted or escaped or plain or "":
            parts.append(text)
    if end != len(section) or None not in parts:
        return None
    # '0.00' is a decimal point, not a full stop between digits
    return None if re.search(r"0\.", section) else tuple(parts)


def _unescaped(text: str) -> str:
    """Return a text with the control characters that a workbook spells out, such as _x000D_, as they are."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda m: m[0] if int(m[1], 16) in _NO_CHARACTERS else chr(int(m[1], 16)), text)
