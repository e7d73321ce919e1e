"""Rights strings, as published in the wild, to one licence id; and the line to print beside an image.

An id is the SPDX id where there is one (`CC-BY-4.0`), `LicenseRef-…` for a named licence that SPDX lacks (no
version given, some ports), `CC-PDM-1.0`, `restricted` (rights are claimed, nothing is granted) or `unknown`.
One cell may hold several statements (words, a code, a link, a logo) and a record several cells. Where two of
them differ the stricter counts and is flagged; nothing is read as more open than any of its parts.
The spellings are tables in rights_words.py; rights_reading.py finds them in a text.
"""

from __future__ import annotations

import dataclasses
import functools
import html
import re
import unicodedata
from collections.abc import Mapping

from vasculum import rights_words as words
from vasculum.rights_reading import UNREADABLE, Reading, statements
from vasculum.rights_words import FIELDS, STRICTNESS

MOST_CHARACTERS = 20_000
"""A longer cell is not read."""


@dataclasses.dataclass(frozen=True, slots=True)
class License:
    """What was read: `id`, the field it is from (None: none understood), whether parts differ."""

    id: str
    source_field: str | None
    contradicted: bool


def is_rights_field(name: str) -> bool:
    """Return whether a column of this name (any namespace or case) speaks for the licence of an image."""
    return _bare(name) in FIELDS


def read_license(fields: Mapping[str, str]) -> License:
    """Return the licence that the rights fields of an image state: `fields` maps published names to texts.

    Fields are asked in the order of FIELDS; others (a rights holder, a data set's licence) do not speak for
    the image. A bare copyright notice agrees with a licence that keeps the copyright, but contradicts CC0.
    """
    ordered = sorted((n for n in fields if is_rights_field(n)), key=lambda n: FIELDS.index(_bare(n)))
    found: Reading | None = None
    source: str | None = None
    contradicted = False
    for name in ordered:
        reading, differs = _read_cell(fields[name])
        contradicted |= differs
        if reading is None:
            continue
        settled, differs = (reading, False) if found is None else _settle([found, reading], across=True)
        if settled != found:
            source = name
        found, contradicted = settled, contradicted or differs
    return License("unknown", None, contradicted) if found is None else License(found.id, source, contradicted)


@functools.lru_cache(maxsize=1_000)
def license_words(license_id: str) -> str:
    """Return a licence id in words for a person: `CC BY-NC 4.0`, `rights reserved`, `licence unknown`."""
    if license_id in ("unknown", "restricted", ""):
        return "rights reserved" if license_id == "restricted" else "licence unknown"
    text = license_id.removeprefix("LicenseRef-").removesuffix("-unversioned")
    if text == "CC-PDM-1.0":
        return "Public Domain Mark 1.0"
    return re.sub(
        r"^CC-(.*?)(?:-(\d.*))?$", lambda m: f"CC {m[1]} {(m[2] or '').replace('-', ' ')}".strip(), text
    ).replace("CC0-", "CC0 ")


def credit_line(
    creator: str | None,
    rights_holder: str | None,
    institution: str | None,
    catalog_number: str | None,
    license_id: str,
    wanted: str | None = None,
) -> str:
    """Return the line to print beside an image: who made it, who holds it, which specimen, which licence.

    `wanted` is a credit line that the publisher asks for; it takes the place of the names.
    """
    names = [wanted] if wanted else list(dict.fromkeys(n for n in (creator, rights_holder) if n))
    numbered = bool(institution and catalog_number and catalog_number.startswith(institution))
    specimen = " ".join(p for p in ("" if numbered else institution, catalog_number) if p)
    parts = [
        *names,
        *([specimen] if specimen and not any(specimen in n for n in names) else []),
        license_words(license_id),
    ]
    return "; ".join(" ".join(p.split()) for p in parts)


@functools.lru_cache(maxsize=1_000)
def _bare(name: str) -> str:
    name = re.sub(r"\s*\([^)]*\)\s*$", "", name).strip()
    name = (
        re.split(r"[/#:]", name)[-1]
        if "://" in name or ":" in name
        else name.removeprefix("data.").removeprefix("indexTerms.")
    )
    return re.sub(r"[\s_-]+", "", name).casefold()


@functools.lru_cache(maxsize=20_000)
def _read_cell(text: str) -> tuple[Reading | None, bool]:
    """Return what one cell says (None: nothing understood) and whether its parts differ."""
    if not text or len(text) > MOST_CHARACTERS:
        return None, False
    plain = unicodedata.normalize("NFKC", html.unescape(html.unescape(text)))
    plain = re.sub(r"[‐‑‒–—―−]", "-", re.sub(r"[’‘`´]", "'", plain))
    low = "".join(c for c in unicodedata.normalize("NFKD", plain.casefold()) if not unicodedata.combining(c))
    low = " ".join(low.split()).strip(" '\"")
    if re.search(words.ELSEWHERE, low):
        return None, False
    labels = list(re.finditer(words.LABEL, low))
    if (
        labels
        and any(re.search(words.IMAGE_WORD, m[1]) for m in labels)
        and not all(re.search(words.IMAGE_WORD, m[1]) for m in labels)
    ):
        ends = [m.start() for m in labels[1:]] + [len(low)]
        low = " ".join(
            low[m.end() : end] for m, end in zip(labels, ends, strict=True) if re.search(words.IMAGE_WORD, m[1])
        )
    elif (
        len(labels) == 1
        and labels[0].start() == 0
        and "data" in labels[0][1]
        and labels[0][0].startswith(("licen", "rights"))
    ):
        return None, False
    readings = list(statements(low))
    return _settle(readings, across=False) if readings else (None, False)


def _settle(readings: list[Reading], across: bool) -> tuple[Reading, bool]:
    """Return the stricter of the readings, and whether they differ. `across`: of different fields."""
    if UNREADABLE in readings:
        return UNREADABLE, len({r.family for r in readings}) > 1
    granted = [r for r in readings if STRICTNESS[r.family] < STRICTNESS["noncommercial"]]
    open_without_terms = bool(granted) and all(r.family in ("cc0", "pd") for r in granted)
    if granted and not (across and open_without_terms):
        readings = [r for r in readings if r.family != "notice"]
    if granted and all("nc" in r.family.split("-") for r in granted):
        readings = [r for r in readings if r.family != "noncommercial"]
    if {r.family for r in readings} == {"cc0", "pd"}:  # both permissive, and CC0 is the instrument
        return next(r for r in readings if r.family == "cc0"), False
    worst = max(STRICTNESS[r.family] for r in readings)
    strictest = [r for r in readings if STRICTNESS[r.family] == worst]
    differ = any(STRICTNESS[r.family] != worst for r in readings) and {r.id for r in readings} != {"restricted"}
    versions = {r.version for r in strictest if r.version}
    best = max(strictest, key=lambda r: (bool(r.version), bool(r.port) and len(versions) < 2))
    return best, differ or len(versions) > 1
