"""The study that the tests of reports report on: switch it here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stored_study import Make, StoredStudy

from vasculum.processing.types import Gives


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a study: `make(columns, manifest, results, …)`."""

    def made(columns: Mapping[str, Gives], manifest: Any, results: Any, **more: Any) -> StoredStudy:
        return StoredStudy(tmp_path / more.pop("name", "study"), columns, manifest, results, **more)

    return made
