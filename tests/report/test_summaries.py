"""Numbers that a report shows: counted right, cut into round bins, written sensibly."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_study import Make, media_id

from vasculum.processing.types import Float, Integer
from vasculum.report.scales import step_for, ticks
from vasculum.report.summaries import Numbers, Summary, summarise
from vasculum.report.words import LONGEST, listed, number, plain, share


def summary_of(make: Make, values: Sequence[Any], kind: Any = None, institutions: Sequence[str] = ("BM",)) -> Summary:
    manifest = [
        {"media_id": media_id(i), "institutionCode": institutions[i % len(institutions)]} for i in range(len(values))
    ]
    results = [{"media_id": media_id(i), "status": "ok", "a_x": value} for i, value in enumerate(values)]
    study = make({"a_x": kind or Float()}, manifest, results)
    with study.database() as database:
        return summarise(database, study.columns[0], ["status", "a_x"])


def numbers_of(make: Make, values: Sequence[Any], kind: Any = None, **more: Any) -> Numbers:
    drawn = summary_of(make, values, kind, **more).drawn
    assert isinstance(drawn, Numbers)
    assert not drawn.bins or sum(b.count for b in drawn.bins) + drawn.below + drawn.above == len(values)
    return drawn


def test_every_value_falls_into_one_bin_of_a_round_width(make: Make) -> None:
    chance = random.Random(3)
    drawn = numbers_of(make, [chance.gauss(0.5, 0.1) for _ in range(2000)])
    assert 10 <= len(drawn.bins) <= 42
    assert drawn.step == pytest.approx(0.025)
    assert drawn.mean == pytest.approx(0.5, abs=0.01)


def test_values_on_the_edges_are_counted_once(make: Make) -> None:
    drawn = numbers_of(make, [i / 10 for i in range(11)] * 3)
    assert all(b.count for b in drawn.bins)


def test_whole_numbers_get_a_bar_each(make: Make) -> None:
    drawn = numbers_of(make, [0, 1, 1, 2, 5], Integer())
    assert [(b.low, b.count) for b in drawn.bins] == [(0, 1), (1, 2), (2, 1), (3, 0), (4, 0), (5, 1)]


def test_a_far_value_is_counted_and_not_drawn(make: Make) -> None:
    drawn = numbers_of(make, [i / 100 for i in range(100)] + [1e6, -1e6])
    assert (drawn.below, drawn.above) == (1, 1)
    assert drawn.bins[-1].high < 10


def test_one_value_for_all_is_said_and_not_drawn(make: Make) -> None:
    found = summary_of(make, [0.25] * 9)
    assert isinstance(found.drawn, Numbers)
    assert found.drawn.bins == ()
    assert found.note == "They are all the same."


@pytest.mark.parametrize(
    "values", [[-1.7e308, 1.7e308, 0.0], [5e-324, 1e-323], [1e17, 1e17 + 16], [1e160, 2e160, 3e160]]
)
def test_numbers_at_the_ends_of_what_a_double_holds_break_nothing(make: Make, values: list[float]) -> None:
    assert numbers_of(make, values).quartiles[0] == min(values)


def test_a_mean_of_numbers_that_are_too_big_is_not_given(make: Make) -> None:
    drawn = numbers_of(make, [1e308, 1e308, 1.1e308])
    assert drawn.mean is None
    assert drawn.deviation is None


def test_institutions_stand_beside_each_other_only_where_two_have_three(make: Make) -> None:
    values = [i / 10 for i in range(12)]
    both = numbers_of(make, values, institutions=("BM", "E"))
    assert [(g.name, g.count) for g in both.groups] == [("BM", 6), ("E", 6)]
    assert both.groups[0].points == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_one_institution_alone_is_not_compared(make: Make) -> None:
    assert numbers_of(make, [i / 10 for i in range(12)]).groups == ()


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(1, 40))
def test_a_round_step_makes_no_more_parts_than_asked(low: float, width: float, most: int) -> None:
    high = low + width
    if high > low:
        assert (high - low) / step_for(low, high, most) <= most * (1 + 1e-6)
        assert len(ticks(low, high, most)) <= most + 1


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0, 0, "0"), (-0.0, 0, "0"), (0.12345, 0, "0.123"), (170.3, 0, "170"), (999.9, 0, "1,000"),
        (1234.56, 0, "1,235"),
        (-0.5, 0, "−0.5"), (1.234e-5, 0, "1.23 × 10⁻⁵"), (1e300, 0, "1 × 10³⁰⁰"), (1000.123, 0.05, "1,000.123"),
        (190.01, 0.01, "190.01"), (float("inf"), 0, "–"), (None, 0, "–"), (12_345_678, 0, "12,345,678"),
    ],
)  # fmt: skip
def test_numbers_are_written_for_people(value: float | None, spread: float, text: str) -> None:
    assert number(value, spread) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 5, "0%"),
        (5, 5, "100%"),
        (1, 3, "33.3%"),
        (1, 100_000, "<0.1%"),
        (99_999, 100_000, ">99.9%"),
        (0, 0, "–"),
    ],
)
def test_a_share_says_none_and_all_only_of_none_and_all(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


@given(st.text())
def test_plain_text_hides_nothing_and_keeps_the_rest(text: str) -> None:
    shown = plain(text)
    assert not set(shown) & set("\x00\x1b\x7f\x85\u2028\u202e\u2066\ud800")
    assert len(shown) <= 10 * LONGEST
    if text.isprintable():
        assert shown == text


def test_long_text_is_cut_and_says_so() -> None:
    assert plain("a" * 9000) == "a" * (LONGEST - 1) + "…"


def test_names_are_listed_as_people_do() -> None:
    assert [listed(list(names)) for names in ("", "a", "ab", "abcd", "abcdef")] == [
        "", "a", "a and b", "a, b, c and d", "a, b, c and 3 more",
    ]  # fmt: skip
