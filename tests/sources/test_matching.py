"""Which file shows which record: the rules, one by one and all together."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasculum.sources.matching import Index, Key, bases, joined, plain


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
        ("E00457728_12", "E00457728", "suffix"),
        ("E00457728_001", "E00457728", "suffix"),
        ("E00457728_1 (1)", "E00457728", "suffix"),
        ("457728-2", "457728", "suffix"),
        ("E123-2", "E123", "suffix"),
        ("1911_1", "1911", "suffix"),
        ("1911 (2)", "1911", "suffix"),
        ("1911_b", "1911", "suffix"),
        ("12", "12.0", "normalised"),
        ("00457729_b", "457729.0", "suffix"),
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
        ("1911-12", "1911"),
        ("1911-1", "1911"),
        ("1911 12", "1911"),
        ("1911-12-3", "1911"),
        ("1911-12-3", "1911-12"),
        ("1911_12_3", "1911"),
        ("M-1911-3", "M-1911"),
        ("10-123", "10"),
        ("10_123", "10"),
        ("457728_123", "457728"),
        ("457728-12", "457728"),
        ("12²", "122"),
        ("12½", "1212"),
        ("①2", "12"),
    ],
)
def test_what_only_looks_alike_is_not_matched(stem: str, number: str) -> None:
    assert found(stem, number) == ("none", [])


def test_the_whole_name_is_asked_before_its_suffix_is_taken_off() -> None:
    assert found("12_1", "12", "12_1") == ("exact", ["12_1"])
    assert found("12_1", "12", "12-1") == ("normalised", ["12-1"])
    assert found("1234_1", "1234", "1235-1") == ("suffix", ["1234"])


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


def test_a_code_of_digits_is_not_cut_out_of_a_number() -> None:
    assert found("123", "100123", codes=("10",)) == ("none", [])
    assert found("123456", "2004123456", codes=("2004",)) == ("none", [])
    assert found("2004123456", "123456", codes=("2004",)) == ("none", [])
    assert found("123456", "B10123456", codes=("B10",)) == ("none", [])
    assert found("123", "10-123", codes=("10",)) == ("prefix", ["10-123"])
    assert found("10-123", "123", codes=("10",)) == ("prefix", ["123"])


def test_of_two_institutions_with_one_number_the_code_in_the_name_decides() -> None:
    index = Index([Key("123", 0, ("B",)), Key("123", 1, ("M",)), Key("123", 2, ("M", "Bryo", "M Bryo"))])
    assert (index.find("B_123.jpg", "B_123").how, index.find("B_123.jpg", "B_123").rows) == ("prefix", (0,))
    assert index.find("b123_2.jpg", "b123_2").rows == (0,)
    assert index.find("M-Bryo-123.jpg", "M-Bryo-123").rows == (2,)
    assert (index.find("M_123.jpg", "M_123").how, index.find("M_123.jpg", "M_123").rows) == ("ambiguous", (1, 2))
    assert index.find("123.jpg", "123").how == "ambiguous"
    assert index.find("K_123.jpg", "K_123").how == "none"


def test_numbers_with_a_decimal_part_are_not_taken_for_whole_ones() -> None:
    assert found("12", "12.0", "12.1") == ("none", [])
    assert found("12.0", "12.0") == ("exact", ["12.0"])
    assert found("12", "12", "12.0") == ("exact", ["12"])


@pytest.mark.parametrize(
    "long", ["1" + " " * 32_000 + "2345678", "- " * 100_000, "1" * 500_000, "(1" * 50_000, "a\u0301" * 9_000]
)
def test_long_numbers_cost_no_time_and_match_exactly_only(long: str) -> None:
    begin = time.monotonic()
    assert found(long, long, codes=("E",)) == ("exact", [long.strip()] if long == long.strip() else [long])
    assert found(long + "_1", long, codes=("E",)) == ("none", [])
    assert list(bases(long)) == []
    assert joined(long) is None
    assert time.monotonic() - begin < 1


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
