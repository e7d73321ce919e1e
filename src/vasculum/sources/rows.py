"""Rows of text to Arrow batches of manifest rows: one row out for each link between a medium and a record."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum import rights
from vasculum.sources import values
from vasculum.sources.identity import global_id, media_id
from vasculum.sources.names import Mapping, bare
from vasculum.sources.rejects import NO_ADDRESS, Tally
from vasculum.sources.terms import NOT_IMAGES, VARIANT_SIZES
from vasculum.sources.values import Cell
from vasculum.tables import SOURCE_SCHEMA, SPECIMEN

PLAIN = (*(c.name for c in SPECIMEN if c.name != "year"), "rightsHolder", "creator", "record_license")
PLAIN += ("dataset_key", "publisher_name", "format", "label", "credit_line")
"""Manifest columns that are the text of a cell, as it stands."""


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of one file under one header. `numbers` count data rows from 1, `lines` are where rows begin.

    `beyond` holds, by place in `rows`, the cells of a row that has more of them than there are columns.
    """

    file: str
    columns: tuple[str, ...]
    rows: list[Sequence[Cell]] = dataclasses.field(default_factory=list)
    numbers: list[int] = dataclasses.field(default_factory=list)
    lines: list[int] = dataclasses.field(default_factory=list)
    beyond: dict[int, list[str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class _Link:
    row: int
    uri: str | None
    path: str | None
    alone: bool


class Assembler:
    """Makes manifest rows of chunks that share one mapping."""

    def __init__(self, mapping: Mapping, label: str, root: Path, tally: Tally) -> None:
        self.label, self.root, self.tally = label, root, tally
        self.places = functools.cache(mapping.places)
        self.names = [e.column for e in mapping]
        self.rest = [i for i, e in enumerate(mapping) if e.target is None]
        self.address = mapping.places("accessURI")
        self.associated = {i for i in self.address if bare(self.names[i]) == "associatedmedia"}
        by_name = {bare(name): i for i, name in reversed(list(enumerate(self.names)))}
        self.kind, self.hash_function = by_name.get("type"), by_name.get("hashfunction")
        self.form = next(iter(mapping.places("format")), None)

    def batch(self, chunk: Chunk) -> pa.RecordBatch:
        """Return the manifest rows of a chunk; rows that give none are kept as rejects."""
        self.tally.count("rows read", len(chunk.rows))
        left: list[dict[str, Any]] = [{} for _ in chunk.rows]
        for i, cells in chunk.beyond.items():
            left[i]["cells beyond the header"] = cells
        links = [link for i in range(len(chunk.rows)) for link in self._links(chunk, i, left[i])]
        self.tally.count("image links", len(links))
        columns: dict[str, list[Any]] = {
            name: self._first(chunk, name, left) for name in PLAIN
        }  # fmt: skip
        columns["year"] = self._years(chunk, columns["eventDate"], left)
        columns["record_keys"] = self._record_keys(chunk, columns, left)
        columns["published_hash"] = self._hashes(chunk, links, left)
        columns["record_page"] = self._pages(chunk, columns, left)
        columns["variants"] = [
            self._variants(row, taken) for row, taken in zip(chunk.rows, left, strict=True)
        ]
        self._licences(chunk, columns)
        ids = self._ids(chunk, links, columns, left)
        columns["source_name"] = [self.label] * len(chunk.rows)
        columns["source_key"] = [str(n) for n in chunk.numbers]
        columns["records"] = [None] * len(chunk.rows)
        columns["terms_json"] = [self._terms(row, extra) for row, extra in zip(chunk.rows, left, strict=True)]
        arrays = []
        for field in SOURCE_SCHEMA:
            if field.name == "media_id":
                found: list[Any] = ids
            elif field.name in ("accessURI", "local_path"):
                found = [link.uri if field.name == "accessURI" else link.path for link in links]
            else:
                column = columns[field.name]
                found = [column[link.row] for link in links]
            arrays.append(pa.array(found, type=field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=SOURCE_SCHEMA)

    def _links(self, chunk: Chunk, i: int, left: dict[str, Any]) -> list[_Link]:
        """Return the links of one row. Addresses that are not used go into `left`."""
        row = chunk.rows[i]
        if why := self._not_an_image(row):
            self._reject(chunk, i, why, "declared to be something other than an image")
            return []
        found: list[str] = []
        for place in self.address:
            cell = row[place]
            if not cell:
                continue
            if found:
                left[self.names[place]] = cell
                continue
            found = values.addresses(cell, place in self.associated)
            if isinstance(cell, str) and found and cell != found[0] and len(found) == 1:
                left[self.names[place]] = cell
                self.tally.count("addresses with blanks around them (taken off)")
        local = next((str(row[p]) for p in self.places("local_path") if row[p]), None)
        if not found and local is None:
            self._reject(chunk, i, NO_ADDRESS, "rows without an image address")
            return []
        links = []
        for address in found or [""]:
            uri = address if address and values.is_address(address) else None
            link = self._link(chunk, i, uri, local or (None if uri else address), left, len(found) <= 1)
            if link is not None:
                links.append(link)
        return links

    def _link(
        self, chunk: Chunk, i: int, uri: str | None, local: str | None, left: dict[str, Any], alone: bool
    ) -> _Link | None:
        path = None
        if "\0" in (uri or local or ""):
            self._reject(chunk, i, "a NUL character stands in the address", "addresses with a NUL character")
            return None
        if local is not None:
            path, why = values.local_path(local, self.root)
            if path is None:
                self._reject(
                    chunk,
                    i,
                    f"{local[:200]!r} is {why}" if why.startswith("an ") else why,
                    "paths that cannot be used",
                )
                return None
            if path != local:
                left.setdefault(self._path_name(), local)
        return _Link(i, uri, path, alone)

    def _path_name(self) -> str:
        places = self.places("local_path") or self.address
        return self.names[places[0]]

    def _not_an_image(self, row: Sequence[Cell]) -> str:
        """Say what the row declares its medium to be where that is no picture, else ''."""
        kind = bare(str(row[self.kind])) if self.kind is not None and row[self.kind] else ""
        form = str(row[self.form]).lower() if self.form is not None and row[self.form] else ""
        if kind in NOT_IMAGES and not form.startswith("image/"):
            return f"declared as {kind}, not an image"
        if form.startswith(("audio/", "video/", "text/")) and kind not in ("stillimage", "image"):
            return f"declared as {form[:60]}, not an image"
        return ""

    def _reject(self, chunk: Chunk, i: int, why: str, kind: str) -> None:
        text = json.dumps(dict(zip(self.names, chunk.rows[i], strict=True)), ensure_ascii=False)
        self.tally.reject(chunk.file, chunk.lines[i], why, text, kind)

    def _first(self, chunk: Chunk, target: str, left: list[dict[str, Any]]) -> list[str | None]:
        """Return, row by row, the first filled cell of the columns for `target`; the others go into `left`."""
        places = self.places(target)
        if not places:
            return [None] * len(chunk.rows)
        if len(places) == 1:
            return [_text(row[places[0]]) or None for row in chunk.rows]
        found: list[str | None] = []
        for row, extra in zip(chunk.rows, left, strict=True):
            filled = [p for p in places if row[p]]
            found.append(_text(row[filled[0]]) if filled else None)
            extra.update((self.names[p], row[p]) for p in filled[1:])
        return found

    def _years(
        self, chunk: Chunk, dates: Sequence[str | None], left: list[dict[str, Any]]
    ) -> list[int | None]:
        found: list[int | None] = []
        for text, date, extra in zip(self._first(chunk, "year", left), dates, left, strict=True):
            number = values.year(text) if text else None
            if text and (number is None or text != str(number)):
                extra[self.names[self.places("year")[0]]] = text
                if number is None:
                    self.tally.count("texts that are no year (kept in terms_json)")
            found.append(number if number is not None else values.year_of_date(date) if date else None)
        return found

    def _record_keys(
        self, chunk: Chunk, columns: dict[str, list[Any]], left: list[dict[str, Any]]
    ) -> list[list[str]]:
        """Return the keys of each row's records; the columns they come from stay among the terms too."""
        places = self.places("record_keys")
        keys: list[list[str]] = []
        for i, row in enumerate(chunk.rows):
            own: list[str] = []
            for place in places:
                if cell := row[place]:
                    own = own or values.text_list(cell) or [_text(cell)]
                    left[i][self.names[place]] = cell
            number = columns["catalogNumber"][i]
            parts = (columns["institutionCode"][i], columns["collectionCode"][i], number)
            if occurrence := columns["occurrenceID"][i]:
                keys.append([occurrence])
            elif number:
                keys.append([":".join(p for p in parts if p)])
            else:
                keys.append(own)
        return keys

    def _hashes(self, chunk: Chunk, links: list[_Link], left: list[dict[str, Any]]) -> list[str | None]:
        alone = {link.row for link in links if link.alone}
        found: list[str | None] = [None] * len(chunk.rows)
        for place in self.places("published_hash"):
            name = bare(self.names[place])
            for i, row in enumerate(chunk.rows):
                if not (cell := _text(row[place])):
                    continue
                function = _text(row[self.hash_function]) if self.hash_function is not None else ""
                known = values.published_hash(cell, name if name in ("md5", "sha256") else function)
                if known and found[i] is None and i in alone:
                    found[i] = known
                else:
                    left[i][self.names[place]] = cell
        return found

    def _pages(
        self, chunk: Chunk, columns: dict[str, list[Any]], left: list[dict[str, Any]]
    ) -> list[str | None]:
        places = self.places("record_page")
        gbif = [p for p in self.places("record_keys") if bare(self.names[p]) == "gbifid"]
        found: list[str | None] = []
        for i, row in enumerate(chunk.rows):
            page: str | None = None
            for place in places:
                if cell := _text(row[place]):
                    page = page or values.web_page(cell)
                    if page != cell:
                        left[i][self.names[place]] = cell
            if page is None and (occurrence := columns["occurrenceID"][i]):
                page = values.web_page(occurrence)
            if page is None and gbif and (number := _text(row[gbif[0]])).isascii() and number.isdigit():
                page = f"https://www.gbif.org/occurrence/{number}"
            found.append(page)
        return found

    def _variants(self, row: Sequence[Cell], left: dict[str, Any]) -> list[dict[str, str | None]] | None:
        found = []
        for place in self.places("variants"):
            if uri := _text(row[place]).strip():
                found.append({"size": VARIANT_SIZES[bare(self.names[place])], "uri": uri, "format": None})
        return found or None

    def _licences(self, chunk: Chunk, columns: dict[str, list[Any]]) -> None:
        """Fill the columns about rights; a credit line that the publisher asks for leads."""
        places = self.places("license_id")
        names = {p: self.names[p] if rights.is_rights_field(self.names[p]) else "license" for p in places}
        ids: list[str] = []
        sources: list[str | None] = []
        raws: list[str | None] = []
        lines: list[str] = []
        people = ("creator", "rightsHolder", "institutionCode", "catalogNumber")
        for i, row in enumerate(chunk.rows):
            raw = {self.names[p]: text for p in places if (text := _text(row[p]))}
            licence = rights.read_license(
                {names[p]: raw[self.names[p]] for p in places if self.names[p] in raw}
            )
            if licence.contradicted:
                self.tally.count("rows whose rights fields contradict each other (the stricter counts)")
            told = [self.names[p] for p in places if names[p] == licence.source_field]
            ids.append(licence.id)
            sources.append(told[0] if told else None)
            raws.append(json.dumps(raw, ensure_ascii=False) if raw else None)
            creator, holder, institution, number = (columns[name][i] for name in people)
            wanted = columns["credit_line"][i]
            told_of = creator or holder or institution or number or wanted or raw
            lines.append(
                rights.credit_line(creator, holder, institution, number, licence.id, wanted)
                if told_of
                else ""
            )
        columns.update(license_id=ids, license_from=sources, rights_raw=raws)
        columns["credit_line"] = [line or None for line in lines]

    def _ids(
        self, chunk: Chunk, links: list[_Link], columns: dict[str, list[Any]], left: list[dict[str, Any]]
    ) -> list[str]:
        places = self.places("media_id")
        own: list[str | None] = [None] * len(chunk.rows)
        for place in places:
            for i, row in enumerate(chunk.rows):
                if cell := _text(row[place]):
                    left[i][self.names[place]] = cell
                    known = global_id(cell)
                    records = {columns["occurrenceID"][i], *columns["record_keys"][i]}
                    if known and own[i] is None and cell not in records and known not in records:
                        own[i] = known
        return [
            media_id(
                label=self.label,
                row=chunk.numbers[link.row],
                own_id=own[link.row] if link.alone else None,
                access_uri=link.uri,
                local_path=link.path,
            )
            for link in links
        ]

    def _terms(self, row: Sequence[Cell], left: dict[str, Any]) -> str | None:
        terms = {self.names[i]: cell for i in self.rest if (cell := row[i])}
        terms.update(left)
        return json.dumps(terms, ensure_ascii=False) if terms else None


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
