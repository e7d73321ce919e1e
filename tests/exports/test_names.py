"""Names of files that every system takes."""

from __future__ import annotations

import unicodedata
from pathlib import PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vasculum.exports.names import MOST_BYTES, NAMELESS, Names, safe_name

texts = st.one_of(
    st.text(max_size=200),
    st.text(st.sampled_from('aA.b_ :/\\?*"<>|\x00é\u0301ßſKkıIi²³1'), max_size=12),
    st.sampled_from(["CON", "con", "con.txt", "NUL .a", "COM1", "LPT³.x", "..", ".", "", " ", "a. .", "x" * 400]),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("00457728", "00457728"), ("Quercus robur L.", "Quercus robur L"), ("US:Botany/0042", "US_Botany_0042"),
        ("con", "con_"), ("NUL.tar.gz", "NUL_.tar.gz"), ("..", NAMELESS), (".hidden", "_hidden"), ("__init__", "_init__"),
        ("", NAMELESS), (None, NAMELESS), ("a\u202eb\n", "a_b_"), ("Myrcia e\u0301", "Myrcia \xe9"), ("../../etc/passwd", "_._.._etc_passwd"),
        ("test", "Test"), ("my val_3", "my Val_3"), ("a testudo", "a testudo"), ("evaluated", "evaluated"),
    ],
)  # fmt: skip
def test_a_name_stays_readable(text: str | None, name: str) -> None:
    assert safe_name(text) == name


@settings(max_examples=400, deadline=None)
@given(st.lists(texts, max_size=12))
@example(["Abies", "ABIES", "abies_2", "Abies"])
@example(["x" * 400, "x" * 401, "X" * 500])
def test_names_are_safe_and_differ_when_case_is_ignored(given_texts: list[str]) -> None:
    for dots in (True, False):
        names = Names(dots=dots)
        found = [names.take(text) for text in given_texts]
        for fold in (str.casefold, str.lower, str.upper):
            for form in ("NFC", "NFD", "NFKC"):
                assert len({unicodedata.normalize(form, fold(name)) for name in found}) == len(found)  # type: ignore[arg-type]
        for name in found:
            for whole in (name, name + ".jpg"):
                assert PureWindowsPath(whole).name == whole
                assert not PureWindowsPath(whole).is_reserved()
            assert 0 < len(name.encode()) <= MOST_BYTES
            assert name == unicodedata.normalize("NFC", name)
            assert name[-1] not in ". "
            assert name[0] not in ". "
            assert dots or "." not in name


def test_a_hundred_thousand_equal_names_take_no_time() -> None:
    names = Names()
    found = [names.take("0042") for _ in range(100_000)]
    assert found[0] == "0042"
    assert found[-1] == "0042_100000"
    assert len(set(found)) == 100_000
