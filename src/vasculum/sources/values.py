"""One cell of a table to one value of the manifest. What cannot be typed is None, kept as text elsewhere."""

from __future__ import annotations

import json
import ntpath
import posixpath
import re
from collections.abc import Iterable
from pathlib import PurePath, PureWindowsPath

from vasculum.sources.names import URL_START

Cell = str | list[str]
FIRST_YEAR, LAST_YEAR = 1600, 2100
_BARS = re.compile(r"\s+\|\s+|\|(?=https?://)")
_MEDIA_LIST = re.compile(r"\s*[|;,]\s*(?=[a-z][a-z0-9+.-]+://)|\s+\|\s+", re.IGNORECASE)
_ROOT = "say --root with the folder above the images"
_WINDOWS = "give paths relative to the folder of images, or collect on that computer"
_YEAR = re.compile(r"\s*(\d{4})(?:\.0+)?\s*")
_HEX = re.compile(r"[0-9a-fA-F]+")


def addresses(cell: Cell, associated: bool = False) -> list[str]:
    """Return the distinct addresses in a cell: one, a list, a JSON list, or several with ' | ' between them.

    `associated`: the cell is a dwc:associatedMedia, where commas and semicolons stand between addresses too.
    Blanks around an address are no part of it; everything else is as published.
    """
    if isinstance(cell, list):
        items: Iterable[str] = cell
    elif cell.startswith("[") and cell.rstrip().endswith("]"):
        items = text_list(cell) or [cell]
    elif "|" in cell or associated:
        items = (_MEDIA_LIST if associated else _BARS).split(cell)
    else:
        items = (cell,)
    return list(dict.fromkeys(stripped for item in items if (stripped := item.strip())))


def text_list(cell: Cell) -> list[str]:
    """Return the texts of a list, or of a JSON list in a cell; [] for anything else."""
    if isinstance(cell, list):
        return cell
    try:
        found = json.loads(cell) if cell.startswith("[") else None
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) and all(isinstance(f, str) for f in found) else []


def is_address(text: str) -> bool:
    """Return whether `text` is an address with a scheme; a path, a Windows drive or a share is none."""
    return URL_START.match(text) is not None


def local_path(text: str, root: PurePath) -> tuple[str | None, str]:
    """Return a path under `root` with '/' between folders, and '', or None and why there is none.

    Backslashes count as '/'. A Windows path with its drive or share is taken where `root` is a folder above it, in
    whichever case. Only the text is looked at: a link that leads out is for fetching to refuse.
    """
    path = text.replace("\\", "/")
    on_windows = isinstance(root, PureWindowsPath)
    if re.match(r"[A-Za-z]:", path) or path.startswith("//") or (on_windows and path.startswith("/")):
        inside = _below_windows(path, root) if on_windows else None
        if inside is None:
            return None, f"an absolute Windows path that is not under {root}; {_WINDOWS if not on_windows else _ROOT}"
        path = inside
    elif path.startswith("/"):
        inside = posixpath.normpath(path)
        if not inside.startswith(f"{root}/".replace("//", "/")):
            return None, f"an absolute path that is not under {root}; {_ROOT}"
        path = posixpath.relpath(inside, str(root))
    path = posixpath.normpath(path)
    if path == ".." or path.startswith("../"):
        return None, f"the path leads out of {root}; {_ROOT}"
    return (path, "") if path != "." else (None, "the path names no file")


def _below_windows(path: str, root: PurePath) -> str | None:
    """Return an absolute Windows path as one below `root`, compared without capitals, or None."""
    told = ntpath.normpath(path)
    base = ntpath.normpath(str(root))
    for prefix, plain in (("\\\\?\\UNC\\", "\\\\"), ("\\\\?\\", "")):
        told, base = (plain + p[len(prefix) :] if p.startswith(prefix) else p for p in (told, base))
    whole = PureWindowsPath(told)
    if not whole.drive and whole.root:
        whole = PureWindowsPath(PureWindowsPath(base).drive) / whole
    if not whole.root or not whole.is_relative_to(PureWindowsPath(base)):
        return None  # 'C:a.jpg' is under whichever folder that drive stands in
    return whole.relative_to(PureWindowsPath(base)).as_posix()


def year(text: str) -> int | None:
    """Return the year in a `year` cell (4 digits from 1600 to 2100), or None."""
    match = _YEAR.fullmatch(text)
    return _plausible(match[1]) if match else None


def year_of_date(text: str) -> int | None:
    """Return the year that an eventDate begins with (1600 to 2100), or None."""
    start = text.strip()[:4]
    return _plausible(start) if len(start) == 4 and start.isascii() and start.isdigit() else None


def published_hash(value: str, function: str) -> str | None:
    """Return 'md5:…' or 'sha256:…' in lower-case hex; the length tells the function where none is named."""
    value = value.strip()
    lengths = {32: "md5", 64: "sha256"}
    name = re.sub(r"[^a-z0-9]", "", function.lower()) or lengths.get(len(value), "")
    fits = lengths.get(len(value)) == name and _HEX.fullmatch(value)
    return f"{name}:{value.lower()}" if fits else None


def web_page(text: str) -> str | None:
    """Return an http or https address as it stands, without blanks around it, or None."""
    text = text.strip()
    return text if re.match(r"https?://[^\s]", text, re.IGNORECASE) else None


def _plausible(digits: str) -> int | None:
    number = int(digits)
    return number if FIRST_YEAR <= number <= LAST_YEAR else None
