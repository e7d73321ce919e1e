"""The study: one question, a subset × processors → results, in a folder of plain Parquet files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.corpus import results_view
from vasculum.corpus.corpus import Corpus
from vasculum.corpus.subset import Selection
from vasculum.errors import StoreError, SubsetError, nearest
from vasculum.processing.types import Gives
from vasculum.store import expression
from vasculum.store.folder import Folder
from vasculum.store.sql import Database, lists_anew, quoted
from vasculum.study.kinds import kind_from_text
from vasculum.tables import RESULTS_SCHEMA

SPECIMEN_COLUMNS = (
    "institutionCode", "collectionCode", "catalogNumber", "occurrenceID", "record_keys", "records", "scientificName",
    "family", "genus", "country", "stateProvince", "year", "eventDate", "recordedBy", "typeStatus", "accessURI", "local_path",
    "record_page", "license_id", "rightsHolder", "creator", "credit_line",
)  # fmt: skip
"""Columns of the manifest that an export has where none are named."""


@dataclasses.dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column that a processor gave."""

    name: str
    processor: str
    column: str
    kind: Gives


class Study:
    """Results, and all that is needed to know how they came about: `Study.open("greenness-study")`."""

    def __init__(self, path: Path | str, document: dict[str, Any], corpus: Corpus | None = None) -> None:
        self.folder = Folder(path)
        self.document = document
        self._corpus = corpus

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.folder.path

    @property
    def selection(self) -> Selection:
        """The subset as it was asked for."""
        return Selection.from_dict(self.document["subset"])

    @property
    def corpus(self) -> Corpus:
        """Its corpus. Raises StoreError where it is not where it was, or is another one."""
        if self._corpus is None:
            self._corpus = self._find_corpus()
        return self._corpus

    def _find_corpus(self) -> Corpus:
        known = self.document["corpus"]
        places = (
            [self.path / known["relative"], Path(known["path"])] if known.get("relative") else [Path(known["path"])]
        )
        for place in places:
            if (place / "corpus.json").exists():
                corpus = Corpus.open(place)
                if corpus.id == known["id"]:
                    return corpus
        raise StoreError(
            f"{self.path}: its corpus is not at {known['path']}. If it was moved, say where with --corpus FOLDER."
        )

    @classmethod
    def open(cls, path: Path | str, *, corpus: Path | str | None = None) -> Study:
        """Return the study in a folder. `corpus` says where its corpus is now. Raises StoreError where there is none."""
        document = results_view.read_study_file(path)
        opened = Corpus.open(corpus) if corpus is not None else None
        if opened is not None and opened.id != document["corpus"]["id"]:
            raise StoreError(f"{corpus}: is another corpus than the one that {path} was made from.")
        return cls(path, document, opened)

    def save(self) -> None:
        """Write study.json."""
        self.folder.write_json(results_view.STUDY_FILE, self.document)

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def columns(self) -> list[ResultColumn]:
        """The columns that its processors gave, in order."""
        return [
            ResultColumn(f"{entry['name']}_{column}", entry["name"], column, kind_from_text(kind))
            for entry in self.document["processors"]
            for column, kind in entry["gives"].items()
        ]

    def database(self) -> Database:
        """Return a database with the views `manifest`, `images`, `results` and `joined`, and the files of `blobs`."""
        studies = [Path(path) for _, path in self.selection.studies]
        database = self.corpus.database(self.path, *studies)
        results_view.add_results(database, "results", self.path, self.document, self._schema())
        clashing = [c for c in database.columns("results") if c in database.columns("manifest") and c != "media_id"]
        without = ["media_id", "run", "row_hash", *clashing]
        database.view(
            "joined",
            f"SELECT results.*, manifest.* EXCLUDE ({', '.join(quoted(c) for c in without)}) "
            "FROM results LEFT JOIN manifest USING (media_id)",
        )
        return database

    def _schema(self) -> pa.Schema:
        """The columns of a results file, for as long as there is none."""
        schema = RESULTS_SCHEMA
        for column in self.columns:
            schema = schema.append(pa.field(column.name, column.kind.arrow))
        if len(self.document["processors"]) > 1:
            for entry in self.document["processors"]:
                schema = schema.append(pa.field(f"{entry['name']}_status", pa.string()))
        return schema

    @lists_anew
    def sql(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Return what a query over the views `results`, `manifest`, `images` and `joined` gives."""
        with self.database() as database:
            return database.run(query, parameters)

    @property
    def results(self) -> pa.Table:
        """One row for every wanted image, by media_id: status, detail and the processors' columns."""
        return self.sql(f"SELECT {self._stored()} FROM results ORDER BY media_id")

    def _stored(self) -> str:
        names = [column.name for column in self.columns]
        if len(self.document["processors"]) > 1:
            names += [f"{entry['name']}_status" for entry in self.document["processors"]]
        return ", ".join(quoted(name) for name in ["media_id", "image_key", "sha256", "status", "detail", *names])

    def to_pandas(self) -> Any:
        """Return the results as a pandas DataFrame (pandas must be installed)."""
        return self.results.to_pandas()

    def to_polars(self) -> Any:
        """Return the results as a Polars DataFrame (polars must be installed)."""
        import polars

        return polars.from_arrow(self.results)

    def joined(
        self,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        sort: str | None = None,
        *,
        seed: int | None = None,
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return schema and batches of results with their specimens' terms.

        `columns` names columns of results or manifest; `where` is SQL over both; `sort` one or more columns, each
        perhaps with a minus before it for descending. With a `seed` the rows come shuffled, the same everywhere: by the
        MD5 of `shuffle:SEED:media_id`, in hex. Raises SubsetError for what is not there.
        """
        with self.database() as database:
            known = list(database.columns("joined"))
        chosen = list(columns) if columns else self.export_columns
        for name in chosen:
            if name not in known:
                raise SubsetError(f"--columns {name}: there is no such column{nearest(name, known)}.")
        ordered = _order(sort, known) if seed is None else f"md5('shuffle:{int(seed)}:' || media_id), media_id"
        database = self.database()
        try:
            query = f"SELECT {', '.join(quoted(name) for name in chosen)} FROM {_filtered(database, where, known)}"
            schema, batches = database.stream(f"{query} ORDER BY {ordered}")
        except BaseException:
            database.__exit__()
            raise
        return schema, _closing(database, batches)

    @property
    def export_columns(self) -> list[str]:
        """The columns that an export has where none are named: the specimen's, then the results."""
        stored = [column.name for column in self.columns]
        if len(self.document["processors"]) > 1:
            stored += [f"{entry['name']}_status" for entry in self.document["processors"]]
        return ["media_id", *(c for c in SPECIMEN_COLUMNS if c not in stored), "status", "detail", *stored]

    @lists_anew
    def pictures(self, column: str, media_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the encoded images of a Picture column, by media_id, for those of `media_ids` that have one."""
        files = [self.folder.file(name) for name in self.folder.names("blobs")]
        if not files or not media_ids:
            return {}
        from vasculum.tables import BLOBS_SCHEMA

        with self.database() as database:
            database.files("blobs", files, BLOBS_SCHEMA)
            database.table("asked", pa.table({"media_id": pa.array(list(media_ids), pa.string())}))
            found = database.rows(
                f"SELECT b.media_id, any_value(b.bytes) FROM blobs AS b JOIN asked USING (media_id) "
                f"JOIN results AS r ON r.media_id = b.media_id AND r.{quoted(column)} = b.sha256 "
                'WHERE b."column" = ? GROUP BY 1',
                [column],
            )
        return {media_id: bytes(data) for media_id, data in found}

    def near_duplicates(self, most_bits: int = 6, *, column: str = "phash_hash") -> pa.Table:
        """Return the images whose perceptual hashes differ by at most `most_bits` bits: `group`, `media_id`, `hash`.

        Groups are linked by near pairs, so that the ends of one may be further apart; above 6 bits, different sheets of
        one layout come together. Raises SubsetError where the study has no such column.
        """
        from vasculum.processing.builtin.near_duplicates import near_duplicate_groups

        known = [found.name for found in self.columns]
        if column not in known:
            raise SubsetError(
                f"{self.path}: has no column {column!r}{nearest(column, known)}. Apply phash to it first."
            )
        results = self.results
        hashes, ids = results[column], results["media_id"]
        rows = [
            (number, place) for number, group in enumerate(near_duplicate_groups(hashes, most_bits)) for place in group
        ]
        places = pa.array([place for _, place in rows], pa.int64())
        numbers = pa.array([number for number, _ in rows], pa.int32())
        return pa.table({"group": numbers, "media_id": ids.take(places), "hash": hashes.take(places)})

    @lists_anew
    def counts(self) -> dict[str, int]:
        """Return how many results there are of each status."""
        with self.database() as database:
            return dict(database.rows("SELECT status, count(*) FROM results GROUP BY 1 ORDER BY 2 DESC, 1"))


def corpus_entry(study: Path, corpus: Corpus) -> dict[str, Any]:
    """Return what study.json says of its corpus: id, and where it lies, absolutely and from the study."""
    absolute = corpus.path.resolve()
    try:
        relative: str | None = Path(os.path.relpath(absolute, study.resolve())).as_posix()
    except ValueError:  # another drive
        relative = None
    return {"id": corpus.id, "path": str(absolute), "relative": relative}


def _filtered(database: Database, where: str | None, known: Sequence[str]) -> str:
    """Return what to select from, for the rows that meet `where`. Raises SubsetError for what does not hold."""
    if where is None:
        return "joined"
    views = {name: list(database.columns(name)) for name in ("results", "manifest")}
    expression.check(database, where, {"joined": known, **views})
    # `manifest.year` and `results.score` are fields of columns of these names
    sides = "(SELECT joined.*, m AS manifest, r AS results FROM joined JOIN results AS r USING (media_id) "
    return f"{sides} LEFT JOIN manifest AS m USING (media_id)) AS joined WHERE (\n{where}\n)"


def _order(sort: str | None, known: Sequence[str]) -> str:
    words = []
    for word in (sort or "").split(","):
        name = word.strip().removeprefix("-")
        if not name:
            continue
        if name not in known:
            raise SubsetError(f"--sort {name}: there is no such column{nearest(name, known)}.")
        words.append(f"{quoted(name)} {'DESC' if word.strip().startswith('-') else 'ASC'} NULLS LAST")
    return ", ".join([*words, "media_id"])


def _closing(database: Database, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with database:
        yield from batches
