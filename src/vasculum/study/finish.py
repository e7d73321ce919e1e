"""The end of an apply: one results file of the true rows, and nothing that no longer counts."""

from __future__ import annotations

import pyarrow as pa

from vasculum.corpus import results_view
from vasculum.store import names, runs, tidy, truth
from vasculum.store.sql import lists_anew, quoted
from vasculum.study.study import Study
from vasculum.tables import BLOBS_SCHEMA


@lists_anew
def finish(study: Study, run: str, schema: pa.Schema) -> None:
    """Tidy a study's results unless another run is at work in it; a plain `select *` then says what is true."""
    folder = study.folder
    if [name for name, _ in runs.live(folder) if name != run]:
        return
    counted = results_view.counted_files(folder, study.document)
    with study.selection.open(study.corpus.path) as database:
        study.corpus.add_views(database)
        study.selection.prepare(database)
        wanted = database.run("SELECT media_id FROM selected")
    if _missing(study, wanted):
        return  # what no longer counts goes only when all that takes its place is there
    _rewrite(study, run, schema, counted, wanted)
    stale = [name for name in folder.names("results") if name not in results_view.counted_files(folder, study.document)]
    folder.delete(stale)
    _drop_blobs(study)
    tidy.sweep(folder)


def _missing(study: Study, wanted: pa.Table) -> bool:
    with study.database() as database:
        database.table("wanted", wanted)
        return bool(database.rows("SELECT 1 FROM wanted ANTI JOIN results__true USING (media_id) LIMIT 1"))


def _rewrite(study: Study, run: str, schema: pa.Schema, counted: list[str], wanted: pa.Table) -> None:
    """Leave one file for each fingerprint that counts, of true and wanted rows only."""
    with study.database() as database:
        database.table("wanted", wanted)
        beyond = database.rows("SELECT count(*) FROM results__true ANTI JOIN wanted USING (media_id)")[0][0]
        kept = database.run("SELECT media_id, run FROM results__true SEMI JOIN wanted USING (media_id)")
        rows = database.rows("SELECT count(*) FROM results__files")[0][0]
    if not beyond and rows == kept.num_rows and len(counted) <= 1 + len(study.document["kept"]):
        return
    for mark in [study.document["fingerprint"], *study.document["kept"]]:
        own = [name for name in counted if name.startswith(f"results/{mark}-")]
        winners = f"SELECT w.* FROM ({truth.results('files')}) AS w SEMI JOIN kept USING (media_id, run)"
        tidy.tidy(
            study.folder,
            "results",
            run,
            schema,
            winners,
            prefix=mark,
            only=own,
            tables={"kept": kept},
            even_one=True,
        )


def _drop_blobs(study: Study) -> None:
    """Delete blob files of which no result names a picture any more."""
    folder = study.folder
    files = folder.names("blobs")
    columns = [column.name for column in study.columns if type(column.kind).__name__ == "Picture"]
    if not files:
        return
    over = runs.over(folder) | {name for name, _ in runs.history(folder)[-1:]}
    used: set[str] = set()
    if columns:
        named = " UNION ALL ".join(
            f"SELECT media_id, {quoted(c)} AS sha256 FROM results WHERE {quoted(c)} IS NOT NULL" for c in columns
        )
        with study.database() as database:
            for name in files:
                database.files("blobs", [folder.file(name)], BLOBS_SCHEMA)
                if database.rows(f"SELECT 1 FROM blobs SEMI JOIN ({named}) AS n USING (media_id, sha256) LIMIT 1"):
                    used.add(name)
    folder.delete([name for name in files if name not in used and names.run_of(name) in over])
