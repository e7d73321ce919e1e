"""The rights columns of a table: what may be done with each image, by whose word, and whom to credit."""

from __future__ import annotations

import functools
import json
from typing import Any

from vasculum import rights
from vasculum.sources.chunk import Chunk
from vasculum.sources.names import Mapping
from vasculum.sources.rejects import Tally

PEOPLE = ("creator", "rightsHolder", "institutionCode", "catalogNumber", "credit_line")


class RightsReader:
    """Reads the licence of each row; equal cells are read once."""

    def __init__(self, mapping: Mapping, tally: Tally) -> None:
        self.tally = tally
        self.places = mapping.places("license_id")
        names = [e.column for e in mapping]
        self.names = [names[p] for p in self.places]
        self._licence = functools.lru_cache(maxsize=10_000)(self._read)

    def columns(self, chunk: Chunk, known: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Return license_id, license_from, rights_raw and credit_line of the rows of a chunk.

        `known` holds the columns of PEOPLE; a credit line that the publisher asks for goes first.
        """
        found: dict[str, list[Any]] = {n: [] for n in ("license_id", "license_from", "rights_raw", "credit_line")}
        for row, *told in zip(chunk.rows, *(known[name] for name in PEOPLE), strict=True):
            cells = (row[p] for p in self.places)
            licence, source, raw = self._licence(tuple(c if isinstance(c, str) else json.dumps(c) for c in cells))
            if licence.contradicted:
                self.tally.count("rows with rights fields that differ (the stricter counts)")
            creator, holder, institution, number, wanted = told
            line = rights.credit_line(creator, holder, institution, number, licence.id, wanted)
            found["license_id"].append(licence.id)
            found["license_from"].append(source)
            found["rights_raw"].append(raw)
            found["credit_line"].append(line if raw or any(told) else None)
        return found

    def _read(self, cells: tuple[str, ...]) -> tuple[rights.License, str | None, str | None]:
        """Return the licence in the rights cells, the column it is from, and the cells as JSON."""
        told = {name: cell for name, cell in zip(self.names, cells, strict=True) if cell}
        fields = {n: n if rights.is_rights_field(n) else "license" for n in told}
        licence = rights.read_license({fields[n]: cell for n, cell in told.items()})
        source = next((n for n in told if fields[n] == licence.source_field), None)
        return licence, source, json.dumps(told, ensure_ascii=False) if told else None
