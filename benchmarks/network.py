"""A small convolutional network as a model package: 0.3 GFLOP an image at 256 pixels, weights by chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

SIZE = 256


def make(folder: Path) -> Path | None:
    """Write the package and return its folder; None where the `onnx` package (only needed to make it) is missing."""
    try:
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return None
    random = np.random.default_rng(0)
    weights: dict[str, Any] = {
        "w1": random.normal(0, 0.1, (24, 3, 5, 5)), "b1": np.zeros(24),
        "w2": random.normal(0, 0.05, (48, 24, 5, 5)), "b2": np.zeros(48),
        "w3": random.normal(0, 0.3, (48, 2)), "b3": np.zeros(2),
    }  # fmt: skip
    wide = {"kernel_shape": [5, 5], "strides": [2, 2], "pads": [2, 2, 2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], **wide),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], **wide),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "card.json").write_text(json.dumps(CARD))
    return folder


CARD = {
    "format": 1,
    "name": "small_network",
    "version": "1.0",
    "description": "A network of the benchmarks: its weights are chance, its answers mean nothing.",
    "input": {
        "size": SIZE, "fit": "pad", "filter": "bilinear", "scale": "0-1", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
        "layout": "NCHW", "channel_order": "RGB",
    },
    "output": {"kind": "classification", "labels": ["one", "other"], "activation": "softmax"},
    "license": "CC0-1.0",
    "intended_use": "measuring time",
    "limits": "it has learned nothing",
}  # fmt: skip
