"""Every file opens in the tools that people have: DuckDB, pandas, Polars, Hugging Face datasets, plain pyarrow."""

from __future__ import annotations

from pathlib import Path

import datasets
import duckdb
import pandas
import polars
import pyarrow.parquet as pq
import pytest

from sheets import make_corpus
from vasculum import Corpus, Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    corpus = make_corpus(tmp_path_factory.mktemp("readers"), 12)
    return corpus.apply("thumbnail", "histogram", "quality", "exif", "phash", out=corpus.path.parent / "study")


def all_files(study: Study) -> list[Path]:
    found = [file for folder in (study.path, study.corpus.path) for file in folder.rglob("*.parquet")]
    assert {file.parent.name for file in found} == {"results", "blobs", "manifest", "images", "bytes"}
    return found


def test_every_file_opens_in_duckdb_pandas_polars_and_pyarrow(study: Study) -> None:
    for file in all_files(study):
        rows = pq.read_table(file).num_rows
        assert duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall() == [(rows,)]
        assert len(pandas.read_parquet(file)) == rows
        assert polars.read_parquet(file).height == rows


def test_every_file_opens_in_hugging_face_datasets(study: Study, tmp_path: Path) -> None:
    for file in all_files(study):
        loaded = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path))
        assert len(loaded) == pq.read_table(file).num_rows


def test_a_plain_query_over_the_results_says_what_is_true(study: Study) -> None:
    plain = duckdb.sql(
        f"SELECT media_id, status, quality_sharpness FROM '{study.path}/results/*.parquet' ORDER BY 1"
    ).fetchall()
    own = [(row["media_id"], row["status"], row["quality_sharpness"]) for row in study.results.to_pylist()]
    assert plain == own


def test_python_gives_results_to_arrow_pandas_polars_and_sql(study: Study) -> None:
    assert study.results.num_rows == 12
    frame = study.to_pandas()
    assert list(frame["quality_status"]) == ["ok"] * 12
    assert study.to_polars().height == 12
    assert study.sql("SELECT count(*) AS n FROM joined WHERE family = 'Fagaceae'").to_pylist() == [{"n": 4}]
    assert Study.open(study.path).results.equals(study.results)
    picture = study.pictures("thumbnail_image", study.results["media_id"].to_pylist()[:3])
    assert all(data[:2] == b"\xff\xd8" for data in picture.values())
    assert len(picture) == 3


def test_original_bytes_come_out_as_they_went_in(study: Study) -> None:
    corpus: Corpus = study.corpus
    paths = {row["media_id"]: row["local_path"] for row in corpus.manifest().to_pylist()}
    out = dict(corpus.image_bytes(list(paths)))
    assert {media_id: (corpus.path.parent / "sheets" / path).read_bytes() for media_id, path in paths.items()} == out


def test_column_metadata_says_what_a_column_is(study: Study) -> None:
    manifest = next((study.corpus.path / "manifest").iterdir())
    field = pq.read_schema(manifest).field("catalogNumber")
    assert field.metadata[b"iri"] == b"http://rs.tdwg.org/dwc/terms/catalogNumber"
    result = pq.read_schema(next((study.path / "results").iterdir())).field("quality_sharpness")
    assert result.metadata[b"meaning"].startswith(b"how much fine detail")
    assert result.metadata[b"unit"] == b"squared grey levels"
