"""The studies that the tests of reports report on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stored_study import Make, stored_study

from vasculum.processing.types import Gives
from vasculum.study.study import Study


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a study: `make(columns, manifest, results, …)`."""

    def made(columns: Mapping[str, Gives], manifest: Any, results: Any, **more: Any) -> Study:
        name = more.pop("name", "study")
        return stored_study(tmp_path / f"{name}-corpus", tmp_path / name, columns, manifest, results, **more)

    return made
