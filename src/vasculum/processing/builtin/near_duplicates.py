"""Groups of images that look nearly the same, from their perceptual hashes: exact, fast for 10^5."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vasculum.errors import UsageError

BANDS = 4
BAND_BITS = 16
MOST_BITS = 15
CHUNK = 1 << 22
HASH = re.compile(r"[0-9a-fA-F]{16}")

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def near_duplicate_groups(
    hashes: pa.Array | pa.ChunkedArray | Sequence[str | None], most_bits: int = 6
) -> list[list[int]]:
    """Return groups of positions whose 64-bit hashes are linked by steps of at most `most_bits` bits.

    `hashes` are texts of 16 hex digits, as `phash` gives them; null is passed over. Each group has two
    positions or more, in ascending order, and groups are ordered by their first. Linked means: each member is
    near *some* other, so that the ends of a long group may be far apart. No pair is missed and none is
    guessed (see `_candidates`).

    On herbarium sheets keep `most_bits` at 6 or less: layout is the strongest signal there, and of 288 sheets
    of one herbarium the closest two that show different plants were 8 bits apart. A group is a suggestion to
    look at.

    Raises UsageError for a text that is no hash, or `most_bits` outside 0 to 15.
    """
    if not isinstance(most_bits, int) or isinstance(most_bits, bool) or not 0 <= most_bits <= MOST_BITS:
        raise UsageError(f"most_bits={most_bits!r}: expected a whole number from 0 to {MOST_BITS}; 6 suits sheets.")
    positions, values = _parsed(hashes)
    unique, which = np.unique(values, return_inverse=True)
    root = np.arange(len(unique))
    for left, right in _candidates(unique, most_bits):
        near = np.bitwise_count(unique[left] ^ unique[right]) <= most_bits
        _join(root, left[near], right[near])
    return _groups(positions, root[which.reshape(-1)])


def _parsed(
    hashes: pa.Array | pa.ChunkedArray | Sequence[str | None],
) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    texts = hashes.to_pylist() if isinstance(hashes, pa.Array | pa.ChunkedArray) else list(hashes)
    positions = [position for position, text in enumerate(texts) if text is not None]
    for position in positions:
        text = texts[position]
        if not isinstance(text, str) or not HASH.fullmatch(text):
            raise UsageError(f"hash {position} is {str(text)[:40]!r}: expected 16 hex digits, as phash writes.")
    packed = bytes.fromhex("".join(texts[position] for position in positions))
    return np.asarray(positions, dtype=np.intp), np.frombuffer(packed, dtype=">u8").astype(np.uint64)


def _candidates(values: NDArray[np.uint64], most_bits: int) -> Iterator[Pairs]:
    """Yield pairs of places in `values` that may be near, none left out, in chunks of bounded size.

    Multi-index hashing (Norouzi, Punjani & Fleet 2012, arXiv:1307.2982): of two values that differ in at most
    r bits, one of 4 bands of 16 bits differs in at most r // 4. So each band is looked up as it is and with
    every choice of up to r // 4 bits turned. Where that would give more pairs than there are (crowded
    values), all pairs are taken.
    """
    every = len(values) * (len(values) - 1) // 2
    lookups = [lookup for band in range(BANDS) for lookup in _lookups(_band(values, band), most_bits // BANDS)]
    if sum(int(counts.sum()) for _, _, counts in lookups) >= every:
        lookups = [_all_later(len(values))]
    for order, starts, counts in lookups:
        yield from _expanded(order, starts, counts)


Lookup = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


def _lookups(band: NDArray[np.uint16], radius: int) -> Iterator[Lookup]:
    """Yield (order, starts, counts), one a choice of turned bits.

    Value i is to be compared with `order[starts[i] : starts[i] + counts[i]]`.
    """
    order = np.argsort(band, kind="stable")
    first = np.searchsorted(band[order], np.arange((1 << BAND_BITS) + 1))
    place = np.empty(len(band), dtype=np.intp)
    place[order] = np.arange(len(band))
    for bits in range(radius + 1):
        for turned in itertools.combinations(range(BAND_BITS), bits):
            mask = np.uint16(sum(1 << bit for bit in turned))
            sought = band ^ mask
            # Each pair once: of its two values only the one with the smaller band, or earlier place, looks it
            # up.
            starts = place + 1 if mask == 0 else first[sought]
            counts = np.where(sought >= band, first[sought.astype(np.intp) + 1] - starts, 0)
            yield order, starts, counts


def _band(values: NDArray[np.uint64], band: int) -> NDArray[np.uint16]:
    """Return every fourth bit, from bit `band` on: frequencies that go together are spread over all bands."""
    gathered = np.zeros(len(values), dtype=np.uint16)
    for bit in range(BAND_BITS):
        one = (values >> np.uint64(band + BANDS * bit)) & np.uint64(1)
        gathered |= one.astype(np.uint16) << np.uint16(bit)
    return gathered


def _all_later(count: int) -> Lookup:
    places = np.arange(count)
    return places, places + 1, count - 1 - places


def _expanded(order: NDArray[np.intp], starts: NDArray[np.intp], counts: NDArray[np.intp]) -> Iterator[Pairs]:
    """Yield the pairs that a lookup means, about CHUNK at a time."""
    asking = np.flatnonzero(counts)
    ends = np.cumsum(counts[asking])
    done = 0
    while done < len(asking):
        before = int(ends[done - 1]) if done else 0
        until = max(done + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
        some = asking[done:until]
        left = np.repeat(some, counts[some])
        within = np.arange(len(left)) - np.repeat(ends[done:until] - counts[some] - before, counts[some])
        yield left, order[np.repeat(starts[some], counts[some]) + within]
        done = until


def _join(root: NDArray[np.intp], left: NDArray[np.intp], right: NDArray[np.intp]) -> None:
    """Join the groups of each pair: `root`, changed in place, is the lowest place of everyone's group."""
    while True:
        low = np.minimum(root[left], root[right])
        high = np.maximum(root[left], root[right])
        apart = low != high
        if not apart.any():
            return
        left, right = low[apart], high[apart]
        np.minimum.at(root, right, left)
        while not np.array_equal(flatter := root[root], root):
            root[:] = flatter


def _groups(positions: NDArray[np.intp], group: NDArray[np.intp]) -> list[list[int]]:
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    parts = np.split(positions[order], cuts) if len(order) else []
    return sorted(sorted(part.tolist()) for part in parts if len(part) > 1)
