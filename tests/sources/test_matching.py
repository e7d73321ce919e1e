"""Which file shows which record: the rules, one by one and all together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasculum.sources.matching import Index, Key, plain


def found(stem: str, *numbers: str, codes: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """Return the rule and the numbers that a file is matched by."""
    match = Index(Key(n, i, codes) for i, n in enumerate(numbers)).find(f"{stem}.jpg", stem)
    return match.how, [numbers[row] for row in match.rows] if match.how != "ambiguous" else []


@pytest.mark.parametrize(
    ("stem", "number", "how"),
    [
        ("E00457728", "E00457728", "exact"),
        (" E00457728 ", "E00457728", "exact"),
        ("E00457728", "E 00457728", "normalised"),
        ("e-457728", "E00457728", "normalised"),
        ("457728", "00457728", "normalised"),
        ("00457728", "457728", "normalised"),
        ("B_10_0000123", "B 10 0000123", "normalised"),
        ("B100000123", "B 10 0000123", "normalised"),
        ("B_10_0000123", "B100000123", "normalised"),
        ("Ｅ００４５７７２８", "E00457728", "normalised"),
        ("E00457728_1", "E00457728", "suffix"),
        ("E00457728_b", "E 457728", "suffix"),
        ("E00457728-2", "E00457728", "suffix"),
        ("E00457728(1)", "E00457728", "suffix"),
        ("E00457728 (2)", "E00457728", "suffix"),
        ("E00457728_v2", "E00457728", "suffix"),
        ("E00457728 copy", "E00457728", "suffix"),
        ("E00457728 - Kopie", "E00457728", "suffix"),
        ("E00457728 - Kopie (2)", "E00457728", "suffix"),
        ("E00457728_label_2", "E00457728", "suffix"),
        ("B_10_0000123_a", "B100000123", "suffix"),
        ("MÜNCHEN-1", "münchen 1", "normalised"),
    ],
)
def test_a_name_written_otherwise_finds_its_number(stem: str, number: str, how: str) -> None:
    assert found(stem, number, "another", "999999") == (how, [number])


@pytest.mark.parametrize(
    ("stem", "number"),
    [
        ("11-2", "1-12"),
        ("112", "11-2"),
        ("12-3456", "123-456"),
        ("E00457728-2", "E004577282"),
        ("E004577282", "E00457728-2"),
        ("E00457729", "E00457728"),
        ("F00457728", "E00457728"),
        ("E0045772", "E00457728"),
        ("E00457728a", "E00457728"),
        ("IMG_1", "1"),
        ("_1", "1a"),
    ],
)
def test_what_only_looks_alike_is_not_matched(stem: str, number: str) -> None:
    assert found(stem, number) == ("none", [])


def test_the_whole_name_is_asked_before_its_suffix_is_taken_off() -> None:
    assert found("12_1", "12", "12_1") == ("exact", ["12_1"])
    assert found("12_1", "12", "12-1") == ("normalised", ["12-1"])
    assert found("12_1", "12", "13-1") == ("suffix", ["12"])


def test_exact_wins_and_two_that_fit_are_not_guessed() -> None:
    assert found("12", "12", "0012") == ("exact", ["12"])
    assert found("0012", "12", "0012") == ("exact", ["0012"])
    match = Index([Key("12", 0), Key("0012", 1)]).find("012.jpg", "012")
    assert match.how == "ambiguous"
    assert match.rows == (0, 1)
    assert match.note == "fits 2 numbers: '12', '0012'"


def test_a_number_in_two_rows_is_not_guessed_unless_the_rows_are_the_same() -> None:
    keys = [Key("12", 0), Key("12", 1)]
    match = Index(keys).find("12.jpg", "12")
    assert match.how == "ambiguous"
    assert "stands in 2 rows" in match.note
    assert Index(keys, same={1}).find("12.jpg", "12").rows == (0,)


def test_the_code_of_the_institution_may_stand_in_the_file_or_in_the_number_alone() -> None:
    assert found("E00457728", "00457728", codes=("E",)) == ("prefix", ["00457728"])
    assert found("E00457728_2", "457728", codes=("E",)) == ("prefix", ["457728"])
    assert found("00457728", "E00457728", codes=("E",)) == ("prefix", ["E00457728"])
    assert found("B_10_0000123", "100000123", codes=("B",)) == ("prefix", ["100000123"])
    assert found("00457728", "EX00457728", codes=("E",)) == ("none", [])
    assert found("K00457728", "00457728", codes=("E",)) == ("none", [])
    both = Index([Key("E00457728", 0, ("E",)), Key("K00457728", 1, ("K",))])
    assert both.find("457728.jpg", "457728").how == "ambiguous"


def test_empty_numbers_match_nothing() -> None:
    assert found("", "", " ") == ("none", [])


names = st.text(st.sampled_from("Ee019 -_.()ab"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(names, st.lists(names, max_size=6))
def test_one_rule_one_answer_whatever_the_names(stem: str, numbers: list[str]) -> None:
    match = Index([Key(n, i, ("E",)) for i, n in enumerate(numbers)]).find("file", stem)
    if match.how in ("exact", "normalised", "suffix", "prefix"):
        assert len(match.rows) == 1
        assert numbers[match.rows[0]].strip()
    else:
        assert match.how == "none" or match.note
    stripped = [n.strip() for n in numbers]
    if stem.strip() and stripped.count(stem.strip()) == 1:
        assert match.how == "exact"
        assert match.rows == (stripped.index(stem.strip()),)
    backwards = Index([Key(n, i, ("E",)) for i, n in reversed(list(enumerate(numbers)))]).find("file", stem)
    assert (backwards.how, sorted(backwards.rows)) == (match.how, sorted(match.rows))


@settings(max_examples=300, deadline=None)
@given(names)
def test_what_is_written_plainly_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(text.upper()) == plain(text) == plain(f" {text}_")
