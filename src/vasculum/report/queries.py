"""Pieces of SQL that all queries of a report share."""

from __future__ import annotations

from vasculum.store.sql import quoted

ROWS = "results AS r LEFT JOIN manifest AS m USING (media_id)"
"""Results with their records. Columns are named `r.` and `m.`: a processor's column may be called as one of ours."""


def value(column: str) -> str:
    """Return a results column, as an SQL expression."""
    return f"r.{quoted(column)}"


def as_number(column: str) -> str:
    """Return a column of numbers as a double; null where it is none, infinite or not a number."""
    here = f"{value(column)}::double"
    return f"CASE WHEN isfinite({here}) THEN {here} END"


def yes_or_no(column: str) -> str:
    """Return a Boolean column in words: 'yes', 'no' or null."""
    return f"CASE {value(column)} WHEN true THEN 'yes' WHEN false THEN 'no' END"


NAME = (
    "coalesce(nullif(trim(m.scientificName), ''), "
    "nullif(concat_ws(' ', nullif(trim(m.genus), ''), nullif(trim(m.specificEpithet), '')), ''))"
)
"""A specimen's name: the scientific name, else genus and epithet where the record has them apart."""
