"""Model packages: made here with onnx.helper, read and run as a stranger's."""

import json
import os
import pickle

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vasculum.errors import ProcessorError
from vasculum.processing.contract import declaration_of, given_by_name
from vasculum.processing.model import Model, model_hash
from vasculum.processing.types import Boolean, Float, Pixels, Text, Vector

SIZE = 16
RNG = np.random.default_rng(5)


def card(output, **changes):
    fields = {
        "format": 1,
        "name": "redness",
        "version": "1.0",
        "description": "Tells red from blue by the mean colour.",
        "input": {
            "size": SIZE,
            "fit": "pad",
            "filter": "bilinear",
            "scale": "0-1",
            "mean": [0.5, 0.25, 0.0],
            "std": [0.5, 0.25, 2.0],
            "layout": "NCHW",
            "channel_order": "RGB",
        },
        "output": output,
        "license": "CC0-1.0",
        "intended_use": "tests",
        "limits": "no plant was seen",
    }
    return fields | changes


TWO = {"kind": "classification", "labels": ["blue", "red"], "activation": "softmax"}


def network(weights, bias=None, layout="NCHW", batch="N", size=SIZE, nodes_after=(), opsets=(), dims=4):
    """A linear layer on the mean of each channel: weights (3, K)."""
    weights = np.asarray(weights, np.float32)
    bias = np.zeros(weights.shape[1], np.float32) if bias is None else np.asarray(bias, np.float32)
    shape = [batch, 3, size, size] if layout == "NCHW" else [batch, size, size, 3]
    axes = np.array([2, 3] if layout == "NCHW" else [1, 2], np.int64)
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
        helper.make_node("Gemm", ["mean", "w", "b"], ["y"]),
        *nodes_after,
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape[:dims])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, weights.shape[1]])],
        [numpy_helper.from_array(a, n) for a, n in ((weights, "w"), (bias, "b"), (axes, "axes"))],
    )
    imports = [helper.make_opsetid("", 18), *opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=9)


@pytest.fixture
def package(tmp_path):
    def make(fields, model):
        folder = tmp_path / "package"
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(json.dumps(fields), encoding="utf-8")
        (folder / "model.onnx").write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return folder

    return make


def pictures(n=5):
    return RNG.integers(0, 256, (n, SIZE, SIZE, 3), dtype=np.uint8)


def normal_means(pixels):
    return ((pixels / 255 - [0.5, 0.25, 0.0]) / [0.5, 0.25, 2.0]).mean(axis=(1, 2))


def softmax(logits):
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


WEIGHTS = np.array([[-3.0, 3.0], [0.5, -0.5], [4.0, -4.0]])


def test_a_classifier_gives_label_score_and_scores(package):
    model = Model(package(card(TWO), network(WEIGHTS)))
    pixels = pictures()
    pixels[0] = [255, 0, 0]
    pixels[1] = [0, 0, 255]
    given = model(pixels)
    expected = softmax(normal_means(pixels) @ WEIGHTS)
    assert given["label"][:2] == ["red", "blue"]
    assert given["scores"].dtype == np.float32
    np.testing.assert_allclose(given["scores"], expected, atol=1e-5)
    np.testing.assert_allclose(given["score"], expected.max(axis=1), atol=1e-5)


def test_the_declaration_comes_from_the_card(package):
    model = Model(package(card(TWO), network(WEIGHTS)))
    declared = declaration_of(model)
    assert declared.name == "redness"
    assert declared.wants == Pixels(SIZE, "pad", 255, "bilinear")
    assert {column: type(kind) for column, kind in declared.gives.items()} == {
        "label": Text, "score": Float, "scores": Vector
    }  # fmt: skip
    assert declared.gives["scores"].length == 2
    assert declaration_of(Model) is None
    assert given_by_name(model) == ((), {})


def test_an_unsure_classifier_abstains_and_still_tells_its_score(package):
    model = Model(package(card(TWO | {"abstain_below": 0.9}), network(WEIGHTS)))
    pixels = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    pixels[0] = [255, 0, 0]
    pixels[1] = [128, 64, 0]
    given = model(pixels)
    assert given["label"] == ["red", "not_assessed"]
    assert given["score"][1] == pytest.approx(0.5, abs=0.01)


def test_one_number_with_sigmoid_is_the_score_of_the_second_label(package):
    output = {"kind": "classification", "labels": ["clean", "stained"], "activation": "sigmoid"}
    model = Model(package(card(output), network([[2.0], [0.0], [0.0]])))
    pixels = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    pixels[0, ..., 0] = 255
    given = model(pixels)
    assert given["label"] == ["stained", "clean"]
    np.testing.assert_allclose(given["scores"][0], [1 - 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-2))], atol=1e-6)
    assert given["score"].min() >= 0.5


def test_probabilities_of_the_network_itself_are_left_as_they_are(package):
    output = {"kind": "classification", "labels": ["a", "b"], "activation": "none"}
    model = Model(package(card(output), network(np.zeros((3, 2)), [0.25, 0.75])))
    given = model(pictures(1))
    assert given["scores"].tolist() == [[0.25, 0.75]]
    assert given["label"] == ["b"]


def test_regression_multilabel_and_embedding_give_their_columns(package):
    pixels = pictures(3)
    means = normal_means(pixels)
    weights = RNG.normal(size=(3, 2))

    regression = {"kind": "regression", "activation": "none", "columns": ["area", "length_mm"]}
    model = Model(package(card(regression), network(weights)))
    assert declaration_of(model).gives == {"area": Float(), "length_mm": Float()}
    np.testing.assert_allclose(model(pixels)["length_mm"], (means @ weights)[:, 1], atol=1e-5)

    multilabel = {
        "kind": "multilabel",
        "activation": "sigmoid",
        "labels": ["Flower", "Fruit"],
        "columns": ["flower", "fruit"],
    }
    model = Model(package(card(multilabel), network(weights)))
    assert declaration_of(model).gives["fruit"] == Boolean()
    given = model(pixels)
    scores = 1 / (1 + np.exp(-(means @ weights)))
    np.testing.assert_allclose(given["flower_score"], scores[:, 0], atol=1e-5)
    assert given["fruit"].tolist() == (scores[:, 1] >= 0.5).tolist()

    embedding = {"kind": "embedding", "activation": "none", "length": 2}
    model = Model(package(card(embedding), network(weights)))
    assert declaration_of(model).gives == {"embedding": Vector(2)}
    np.testing.assert_allclose(model(pixels)["embedding"], means @ weights, atol=1e-5)


def test_channel_order_layout_and_scale_are_kept(package):
    fields = card({"kind": "regression", "activation": "none", "columns": ["first", "second", "third"]})
    fields["input"] |= {
        "layout": "NHWC",
        "channel_order": "BGR",
        "scale": "0-255",
        "mean": [103.5, 116.25, 123.75],
        "std": [1, 2, 4],
    }
    model = Model(package(fields, network(np.eye(3), layout="NHWC")))
    pixels = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    pixels[...] = [200, 150, 100]
    given = model(pixels)
    assert given["first"][0] == pytest.approx(100 - 103.5)
    assert given["second"][0] == pytest.approx((150 - 116.25) / 2)
    assert given["third"][0] == pytest.approx((200 - 123.75) / 4)


@pytest.mark.parametrize("batch", ["N", 1, 4])
def test_an_image_alone_gives_the_same_bits_as_in_a_batch(package, batch):
    weights = RNG.normal(size=(3, 37))
    output = {"kind": "classification", "activation": "softmax", "labels": [f"l{i}" for i in range(37)]}
    model = Model(package(card(output), network(weights, batch=batch)))
    pixels = pictures(32)
    together = model(pixels)
    for place in range(32):
        alone = model(pixels[place : place + 1])
        assert alone["scores"].tobytes() == together["scores"][place : place + 1].tobytes()
        assert alone["score"][0] == together["score"][place]
    assert model(pixels[:0])["label"] == []


def test_a_model_travels_in_a_pickle_without_its_session(package):
    model = Model(package(card(TWO), network(WEIGHTS)))
    pixels = pictures(2)
    before = model(pixels)
    again = pickle.loads(pickle.dumps(model))
    assert declaration_of(again) == declaration_of(model)
    again.open()
    assert again(pixels)["label"] == before["label"]
    again.close()


def test_the_hash_follows_what_decides_results_and_nothing_else(package):
    model = network(WEIGHTS)
    first = model_hash(package(card(TWO), model))
    assert model_hash(package(card(TWO, description="other words", metrics={"accuracy": 1}), model)) == first
    assert model_hash(package(card(TWO | {"abstain_below": 0.6}), model)) != first
    assert model_hash(package(card(TWO | {"labels": ["red", "blue"]}), model)) != first
    assert model_hash(package(card(TWO), network(WEIGHTS + 1e-3))) != first
    assert len(first) == 64


def changed(path, value):
    fields = card(dict(TWO))
    where = fields
    for name in path[:-1]:
        where = where[name]
    if value is KeyError:
        del where[path[-1]]
    else:
        where[path[-1]] = value
    return fields


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["name"], KeyError, "field name is missing"),
        (["name"], "Red Ness", "field name is 'Red Ness'; expected lower-case"),
        (["format"], 2, "format is 2; this vasculum reads 1"),
        (["licence"], "CC0", "field licence is unknown (did you mean license?)"),
        (["license"], "", "field license is ''; expected a text"),
        (["input"], [], "input is []; expected a JSON object"),
        (["input", "size"], "256", "field input.size is '256'; expected a whole number from 8 to 4096"),
        (["input", "size"], 10**30, "field input.size is"),
        (["input", "fit"], "letterbox", "expected 'pad' or 'crop' or 'squash'"),
        (["input", "mean"], [0.5, 0.5], "field input.mean is [0.5, 0.5]; expected three numbers"),
        (["input", "std"], [0.5, 0, 1], "three numbers above 0"),
        (["input", "mean"], [True, 0, 1], "field input.mean"),
        (["input", "colour"], 1, "field input.colour is unknown"),
        (["output", "labels"], ["red"], "field output.labels is ['red']; expected 2 or more"),
        (["output", "labels"], ["red", "red"], "texts that all differ"),
        (["output", "labels"], ["red", "not_assessed"], "none of them 'not_assessed'"),
        (["output", "activation"], "relu", "field output.activation is 'relu'"),
        (
            ["output", "abstain_below"],
            1.5,
            "field output.abstain_below is 1.5; expected a number from 0 to 1",
        ),
        (["output", "columns"], ["a"], "field output.columns is unknown for classification"),
        (["training"], "much", "field training is 'much'; expected a JSON object"),
        (["description"], "\ud800", "no JSON"),
    ],
)
def test_a_wrong_card_is_refused_by_one_line_that_names_the_field(package, path, value, said):
    folder = package(changed(path, value), b"")
    with pytest.raises(ProcessorError) as refusal:
        Model(folder)
    text = str(refusal.value)
    assert said in text
    assert "card.json" in text
    assert "\n" not in text
    assert len(text) < 500


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[1, 2",
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"[" * 100_000,
        b"9" * 10_000,
        b" " * 2**21,
    ],
)
def test_a_card_that_is_no_card_is_refused(tmp_path, raw):
    (tmp_path / "card.json").write_bytes(raw)
    with pytest.raises(ProcessorError, match=r"card\.json"):
        Model(tmp_path)


def refusal_of(folder):
    model = Model(folder)
    with pytest.raises(ProcessorError) as refusal:
        model.open()
    text = str(refusal.value)
    assert "\n" not in text
    assert "model.onnx" in text
    return text


def test_weights_in_another_file_are_refused_wherever_they_hide(package, tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(WEIGHTS.astype(np.float32).tobytes())
    for place in (str(secret), "../secret.bin", "weights.bin"):
        model = network(WEIGHTS)
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=place)
        folder = package(card(TWO), model)
        (folder / "weights.bin").write_bytes(secret.read_bytes())
        assert "keeps weights in other files" in refusal_of(folder)
        with pytest.raises(ProcessorError, match="other files"):
            model_hash(folder)

    hidden = network(WEIGHTS)
    tensor = numpy_helper.from_array(np.zeros(2, np.float32))
    tensor.ClearField("raw_data")
    tensor.external_data.add(key="location", value="../secret.bin")
    tensor.data_location = TensorProto.EXTERNAL
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=tensor)],
        "branch",
        [],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [2])],
    )
    hidden.graph.node.append(helper.make_node("If", ["cond"], ["c"], then_branch=branch, else_branch=branch))
    assert "keeps weights in other files" in refusal_of(package(card(TWO), hidden))


def test_custom_operators_are_refused(package):
    after = [helper.make_node("RunShell", ["y"], ["z"], domain="evil.example")]
    model = network(WEIGHTS, nodes_after=after, opsets=[helper.make_opsetid("evil.example", 1)])
    assert "cannot load it" in refusal_of(package(card(TWO), model))


def test_a_network_that_does_not_fit_its_card_is_refused(package):
    assert "(N, 16, 16, 3); the card says one float32 input (N, 3, 16, 16)" in refusal_of(
        package(card(TWO), network(WEIGHTS, layout="NHWC"))
    )
    assert "(N, 3, 32, 32)" in refusal_of(package(card(TWO), network(WEIGHTS, size=32)))
    three = TWO | {"labels": ["red", "green", "blue"]}
    assert "(N, 2); the card says float32 (N, 3)" in refusal_of(package(card(three), network(WEIGHTS)))
    assert "takes 1000 images" in refusal_of(package(card(TWO), network(WEIGHTS, batch=1000)))

    flat = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
    )
    rank = helper.make_model(flat, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    assert "the input is tensor(float) (N, 2)" in refusal_of(package(card(TWO), rank))


def test_a_network_whose_output_has_another_length_than_it_declares_is_refused(package):
    model = network(WEIGHTS)
    model.graph.node[1].output[0] = "linear"
    model.graph.initializer.append(numpy_helper.from_array(np.array([True, True]), "kept"))
    model.graph.node.append(helper.make_node("Compress", ["linear", "kept"], ["y"], axis=1))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "K"
    three = TWO | {"labels": ["red", "green", "blue"]}
    assert "gives float32 (8, 2) for 8 images; the card says float32 (8, 3)" in refusal_of(package(card(three), model))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not onnx",
        b"\x00" * 4096,
        b"\x80\x04}q\x00.",
        b"PK\x03\x04" + b"\x00" * 64,
        b"\x0a" + b"\xff" * 9 + b"\x01",
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\x08\x09",
        b"\x0b" * 100,
        RNG.bytes(10_000),
    ],
)
def test_a_file_that_is_no_onnx_is_refused(package, raw):
    folder = package(card(TWO), raw)
    refusal_of(folder)


def test_every_cut_of_a_model_is_refused_or_runs(package):
    whole = network(WEIGHTS).SerializeToString()
    for end in range(1, len(whole), 7):
        folder = package(card(TWO), whole[:end])
        refusal_of(folder)


def test_a_huge_file_of_zeros_is_refused_at_once(package):
    folder = package(card(TWO), b"")
    for size in (2_000_000_000, 2**31, 2**40):
        with (folder / "model.onnx").open("wb") as stream:
            stream.truncate(size)
        refusal_of(folder)


def test_links_out_of_the_folder_and_pipes_are_refused(package, tmp_path):
    folder = package(card(TWO), network(WEIGHTS))
    outside = tmp_path / "outside.onnx"
    (folder / "model.onnx").rename(outside)
    (folder / "model.onnx").symlink_to(outside)
    assert "leads out of the package" in refusal_of(folder)

    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")
    assert "not a plain file" in refusal_of(folder)

    (folder / "model.onnx").unlink()
    assert "cannot be read" in refusal_of(folder)

    (folder / "model.onnx").symlink_to("model.onnx")
    assert "cannot be read" in refusal_of(folder)

    (folder / "card.json").rename(tmp_path / "card.json")
    (folder / "card.json").symlink_to(tmp_path / "card.json")
    with pytest.raises(ProcessorError, match="leads out"):
        Model(folder)
    with pytest.raises(ProcessorError, match="no such folder"):
        Model(tmp_path / "nowhere")


def test_a_link_to_the_package_itself_is_followed(package, tmp_path):
    folder = package(card(TWO), network(WEIGHTS))
    (tmp_path / "link").symlink_to(folder)
    assert Model(tmp_path / "link")(pictures(1))["label"]


def test_numbers_that_are_no_numbers_reach_the_columns_of_their_image_only(package):
    model = network(WEIGHTS)
    model.graph.node[1].output[0] = "linear"
    model.graph.node.append(helper.make_node("Log", ["linear"], ["y"]))
    output = {"kind": "regression", "activation": "none", "columns": ["a", "b"]}
    pixels = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    pixels[0, ..., 0], pixels[1, ..., 2] = 255, 255
    given = Model(package(card(output), model))(pixels)
    assert np.isnan(given["a"]).tolist() == [True, False]


def test_onnx_itself_finds_the_test_networks_right():
    onnx.checker.check_model(network(WEIGHTS))
