"""A subset of a corpus: a value that can be stored, compared and asked again, never a copy."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vasculum.corpus import results_view
from vasculum.errors import SubsetError, UsageError, nearest
from vasculum.jobs import Engine, Watch
from vasculum.store import expression
from vasculum.store.sql import Database, lists_anew, quoted
from vasculum.tables import MANIFEST_SCHEMA

if TYPE_CHECKING:
    from vasculum.corpus.corpus import Corpus
    from vasculum.corpus.fetch import Fetched
    from vasculum.study.study import Study

ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
RESERVED_ALIASES = ("manifest", "images", "results", "joined")


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which media: an SQL expression over the manifest (and results of studies), a sample, a limit."""

    where: str | None = None
    studies: tuple[tuple[str, str], ...] = ()
    """Alias and path of each study that `where` may name."""
    sample: int | None = None
    seed: int = 0
    by: str | None = None
    """A manifest column: the sample takes as evenly as it can from each of its values."""
    limit: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("--sample", self.sample), ("--limit", self.limit)):
            if value is not None and value < 0:
                raise UsageError(f"{name} {value}: expected 0 or more.")
        if self.by is not None and self.sample is None:
            raise UsageError("--by needs --sample N: how many to take in all.")
        for alias, _ in self.studies:
            if not ALIAS.fullmatch(alias) or "__" in alias or alias.lower() in RESERVED_ALIASES:
                raise UsageError(
                    f"--with {alias}=…: use letters, digits and underscores, and none of {', '.join(RESERVED_ALIASES)}."
                )

    def as_dict(self) -> dict[str, Any]:
        """Return what study.json stores."""
        content = dataclasses.asdict(self)
        content["with"] = dict(content.pop("studies"))
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Selection:
        """Return the selection that `as_dict` described."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {key: value for key, value in content.items() if key in known}
        return cls(studies=tuple((content.get("with") or {}).items()), **values)

    def __str__(self) -> str:
        words = [f"where {self.where}" if self.where else "all media"]
        words += [f"with {alias} = {path}" for alias, path in self.studies]
        if self.sample is not None:
            words.append(f"a sample of {self.sample:,} (seed {self.seed}{f', by {self.by}' if self.by else ''})")
        if self.limit is not None:
            words.append(f"the first {self.limit:,} by id")
        return ", ".join(words)

    def open(self, corpus: Path) -> Database:
        """Return a database that may read the corpus and the studies named."""
        return Database([corpus, *(Path(path) for _, path in self.studies)])

    def prepare(self, database: Database) -> None:
        """Make the table `selected` (media_id) from the view `manifest`. Raises SubsetError for what does not hold."""
        views: dict[str, list[str]] = {"manifest": list(MANIFEST_SCHEMA.names)}
        for alias, path in self.studies:
            views[alias] = results_view.add_results(database, alias, path)
        if self.where is not None:
            expression.check(database, self.where, views)
        if self.by is not None and self.by not in MANIFEST_SCHEMA.names:
            raise SubsetError(
                f"--by {self.by}: the manifest has no such column{nearest(self.by, MANIFEST_SCHEMA.names)}."
            )
        joins = "".join(f" LEFT JOIN {alias} USING (media_id)" for alias, _ in self.studies)
        condition = f"AND (\n{self.where}\n)" if self.where is not None else ""
        strata = f", {quoted(self.by)} AS stratum" if self.by else ""
        query = f"SELECT media_id{strata} FROM manifest{joins} WHERE state = 'present' {condition}"
        try:
            database.run(f"CREATE OR REPLACE TEMP TABLE selected AS {self._cut(query)}")
        except SubsetError as error:
            raise SubsetError(f"--where {self.where!r}: {error}.") from None

    def _cut(self, query: str) -> str:
        if self.sample is not None:
            # a hash of seed and id ranks all media once and for ever, so that a larger sample contains a smaller one
            rank = f"md5('{int(self.seed)}:' || media_id)"
            if self.by:
                query = (
                    f"SELECT media_id, row_number() OVER (PARTITION BY stratum ORDER BY {rank}) AS turn FROM ({query})"
                )
                query = f"SELECT media_id FROM ({query}) ORDER BY turn, {rank} LIMIT {int(self.sample)}"
            else:
                query = f"SELECT media_id FROM ({query}) ORDER BY {rank} LIMIT {int(self.sample)}"
        if self.limit is not None:
            query = f"SELECT media_id FROM ({query}) ORDER BY media_id LIMIT {int(self.limit)}"
        return f"SELECT media_id FROM ({query})"


class Subset:
    """A corpus and a selection of it, from Python: `corpus.where("year < 1950").sample(100)`."""

    def __init__(self, corpus: Corpus, selection: Selection) -> None:
        self.corpus = corpus
        self.selection = selection

    def __repr__(self) -> str:
        return f"Subset of {self.corpus.path}: {self.selection}"

    def where(self, condition: str, **studies: str | Path) -> Subset:
        """Return the subset that also meets `condition`, SQL over the manifest; `m=STUDY` lets it name `m.score`."""
        earlier = self.selection.where
        joined = condition if earlier is None else f"(\n{earlier}\n) AND (\n{condition}\n)"
        more = tuple((alias, str(path)) for alias, path in studies.items())
        return self._but(where=joined, studies=self.selection.studies + more)

    def sample(self, n: int, *, seed: int = 0, by: str | None = None) -> Subset:
        """Return a random sample of `n` media; the same seed gives the same ones, a larger n contains a smaller."""
        return self._but(sample=n, seed=seed, by=by)

    def limit(self, n: int) -> Subset:
        """Return the first `n` media by id."""
        return self._but(limit=n)

    def _but(self, **changes: Any) -> Subset:
        return Subset(self.corpus, dataclasses.replace(self.selection, **changes))

    def fetch(self, **options: Any) -> Fetched:
        """Get the bytes of its local images; see `Corpus.fetch` for the options."""
        return self.corpus.fetch(self, **options)

    def apply(
        self,
        *processors: Any,
        out: Path | str,
        size: str | None = None,
        retry: Sequence[str] = (),
        redo: bool = False,
        keep: bool = False,
        engine: Engine | None = None,
        progress: Watch | None = None,
        told: Callable[[str], None] | None = None,
    ) -> Study:
        """Run processors over it and return the study in the folder `out`; only what is not done yet is done.

        A processor is a name, `"FILE.py:NAME"`, a model folder, or a function or class under `@processor`. `retry` redoes
        just the results with these statuses. Where results exist that no longer fit, ChangedError is raised: those of
        changed code go with `redo` and stand with `keep`, those beyond a narrower subset go with `redo`. `size` names which size of image,
        where the corpus holds several. `told` receives lines for a person, `progress` counts as images end.
        Raises ProcessorError where a contract is broken, StoreError, UsageError.
        """
        from vasculum.study.apply import apply  # the study's room stands on this one and is opened when asked for

        return apply(
            self, processors, out=out, size=size, retry=retry, redo=redo, keep=keep, engine=engine, progress=progress,
            told=told,
        )  # fmt: skip

    @lists_anew
    def count(self) -> int:
        """Return how many media there are in it."""
        with self._database() as database:
            return int(database.rows("SELECT count(*) FROM selected")[0][0])

    def __len__(self) -> int:
        return self.count()

    @lists_anew
    def to_arrow(self) -> pa.Table:
        """Return its manifest rows, by media_id. Raises SubsetError where the condition does not hold."""
        with self._database() as database:
            return database.run("SELECT manifest.* FROM manifest JOIN selected USING (media_id) ORDER BY media_id")

    def to_pandas(self) -> Any:
        """Return its manifest rows as a pandas DataFrame (pandas must be installed)."""
        return self.to_arrow().to_pandas()

    def _database(self) -> Database:
        database = self.selection.open(self.corpus.path)
        self.corpus.add_views(database)
        self.selection.prepare(database)
        return database
