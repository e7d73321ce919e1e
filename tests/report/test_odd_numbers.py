"""Numbers that are all alike, enormous or tiny must not keep a report from being written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sheets import make_corpus
from vasculum.report.report import write_report

VALUES = {
    "all_alike": ["0.0"],
    "enormous": ["1.7e308", "-1.7e308", "0.0"],
    "tiny": ["5e-324", "1e-323", "0.0"],
    "close_together": ["1.0", "1.0000000000000002"],
    "large_and_alike": ["1e300"],
    "one_apart": ["0.0"] * 5 + ["1e12"],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_report_is_written_for_any_finite_numbers(tmp_path: Path, name: str) -> None:
    corpus = make_corpus(tmp_path, 24, size=(24, 24))
    (tmp_path / "odd.py").write_text(
        "from vasculum import Pixels, Integer, processor\n"
        f"values = [{', '.join(VALUES[name])}]\n"
        "@processor(Pixels(8), gives={'value': float, 'whole': Integer()})\n"
        "def odd(pixels, media_id):\n"
        "    chosen = [values[int(m, 16) % len(values)] for m in media_id]\n"
        "    return {'value': chosen, 'whole': [int(min(max(v, -2**62), 2**62)) for v in chosen]}\n"
    )
    study = corpus.apply(tmp_path / "odd.py", out=tmp_path / "study")
    assert study.counts() == {"ok": 24}
    page = write_report(study, tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"\b(nan|inf)\b", page, re.IGNORECASE)
