"""All images of a study, packed into the page: column by column as JSON, gzip, base64.

The page unpacks them itself (`scripts/unpack.js`). What is packed is
`{"rows": N, "columns": [{"name", "title", "of", "kind", "note", "labels"?, "values"}, …]}`; a column of texts has its
different `labels` and in `values` the place of each row's label among them, or null; one of numbers has the numbers,
one of yes or no 1, 0 or null. It is made a column at a time, so that no more than one lies in memory in plain.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from vasculum.processing.types import Boolean, Float, Gives, Integer, Text
from vasculum.report.queries import NAME, ROWS, as_number, value
from vasculum.report.words import safe_link
from vasculum.store.sql import Database
from vasculum.study.study import ResultColumn

MOST_ROWS = 500_000
MOST_VALUES = 20_000_000
"""Rows times columns that a page may hold: a browser must unpack them in memory."""

MOST_EXACT = 600_000
"""Numbers that are not whole, up to which all their digits are in the page; beyond it 7 of them, and it says so."""

MOST_TEXT = 200
"""Characters of a text that are kept; what is cut ends with an ellipsis, and the page says which columns have such."""

MOST_KEY = 4_000
"""Characters of a file or catalogue number that are kept: it is what finds the sheet, so it is whole."""

LONGEST_WHOLE = 2**53
FIRST = 50
"""Rows that stand in the page for a browser without a script."""

SHOWN_FIRST = 6
"""Results columns of the table that are to be seen before anything is chosen."""

PLAIN = (Float, Integer, Boolean, Text)
RECORD = (
    ("media_id", "", "media_id"),
    ("catalogNumber", "Catalogue number", "m.catalogNumber"),
    ("scientificName", "Name", NAME),
    ("family", "Family", "m.family"),
    ("institutionCode", "Institution", "m.institutionCode"),
    ("status", "Status", "r.status"),
    ("detail", "", "CASE WHEN r.status IS DISTINCT FROM 'ok' THEN r.detail END"),
    ("file", "File", "coalesce(nullif(trim(m.local_path), ''), m.accessURI)"),
    ("record_page", "", "m.record_page"),
    ("collectionCode", "", "m.collectionCode"),
    ("genus", "", "m.genus"),
    ("specificEpithet", "", "m.specificEpithet"),
)
"""Columns of a record: name, title in the table ('' where it is none of its own), SQL."""


WHOLE = ("media_id", "record_page")
"""Columns that are never cut: an address that is cut leads elsewhere."""

KEYS = ("catalogNumber", "file", "institutionCode", "collectionCode")
"""Columns of which `MOST_KEY` characters are kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table that is there without a script: its record, and the values that are shown first."""

    catalog_number: str
    name: str
    family: str
    institution: str
    status: str
    file: str
    page: str | None
    values: tuple[object, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """The table over all images."""

    packed: Markup
    held: int
    in_all: int
    main: str
    exact: bool
    first: tuple[Cell, ...]
    shown: tuple[ResultColumn, ...]
    left_out: tuple[ResultColumn, ...]
    cut: tuple[str, ...] = ()
    """Names of the columns of which a text was cut."""


def all_rows(database: Database, columns: Sequence[ResultColumn], in_all: int) -> Rows:
    """Return the rows of a study for its page. `columns` come in the order in which they are shown.

    Where there are more than a page may hold, it holds the first by the first column, the highest values first.
    """
    told = [column for column in columns if isinstance(column.kind, PLAIN)]
    most = min(MOST_ROWS, max(1000, MOST_VALUES // (len(told) + len(RECORD))))
    order = "r.media_id" if not told else f"{value(told[0].name)} desc nulls last, r.media_id"
    part = f" order by {order} limit {most}" if in_all > most else ""
    named = ", ".join(f"{_record(name, sql)} as c{i}" for i, (name, _, sql) in enumerate(RECORD))
    values = "".join(f", {_sql(column)} as v{i}" for i, column in enumerate(told))
    texts = [(name, f"c{i}", _most(name)) for i, (name, _, _) in enumerate(RECORD) if name not in WHOLE]
    texts += [(one.name, f"v{i}", MOST_TEXT) for i, one in enumerate(told) if isinstance(one.kind, Text)]
    table = database.run(
        f"with held as (select {named}{values} from {ROWS}{part}) select * from held order by {_cabinet_order()}"
    )
    cut, table = _cut(table, texts)
    floats = sum(isinstance(column.kind, Float) for column in told)
    exact = table.num_rows * floats <= MOST_EXACT
    shown = tuple(told[:SHOWN_FIRST])
    return Rows(
        packed=_packed(_json(table, told, exact)),
        held=table.num_rows,
        in_all=in_all,
        main=told[0].name if told and part else "",
        exact=exact,
        first=tuple(_cells(table.slice(0, FIRST), len(shown))),
        shown=shown,
        left_out=tuple(column for column in columns if not isinstance(column.kind, PLAIN)),
        cut=cut,
    )


def _most(name: str) -> int:
    return MOST_KEY if name in KEYS else MOST_TEXT


def _record(name: str, sql: str) -> str:
    return sql if name in WHOLE else _text(sql, _most(name))


def _text(sql: str, most: int = MOST_TEXT) -> str:
    """Return a text as SQL: one character more than is kept where it is longer, by which `_cut` knows it."""
    return f"nullif(left({sql}, {most + 1}), '')"


def _cut(table: pa.Table, texts: Sequence[tuple[str, str, int]]) -> tuple[tuple[str, ...], pa.Table]:
    """Return the names of the columns in which a text is too long, and the table with such texts cut."""
    found = []
    for name, key, most in texts:
        longer = pc.greater(pc.utf8_length(table[key]), most)
        if pc.any(longer).as_py():
            found.append(name)
            short = pc.binary_join_element_wise(pc.utf8_slice_codeunits(table[key], 0, most - 1), "…", "")
            at = table.schema.get_field_index(key)
            table = table.set_column(at, key, pc.if_else(longer, short, table[key]))
    return tuple(found), table


def _sql(column: ResultColumn) -> str:
    if isinstance(column.kind, Float):
        return as_number(column.name)
    return _text(value(column.name)) if isinstance(column.kind, Text) else value(column.name)


def _cabinet_order() -> str:
    """Return family, genus, species and number as SQL; `scripts/cabinet.js` does the same for the lists.

    Both pass over the sign of a hybrid (a `×` or an `x` that stands alone), accents and capitals; what is empty is last.
    """
    place = {name: f"c{i}" for i, (name, _, _) in enumerate(RECORD)}
    number, name = f"nullif(trim({place['catalogNumber']}), '')", _unsigned(place["scientificName"])
    genus = f"coalesce({_unsigned(place['genus'])}, split_part({name}, ' ', 1))"
    second = f"split_part({name}, ' ', 2)"
    species = (
        f"coalesce({_unsigned(place['specificEpithet'])}, "
        f"CASE WHEN regexp_full_match({second}, '[\\p{{Ll}}-]+') THEN {second} END)"
    )
    digits = f"ltrim(regexp_extract({number}, '[0-9]+'), '0')"
    keys = [
        f"lower(strip_accents(nullif({key}, ''))) nulls last" for key in (f"trim({place['family']})", genus, species)
    ]
    return (
        f"{', '.join(keys)}, lower(strip_accents(regexp_extract({number}, '^[^0-9]*'))) nulls last, "
        f"length({digits}), {digits}, {number}, {place['media_id']}"
    )


def _unsigned(column: str) -> str:
    """Return a name as SQL without the signs of hybrids, null where nothing is left."""
    spaced = f"replace({column}, '×', ' ')"
    return f"nullif(trim(regexp_replace(regexp_replace({spaced}, '(^|\\s+)[xX](\\s+|$)', ' ', 'g'), '\\s+', ' ', 'g')), '')"


def _json(table: pa.Table, told: Sequence[ResultColumn], exact: bool) -> Iterator[str]:
    yield f'{{"rows":{table.num_rows},"columns":['
    for i, (name, title, _) in enumerate(RECORD):
        column = table[f"c{i}"].combine_chunks()
        if name == "record_page":
            column = pa.array([safe_link(page) for page in column.to_pylist()], pa.string())
        yield ("," if i else "") + _head(name, title, "", "text")
        yield from _texts(column)
    for i, one in enumerate(told):
        yield "," + _head(one.name, one.column, one.processor, _kind(one.kind))
        column = table[f"v{i}"].combine_chunks()
        yield from _texts(column) if isinstance(one.kind, Text) else _numbers(column, exact)
    yield "]}"


def _head(name: str, title: str, of: str, kind: str) -> str:
    said = {"name": name, "title": title, "of": of, "kind": kind}
    return json.dumps(said, ensure_ascii=False)[:-1]


def _kind(kind: Gives) -> str:
    return {Float: "number", Integer: "whole", Boolean: "yes or no"}.get(type(kind), "text")


def _texts(column: pa.Array) -> Iterator[str]:
    coded = pc.dictionary_encode(column)
    labels = json.dumps(coded.dictionary.to_pylist(), ensure_ascii=False, separators=(",", ":"))
    yield f',"labels":{labels},"values":'
    yield from _list(coded.indices.cast(pa.string()))


def _numbers(column: pa.Array, exact: bool) -> Iterator[str]:
    yield ',"values":'
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        wanted = "{!r}" if exact else "{:.7g}"
        column = pa.array([None if v is None else wanted.format(v) for v in column.to_pylist()], pa.string())
    elif pa.types.is_int64(column.type) and len(column):
        # A browser's numbers are doubles: a whole number that one cannot hold goes in as a text, to lose no digit.
        held = pc.and_(pc.less_equal(column, LONGEST_WHOLE), pc.greater_equal(column, -LONGEST_WHOLE))
        texts = column.cast(pa.string())
        column = pc.if_else(held, texts, pc.binary_join_element_wise('"', texts, '"', ""))
    yield from _list(column.cast(pa.string()))


def _list(texts: pa.Array) -> Iterator[str]:
    yield "[" + ",".join(pc.fill_null(texts, "null").to_pylist()) + "]}"


def _packed(parts: Iterable[str]) -> Markup:
    """Return gzip in base64. Level 6 is within 2 % of the smallest in a third of the time."""
    squeezed = zlib.compressobj(6, zlib.DEFLATED, 31)
    data = b"".join([*(squeezed.compress(part.encode()) for part in parts), squeezed.flush()])
    return Markup(base64.b64encode(data).decode())


def _cells(table: pa.Table, shown: int) -> Iterator[Cell]:
    place = {name: f"c{i}" for i, (name, _, _) in enumerate(RECORD)}
    for row in table.to_pylist():
        yield Cell(
            catalog_number=row[place["catalogNumber"]] or "",
            name=row[place["scientificName"]] or "",
            family=row[place["family"]] or "",
            institution=row[place["institutionCode"]] or "",
            status=row[place["status"]] or "",
            file=row[place["file"]] or "",
            page=safe_link(row[place["record_page"]]),
            values=tuple(row[f"v{i}"] for i in range(shown)),
        )
