"""Fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheets import make_corpus
from vasculum import Corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Twelve sheets, collected and fetched."""
    return make_corpus(tmp_path)
