"""Status: what a corpus or study holds and who is at work in it, as counts for a person or a program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vasculum.corpus import results_view
from vasculum.corpus.corpus import CORPUS_FILE, Corpus
from vasculum.errors import StoreError
from vasculum.store import runs, truth
from vasculum.store.folder import Folder
from vasculum.study.study import Study
from vasculum.tables import REJECTS_SCHEMA


def status(path: Path | str) -> dict[str, Any]:
    """Return the counts of a corpus or study. Raises StoreError where the folder is neither."""
    folder = Folder(path)
    if folder.file(CORPUS_FILE).exists():
        return {"kind": "corpus", "path": str(path), **_corpus(Corpus.open(path)), "runs": _runs(folder)}
    if folder.file(results_view.STUDY_FILE).exists():
        return {"kind": "study", "path": str(path), **_study(Study.open(path)), "runs": _runs(folder)}
    if (Path(path) / "study").is_dir():
        raise StoreError(f"{path}: holds the corpus and the study of a run; name one: {Path(path) / 'study'}")
    raise StoreError(f"{path}: is neither a corpus nor a study (no {CORPUS_FILE}, no {results_view.STUDY_FILE}).")


def failures(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yield what failed in a corpus (fetching) or study (any step): status, catalogue number, file, detail."""
    folder = Folder(path)
    study = Study.open(path) if folder.file(results_view.STUDY_FILE).exists() else None
    database = study.database() if study else Corpus.open(path).database()
    with database:
        table = "results" if study else "images"
        yield from database.run(
            'SELECT f.status, m.catalogNumber AS "catalogNumber", coalesce(m.local_path, m.accessURI) AS file, f.detail '
            f"FROM {table} AS f LEFT JOIN manifest AS m USING (media_id) WHERE f.status <> 'ok' ORDER BY 1, 3, f.media_id"
        ).to_pylist()


def rejected(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus's sources that were kept aside: file, line, reason, text."""
    corpus = Corpus.open(path)
    with corpus.database() as database:
        database.files("rejects", [corpus.folder.file(name) for name in corpus.folder.names("rejects")], REJECTS_SCHEMA)
        yield from database.run("SELECT file, line, reason, text FROM rejects ORDER BY file, line").to_pylist()


def _corpus(corpus: Corpus) -> dict[str, Any]:
    with corpus.database() as database:
        return {
            "id": corpus.id,
            "sources": corpus.sources,
            "media": dict(database.rows("SELECT state, count(*) FROM manifest GROUP BY 1")),
            "specimen_records": database.rows(
                "SELECT count(DISTINCT k) FROM (SELECT unnest(record_keys) AS k FROM manifest)"
            )[0][0],
            "institutions": dict(
                database.rows(
                    "SELECT institutionCode, count(*) FROM manifest WHERE institutionCode IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"
                )
            ),
            "licenses": dict(
                database.rows(
                    "SELECT coalesce(license_id, 'unknown'), count(*) FROM manifest GROUP BY 1 ORDER BY 2 DESC, 1"
                )
            ),
            "fetched": dict(database.rows("SELECT status, count(*) FROM images GROUP BY 1 ORDER BY 2 DESC, 1")),
            "readable": database.rows(f"SELECT count(DISTINCT media_id) FROM images WHERE {truth.READABLE}")[0][0],
            "bytes": database.rows(f"SELECT coalesce(sum(n_bytes), 0)::BIGINT FROM images WHERE {truth.READABLE}")[0][
                0
            ],
            "rejected_rows": _rejected(corpus),
        }


def _rejected(corpus: Corpus) -> int:
    from vasculum.store import parquet

    return sum(parquet.open_file(corpus.folder.file(name)).metadata.num_rows for name in corpus.folder.names("rejects"))


def _study(study: Study) -> dict[str, Any]:
    document = study.document
    found: dict[str, Any] = {
        "id": document["id"],
        "corpus": document["corpus"],
        "subset": str(study.selection),
        "processors": [entry["name"] for entry in document["processors"]],
        "fingerprint": document["fingerprint"],
        "results": study.counts(),
    }
    with study.database() as database:
        study.selection.prepare(database)
        found["wanted"] = database.rows("SELECT count(*) FROM selected")[0][0]
        found["missing"] = database.rows("SELECT count(*) FROM selected ANTI JOIN results USING (media_id)")[0][0]
    return found


def _runs(folder: Folder) -> list[dict[str, Any]]:
    alive = {name for name, _ in runs.live(folder)}
    wanted = ("verb", "part", "started", "ended", "end", "heartbeat", "host", "pid", "progress")
    return [
        {"run": name, "alive": name in alive, **{key: content.get(key) for key in wanted}}
        for name, content in runs.history(folder)
    ]
