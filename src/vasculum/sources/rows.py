"""Rows of text to Arrow batches of manifest rows: one row out for each link between a medium and a record."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.sources import values
from vasculum.sources.chunk import Chunk
from vasculum.sources.credits import RightsReader
from vasculum.sources.identity import global_id, media_id
from vasculum.sources.names import Mapping, bare
from vasculum.sources.rejects import NO_ADDRESS, Tally
from vasculum.sources.terms import NOT_IMAGES, VARIANT_SIZES
from vasculum.sources.values import Cell
from vasculum.tables import SOURCE_SCHEMA, SPECIMEN

PLAIN = (*(c.name for c in SPECIMEN if c.name != "year"), "rightsHolder", "creator", "record_license")
PLAIN += ("dataset_key", "publisher_name", "format", "label", "credit_line")
"""Manifest columns that are the text of a cell, as it stands."""


_JSON = json.JSONEncoder(ensure_ascii=False).encode


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
        self.rights = RightsReader(mapping, tally)
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
        columns = self._of_records(chunk, left)
        columns["published_hash"] = self._hashes(chunk, links, left)
        columns["variants"] = [self._variants(row, taken) for row, taken in zip(chunk.rows, left, strict=True)]
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

    def records(self, chunk: Chunk) -> dict[str, list[Any]]:
        """Return what the rows of a chunk tell of specimens, by manifest column; nothing of media."""
        left: list[dict[str, Any]] = [{} for _ in chunk.rows]
        for i, cells in chunk.beyond.items():
            left[i]["cells beyond the header"] = cells
        columns = self._of_records(chunk, left)
        columns["terms_json"] = [self._terms(row, extra) for row, extra in zip(chunk.rows, left, strict=True)]
        return columns

    def _of_records(self, chunk: Chunk, left: list[dict[str, Any]]) -> dict[str, list[Any]]:
        """Return the columns that tell of records; what they cannot take goes into `left`."""
        columns: dict[str, list[Any]] = {name: self._first(chunk, name, left) for name in PLAIN}
        columns["year"] = self._years(chunk, columns["eventDate"], left)
        columns["record_keys"] = self._record_keys(chunk, columns, left)
        columns["record_page"] = self._pages(chunk, columns, left)
        columns.update(self.rights.columns(chunk, columns))
        return columns

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
                self.tally.count("addresses with blanks around (taken off)", line=chunk.lines[i])
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
        given = (uri or "") + (local or "")
        if "\0" in given:
            self._reject(chunk, i, "a NUL character stands in the address", "addresses with a NUL character")
            return None
        if given.startswith('"'):
            why = "a quote that is not closed stands before the address"
            self._reject(chunk, i, why, "addresses with a quote before them")
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
        text = _JSON(dict(zip(self.names, chunk.rows[i], strict=True)))
        self.tally.reject(chunk.file, chunk.lines[i], why, text, kind)

    def _first(self, chunk: Chunk, target: str, left: list[dict[str, Any]]) -> list[str | None]:
        """Return, by row, the first filled cell of the columns for `target`; others go into `left`."""
        places = self.places(target)
        if not places:
            return [None] * len(chunk.rows)
        if len(places) == 1:
            column = (row[places[0]] for row in chunk.rows)
            return [(cell if type(cell) is str else _text(cell)) or None for cell in column]
        found: list[str | None] = []
        for row, extra in zip(chunk.rows, left, strict=True):
            filled = [p for p in places if row[p]]
            found.append(_text(row[filled[0]]) if filled else None)
            extra.update((self.names[p], row[p]) for p in filled[1:])
        return found

    def _years(self, chunk: Chunk, dates: Sequence[str | None], left: list[dict[str, Any]]) -> list[int | None]:
        found: list[int | None] = []
        for text, date, extra in zip(self._first(chunk, "year", left), dates, left, strict=True):
            number = values.year(text) if text else None
            if text and (number is None or text != str(number)):
                extra[self.names[self.places("year")[0]]] = text
                if number is None:
                    self.tally.count("years that cannot be read (kept in terms_json)")
            found.append(number if number is not None else values.year_of_date(date) if date else None)
        return found

    def _record_keys(self, chunk: Chunk, columns: dict[str, list[Any]], left: list[dict[str, Any]]) -> list[list[str]]:
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

    def _pages(self, chunk: Chunk, columns: dict[str, list[Any]], left: list[dict[str, Any]]) -> list[str | None]:
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
        return _JSON(terms) if terms else None


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else _JSON(cell)
