"""Numbers and strangers' texts as a person reads them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from markupsafe import Markup

LONGEST = 8000
"""Longest text that is shown, in characters; what is cut off is marked with an ellipsis."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(text: str, longest: int = LONGEST) -> str:
    """Return `text` with everything that could hide or turn what is read made visible as ⟨U+202E⟩, and cut.

    Made visible: control characters other than tab and line feed, directions, lone surrogates, line
    separators and code points that are no character.
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(character if _is_harmless(character) else f"⟨U+{ord(character):04X}⟩" for character in cut)


def _is_harmless(character: str) -> bool:
    if character in "\t\n":
        return True
    if character in _BIDI:
        return False
    return unicodedata.category(character) not in ("Cc", "Cs", "Cn", "Zl", "Zp")


def shown(value: object) -> object:
    """Return what a template prints for `value`: nothing for None, `plain` text, a readable number.

    Markup of this package passes as it is.
    """
    if value is None:
        return ""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return plain(value)
    return value


def count(value: int) -> str:
    """Return a whole number with thousands separators."""
    return f"{value:,}".replace("-", "−")


def number(value: float | int | None, spread: float = 0.0) -> str:
    """Return a number with 3 significant digits, whole from 1,000 on.

    It has a power of ten from 10¹² on and below 0.001. Where it stands beside others that differ by about
    `spread`, it has as many digits more as it takes to tell them apart, up to 12 decimals.
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    apart = 1 - math.floor(math.log10(spread)) if spread > 0 and math.isfinite(spread) else 0
    if size >= 1e12 or 0 < size < 1e-3:
        digits, power = f"{value:.2e}".split("e")
        text = f"{digits.rstrip('0').rstrip('.')} × 10{str(int(power)).translate(_SUPERSCRIPT)}"
    elif value == int(value):
        text = f"{int(value):,}"
    else:
        text = f"{value:,.{min(12, max(0, apart, 2 - math.floor(math.log10(size))))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def value(found: object) -> str:
    """Return a value of a results column: a number, 'yes' or 'no', or a text."""
    if found is None:
        return ""
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int):
        return count(found)
    return number(found) if isinstance(found, float) else str(found)


def share(part: int, whole: int) -> str:
    """Return a percentage that says 0% only of none and 100% only of all; '–' where there is no whole."""
    if whole <= 0:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.3g}%" if percent < 99.95 else f"{percent:.1f}%".replace("100.0", "100")


def some(word: str, amount: int, plural: str | None = None) -> str:
    """Return '1 image', '2,000 images'."""
    return f"{count(amount)} {word if amount == 1 else plural or word + 's'}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return 'a, b and c', or 'a, b, c and 7 more'."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {count(len(names) - most + 1)} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def safe_link(address: object) -> str | None:
    """Return `address` where it is an http or https address that a person may follow, else None.

    Refused: other schemes, no host, a user name before the host, spaces and control characters, over 2,000
    characters.
    """
    if not isinstance(address, str) or not 0 < len(address) <= 2000:
        return None
    if any(c.isspace() or not _is_harmless(c) or c in "\"'<>`\\" for c in address):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    return address
