"""The card of a model package: what must be known to apply a network rightly, and to judge what it says.

A package is a folder with `model.onnx`, `card.json` and, for people, a README. `card.json` is one object:

    {"format": 1, "name": "stained", "version": "1.0", "description": "…",
     "input": {"size": 256, "fit": "pad", "fill": 255, "filter": "bilinear", "scale": "0-1",
               "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "layout": "NCHW", "channel_order": "RGB"},
     "output": {"kind": "classification", "labels": ["clean", "stained"], "activation": "softmax",
                "abstain_below": 0.7},
     "license": "…", "intended_use": "…", "limits": "…",
     "citation": "…", "training": {}, "metrics": {}, "more": {}}

`input.fill`, `output.abstain_below` and the last four may be left out. `output` has `columns` for regression,
`labels` and `columns` for multilabel, `length` for embedding.
Reading is strict: an unknown field, a missing one or a wrong type is one ProcessorError that names the field,
what was expected and what came. Only under `training`, `metrics` and `more` may anything stand.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from vasculum.errors import ProcessorError
from vasculum.processing.fields import MOST_ITEMS, Fields
from vasculum.processing.types import Filter, Fit

FORMAT = 1
LARGEST_CARD = 1 << 20
NOT_ASSESSED = "not_assessed"

Kind = Literal["classification", "multilabel", "regression", "embedding"]
Activation = Literal["softmax", "sigmoid", "none"]
Scale = Literal["0-1", "0-255"]
Layout = Literal["NCHW", "NHWC"]
ChannelOrder = Literal["RGB", "BGR"]


@dataclasses.dataclass(frozen=True, slots=True)
class Input:
    """How pixels become the network's input: x = (pixel [/ 255 where scale is '0-1'] − mean) / std.

    `mean` and `std` are three numbers in the order of `channel_order`, of pixels already scaled.
    """

    size: int
    fit: Fit
    fill: int
    filter: Filter
    scale: Scale
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    layout: Layout
    channel_order: ChannelOrder


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """What the network's one output, float32 `(N, numbers)`, means.

    `labels`: names of the classes, in the order of the numbers (classification, multilabel). `columns`: names
    of the results columns, one a number (regression, multilabel). `length`: of an embedding. `activation` is
    what is still to be applied to the numbers. `abstain_below`: a classification whose best score is lower is
    'not_assessed'.
    """

    kind: Kind
    activation: Activation
    labels: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    length: int | None = None
    abstain_below: float | None = None

    @property
    def numbers(self) -> int:
        """How many numbers the network gives for an image."""
        if self.kind == "embedding":
            return self.length or 0
        if self.kind == "classification":
            return 1 if self.activation == "sigmoid" else len(self.labels)
        return len(self.columns)


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """A whole card. Texts are for people; `input` and `output` decide what comes out."""

    name: str
    version: str
    description: str
    input: Input
    output: Output
    license: str
    intended_use: str
    limits: str
    citation: str
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    more: Mapping[str, Any]
    format: int = FORMAT


def read_card(path: Path) -> Card:
    """Return the card in the file `path`.

    Raises ProcessorError: one line that names the file, the field, what was expected and what came.
    """
    where = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_CARD + 1)
    except OSError as error:
        raise ProcessorError(f"{where}: cannot be read ({error.strerror}). A model package needs it.") from error
    if len(raw) > LARGEST_CARD:
        raise ProcessorError(f"{where}: larger than {LARGEST_CARD} bytes. Keep data out of the card.")
    try:
        value = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise ProcessorError(f"{where}: no JSON ({_one_line(error)}). Write one JSON object.") from error
    return card_from(value, where)


def card_from(value: object, where: str = "card") -> Card:
    """Return the card that `value`, parsed JSON, holds. Raises ProcessorError as `read_card`."""
    fields = Fields(value, where, "")
    format_ = fields.whole("format", 1, 2**31)
    if format_ != FORMAT:
        raise ProcessorError(f"{where}: format is {format_}; this vasculum reads {FORMAT}. Use a newer one.")
    card = Card(
        name=fields.column("name", fields.take("name")),
        version=fields.text("version"),
        description=fields.text("description"),
        input=_input(Fields(fields.take("input"), where, "input.")),
        output=_output(Fields(fields.take("output"), where, "output.")),
        license=fields.text("license"),
        intended_use=fields.text("intended_use"),
        limits=fields.text("limits"),
        citation=fields.text("citation", ""),
        training=fields.anything("training"),
        metrics=fields.anything("metrics"),
        more=fields.anything("more"),
    )
    fields.finish()
    return card


def _input(fields: Fields) -> Input:
    made = Input(
        size=fields.whole("size", 8, 4096),
        fit=fields.one_of("fit", get_args(Fit)),
        fill=fields.whole("fill", 0, 255, 255),
        filter=fields.one_of("filter", get_args(Filter)),
        scale=fields.one_of("scale", get_args(Scale)),
        mean=fields.three("mean", above=-math.inf),
        std=fields.three("std", above=0.0),
        layout=fields.one_of("layout", get_args(Layout)),
        channel_order=fields.one_of("channel_order", get_args(ChannelOrder)),
    )
    fields.finish()
    return made


_ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "classification": get_args(Activation),
    "multilabel": ("sigmoid", "none"),
    "regression": ("none",),
    "embedding": ("none",),
}


def _output(fields: Fields) -> Output:
    kind: Kind = fields.one_of("kind", get_args(Kind))
    activation: Activation = fields.one_of("activation", _ACTIVATIONS[kind], of=f" for {kind}")
    labels = fields.texts("labels") if kind in ("classification", "multilabel") else ()
    columns: tuple[str, ...] = ()
    if kind in ("multilabel", "regression"):
        columns = tuple(fields.column("columns", name) for name in fields.texts("columns"))
    length = fields.whole("length", 1, MOST_ITEMS) if kind == "embedding" else None
    abstain_below = fields.share("abstain_below") if kind == "classification" else None
    fields.finish(of=f" for {kind}")
    if kind == "classification" and (len(labels) < 2 or NOT_ASSESSED in labels):
        fields.fail("labels", f"2 or more, none of them {NOT_ASSESSED!r}", list(labels))
    if kind == "classification" and activation == "sigmoid" and len(labels) != 2:
        fields.fail("labels", "2 for activation 'sigmoid' (one number: the score of the second)", list(labels))
    if kind == "multilabel" and len(columns) != len(labels):
        fields.fail("columns", f"one for each of the {len(labels)} labels", list(columns))
    if kind == "multilabel" and any(f"{column}_score" in columns for column in columns):
        fields.fail("columns", "none that is another with '_score' behind it", list(columns))
    return Output(kind, activation, labels, columns, length, abstain_below)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"field {next(name for name in names if names.count(name) > 1)[:60]!r} comes twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
