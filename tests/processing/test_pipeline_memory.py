"""A batch is bounded in bytes: images are held for those that want them, and no longer."""

from pathlib import Path
from typing import Any

import pytest

from sheets import make_corpus
from vasculum.pixels.policy import DecodePolicy
from vasculum.processing import pipeline
from vasculum.processing.items import Item, Setup
from vasculum.processing.load import refer

COUNTS = """
from vasculum import Bytes, Pixels, processor

@processor(Bytes(), gives={"together": int})
def encoded(images):
    return {"together": [len(images)] * len(images)}

@processor(Pixels(16), gives={"together": int})
def fitted(pixels):
    return {"together": [len(pixels)] * len(pixels)}
"""


def together(folder: Path, name: str) -> list[int]:
    """How many images came at once, for each of twelve."""
    corpus = make_corpus(folder, 12)
    (folder / "counts.py").write_text(COUNTS)
    items = [
        Item(row["media_id"], str(corpus.folder.file(row["shard"])), None, row["sha256"], row["image_key"])
        for row in corpus.images().to_pylist()
    ]
    setup = Setup((refer(f"{folder / 'counts.py'}:{name}"),), DecodePolicy(), frozenset(), ())
    told: Any = lambda message: None  # noqa: E731
    outcomes = [one for batch in pipeline.Pipeline(setup, told).run(items) for one in batch]
    assert len(outcomes) == 12
    return [one.columns[f"{name}_together"] for one in outcomes]


def test_large_encoded_images_come_in_smaller_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert together(tmp_path / "roomy", "encoded") == [12] * 12
    monkeypatch.setattr(pipeline, "BATCH_BYTES", 1)
    assert together(tmp_path / "tight", "encoded") == [1] * 12


def test_encoded_bytes_do_not_count_where_only_pixels_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pipeline, "BATCH_BYTES", 12 * 16 * 16 * 3
    )  # twelve fitted pictures; the files are five times as large
    assert together(tmp_path, "fitted") == [12] * 12
