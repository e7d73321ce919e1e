"""Which column of a table is which of the manifest: guessed from its name, said aloud, open to correction."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Table

from vasculum.errors import SourceError, UsageError, nearest
from vasculum.rights import is_rights_field
from vasculum.sources.terms import (
    ADDRESSES,
    ASSOCIATED,
    BEST_QUALITY,
    FILES,
    IDENTIFIER,
    NAMES,
    NAMES_OF_ONE_WORD,
    OF_MEDIA,
    SETTABLE,
)

URL_START = re.compile(
    r"(?:[a-z][a-z0-9+.-]+://|(?:https?|file|ark|urn|doi|hdl|data|mailto|javascript):)", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One column of the file: the manifest column that it fills (None: kept in terms_json), and why."""

    column: str
    target: str | None
    why: str


@dataclasses.dataclass(frozen=True)
class Mapping:
    """What each column of a table was taken for, in the table's order. Prints as a small table."""

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def places(self, target: str) -> list[int]:
        """Return the places of the columns that fill `target`, the one to be asked first in front."""
        found = [i for i, e in enumerate(self.entries) if e.target == target]
        order = ("accessuri", "bestqualityaccessuri") if target == "accessURI" else NAMES.get(target, ())
        return sorted(
            found,
            key=lambda i: (_place(bare(self.entries[i].column), order), _nested(self.entries[i].column)),
        )

    def __str__(self) -> str:
        rows = [
            ("column", "is taken for", "because"),
            *((e.column, e.target or "-", e.why) for e in self.entries),
        ]
        widths = [min(40, max(len(row[i]) for row in rows)) for i in range(2)]
        return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows)


def bare(name: str) -> str:
    """Return a column name without namespace (prefix or IRI), blanks, lines, dots and capitals."""
    name = name.strip().strip("\ufeff")
    name = re.sub(r"^(?:data|indexterms)\.", "", name, flags=re.IGNORECASE)
    if "://" in name:
        name = re.split(r"[/#]", name.rstrip("/#"))[-1]
    return re.sub(r"[\s_.-]+", "", name.rsplit(":", 1)[-1]).casefold()


def unique_names(header: Sequence[str]) -> list[str]:
    """Return the names of a header, each once: 'column 3' for none, 'url (2)' for a second 'url'."""
    names: dict[str, None] = {}
    times: dict[str, int] = {}
    for place, name in enumerate(header, start=1):
        name = name.strip().strip("\ufeff") or f"column {place}"
        given = name
        while given in names:
            times[name] = times.get(name, 1) + 1
            given = f"{name} ({times[name]})"
        names[given] = None
    return list(names)


def guess(
    columns: Sequence[str],
    *,
    file: str,
    overrides: Table[str, str] | None = None,
    sample: Table[str, Sequence[str]] | None = None,
    exists: Callable[[str], bool] = lambda path: False,
    records_only: bool = False,
) -> Mapping:
    """Return which of `columns` (as unique_names gives them) fills which manifest column.

    `overrides` maps a manifest column to the file's column. `sample` holds some values of each column: they
    decide whether `identifier` is an address and, by `exists`, whether a column of file names is of use here.
    `records_only`: the table tells of specimens and the images come from elsewhere, so none of it is an address.
    Raises UsageError for names that are not there, SourceError where none or several can be the address.
    """
    sample = sample or {}
    fixed = _fixed(columns, overrides or {}, file)
    found: dict[str, tuple[str, str]] = {column: (target, "told by --map") for target, column in fixed.items()}
    if records_only:
        for target in OF_MEDIA:
            if target in fixed:
                raise UsageError(f"--map {target}=…: the images are the files of the folder; leave it out.")
    elif "accessURI" not in fixed and "local_path" not in fixed:
        found.update(_address(columns, file, sample, exists, set(found)))
    for target, names in NAMES.items():
        if target not in fixed and not (records_only and target in OF_MEDIA):
            found.update(_named(target, names, columns, file, found, sample))
    entries = []
    for column in columns:
        if column in found:
            entries.append(Entry(column, *found[column]))
        elif "license_id" not in fixed and is_rights_field(_without_number(column)):
            entries.append(Entry(column, "license_id", "a rights field"))
        else:
            entries.append(Entry(column, None, "kept in terms_json"))
    return Mapping(tuple(entries))


def _fixed(columns: Sequence[str], overrides: Table[str, str], file: str) -> dict[str, str]:
    """Check the overrides; a file's column may be named in any case."""
    fixed: dict[str, str] = {}
    by_lower = {c.casefold(): c for c in reversed(columns)}
    for told, column in overrides.items():
        target = _settable(told)
        if target is None:
            turned = f"; it looks turned round: --map {column}={told}" if _settable(column) else ""
            hint = turned if told in columns else nearest(told, SETTABLE) or turned
            raise UsageError(f"--map {told}={column}: no such manifest column to set{hint}.")
        known = column if column in columns else by_lower.get(column.strip().casefold())
        if known is None:
            listed = nearest(column, columns) or f"; it has {_listed(columns)}"
            raise UsageError(f"--map {target}={column}: {file} has no column {column!r}{listed}.")
        if target in fixed:
            raise UsageError(f"--map {told}={column}: {target} is given twice; one column fills it.")
        fixed[target] = known
    return fixed


def _settable(name: str) -> str | None:
    """Return the manifest column that a name means: its own in any case, or a term's such as dcterms:license."""
    given = bare(name)
    own = next((target for target in SETTABLE if target == name or bare(target) == given), None)
    if own is not None or is_rights_field(name):
        return own or "license_id"
    meant = {target for target, names in NAMES.items() if given in names and target in SETTABLE}
    return meant.pop() if len(meant) == 1 else None


def _address(
    columns: Sequence[str],
    file: str,
    sample: Table[str, Sequence[str]],
    exists: Callable[[str], bool],
    taken: set[str],
) -> dict[str, tuple[str, str]]:
    """Find the column that holds the images' addresses, and a column of files that are really there."""
    groups: list[list[str]] = []
    for place, names in enumerate(ADDRESSES):
        group = [c for c in columns if c not in taken and bare(_without_number(c)) in names]
        if place == IDENTIFIER:  # the same word also names ids
            group = [c for c in group if _mostly_urls(sample.get(c, ()))]
        if group and len({_nested(c) for c in group}) > 1:
            group = [c for c in group if _nested(c) == min(map(_nested, group))]
        groups.append(group)
    if len(groups[FILES]) > 1:
        groups[FILES] = [c for c in groups[FILES] if _all_there(sample.get(c, ()), exists)] or groups[FILES]
    chosen = next((place for place, group in enumerate(groups) if group), None)
    if chosen is None:
        raise SourceError(
            f"{file}: no column is known to hold the image's address; it has the columns {_listed(columns)}. "
            "Name the right one, for example --map accessURI=foto_url; or where it tells of the images in a folder, give both: "
            "folder DIR --records FILE (vasculum run DIR … --records FILE)."
        )
    if len(groups[chosen]) > 1:
        both = " and ".join(repr(c) for c in groups[chosen])
        same = " (a duplicate name)" if len({bare(_without_number(c)) for c in groups[chosen]}) == 1 else ""
        raise SourceError(
            f"{file}: {len(groups[chosen])} columns could be the image's address{same}: {both}. "
            f"Say which, for example --map 'accessURI={groups[chosen][0]}'."
        )
    why = {
        IDENTIFIER: "its values are web addresses",
        ASSOCIATED: "the media of the record",
        FILES: "a path or address",
    }
    found = {groups[chosen][0]: ("accessURI", why.get(chosen, "the name says so"))}
    if chosen < BEST_QUALITY and len(groups[BEST_QUALITY]) == 1:
        found[groups[BEST_QUALITY][0]] = ("accessURI", "where the other is empty")
    if chosen < FILES:
        there = [c for c in groups[FILES] if _all_there(sample.get(c, ()), exists)]
        if len(there) == 1 and bare(there[0]) != "localpath":
            found[there[0]] = ("local_path", "these files are there")
    return found


def _named(
    target: str,
    names: Sequence[str],
    columns: Sequence[str],
    file: str,
    found: Table[str, tuple[str, str]],
    sample: Table[str, Sequence[str]],
) -> dict[str, tuple[str, str]]:
    """Find the columns that fill one manifest column, by name."""
    if target == "local_path" and any(t == target for t, _ in found.values()):
        return {}
    mine: dict[str, tuple[str, str]] = {}
    by_name: dict[tuple[str, int], list[str]] = {}
    for column in columns:
        name = bare(_without_number(column))
        if column in found or name not in names:
            continue
        if name in NAMES_OF_ONE_WORD and not _mostly_epithets(sample.get(column, ())):
            continue
        if name in ("uuid", "mediaid", "identifier") and not _about_media(columns):
            continue
        if name == "identifier" and any(sample.get(column, ())) and _mostly_urls(sample[column]):
            continue
        by_name.setdefault((name, _nested(column)), []).append(column)
        mine[column] = (target, "the name says so" if len(mine) == 0 else "where the others are empty")
    for alike in by_name.values():
        if len(alike) > 1 and {c.split(":")[0].lower() for c in alike} - {"dc", "dcterms"}:
            both = " and ".join(repr(c) for c in alike)
            raise SourceError(
                f"{file}: {both} could both be {target}. Say which, for example --map '{target}={alike[0]}'."
            )
    return mine


def _about_media(columns: Sequence[str]) -> bool:
    """Only in a table whose address is an Audiovisual Core term is a plain id surely the medium's own."""
    return any(bare(c) in ("accessuri", "bestqualityaccessuri") for c in columns)


def _without_number(column: str) -> str:
    return re.sub(r" \(\d+\)$", "", column)


def _nested(column: str) -> int:
    lower = column.lower()
    return 2 if lower.startswith("indexterms.") else 1 if lower.startswith("data.") else 0


def _place(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _mostly_urls(values: Sequence[str]) -> bool:
    filled = [v for v in values if v.strip()]
    return not filled or sum(URL_START.match(v.strip()) is not None for v in filled) * 2 > len(filled)


def _mostly_epithets(values: Sequence[str]) -> bool:
    """Only single words in small letters: a column 'Art' may as well hold whole names, or kinds of things."""
    filled = [v.strip() for v in values if v.strip()]
    return bool(filled) and sum(v.islower() and v.replace("-", "").isalpha() for v in filled) * 10 >= len(filled) * 9


def _all_there(values: Sequence[str], exists: Callable[[str], bool]) -> bool:
    filled = [v for v in values if v.strip()][:20]
    return bool(filled) and all(exists(v) for v in filled)


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(c[:60] for c in columns[:30])
    return shown + (f" and {len(columns) - 30} more" if len(columns) > 30 else "")
