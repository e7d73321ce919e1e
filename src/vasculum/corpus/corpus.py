"""The corpus: images with their records, in a folder of plain Parquet files. The Python API begins here."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vasculum.corpus import collect as collecting
from vasculum.corpus import fetch as fetching
from vasculum.corpus.subset import Selection, Subset
from vasculum.errors import StoreError, UsageError
from vasculum.jobs import Engine, Watch
from vasculum.processing.items import Failure, Item
from vasculum.processing.reading import read_items
from vasculum.store import runs, truth
from vasculum.store.folder import TEMPORARY, Folder
from vasculum.store.runs import now_text
from vasculum.store.sql import Database, lists_anew
from vasculum.tables import FORMAT, IMAGES_SCHEMA, MANIFEST_SCHEMA

if TYPE_CHECKING:
    from vasculum.study.study import Study

CORPUS_FILE = "corpus.json"
_ROOTS = pa.schema([("source_name", pa.string()), ("root", pa.string())])


class Corpus:
    """Images with their records: `Corpus.open("lycopods")`, then the same verbs as the command line."""

    def __init__(self, path: Path | str, content: dict[str, Any]) -> None:
        self.folder = Folder(path)
        self.content = content

    def __repr__(self) -> str:
        return f"Corpus({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.folder.path

    @property
    def id(self) -> str:
        """32 hex digits that stay the same wherever the folder is moved."""
        return str(self.content["id"])

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Each source's label, with its kind, query and root."""
        return dict(self.content["sources"])

    @classmethod
    def open(cls, path: Path | str) -> Corpus:
        """Return the corpus in a folder. Raises StoreError where there is none, or a newer vasculum wrote it."""
        content = Folder(path).read_settings(CORPUS_FILE, ("id", "sources"))
        if content is None and Folder(path).read_json("study.json") is not None:
            raise StoreError(f"{path}: is a study; name the corpus that it was made from.")
        if content is None:
            raise StoreError(
                f"{path}: is no corpus (it has no {CORPUS_FILE}). Make one with: vasculum collect {path} table FILE"
            )
        return cls(path, content)

    @classmethod
    def create(cls, path: Path | str) -> Corpus:
        """Return the corpus in a folder, made where there is none. Raises StoreError where the folder holds other things."""
        folder = Folder(path)
        if folder.read_json(CORPUS_FILE) is not None:
            return cls.open(path)
        if folder.path.is_file() or (folder.path.is_dir() and any(e.name != TEMPORARY for e in folder.path.iterdir())):
            raise StoreError(f"{path}: holds other things already. Choose a new folder for the corpus.")
        content = {"format": FORMAT, "id": secrets.token_hex(16), "created": now_text(), "sources": {}}
        folder.write_json(CORPUS_FILE, content)
        return cls(path, content)

    def forget_if_empty(self) -> None:
        """Remove the corpus again where nothing was ever collected into it: a first collect that was refused leaves no trace."""
        with contextlib.suppress(StoreError):
            self.content = Corpus.open(self.path).content  # another process may have collected meanwhile
        if not self.sources and not runs.live(self.folder):
            self.folder.delete([CORPUS_FILE])
            self.folder.remove_folder(TEMPORARY)
            self.folder.remove_folder(".")

    # -- the verbs ----------------------------------------------------------------------------------------------

    def collect(
        self,
        kind: str,
        source: Path | str,
        *,
        label: str | None = None,
        root: Path | str | None = None,
        columns: Mapping[str, str] | None = None,
        encoding: str | None = None,
        labels: bool = False,
        sheet: str | None = None,
        header_row: int | None = None,
        records: Path | str | None = None,
        key: str | None = None,
        match: Path | str | None = None,
        told: Callable[[str], None] | None = None,
    ) -> collecting.Collected:
        """Add the media of a source to the manifest and return the counts.

        `kind` is 'table' (CSV, TSV, Excel, JSON lines, Parquet), 'folder', or 'shards' (WebDataset tars, Parquet files with
        images in them). `label` names the source (default: its name);
        `root` is where relative image paths start (default: the table's folder); `columns` maps manifest columns to
        the table's own where the guess is wrong; `labels` takes each image's label from its folder's name; `told`
        receives what a person would want to see, such as the mapping. `sheet` and `header_row` are for workbooks.

        With a folder, `records` is a table of its specimens, matched with the files by the column `key` (of the table,
        or of the manifest, such as catalogNumber); `match` is a table of number and file that wins over every rule;
        `columns`, `encoding`, `sheet`, `header_row` are then the table's. Raises SourceError, StoreError, UsageError.
        """
        opened = collecting.open_source(
            self, kind, Path(source), label=label, root=Path(root) if root else None, columns=columns or {},
            encoding=encoding, labels=labels, sheet=sheet, header_row=header_row, key=key,
            records=Path(records) if records else None, match=Path(match) if match else None,
        )  # fmt: skip
        return collecting.collect(self, opened, told or (lambda _: None))

    def select(self, selection: Selection) -> Subset:
        """Return a subset by a stored selection."""
        return Subset(self, selection)

    def all(self) -> Subset:
        """Return the subset of all media."""
        return Subset(self, Selection())

    def where(self, condition: str, **studies: str | Path) -> Subset:
        """Return the media that meet `condition`, SQL over the manifest; `m=STUDY` lets it name `m.score`."""
        return self.all().where(condition, **studies)

    def limit(self, n: int) -> Subset:
        """Return the first `n` media by id."""
        return self.all().limit(n)

    def sample(self, n: int, *, seed: int = 0, by: str | None = None) -> Subset:
        """Return a random sample of `n` media; the same seed gives the same ones, a larger n contains a smaller."""
        return self.all().sample(n, seed=seed, by=by)

    def fetch(
        self,
        subset: Subset | None = None,
        *,
        in_place: bool = False,
        retry: Sequence[str] = (),
        roots: Mapping[str, Path | str] | None = None,
        engine: Engine | None = None,
        progress: Watch | None = None,
    ) -> fetching.Fetched:
        """Get the bytes of local images into shards, or note where they lie with `in_place`, and return the counts.

        Only what is missing or changed is read; with `retry`, just what ended with one of those statuses. `roots` says where the root of a source is now
        ({label: folder}). Raises StoreError; UsageError for an unknown status or label.
        """
        return fetching.fetch(
            self, (subset or self.all()).selection, in_place=in_place, retry=retry,
            roots={label: Path(root) for label, root in (roots or {}).items()}, engine=engine, progress=progress,
        )  # fmt: skip

    def survey(self, subset: Subset | None = None) -> fetching.Survey:
        """Return how large the files of a subset are, where they are there. Nothing is read or written."""
        return fetching.survey(self, (subset or self.all()).selection)

    def apply(self, *processors: Any, out: Path | str, **options: Any) -> Study:
        """Run processors over all media and return the study; the options are those of `Subset.apply`."""
        return self.all().apply(*processors, out=out, **options)

    # -- reading ------------------------------------------------------------------------------------------------

    def database(self, *more: Path) -> Database:
        """Return a database with the views `manifest` and `images`, that may read `more` folders besides."""
        database = Database([self.path, *more])
        self.add_views(database)
        return database

    def add_views(self, database: Database) -> None:
        """Make the views `manifest` and `images` of what is true now."""
        for name, schema, winning in (
            ("manifest", MANIFEST_SCHEMA, truth.manifest),
            ("images", IMAGES_SCHEMA, truth.images),
        ):
            files = [self.folder.file(file) for file in self.folder.names(name)]
            database.files(f"{name}__files", files, schema)
            database.view(name, winning(f"{name}__files"))

    @lists_anew
    def manifest(self) -> pa.Table:
        """Return the true manifest, by media_id."""
        with self.database() as database:
            return database.run("SELECT * FROM manifest ORDER BY media_id")

    @lists_anew
    def images(self) -> pa.Table:
        """Return the true outcomes of fetching, by media_id."""
        with self.database() as database:
            return database.run("SELECT * FROM images ORDER BY media_id, size")

    def roots(self, changed: Mapping[str, Path] | None = None) -> dict[str, Path]:
        """Return where each source's relative paths start. Raises UsageError for a label that is not there."""
        roots = {label: Path(entry["root"]) for label, entry in self.sources.items() if entry.get("root")}
        for label, path in (changed or {}).items():
            if label not in self.sources:
                raise UsageError(
                    f"--root {label}=…: there is no such source. Known: {', '.join(self.sources) or 'none'}."
                )
            roots[label] = path.resolve()
        return roots

    def image_bytes(self, media_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield id and encoded bytes of those of `media_ids` that can be read, in no order."""
        return ((media_id, data) for media_id, data in self.read_images(media_ids) if isinstance(data, bytes))

    def read_images(self, media_ids: Sequence[str]) -> Iterator[tuple[str, bytes | Failure]]:
        """Yield id and encoded bytes, or why there are none, of those of `media_ids` that were fetched, in no order."""
        items = [Item(media_id, place, etag, sha256, 0) for media_id, place, etag, sha256 in self._places(media_ids)]
        for index, data in read_items(items):
            yield items[index].media_id, data

    @lists_anew
    def _places(self, media_ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return id, place (a shard of ours, or a path), state (null in a shard of ours) and hash of what can be read."""
        roots = self.roots()
        with self.database() as database:
            database.table("asked", pa.table({"media_id": pa.array(list(media_ids), pa.string())}))
            database.table(
                "roots", pa.table({"source_name": list(roots), "root": [f"{r}/" for r in roots.values()]}, _ROOTS)
            )
            return database.rows(
                "SELECT DISTINCT ON (media_id) media_id, CASE WHEN shard IS NOT NULL THEN ? || shard "
                "ELSE coalesce(root || local_path, final_uri) END, CASE WHEN shard IS NULL THEN etag END, sha256 "
                "FROM images JOIN asked USING (media_id) LEFT JOIN manifest USING (media_id) LEFT JOIN roots USING (source_name) "
                f"WHERE {truth.READABLE} ORDER BY media_id, size = 'original' DESC, size",
                [f"{self.path.absolute()}/"],
            )

    @lists_anew
    def check_files(self) -> None:
        """Raise StoreError where a file of manifest or images is damaged or written by a newer vasculum."""
        with self.database():
            pass

    def save_sources(self, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Write these entries of sources into corpus.json. It is read first: another process may have added some."""
        content = Corpus.open(self.path).content
        sources = {**content["sources"], **changed}
        self.content = {**content, "sources": sources}
        if sources != content["sources"]:
            self.folder.write_json(CORPUS_FILE, self.content)
