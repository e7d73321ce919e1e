"""Subsets: what --where, --with, --sample, --seed, --by and --limit choose, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheets import make_corpus
from vasculum import Corpus, SubsetError, UsageError


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("big"), 60, fetch=False, size=(24, 24))


def test_where_is_sql_over_the_manifest(big: Corpus) -> None:
    assert big.where("family = 'Fagaceae' AND year < 1880").count() == 10
    assert big.where("family = 'Fagaceae'").where("year < 1880").count() == 10
    assert big.where("catalogNumber = '00000007'").to_arrow()["scientificName"].to_pylist() == ["Plant number 7"]
    assert big.where("media_id IN (SELECT media_id FROM manifest WHERE year = 1850)").count() == 1


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("familly = 'x'", "did you mean family?"),
        ("CatalogNo = 'x'", "did you mean catalogNumber"),
        ('family = "Fagaceae"', "a text stands in single quotes: 'Fagaceae'"),
        ("year <", "Write one SQL expression"),
        ("1=1) OR (1=1", None),
        ("true; DROP TABLE manifest", "SQL expression"),
        ("true) FROM manifest; SELECT (true", "SQL expression"),
        ("true) UNION SELECT (true", "expected one SQL expression"),
        ("media_id IN (SELECT content FROM read_text('/etc/passwd'))", "Use their columns only"),
        ("media_id IN (SELECT media_id FROM manifest__files)", "there is no table 'manifest__files'"),
        ("year = 'x'", "year = 'x'"),
        ("m.score > 1", "there is no column 'm'"),
        ("", "SQL expression"),
        ("-- nothing", "SQL expression"),
        ("year, family", "expected one SQL expression"),
    ],
)
def test_anything_but_one_expression_over_known_columns_is_refused(
    big: Corpus, condition: str, words: str | None
) -> None:
    if words is None:
        assert big.where(condition).count() == 60
        return
    with pytest.raises(SubsetError) as caught:
        big.where(condition).count()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(text=st.text(max_size=40))
def test_no_text_does_more_than_fail_in_one_line(big: Corpus, text: str) -> None:
    message = ""
    try:
        assert 0 <= big.where(text).count() <= 60
    except SubsetError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1


def test_a_larger_sample_contains_the_smaller_and_a_seed_changes_it(big: Corpus) -> None:
    def ids(n: int, seed: int = 0, by: str | None = None) -> set[str]:
        return set(big.sample(n, seed=seed, by=by).to_arrow()["media_id"].to_pylist())

    assert len(ids(10)) == 10
    assert ids(10) < ids(25) < ids(60)
    assert ids(10) != ids(10, seed=1)
    assert ids(10) == ids(10)
    assert ids(8, by="family") < ids(20, by="family")
    assert len(ids(1000)) == 60


def test_a_sample_by_a_column_takes_as_evenly_as_it_can(big: Corpus) -> None:
    rows = big.where("family <> 'Poaceae' OR year < 1860").sample(12, by="family").to_arrow()["family"].to_pylist()
    assert {family: rows.count(family) for family in set(rows)} == {
        "Fagaceae": 5,
        "Rosaceae": 4,
        "Poaceae": 3,
    } or sorted(rows.count(family) for family in set(rows)) in ([3, 4, 5], [4, 4, 4])
    assert min(rows.count(family) for family in set(rows)) >= 3


def test_a_wrong_column_to_sample_by_and_a_sample_that_is_none_are_usage_errors(big: Corpus) -> None:
    with pytest.raises(SubsetError, match="did you mean institutionCode"):
        big.sample(3, by="institution").count()
    with pytest.raises(UsageError, match="-1: expected 0 or more"):
        big.sample(-1)


def test_limit_is_by_id(big: Corpus) -> None:
    everything = sorted(big.manifest()["media_id"].to_pylist())
    assert big.all().limit(5).to_arrow()["media_id"].to_pylist() == everything[:5]


def test_results_of_a_study_can_be_named(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    study = corpus.apply("color", out=tmp_path / "study")
    light = sorted(study.results["color_lightness"].to_pylist())[-4]
    assert corpus.where(f"m.color_lightness >= {light!r}", m=study.path).count() == 4
    chosen = corpus.where(f"m.lightness >= {light!r} AND year > 1800", m=study.path)
    again = chosen.corpus.select(type(chosen.selection).from_dict(chosen.selection.as_dict()))
    assert again.count() == chosen.count() == 4
    with pytest.raises(SubsetError, match=r"m has no column 'lightnes' \(did you mean lightness"):
        corpus.where("m.lightnes > 1", m=study.path).count()
