"""phash and near_duplicate_groups."""

import io
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from vasculum.errors import UsageError
from vasculum.processing.builtin.near_duplicates import near_duplicate_groups
from vasculum.processing.builtin.phash import phash

RNG = np.random.default_rng(8)


def sheet(seed, size=(600, 900)):
    """A drawing with the layout of a sheet: frame, stems and leaves, a label at the lower right."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", size, (228, 222, 205))
    draw = ImageDraw.Draw(picture)
    for _ in range(9):
        x, y = rng.uniform(0.1, 0.9, 2) * size
        w, h = rng.uniform(0.05, 0.25, 2) * size
        draw.ellipse((x - w, y - h, x + w, y + h), fill=tuple(int(v) for v in rng.integers(30, 140, 3)))
    draw.rectangle((size[0] * 0.6, size[1] * 0.82, size[0] * 0.97, size[1] * 0.97), fill=(250, 250, 248))
    return picture


def squashed(picture):
    return np.asarray(picture.convert("RGB").resize((32, 32), Image.Resampling.LANCZOS))


def hash_of(picture):
    return phash(squashed(picture)[None])["hash"][0]


def bits_apart(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


def hash_by_the_definition(pixels):
    """Krawetz's hash in plain Python floats, from the definition of the DCT-II."""
    luma = np.asarray(Image.fromarray(pixels).convert("L")).tolist()
    waves = [[math.cos(math.pi * k * (2 * i + 1) / 64) for i in range(32)] for k in range(8)]
    rows = [[sum(w * luma[y][x] for y, w in enumerate(wave)) for x in range(32)] for wave in waves]
    low = [sum(w * row[x] for x, w in enumerate(wave)) for row in rows for wave in waves]
    middle = sum(sorted(low)[31:33]) / 2
    return f"{int(''.join('1' if value > middle else '0' for value in low), 2):016x}"


def test_the_hash_is_the_one_of_its_definition():
    pixels = [RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8), squashed(sheet(1)), squashed(sheet(2))]
    assert phash(np.stack(pixels))["hash"] == [hash_by_the_definition(one) for one in pixels]


def test_hashes_that_the_imagehash_library_gives():
    """Recorded with imagehash 4.3.2 (scipy's DCT) on these pixels."""
    rng = np.random.default_rng(123)
    pixels = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    assert phash(pixels)["hash"] == ["c756d0d1876bd2d0", "a12d2b320f6ff28a", "8d7d09eba33b208d"]


def test_scaling_jpeg_and_lightening_change_few_bits_and_another_sheet_many():
    for seed in range(5):
        original = sheet(seed)
        stream = io.BytesIO()
        original.save(stream, "JPEG", quality=40)
        lighter = original.point(lambda value: min(255, value * 1.08))
        for changed in (
            original.resize((171, 256)),
            original.resize((1200, 1800)),
            Image.open(stream),
            lighter,
        ):
            assert bits_apart(hash_of(original), hash_of(changed)) <= 4
    hashes = [hash_of(sheet(seed)) for seed in range(30)]
    assert min(bits_apart(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) > 6


def test_a_picture_of_one_colour_has_a_hash_of_its_own():
    pixels = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (1, 128, 255)])
    assert phash(pixels)["hash"] == ["8000000000000000"] * 3
    assert phash(pixels[:0])["hash"] == []


def test_an_image_alone_has_the_hash_it_has_in_a_batch():
    pixels = RNG.integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)
    together = phash(pixels)["hash"]
    assert [phash(one[None])["hash"][0] for one in pixels] == together


# --- groups


def groups_by_force(hashes, most_bits):
    """Single linkage over all pairs, one by one."""
    known = [place for place, one in enumerate(hashes) if one is not None]
    group = {place: {place} for place in known}
    for place in known:
        for other in known:
            if other < place and bits_apart(hashes[place], hashes[other]) <= most_bits:
                joined = group[place] | group[other]
                for member in joined:
                    group[member] = joined
    return sorted({tuple(sorted(one)) for one in group.values() if len(one) > 1})


@st.composite
def crowded_hashes(draw):
    """Hashes near a few centres, so that many distances are about the threshold; some null, some equal."""
    centres = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3))
    turned = st.lists(st.integers(0, 63), max_size=9)
    made = draw(st.lists(st.tuples(st.sampled_from(centres), turned) | st.none(), max_size=40))
    return [None if one is None else f"{one[0] ^ sum({1 << bit for bit in one[1]}):016x}" for one in made]


@settings(max_examples=150, deadline=None)
@given(crowded_hashes(), st.integers(0, 15))
def test_groups_are_those_found_by_comparing_all_pairs(hashes, most_bits):
    found = near_duplicate_groups(hashes, most_bits)
    assert [tuple(group) for group in found] == groups_by_force(hashes, most_bits)


@pytest.mark.parametrize("most_bits", [0, 3, 4, 6, 7, 8, 12])
def test_no_pair_is_missed_among_many(most_bits):
    values = RNG.integers(0, 2**64, 1500, dtype=np.uint64)
    for place in range(0, 1500, 3):
        turned = sum(1 << int(bit) for bit in RNG.choice(64, int(RNG.integers(0, 14)), replace=False))
        values[place + 1] = values[place] ^ np.uint64(turned)
    near = np.bitwise_count(values[:, None] ^ values[None, :]) <= most_bits
    expected = {(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(near, 1)), strict=True)}
    found = near_duplicate_groups([f"{int(value):016x}" for value in values], most_bits)
    together = {(a, b) for group in found for a in group for b in group if a < b}
    assert expected <= together
    assert sum(len(group) - 1 for group in found) <= len(expected)


def test_arrow_columns_lists_and_nulls_are_taken():
    hashes = ["00000000000000ff", None, "00000000000000FE", "ffffffffffffffff", None]
    assert near_duplicate_groups(hashes) == [[0, 2]]
    assert near_duplicate_groups(pa.array(hashes)) == [[0, 2]]
    assert near_duplicate_groups(pa.chunked_array([hashes[:2], hashes[2:]])) == [[0, 2]]
    assert near_duplicate_groups([]) == []
    assert near_duplicate_groups(pa.array([None, None], pa.string())) == []


def test_a_group_may_be_a_chain():
    chain = [f"{(1 << (5 * step)) - 1:016x}" for step in range(12)]
    assert near_duplicate_groups(chain, 5) == [list(range(12))]
    assert near_duplicate_groups(chain, 4) == []


@pytest.mark.parametrize("wrong", ["", "12", "0x00000000000000", "00000000 0000000", "g" * 16, 7, "٠" * 16])
def test_what_is_no_hash_is_refused_by_its_place(wrong):
    with pytest.raises(UsageError, match="hash 1 is"):
        near_duplicate_groups(["0" * 16, wrong])


@pytest.mark.parametrize("most_bits", [-1, 16, 2.0, True, "6"])
def test_a_threshold_that_cannot_be_is_refused(most_bits):
    with pytest.raises(UsageError, match="from 0 to 15"):
        near_duplicate_groups([], most_bits)


@pytest.mark.slow
def test_a_hundred_thousand_hashes_are_grouped_even_where_all_are_alike():
    for spread in (12, 64):
        turned = np.zeros(100_000, np.uint64)
        for _ in range(spread):
            turned ^= np.uint64(1) << RNG.integers(0, 64, 100_000).astype(np.uint64)
        found = near_duplicate_groups([f"{int(value):016x}" for value in turned])
        assert all(len(group) > 1 for group in found)
