"""The one door to DuckDB: views over Parquet files, read-only, with no way out of the folders named.

DuckDB only queries. No state lives in it, and no database file is ever written.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pyarrow as pa

from vasculum import resources
from vasculum.errors import StoreError, SubsetError, VasculumError
from vasculum.tables import FORMAT

P = ParamSpec("P")
T = TypeVar("T")

LISTINGS = 5
"""How often a folder is listed anew when a file that was listed is gone: another run tidied meanwhile."""

SECONDS = 600.0
"""Time limit of one query in seconds, so that an expression of a stranger cannot run for ever."""

_FILE_IS_GONE = ("No files found", "No such file", "Cannot open file")


def lists_anew(work: Callable[P, T]) -> Callable[P, T]:
    """Make a function that lists and then reads begin again where a listed file is gone: another run tidied meanwhile."""

    @functools.wraps(work)
    def listing(*arguments: P.args, **named: P.kwargs) -> T:
        for _ in range(LISTINGS - 1):
            try:
                return work(*arguments, **named)
            except FileNotFoundError:
                continue
        try:
            return work(*arguments, **named)
        except FileNotFoundError as error:
            raise StoreError(f"a file is gone that was there a moment ago: {_short(error)}. Run again.") from error

    return listing


class Database:
    """An in-memory DuckDB that can read files under `folders` and nothing else, without network or extensions."""

    def __init__(self, folders: Sequence[Path]) -> None:
        import duckdb

        self._duckdb = duckdb
        self._connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "threads": resources.cores(),
                "memory_limit": f"{resources.memory() // 2**21} MiB",  # a half: workers may be at work beside it
            }
        )
        allowed = ", ".join(_literal(folder.resolve().as_posix() + "/") for folder in folders)
        self._connection.execute(f"SET allowed_directories=[{allowed}]")
        self._connection.execute("SET enable_external_access=false")
        self._connection.execute("SET enable_progress_bar=false")
        self._connection.execute("SET TimeZone='UTC'")
        self._registered: dict[str, pa.Table] = {}

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def files(self, name: str, paths: Sequence[Path], schema: pa.Schema) -> None:
        """Make a view `name` over Parquet files; a column of `schema` that a file lacks is null.

        Raises FileNotFoundError where one is gone, StoreError where one is damaged or written by a newer vasculum.
        """
        empty = f"{name}__schema"
        self.table(empty, schema.empty_table())
        if not paths:
            self.run(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {empty}")
            return
        listed = ", ".join(_literal(path.resolve().as_posix()) for path in paths)
        self._limited(lambda: self._refuse_newer(listed), StoreError)
        self._limited(lambda: self._connection.execute(
            f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {empty} "
            f"UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"
        ), StoreError)  # fmt: skip

    def _refuse_newer(self, listed: str) -> None:
        newer = self._connection.execute(
            f"SELECT decode(file_name::BLOB), decode(value) FROM parquet_kv_metadata([{listed}]) "
            f"WHERE key = 'vasculum_format'::BLOB AND coalesce(try_cast(decode(value) AS BIGINT), {FORMAT} + 1) > {FORMAT} LIMIT 1"
        ).fetchone()
        if newer:
            raise StoreError(
                f"{newer[0]}: written by a newer vasculum (format {newer[1]}, this one reads up to {FORMAT}). "
                "Update with: pip install -U vasculum."
            )

    def table(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under `name`."""
        self._registered[name] = table  # DuckDB keeps no reference of its own
        self._connection.register(name, table)

    def view(self, name: str, query: str) -> None:
        """Make a view of a query."""
        self.run(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def run(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Return what a query gives. Raises SubsetError where it does not hold, StoreError where a file does not."""
        found = self._limited(lambda: self._arrow(query, parameters))
        assert isinstance(found, pa.Table)
        return found

    def _arrow(self, query: str, parameters: Sequence[Any]) -> pa.Table:
        relation = self._connection.sql(query, params=list(parameters) or None)
        return pa.table({}) if relation is None else relation.to_arrow_table()

    def stream(
        self, query: str, parameters: Sequence[Any] = (), rows: int = 10_000
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return the schema of a query and its batches of up to `rows` rows, in bounded memory."""
        reader = self._limited(
            lambda: self._connection.sql(query, params=list(parameters) or None).to_arrow_reader(rows)
        )
        return reader.schema, self._batches(reader)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except (self._duckdb.Error, pa.ArrowException, OSError) as error:
            if any(words in str(error) for words in _FILE_IS_GONE):
                raise FileNotFoundError(_short(error)) from error
            raise StoreError(f"a query failed: {_short(error)}. Run `vasculum verify` on its folder.") from error

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small query."""
        return list(self._limited(lambda: self._connection.execute(query, list(parameters) or None).fetchall()))

    def columns(self, name: str) -> dict[str, str]:
        """Return the columns of a view or table, with their DuckDB types."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE SELECT * FROM {name}")}

    def parse(self, query: str) -> dict[str, Any]:
        """Return DuckDB's own parse tree of one SELECT, as JSON. Raises SubsetError where it is none."""
        tree = json.loads(self.rows("SELECT json_serialize_sql(?)", [query])[0][0])
        if tree.get("error"):
            raise SubsetError(str(tree.get("error_message", "no SELECT")).split("\n")[0])
        return dict(tree)

    def _limited(self, work: Callable[[], Any], blame: type[VasculumError] = SubsetError) -> Any:
        """Do something with the connection within the time limit; DuckDB's errors become ours.

        `blame` is raised where either the query or the files may be at fault.
        """
        timer = threading.Timer(SECONDS, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        duckdb = self._duckdb
        try:
            return work()
        except duckdb.InterruptException as error:
            raise SubsetError(
                f"the query took longer than {SECONDS:.0f} s and was stopped. Make it simpler."
            ) from error
        except duckdb.IOException as error:
            if any(words in str(error) for words in _FILE_IS_GONE):
                raise FileNotFoundError(_short(error)) from error
            raise StoreError(f"a file cannot be read: {_short(error)}. Run `vasculum verify` on its folder.") from error
        except (
            duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException,
            duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException,
        ) as error:  # fmt: skip
            if blame is StoreError or "Failed to read file" in str(error):
                raise StoreError(
                    f"a file cannot be read: {_short(error)}. Run `vasculum verify` on its folder."
                ) from error
            raise SubsetError(_short(error)) from error
        except duckdb.PermissionException as error:
            raise SubsetError("an expression may read the manifest and results only, no files") from error
        except duckdb.OutOfMemoryException as error:
            raise StoreError(f"the query needs more memory than there is: {_short(error)}.") from error
        except duckdb.Error as error:
            raise StoreError(f"a query failed: {_short(error)}. Run `vasculum verify` on its folder.") from error
        finally:
            timer.cancel()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Return a column name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _short(error: BaseException) -> str:
    """Return the first line of an error, without the name of its kind."""
    line = str(error).split("\n")[0].strip()
    kind, colon, rest = line.partition(" Error: ")
    return (rest if colon and len(kind) < 30 else line)[:300]
