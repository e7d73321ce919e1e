"""Names of files and folders that every system takes, made of any text. The rules are those of Windows, everywhere.

Source: Microsoft, "Naming Files, Paths, and Namespaces". Besides: names are NFC, differ when case is ignored, begin with no
dot (hidden), and with at most one underscore (`datasets` passes over folders with two). Words that `datasets` takes for a
split (a folder `test`, a file `val-3.jpg`) get a capital letter: it would load those images and no others.
"""

from __future__ import annotations

import re
import unicodedata

MOST_BYTES = 120
"""Of a file's name without its extension, in UTF-8."""

MOST_FOLDER_BYTES = 60
"""Of a folder's name: together with the file's, room is left for 70 bytes of path before it under Windows' 260."""

NAMELESS = "unnamed"

_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {port + n for port in ("COM", "LPT") for n in "0123456789¹²³"}
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_SPLITS = re.compile(
    r"(?<![^-._ 0-9])(train|training|validation|valid|dev|val|test|testing|eval|evaluation)(?![^-._ 0-9])"
)  # datasets/data_files.py: SPLIT_KEYWORDS, between NON_WORDS_CHARS
_SUFFIX_BYTES = 12  # of `_` and a number


class Names:
    """Gives names, each once: what differs in nothing but case, or was cut to the same, gets `_2`, `_3` and so on."""

    def __init__(self, most_bytes: int = MOST_BYTES, *, dots: bool = True) -> None:
        self._most = most_bytes
        self._dots = dots
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, text: str | None) -> str:
        """Return a safe name for `text` that was not given before."""
        name = wanted = safe_name(text, self._most, dots=self._dots)
        key = _folded(wanted)
        number = self._next.get(key, 2)
        while _folded(name) in self._taken:
            name = safe_name(f"{cut(wanted, self._most - _SUFFIX_BYTES)}_{number}", self._most, dots=self._dots)
            number += 1
        self._next[key] = number
        self._taken.add(_folded(name))
        return name


def safe_name(text: str | None, most_bytes: int = MOST_BYTES, *, dots: bool = True) -> str:
    """Return a name for `text` that every system takes, as it is where it can be. Without `dots`, they become `_`."""
    name = unicodedata.normalize("NFC", text or "")
    name = "".join("_" if _is_invisible(character) else character for character in name)
    name = _FORBIDDEN.sub("_", name)
    name = cut(name if dots else name.replace(".", "_"), most_bytes)
    if name.startswith("."):
        name = "_" + name[1:]
    name = _SPLITS.sub(lambda found: found[0].capitalize(), re.sub(r"^_{2,}", "_", name))
    if name.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        stem, dot, rest = name.partition(".")
        name = cut(f"{stem.rstrip()}_{dot}{rest}", most_bytes)
    return name if name.strip("_. ") else NAMELESS


def cut(name: str, most_bytes: int) -> str:
    """Return the beginning of `name` that has at most so many bytes in UTF-8, without blanks or dots at its ends."""
    whole = name.strip()
    return whole.encode()[:most_bytes].decode(errors="ignore").rstrip(". ").strip()


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _folded(name: str) -> str:
    """Return what two names have in common that any file system might take for one."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded.upper()).casefold())
