"""Each built-in gives exactly the columns it declares, N values each, of the declared type."""

import numpy as np
import pyarrow as pa
import pytest

from vasculum.processing.builtin.color import color
from vasculum.processing.builtin.exif import exif
from vasculum.processing.builtin.histogram import Histogram
from vasculum.processing.builtin.phash import phash
from vasculum.processing.builtin.quality import quality
from vasculum.processing.builtin.resize import Resize
from vasculum.processing.builtin.thumbnail import Thumbnail
from vasculum.processing.contract import declaration_of, given_by_name
from vasculum.processing.types import Bytes, Picture, Vector

RNG = np.random.default_rng(2)
BUILTINS = {
    "thumbnail": Thumbnail(size=48),
    "resize": Resize(size=32, format="webp"),
    "histogram": Histogram(bins=8),
    "color": color,
    "quality": quality,
    "phash": phash,
    "exif": exif,
}


@pytest.mark.parametrize("name", BUILTINS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_built_in_keeps_its_promise(name, count):
    target = BUILTINS[name]
    declared = declaration_of(target)
    assert declared.name == name
    if isinstance(declared.wants, Bytes):
        given = target([b"\xff\xd8\xff"] * count)
    else:
        size = declared.wants.size
        by_name = {
            "inside": np.ones((count, size, size), bool),
            "width": [3000] * count,
            "height": [4000] * count,
        }
        wanted, _ = given_by_name(target)
        pixels = RNG.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        given = target(pixels, **{wanted_name: by_name[wanted_name] for wanted_name in wanted})
    assert list(given) == list(declared.gives)
    for column, kind in declared.gives.items():
        values = given[column]
        assert len(values) == count
        if isinstance(kind, Picture):
            assert all(isinstance(value, bytes) for value in values)
        elif isinstance(kind, Vector):
            assert values.shape == (count, kind.length)
        else:
            column_made = pa.array(values, kind.arrow)
            assert kind.missing or column_made.null_count == 0


@pytest.mark.parametrize("name", BUILTINS)
def test_a_built_in_says_what_it_does(name):
    assert len((BUILTINS[name].__doc__ or "").split()) > 10
