"""Every statement about rights in one cleaned text: links, named licences, codes, words, claims."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from vasculum import rights_words as words

_ZERO, _MARK, _VAGUE, _NEGATION = (re.compile(p) for p in (words.ZERO, words.MARK, words.VAGUE, words.NEGATION))
_GAP = r"[\s_/,-]*"
_CODE = re.compile(
    rf"(?<![a-z0-9])(?:{words.COMMONS}(?:[\s_-]?(?P<before>[1-4](?:\.[0-5])?)(?![.\d]))?[\s_:-]*by"
    rf"(?P<a>(?:{_GAP}(?:nc|nd|sa)(?![a-z]))*)|by(?P<b>(?:[-_](?:nc|nd|sa)(?![a-z]))+))(?![a-z]|-[a-z])"
    r"(?:[\s_-]*v?(?:ersion)?[\s_-]*(?P<after>[1-4](?:[._][0-5])?)(?!\d))?"
    r"(?:[\s_-]+(?P<port>igo|[a-z]{2})(?![a-z]))?"
)
_WORDS = re.compile(
    r"(?:(?P<cc>creative ?commons?|知识共享|\bcc\b)(?:(?!zero|cero|cc0)[^.;:]){0,30}?)?"
    rf"(?P<by>{words.ATTRIBUTION})(?P<rest>(?:(?!https?:)[^.;:()]|\.\d){{0,120}})"
)
_UNPORTED = re.compile("international|internacional|unported|generic")
_VERSION = re.compile(r"(?<![\d.])([1-4]\.[0-5])(?![\d.]\d)")
_TOKEN = re.compile(r"[^\s\"'<>()|;,\[\]{}]+")
_WHOLE = re.compile(r"(?:by(?P<rest>(?:[ -](?:nc|nd|sa))*)|attribution)")
_CC_PATH = re.compile(
    r"/(?:licenses|l)/(?P<code>[a-z-]+)"
    r"(?:/(?P<version>\d(?:\.\d)?)(?:/(?P<port>[a-z]{2}|igo|scotland)(?=/|$))?)?(?:/|$)"
)
_BUTTON = re.compile(r"/presskit/(?:[\w.-]+/)*(by(?:-nc|-nd|-sa)*|cc-zero)\.\w+$")
_CC_HOSTS = {
    "creativecommons.org",
    "www.creativecommons.org",
    "i.creativecommons.org",
    "mirrors.creativecommons.org",
    "licensebuttons.net",
}
_CODES = {"by", "by-nc", "by-nd", "by-sa", "by-nc-sa", "by-nc-nd", "nc", "nd", "sa", "nc-sa", "nc-nd"}


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One understood statement. `family` is a key of STRICTNESS; 'unreadable': no such deed."""

    family: str
    id: str
    version: str = ""
    port: str = ""


UNREADABLE = Reading("unreadable", "unknown")


def statements(low: str) -> Iterable[Reading]:
    """Yield every statement in one cleaned text: links first, then named licences, codes, words, claims."""
    prose, links = _split_links(low)
    for link in links:
        yield from _read_link(link)
    for pattern, form, family, versions in words.OTHERS:
        if match := re.search(pattern, low):
            yield _other(low[match.end() : match.end() + 60], form, family, versions)
            prose = re.sub(pattern, " ", prose)
            break
    if whole := _WHOLE.fullmatch(low):
        yield _cc("by" + (whole["rest"] or "").replace(" ", "-"), "", "")
        return
    if (zero := _ZERO.search(prose)) and not _negated(prose, zero.start()):
        yield Reading("cc0", "CC0-1.0", "1.0")
    if _MARK.search(prose):
        yield Reading("pd", "CC-PDM-1.0", "1.0")
    yield from _read_codes(prose)
    yield from _read_words(prose)
    if _VAGUE.search(prose):
        yield UNREADABLE
    yield from _read_claims(low)


def _other(after: str, form: str, family: str, versions: str) -> Reading:
    """Return a licence that is not of Creative Commons; `after` is the text behind its name."""
    found = re.search(r"(?<!\d)([1-4])(?:\.(\d))?(?![\d])", after)
    version = f"{found[1]}.{found[2] or 0}" if found else ""
    if re.search(r"or (?:any )?later", after):
        form = form.replace("-only", "-or-later")
    if version in versions.split():
        return Reading(family, form.format(version), version)
    name = form.split("-{}")[0]
    return Reading(family, f"LicenseRef-{name}-{version or 'unversioned'}", version)


def _split_links(low: str) -> tuple[str, list[str]]:
    """Take the links out of a text: (what is left, the links). A link in a link stays part of the outer."""
    links: list[str] = []

    def take(match: re.Match[str]) -> str:
        token = match[0]
        start = re.search(r"https?://", token)
        if start is None and not re.match(r"(?:www\.)?creativecommons\.org/", token):
            return token
        links.append((token[start.start() :] if start else "http://" + token).rstrip(".:"))
        return token[: start.start()] + " " if start else " "

    return _TOKEN.sub(take, low), links


def _read_link(link: str) -> Iterable[Reading]:
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return
    path = unquote(parts.path).replace("_", "-")
    if host not in _CC_HOSTS:
        return
    if re.match(r"/(?:publicdomain|p|licenses)/(?:zero|cc0)(?:/1\.0)?(?:/|$)", path):
        yield Reading("cc0", "CC0-1.0", "1.0")
    elif re.match(r"/(?:publicdomain|p)/mark(?:/1\.0)?(?:/|$)", path):
        yield Reading("pd", "CC-PDM-1.0", "1.0")
    elif re.match(r"/licenses/publicdomain(?:/|$)", path):
        yield Reading("pd", "CC-PDDC", "1.0")
    elif button := _BUTTON.search(path):
        yield Reading("cc0", "CC0-1.0", "1.0") if button[1] == "cc-zero" else _cc(button[1], "", "")
    elif (match := _CC_PATH.match(path)) and (code := _ordered(match["code"].split("-"))) in _CODES:
        version = match["version"] or ""
        version = version + ".0" if len(version) == 1 else version
        yield (_cc(code, version, match["port"] or "") if not version or version in words.VERSIONS else UNREADABLE)
    elif re.match(r"/(?:licenses|publicdomain|l|p)/[^/]", path):
        yield UNREADABLE


def _read_codes(prose: str) -> Iterable[Reading]:
    loose = next(iter(_VERSION.findall(prose)), "") if len(set(_VERSION.findall(prose))) == 1 else ""
    for match in _CODE.finditer(prose):
        if _negated(prose, match.start()):
            yield UNREADABLE
            continue
        marks = re.findall(r"nc|nd|sa", match["a"] or match["b"] or "")
        version = (match["after"] or match["before"] or loose).replace("_", ".")
        port = match["port"] or ""
        known = (
            port.upper() in words.COUNTRIES
            and match["after"]
            and prose[match.end() : match.end() + 2] not in (" l", " d")
        )
        yield _cc(_ordered(["by", *marks]), version + ".0" if len(version) == 1 else version, port if known else "")


def _negated(prose: str, start: int) -> bool:
    return _NEGATION.search(prose[max(0, start - 40) : start]) is not None


def _read_words(prose: str) -> Iterable[Reading]:
    for match in _WORDS.finditer(prose):
        rest = match["rest"]
        marks = [mark for mark, spelling in words.CONDITIONS.items() if re.search(spelling, rest)]
        version = next(iter(_VERSION.findall(rest)), "")
        if not (match["cc"] or marks or (version and _UNPORTED.search(rest))):
            continue
        country = next((c for c, names in words.COUNTRIES.items() if re.search(rf"\b(?:{names})\b", rest)), "")
        yield _cc(_ordered(["by", *marks]), version, country)


def _read_claims(low: str) -> Iterable[Reading]:
    rest = re.sub(words.NOTHING_CLAIMED, " ", low)
    denied = rest != low and "copyright" in low  # the word alone is no notice any more, the sign still is
    low = re.sub(r"\bcopyright", " ", rest) if denied and not re.search(words.RESERVED, rest) else rest
    if re.search(words.NONCOMMERCIAL, low):
        yield Reading("noncommercial", "restricted")
    elif re.search(words.RESERVED, low):
        yield Reading("reserved", "restricted")
    elif re.search(words.NOTICE, low):
        yield Reading("notice", "restricted")


def _ordered(marks: Iterable[str]) -> str:
    known = [m for m in ("by", "nc", "nd", "sa") if m in set(marks)]
    return "-".join(known) if len(known) == len(set(marks)) else ""


def _cc(code: str, version: str, port: str) -> Reading:
    code = _ordered(code.split("-"))
    family = code if code in _CODES else "by-nc-nd"  # by-nd-sa and the like do not exist: the strictest reading
    name = f"CC-{code.upper()}"
    port = port.title() if len(port) > 3 else port.upper()
    if not version:
        return Reading(family, f"LicenseRef-{name}-unversioned")
    full = f"{name}-{version}"
    if port:
        full = f"{full}-{port}" if f"{full}-{port}" in words.PORTS else f"LicenseRef-{full}-{port}"
    elif not code.startswith("by") or code != family or version == "2.1":
        full = f"LicenseRef-{full}"
    return Reading(family, full, version, port)
