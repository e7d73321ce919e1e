"""The door to ONNX Runtime: a network from a file, checked before it is loaded, run in batches of one size.

Files of strangers are loaded here, so: no custom code, no file beside the one that was checked, no output
that is not what the card says. The structure is walked as protobuf (onnx.proto3 of ONNX; field numbers below
are its own) before ONNX Runtime sees it.
"""

from __future__ import annotations

import mmap
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasculum.errors import ProcessorError
from vasculum.processing.card import Layout
from vasculum.processing.quiet import be_quiet

LARGEST_MODEL = 2**31 - 1
"""Protobuf holds no more in one message."""
FIXED_BATCH = 8
LARGEST_FIXED_BATCH = 256
MOST_FIELDS = 5_000_000

# Message → field number → message inside it. Everything that can hold a tensor, at any depth.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def checked_file(path: Path, most: int) -> Path:
    """Return the real path of `path`, a plain file inside its own folder, of 1 to `most` bytes.

    Raises ProcessorError for a link out of the folder, another kind of file, more than 2 GiB, bytes that are
    no ONNX and weights kept in other files.
    """
    try:
        real, folder = path.resolve(strict=True), path.parent.resolve(strict=True)
        found = real.stat()
    except (OSError, RuntimeError) as error:
        raise ProcessorError(f"{path}: cannot be read ({error}). A model package needs it.") from error
    if not real.is_relative_to(folder):
        raise ProcessorError(f"{path}: a link that leads out of the package. Put the file itself there.")
    if not stat.S_ISREG(found.st_mode):
        raise ProcessorError(f"{path}: not a plain file. A model package needs one there.")
    if not 0 < found.st_size <= most:
        raise ProcessorError(f"{path}: {found.st_size} bytes; expected 1 to {most}. Is it the right file?")
    return real


def check_structure(path: Path) -> None:
    """Read the structure of a model file.

    Raises ProcessorError where it is no ONNX model, larger than 2 GiB, or keeps weights in other files.
    """
    with (
        checked_file(path, LARGEST_MODEL).open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view,
    ):
        try:
            has_graph, external = _walk(view)
        except (ValueError, IndexError) as error:
            raise ProcessorError(f"{path}: not an ONNX model ({error}). Export the network again.") from error
    if external:
        raise ProcessorError(
            f"{path}: keeps weights in other files. Save it as one file: "
            "onnx.save(onnx.load('model.onnx'), 'one.onnx'), or export with external_data=False."
        )
    if not has_graph:
        raise ProcessorError(f"{path}: not an ONNX model (it holds no graph). Export the network again.")


def _walk(view: mmap.mmap) -> tuple[bool, bool]:
    """Return whether the model has a graph, and whether any tensor in it is external."""
    has_graph, left = False, MOST_FIELDS
    waiting = [("model", 0, len(view))]
    while waiting:
        message, at, end = waiting.pop()
        for number, wire, value, start, stop in _fields(view, at, end):
            left -= 1
            if not left:
                raise ValueError(f"more than {MOST_FIELDS} fields")
            inside = _INSIDE[message].get(number)
            if inside and wire == 2:
                waiting.append((inside, start, stop))
                has_graph |= message == "model" and inside == "graph"
            elif message == "tensor" and (
                (number == _EXTERNAL_DATA and wire == 2) or (number == _DATA_LOCATION and wire == 0 and value)
            ):
                return True, True
    return has_graph, False


def _fields(view: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield number, wire type, value, start and end of each field of a protobuf message."""
    while at < end:
        key, at = _varint(view, at, end)
        number, wire, value = (key & 0xFFFFFFFF) >> 3, key & 7, 0
        start = at
        if wire == 0:
            value, at = _varint(view, at, end)
        elif wire == 2:
            length, start = _varint(view, at, end)
            at = start + length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {start}")
        if number == 0 or at > end:
            raise ValueError(f"no field or one without end at byte {start}")
        yield number, wire, value, start, at


def _varint(view: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError(f"it ends at byte {at}")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"a number without end at byte {at}")


class Network:
    """A loaded network with one image input and one output of float32 `(N, numbers)`.

    It runs one thread, and always the same number of images at once (the last ones filled up), so that an
    image's numbers are the same to the bit in whatever company it comes.
    """

    def __init__(self, path: Path, size: int, layout: Layout, numbers: int) -> None:
        """Load the model file and try it once.

        Raises ProcessorError where it does not do what is asked of it.
        """
        check_structure(path)
        self.where = str(path)
        self.numbers = numbers
        self.shape = (3, size, size) if layout == "NCHW" else (size, size, 3)
        self._session = self._loaded(path)
        self.batch = self._checked_input()
        self._check_output()
        self.run(np.zeros((1, *self.shape), dtype=np.float32))

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 `(N, numbers)` for float32 images `(N, …)` in the layout asked for.

        Raises ProcessorError where the network fails or gives another shape.
        """
        given = np.empty((len(images), self.numbers), dtype=np.float32)
        part = np.zeros((self.batch, *self.shape), dtype=np.float32)
        for start in range(0, len(images), self.batch):
            some = images[start : start + self.batch]
            part[: len(some)], part[len(some) :] = some, 0
            try:
                (got,) = self._session.run([self._output], {self._input: part})
            except Exception as error:  # ONNX Runtime has no common base of its errors
                raise ProcessorError(f"{self.where}: the network failed ({_in_short(error)}).") from error
            shape, kind = np.shape(got), getattr(got, "dtype", type(got).__name__)
            if shape != (self.batch, self.numbers) or kind != np.float32:
                raise ProcessorError(
                    f"{self.where}: the network gives {kind} {shape} for {self.batch} images; the card says "
                    f"float32 {(self.batch, self.numbers)}. Correct the card's output."
                )
            given[start : start + len(some)] = got[: len(some)]
        return given

    def _loaded(self, path: Path) -> Any:
        be_quiet()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.use_deterministic_compute = True
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # as above
            raise ProcessorError(f"{path}: ONNX Runtime cannot load it ({_in_short(error)}).") from error

    def _checked_input(self) -> int:
        """Keep the input's name and return how many images to give at once."""
        inputs = self._session.get_inputs()
        expected = f"one float32 input (N, {', '.join(map(str, self.shape))})"
        if len(inputs) != 1:
            raise ProcessorError(f"{self.where}: the network has {len(inputs)} inputs; the card says {expected}.")
        (one,) = inputs
        fits = len(one.shape) == 4 and all(
            not isinstance(got, int) or got == want for got, want in zip(one.shape[1:], self.shape, strict=True)
        )
        if one.type != "tensor(float)" or not fits:
            raise ProcessorError(
                f"{self.where}: the input is {one.type} {_shape(one.shape)}; the card says {expected}. "
                "Correct the card's size or layout."
            )
        self._input = one.name
        fixed = one.shape[0] if isinstance(one.shape[0], int) else FIXED_BATCH
        if not 1 <= fixed <= LARGEST_FIXED_BATCH:
            raise ProcessorError(f"{self.where}: the network takes {fixed} images at once; expected 1 to 256, or any.")
        return fixed

    def _check_output(self) -> None:
        outputs = self._session.get_outputs()
        if len(outputs) != 1:
            names = ", ".join(one.name[:40] for one in outputs[:5])
            raise ProcessorError(
                f"{self.where}: the network has {len(outputs)} outputs ({names}); expected one. Export one."
            )
        (one,) = outputs
        last = one.shape[-1] if one.shape else None
        if one.type != "tensor(float)" or len(one.shape) != 2 or (isinstance(last, int) and last != self.numbers):
            raise ProcessorError(
                f"{self.where}: the output is {one.type} {_shape(one.shape)}; the card says float32 "
                f"(N, {self.numbers}). Correct the card's output, or export the network so."
            )
        self._output = one.name


def _shape(shape: list[Any]) -> str:
    return "(" + ", ".join("N" if one is None else str(one)[:20] for one in shape) + ")"


def _in_short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:120]} … {text[-170:]}"
