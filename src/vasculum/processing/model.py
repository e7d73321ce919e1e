"""`Model`: a processor that is data, a folder with a network and its card. No code is loaded from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasculum.errors import ProcessorError
from vasculum.processing.card import LARGEST_CARD, NOT_ASSESSED, Card, Input, Output, read_card
from vasculum.processing.contract import processor
from vasculum.processing.onnx import Network, check_structure, checked_file
from vasculum.processing.types import Boolean, Float, Gives, Pixels, Text, Vector

CARD = "card.json"
NETWORK = "model.onnx"
PRESENT_FROM = 0.5


class Model:
    """A model package (see card.py) as a processor; columns by the card's kind of output:

    - classification: `label` (Text: the label of the best score; the first of equals; 'not_assessed' where
      that score is under the card's `abstain_below`), `score` (Float: the best score, also where not
      assessed; of two classes therefore never under 0.5 where scores sum to 1), `scores` (Vector: one a
      label, in the card's order; for the score of one given class, such as the second of two, read it here);
    - multilabel: of each column `<column>` (Boolean: score at least 0.5) and `<column>_score` (Float);
    - regression: each column (Float), in the network's own unit;
    - embedding: `embedding` (Vector).

    Scores are what the network and the card's activation give: claims, not chances, unless it was calibrated.
    The card is read at once; the network in `open()`. Raises ProcessorError for a package that does not hold.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = str(folder)
        self.card = read_package_card(Path(folder))
        self._network: Network | None = None
        taken = self.card.input
        wants = Pixels(taken.size, taken.fit, taken.fill, taken.filter)
        processor(wants, gives=gives_of(self.card.output), name=self.card.name)(self)

    def __repr__(self) -> str:
        return f"Model({self.folder!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_network": None}

    def open(self) -> Network:
        """Load the network and return it. Raises ProcessorError where it does not fit its card."""
        taken, given = self.card.input, self.card.output
        self._network = Network(Path(self.folder) / NETWORK, taken.size, taken.layout, given.numbers)
        return self._network

    def close(self) -> None:
        """Let go of the network."""
        self._network = None

    def __call__(self, pixels: NDArray[np.uint8]) -> dict[str, Any]:
        """Return the columns for uint8 `(N, size, size, 3)`."""
        network = self._network or self.open()
        numbers = network.run(normalised(pixels, self.card.input))
        return columns_of(numbers.astype(np.float64), self.card.output)


def read_package_card(folder: Path) -> Card:
    """Return the card of the package `folder`. Raises ProcessorError where there is none that holds."""
    if not folder.is_dir():
        raise ProcessorError(f"{folder}: no such folder. A model package is a folder with {CARD} and {NETWORK}.")
    return read_card(checked_file(folder / CARD, LARGEST_CARD))


def model_hash(folder: str | Path) -> str:
    """Return 64 hex digits that change exactly when the package's results may: its network, input or output.

    sha256 over the card's format, input and output and the bytes of model.onnx; not over texts, name or
    version. Raises ProcessorError for a package that does not hold.
    """
    card = read_package_card(Path(folder))
    check_structure(Path(folder) / NETWORK)
    meant = {
        "format": card.format,
        "input": dataclasses.asdict(card.input),
        "output": dataclasses.asdict(card.output),
    }
    with (Path(folder) / NETWORK).open("rb") as stream:
        network = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(json.dumps([meant, network], sort_keys=True).encode()).hexdigest()


def gives_of(output: Output) -> dict[str, Gives]:
    """Return the columns that a model with this output gives, with their types."""
    if output.kind == "classification":
        return {
            "label": Text(meaning="what the network takes it for"),
            "score": Float(meaning="the network's score for that label; a claim, not a fact"),
            "scores": Vector(len(output.labels), meaning=f"its scores for {', '.join(output.labels)}"[:300]),
        }
    if output.kind == "multilabel":
        return {
            name: kind
            for column in output.columns
            for name, kind in ((column, Boolean()), (f"{column}_score", Float()))
        }
    if output.kind == "regression":
        return {column: Float() for column in output.columns}
    return {"embedding": Vector(output.numbers)}


def normalised(pixels: NDArray[np.uint8], taken: Input) -> NDArray[np.float32]:
    """Return the network's input, float32 in the layout of `taken`, of uint8 RGB `(N, size, size, 3)`."""
    channels = pixels[..., ::-1] if taken.channel_order == "BGR" else pixels
    divisor = 255.0 if taken.scale == "0-1" else 1.0
    # Of each channel's 256 values at once: what is looked up has been computed in float64 and rounded once.
    values = np.arange(256)[:, None] / divisor
    table = ((values - np.array(taken.mean)) / np.array(taken.std)).astype(np.float32)
    n, height, width, _ = pixels.shape
    first = taken.layout == "NCHW"
    made = np.empty((n, 3, height, width) if first else (n, height, width, 3), dtype=np.float32)
    for channel in range(3):
        plane = made[:, channel] if first else made[..., channel]
        plane[...] = table[:, channel][channels[..., channel]]
    return made


def columns_of(numbers: NDArray[np.float64], output: Output) -> dict[str, Any]:
    """Return the columns for the network's numbers, float64 `(N, numbers)`, still without activation."""
    if output.kind == "embedding":
        return {"embedding": numbers.astype(np.float32)}
    if output.kind == "regression":
        return {column: numbers[:, place] for place, column in enumerate(output.columns)}
    with np.errstate(over="ignore", invalid="ignore"):
        scores = _activated(numbers, output)
    if output.kind == "multilabel":
        columns: dict[str, Any] = {}
        for place, column in enumerate(output.columns):
            columns[column] = scores[:, place] >= PRESENT_FROM
            columns[f"{column}_score"] = scores[:, place]
        return columns
    best = scores.argmax(axis=1)
    score = scores[np.arange(len(scores)), best]
    least = 0.0 if output.abstain_below is None else output.abstain_below
    labels = [NOT_ASSESSED if s < least else output.labels[b] for b, s in zip(best, score, strict=True)]
    return {"label": labels, "score": score, "scores": scores.astype(np.float32)}


def _activated(numbers: NDArray[np.float64], output: Output) -> NDArray[np.float64]:
    if output.activation == "softmax":
        raised = np.exp(numbers - numbers.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))
    if output.activation == "sigmoid":
        share = 1 / (1 + np.exp(-numbers))
        return np.hstack([1 - share, share]) if output.kind == "classification" else np.asarray(share)
    return numbers
