"""Ten processors of strangers and a model, in folders of their own, with nothing installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sheets import ROOT, make_corpus, run_command
from vasculum import Corpus, Study
from vasculum.outcomes import Status
from vasculum.study.apply import apply

STRANGERS = ROOT / "tests" / "strangers"
TEN = [
    "mean_color", "pure_python", "nearest_color", "file_facts", "tiled", "uses_another", "outline", "prints_a_lot",
    "neighbours",
]  # fmt: skip


def write_model(folder: Path) -> Path:
    """A network that says how light a picture is: two scores from the mean of its pixels."""
    folder.mkdir()
    weights = numpy_helper.from_array(np.array([[1, -1], [1, -1], [1, -1]], np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["p"]),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("MatMul", ["f", "w"], ["y"]),
        ],
        "light",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    card = {
        "format": 1,
        "name": "lightness",
        "version": "1",
        "description": "Says whether a picture is light.",
        "input": {
            "size": 64, "fit": "pad", "filter": "bilinear", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
            "scale": "0-1", "layout": "NCHW", "channel_order": "RGB",
        },
        "output": {"kind": "classification", "labels": ["light", "dark"], "activation": "softmax"},
        "license": "CC0-1.0",
        "intended_use": "tests",
        "limits": "knows nothing of plants",
        "citation": "none",
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_ten_processors_and_a_model_of_strangers_run_from_a_strangers_folder(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    model = write_model(tmp_path / "model")
    specs = [str(STRANGERS / f"{name}.py") for name in TEN] + [f"faint={STRANGERS / 'outline.py'}:outline(gain=1.5)"]
    (elsewhere := tmp_path / "elsewhere").mkdir()
    done = run_command("apply", "../corpus", *specs, model, "--out", "study", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert "neighbours gives other numbers for an image among others than alone" in done.stderr
    results = Study.open(elsewhere / "study").results.to_pylist()
    assert len(results) == 12
    assert {row["status"] for row in results} == {"ok"}
    row = results[0]
    assert row["nearest_color_name"] in ("green", "paper", "black")
    assert len(row["nearest_color_distances"]) == 3
    assert row["file_facts_first"][:2] == [255, 216]
    assert row["tiled_tiles"] == len(row["tiled_means"]) > 1
    assert row["uses_another_greener"] is (row["mean_color_green"] > row["mean_color_red"])
    assert row["outline_edges"] != row["faint_edges"]
    assert row["neighbours_rank"] == 0
    assert row["lightness_label"] in ("light", "dark")
    assert sorted(p.name for p in elsewhere.iterdir()) == ["study"]
    again = run_command("apply", "../corpus", *specs, model, "--out", "study", cwd=elsewhere)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("raises", Status.PROCESSOR_ERROR, "ValueError: no such plant"),
        ("nan", Status.BAD_OUTPUT, "nan, where a finite number was promised"),
        ("wrong_count", Status.BAD_OUTPUT, "expected 1 values"),
        pytest.param("hangs", Status.TIMED_OUT, "took longer than 1.5 s", marks=pytest.mark.slow),
        pytest.param("segfaults", Status.KILLED, "SIGSEGV", marks=pytest.mark.slow),
        pytest.param("exits", Status.KILLED, "ended by itself", marks=pytest.mark.slow),
    ],
)
def test_a_processor_that_goes_wrong_costs_its_own_rows_only(
    tmp_path: Path, name: str, status: Status, words: str
) -> None:
    corpus = make_corpus(tmp_path, 32)
    spec = f"{STRANGERS / 'troubles.py'}:{name}"
    good = str(STRANGERS / "mean_color.py")
    study = corpus.apply(spec, good, out=tmp_path / "study")
    unlucky = 0
    for row in study.results.to_pylist():
        bad = int(row["media_id"], 16) % 6 == 0
        unlucky += bad
        assert row["status"] == (status if bad else "ok")
        assert row[f"{name}_status"] == row["status"]
        assert row["mean_color_status"] == "ok"
        assert row["mean_color_green"] is not None
        assert (row[f"{name}_value"] is None) is bad
        if bad:
            assert words in row["detail"]
    assert 0 < unlucky < 32


@pytest.mark.slow
def test_a_processor_that_needs_too_much_memory_is_killed_and_its_neighbours_are_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus(tmp_path, 14)
    monkeypatch.setattr("vasculum.resources.memory_per_worker", lambda workers: 1_500_000_000)
    study = corpus.apply(f"{STRANGERS / 'troubles.py'}:allocates", out=tmp_path / "study")
    found = {row["media_id"]: row for row in study.results.to_pylist()}
    bad = {media_id for media_id in found if int(media_id, 16) % 6 == 0}
    assert bad
    for media_id, row in found.items():
        assert row["status"] == ("killed" if media_id in bad else "ok"), row["detail"]
        if media_id in bad:
            assert "needed more than 1.5 GB of memory" in row["detail"]


def test_retrying_a_status_redoes_just_those_rows(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 24)
    code = tmp_path / "flaky.py"
    code.write_text(
        "from pathlib import Path\n"
        "from vasculum import Pixels, processor\n"
        "here = Path(__file__).parent\n"
        "@processor(Pixels(8), gives={'value': float})\n"
        "def flaky(pixels, media_id):\n"
        "    with (here / 'log.txt').open('a') as log: log.write(' '.join(media_id) + '\\n')\n"
        "    if not (here / 'mended').exists() and any(int(m, 16) % 3 == 0 for m in media_id): raise OSError('not now')\n"
        "    return {'value': pixels.mean((1, 2, 3))}\n"
    )
    study = corpus.apply(code, out=tmp_path / "study")
    failed = {row["media_id"] for row in study.results.to_pylist() if row["status"] == "processor_error"}
    assert failed
    assert failed == {m for m in study.results["media_id"].to_pylist() if int(m, 16) % 3 == 0}
    (tmp_path / "mended").touch()
    (tmp_path / "log.txt").unlink()
    assert corpus.apply(code, out=tmp_path / "study").counts()["processor_error"] == len(failed)
    assert not (tmp_path / "log.txt").exists()
    assert corpus.apply(code, out=tmp_path / "study", retry=["processor_error"]).counts() == {"ok": 24}
    assert set((tmp_path / "log.txt").read_text().split()) == failed


def test_a_mismatch_is_told_before_anything_runs(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    (tmp_path / "wrong.py").write_text(
        "from vasculum import Pixels, processor\n"
        "@processor(Pixels(8), gives={'value': float})\n"
        "def wrong(pixels):\n"
        "    return {'value': pixels.mean((1, 2))}\n"
        "@processor(Pixels(8), gives={'value': int})\n"
        "def real(pixels):\n"
        "    return {'value': pixels.mean((1, 2, 3))}\n"
        "@processor(Pixels(8), gives={'value': float, 'other': str})\n"
        "def missing(pixels):\n"
        "    return {'value': pixels.mean((1, 2, 3)), 'othr': 'x'}\n"
    )
    for name, words in (
        ("wrong", "expected 1 values (shape (1,)), got shape (1, 3)"),
        ("real", "expected Integer values, got an array of float64"),
        ("missing", "column 'other' is missing; column 'othr' was not promised (did you mean other?)"),
    ):
        done = run_command("apply", tmp_path / "corpus", f"{tmp_path / 'wrong.py'}:{name}", "--out", tmp_path / name)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.strip().split("\n")) == 1


def test_two_workers_and_one_give_equal_results(tmp_path: Path) -> None:
    from vasculum.engines.local import LocalEngine

    corpus = make_corpus(tmp_path, 40)
    specs = ["thumbnail", "quality", str(STRANGERS / "neighbours.py"), str(write_model(tmp_path / "model"))]
    one = corpus.apply(*specs, out=tmp_path / "one", engine=LocalEngine(1)).results
    two = corpus.apply(*specs, out=tmp_path / "two", engine=LocalEngine(2)).results
    assert one.equals(two)


def test_a_guard_that_is_stopped_leaves_no_child(corpus: Corpus, tmp_path: Path) -> None:
    import psutil

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    apply(corpus.all(), ["thumbnail"], out=tmp_path / "study")
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
