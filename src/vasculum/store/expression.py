"""Expressions of a user (`--where`, `--sort`): parsed, checked to be one SELECT expression, its columns looked up.

DuckDB's own parser gives the tree; nothing here reads SQL by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vasculum.errors import SubsetError, nearest
from vasculum.store.sql import Database


def check(database: Database, expression: str, views: Mapping[str, Sequence[str]], option: str = "--where") -> None:
    """Raise SubsetError unless `expression` is one SELECT expression over the columns of `views`.

    `views` maps each view that may be named to its columns. A wrong name gets the nearest right ones.
    """
    tree = _parsed(database, expression, option)
    nodes = list(_walk(tree["select_list"][0]))
    scoped = any(node.get("class") == "SUBQUERY" for node in nodes)
    for node in nodes:
        if node.get("type") == "TABLE_FUNCTION":
            raise SubsetError(
                f"{option} {expression!r}: reads something else than the manifest and results. Use their columns only."
            )
        if node.get("type") == "BASE_TABLE" and node.get("table_name") not in views:
            raise SubsetError(
                f"{option} {expression!r}: there is no table {node.get('table_name')!r}. Known: {', '.join(views)}."
            )
        if node.get("class") == "COLUMN_REF" and not scoped:
            _check_column(list(node["column_names"]), expression, views, option)


def _parsed(database: Database, expression: str, option: str) -> Mapping[str, Any]:
    if not expression.strip():
        raise SubsetError(f'{option} is empty. Write one SQL expression, such as "year < 1950", or leave it out.')
    try:
        tree = database.parse(f"SELECT (\n{expression}\n) FROM manifest")
    except SubsetError as error:
        raise SubsetError(
            f'{option} {expression!r}: {error}. Write one SQL expression, such as "year < 1950".'
        ) from None
    statements = tree.get("statements", [])
    node = statements[0].get("node", {}) if len(statements) == 1 else {}
    single = (
        node.get("type") == "SELECT_NODE"
        and len(node.get("select_list", [])) == 1
        and node.get("from_table", {}).get("table_name") == "manifest"
        and not node.get("modifiers")
        and not node.get("where_clause")
        and not node.get("group_expressions")
        and node["select_list"][0].get("function_name") != "row"  # "a, b" or nothing at all: a tuple
    )
    if not single:
        raise SubsetError(
            f"{option} {expression!r}: expected one SQL expression, found more. Write it without SELECT or ;."
        )
    return dict(node)


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from _walk(child)


def _check_column(names: list[str], expression: str, views: Mapping[str, Sequence[str]], option: str) -> None:
    lower = {view.lower(): {column.lower() for column in columns} for view, columns in views.items()}
    everywhere = set().union(*lower.values())
    first = names[0].lower()
    if len(names) > 1 and first in lower:
        if names[1].lower() not in lower[first]:
            known = next(columns for view, columns in views.items() if view.lower() == first)
            raise SubsetError(
                f"{option} {expression!r}: {names[0]} has no column {names[1]!r}{nearest(names[1], known)}."
            )
        return
    if first in everywhere:
        return
    known = [column for columns in views.values() for column in columns]
    hint = nearest(names[0], known)
    if not hint and len(names) == 1:
        hint = f" (a text stands in single quotes: '{names[0]}'; other columns of a table stand in terms_json: terms_json->>'{names[0]}')"
    raise SubsetError(f"{option} {expression!r}: there is no column {names[0]!r}{hint}.")
