"""Planning an apply: what is wanted, minus what is done for the same image and fingerprint. Pure: nothing is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.corpus import results_view
from vasculum.corpus.corpus import Corpus
from vasculum.corpus.subset import Selection
from vasculum.errors import UsageError
from vasculum.fetching.members import Finder, state_in
from vasculum.outcomes import Status
from vasculum.processing.job import PLAN_SCHEMA
from vasculum.store import truth
from vasculum.store.folder import Folder
from vasculum.store.sql import Database, lists_anew

MEDIA_PER_JOB = 512
FEWEST_PER_JOB = 16
JOBS_PER_WORKER = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an apply would do."""

    wanted: int
    done: int
    todo: pa.Table
    """Rows of job.PLAN_SCHEMA, those of one shard together."""
    waiting: Mapping[str, int]
    """Of the wanted: how many have no image to work on, by status."""
    beyond: int
    """Results of the study that this subset does not want."""

    @property
    def to_decode(self) -> int:
        """How many images would be read."""
        without = int(self.todo["place"].null_count)
        return int(self.todo.num_rows) - without


@lists_anew
def the_size(corpus: Corpus, asked: str | None) -> str:
    """Return which size of image to work on: the one asked for, or the only one there is. Raises UsageError."""
    with corpus.database() as database:
        sizes = [row[0] for row in database.rows("SELECT DISTINCT size FROM images ORDER BY 1")]
    if asked is None:
        if len(sizes) > 1:
            raise UsageError(f"the corpus holds several sizes: {', '.join(sizes)}. Choose one with --size.")
        return sizes[0] if sizes else "original"
    if sizes and asked not in sizes:
        raise UsageError(f"--size {asked}: the corpus holds {', '.join(sizes)}.")
    return asked


@lists_anew
def plan(
    corpus: Corpus,
    selection: Selection,
    size: str,
    study: Path | None,
    document: Mapping[str, Any] | None = None,
    retry: Sequence[Status] = (),
) -> Plan:
    """Return what there is to do; results in the folder `study` that count by `document` are done.

    With `retry`, just the results with one of these statuses are to do.
    """
    folders = [corpus.path, *([study] if study else []), *(Path(path) for _, path in selection.studies)]
    roots = corpus.roots()
    with Database(folders) as database:
        corpus.add_views(database)
        selection.prepare(database)
        if study is None:
            database.run(
                "CREATE TEMP TABLE results AS SELECT '' AS media_id, 0::BIGINT AS image_key, '' AS status LIMIT 0"
            )
        else:
            results_view.add_results(database, "results", study, document)
        database.table(
            "roots", pa.table({"source_name": list(roots), "root": [f"{root}/" for root in roots.values()]}, _ROOTS)
        )
        database.run(f"CREATE TEMP TABLE judged AS {_JUDGED}", [f"{corpus.path.absolute()}/", size])
        database.table("again", _readable_again(database))
        wanted = "list_contains(?, result_status)" if retry else "NOT done OR media_id IN (SELECT media_id FROM again)"
        todo = database.run(
            f"SELECT {', '.join(PLAN_SCHEMA.names)} FROM judged WHERE {wanted} ORDER BY {_IN_ORDER}, media_id",
            [[str(status) for status in retry]] if retry else [],
        ).cast(PLAN_SCHEMA)
        count = database.rows("SELECT count(*) FROM judged")[0][0]
        waiting = dict(
            database.rows("SELECT status, count(*) FROM judged WHERE place IS NULL GROUP BY 1 ORDER BY 2 DESC")
        )
        beyond = database.rows("SELECT count(*) FROM results ANTI JOIN selected USING (media_id)")[0][0]
    return Plan(count, count - todo.num_rows, todo, waiting, beyond)


_IN_ORDER = "regexp_replace(place, '[^/]*$', ''), length(place), place"
"""Shard by shard, and rows of a Parquet file by number, so that a job reads few row groups of it."""

_ROOTS = pa.schema([("source_name", pa.string()), ("root", pa.string())])

_JUDGED = f"""
    WITH found AS (
        SELECT s.media_id, i.shard, i.etag, i.sha256, i.image_key, i.detail, i.status AS image_status,
               coalesce({truth.READABLE.replace("status", "i.status")}, false) AS readable,
               CASE WHEN i.shard IS NOT NULL THEN ? || i.shard ELSE coalesce(roots.root || m.local_path, i.final_uri) END AS path,
               r.media_id IS NOT NULL AS has_result, r.status AS result_status, r.image_key AS result_key
        FROM selected AS s JOIN manifest AS m USING (media_id) LEFT JOIN roots USING (source_name)
        LEFT JOIN (SELECT * FROM images WHERE size = ?) AS i USING (media_id)
        LEFT JOIN results AS r USING (media_id)
    ), judged AS (
        SELECT media_id, sha256, has_result, result_status, result_key, readable,
               CASE WHEN readable THEN path END AS place,
               CASE WHEN readable AND shard IS NULL THEN etag END AS etag,
               CASE WHEN readable THEN image_key END AS image_key,
               CASE WHEN readable THEN 'ok' WHEN coalesce(image_status, 'ok') = 'ok' THEN '{Status.NOT_FETCHED}'
                    ELSE image_status END AS status,
               CASE WHEN image_status IS NULL THEN 'its bytes are not in the corpus yet: run `vasculum fetch`'
                    WHEN image_status = 'ok' THEN 'its bytes were not kept' ELSE detail END AS detail
        FROM found
    )
    SELECT *, has_result AND result_key IS NOT DISTINCT FROM image_key AND (readable OR result_status = status) AS done
    FROM judged"""
"""What is wanted, with its image and its result. Done is what has a result of the very image that there is now, or, where
there is none to read, a result that says so for the same reason."""

_READING = (Status.NOT_FOUND, Status.FORBIDDEN, Status.CONNECTION, Status.HASH_MISMATCH)
"""Statuses that a file in place may get because it was away or changed for a while."""


def _readable_again(database: Database) -> pa.Table:
    """Return the ids of files in place that could not be read when their result was made, and are as fetched again."""
    named = ", ".join(f"'{status}'" for status in _READING)
    failed = database.rows(
        f"SELECT media_id, place, etag FROM judged WHERE done AND etag IS NOT NULL AND result_status IN ({named})"
    )
    finder = Finder()
    again = [media_id for media_id, place, etag in failed if finder.find(place)[0] == state_in(etag)]
    return pa.table({"media_id": pa.array(again, pa.string())})


def cut(plan: Plan, workers: int) -> Iterator[pa.Table]:
    """Yield the rows of each job: of one shard, or in place, few enough that all workers have some."""
    fair = -(-plan.todo.num_rows // max(1, workers * JOBS_PER_WORKER))
    most = min(MEDIA_PER_JOB, max(FEWEST_PER_JOB, fair))
    begin, lane = 0, ""
    places, etags = plan.todo["place"], plan.todo["etag"]
    for row in range(plan.todo.num_rows):
        own = places[row].as_py() if not etags[row].is_valid else "in place"
        if row > begin and (own != lane or row - begin >= most):
            yield plan.todo.slice(begin, row - begin)
            begin = row
        lane = own
    if plan.todo.num_rows:
        yield plan.todo.slice(begin)


def study_folder(path: Path | str) -> Folder | None:
    """Return the folder of a study where it has results to plan with, else None."""
    folder = Folder(path)
    return folder if folder.read_json(results_view.STUDY_FILE) is not None else None
