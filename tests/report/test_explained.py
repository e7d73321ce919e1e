"""What institutions explain of a column: known values, and chance that is not taken for more."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_study import Make, media_id, stored_study

from vasculum.processing.types import Boolean, Float, Gives, Text
from vasculum.report.explained import Explained, beyond_chi, beyond_f, explained
from vasculum.report.report import write_report


def found(
    make: Make, values: Sequence[Any], holders: Sequence[str | None], kind: Gives | None = None
) -> Explained | None:
    with study_of(make, values, holders, kind).database() as database:
        return explained(database, "a_x", kind or Float())


def study_of(make: Make, values: Sequence[Any], holders: Sequence[str | None], kind: Gives | None = None) -> Any:
    manifest = [{"media_id": media_id(i), "institutionCode": holder} for i, holder in enumerate(holders)]
    results = [{"media_id": media_id(i), "status": "ok", "a_x": value} for i, value in enumerate(values)]
    return make({"a_x": kind or Float(missing=True)}, manifest, results)


def test_epsilon_squared_of_a_worked_example(make: Make) -> None:
    # Groups 1 2 3 and 4 5 6: SSB = 13.5, SSW = 4, so η² = 13.5 / 17.5 and ε² = 1 - (4 / 17.5) * 5 / 4.
    share = found(make, [1, 2, 3, 4, 5, 6], ["A"] * 3 + ["B"] * 3)
    assert share is not None
    assert share.share == pytest.approx(1 - (4 / 17.5) * 5 / 4)
    assert (share.rows, share.groups) == (6, 2)
    assert share.chance == pytest.approx(0.0213, abs=0.01)  # F = 13.5 with 1 and 4 degrees of freedom


def test_tau_of_a_worked_example(make: Make) -> None:
    # A: 3 oak, 1 ash; B: 1 oak, 3 ash. τ = (5/4 + 5/4) / ... = 0.25; adjusted 1 - 0.75 * 7 / 6.
    values = ["oak", "oak", "oak", "ash", "oak", "ash", "ash", "ash"]
    share = found(make, values, ["A"] * 4 + ["B"] * 4, Text())
    assert share is not None
    assert share.share == pytest.approx(1 - 0.75 * 7 / 6)


def test_yes_or_no_is_taken_as_one_and_nought(make: Make) -> None:
    share = found(make, [True] * 9 + [False] * 9, ["A"] * 9 + ["B"] * 9, Boolean())
    assert share is not None
    assert share.share == 1
    assert share.beware


def test_small_or_unnamed_institutions_and_a_single_one_are_not_compared(make: Make, tmp_path: Path) -> None:
    assert found(make, [1.0, 2.0, 3.0, 9.0, 9.5], ["A"] * 3 + ["B"] * 2) is None
    other = stored_study(
        tmp_path / "c2", tmp_path / "s2", {"a_x": Float()},
        [{"media_id": media_id(i), "institutionCode": [None, "A", " "][i % 3]} for i in range(12)],
        [{"media_id": media_id(i), "status": "ok", "a_x": float(i)} for i in range(12)],
    )  # fmt: skip
    with other.database() as database:
        assert explained(database, "a_x", Float()) is None


def test_values_that_are_all_the_same_or_enormous_explain_nothing(make: Make) -> None:
    assert found(make, [0.5] * 8, ["A", "B"] * 4) is None


@pytest.mark.parametrize("value", [0.1, -0.3, 1e-200, 1e9 + 0.1, 1e140 / 3])
def test_values_that_are_all_the_same_in_groups_of_odd_sizes_explain_nothing(make: Make, value: float) -> None:
    assert found(make, [value] * 21, ["A"] * 3 + ["B"] * 7 + ["C"] * 11) is None


def test_values_that_differ_by_less_than_adding_them_up_can_tell_explain_nothing(make: Make) -> None:
    assert found(make, [0.1] * 20 + [0.1 + 2**-56], ["A"] * 3 + ["B"] * 7 + ["C"] * 11) is None


def test_small_differences_of_large_values_are_still_compared(make: Make) -> None:
    share = found(make, [1e6] * 9 + [1e6 + 1e-3] * 9, ["A"] * 9 + ["B"] * 9)
    assert share is not None
    assert share.beware


def test_enormous_values_are_left_out(make: Make) -> None:
    assert found(make, [1.7e308, -1.7e308] * 4, ["A", "B"] * 4) is None


@pytest.mark.parametrize("kind", [Float(), Text()], ids=["numbers", "labels"])
def test_chance_alone_is_not_warned_of(make: Make, tmp_path: Path, kind: Gives) -> None:
    """Thirty institutions of three images each: η² would be about 0.33 by chance alone."""
    chance = random.Random(5)
    shares = []
    for turn in range(8):
        values = [chance.gauss(0, 1) if isinstance(kind, Float) else chance.choice("abc") for _ in range(90)]
        manifest = [{"media_id": media_id(i), "institutionCode": f"I{i % 30}"} for i in range(90)]
        results = [{"media_id": media_id(i), "status": "ok", "a_x": value} for i, value in enumerate(values)]
        study = stored_study(tmp_path / f"c{turn}", tmp_path / f"s{turn}", {"a_x": kind}, manifest, results)
        with study.database() as database:
            share = explained(database, "a_x", kind)
        assert share is not None
        assert not share.beware
        shares.append(share.share)
    assert abs(sum(shares) / len(shares)) < 0.12


def test_a_camera_is_warned_of_at_the_column_and_at_the_top(make: Make, tmp_path: Path) -> None:
    chance = random.Random(5)
    holders = ["A", "B", "C", "D"] * 15
    values = ["ABCD".index(holder) + chance.gauss(0, 0.8) for holder in holders]
    page = write_report(study_of(make, values, holders), tmp_path / "r.html").read_text("utf-8")
    assert page.count("Beware: ") == 2
    assert "of the differences in a_x go with the institution (60 images of 4 institutions)" in page
    assert "more about the camera" in page


def test_few_images_are_called_so(make: Make, tmp_path: Path) -> None:
    page = write_report(study_of(make, [1, 2, 3, 3, 4, 5], ["A"] * 3 + ["B"] * 3), tmp_path / "r.html").read_text(
        "utf-8"
    )
    assert "Beware" not in page
    assert "but of so few images that may be chance" in page


@given(st.integers(1, 30), st.integers(1, 200), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_tail_is_a_share_that_only_falls(upper: int, lower: int, x: float, more: float) -> None:
    for tail in (beyond_chi, lambda value, freedom: beyond_f(value, freedom, 200 + lower)):
        low, high = tail(x + more, upper), tail(x, upper)
        assert 0 <= low <= high <= 1


@pytest.mark.parametrize(("x", "freedom", "tail"), [(3.841, 1, 0.05), (18.307, 10, 0.05), (23.209, 10, 0.01)])
def test_the_tail_of_chi_squared_is_near_the_tables(x: float, freedom: int, tail: float) -> None:
    assert beyond_chi(x, freedom) == pytest.approx(tail, rel=0.15)


@pytest.mark.parametrize(
    ("x", "upper", "lower", "tail"), [(4.96, 1, 10, 0.05), (2.87, 4, 20, 0.05), (4.43, 4, 20, 0.01)]
)
def test_the_tail_of_f_is_near_the_tables(x: float, upper: int, lower: int, tail: float) -> None:
    assert beyond_f(x, upper, lower) == pytest.approx(tail, rel=0.15)
