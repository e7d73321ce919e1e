"""Reading the chosen images once, in the order in which they lie, and giving them back in the order that is wanted.

Reading a corpus in shuffled order would read each of its row groups many times over. So the images are written, as they
come, into buckets of neighbouring ranks, and read again from there bucket by bucket; a bucket goes once it was read.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vasculum import resources
from vasculum.errors import StoreError
from vasculum.exports.chosen import Chosen
from vasculum.jobs import Watch
from vasculum.outcomes import Status
from vasculum.pixels.errors import PixelError
from vasculum.pixels.header import WORDS
from vasculum.pixels.smaller import smaller_jpeg
from vasculum.pixels.sniff import sniff
from vasculum.processing.items import Failure
from vasculum.store import disk
from vasculum.study.study import Study

ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/tiff": "tif", "image/webp": "webp", "image/gif": "gif",
    "image/bmp": "bmp", "image/jp2": "jp2", "image/x-jp2-codestream": "j2k", "image/avif": "avif",
}  # fmt: skip
NUMBERED: tuple[str, ...] = ("", *ENDINGS.values())
RANKS_A_BUCKET = 256
QUALITY = 90
LISTINGS = 5
"""How often images are asked for again where a shard is gone: another run tidied meanwhile."""


@dataclasses.dataclass(frozen=True, slots=True)
class Got:
    """One image as it goes into a layout, or why it does not."""

    rank: int
    data: bytes = b""
    ending: str = ""
    failure: PixelError | None = None


def read_images(study: Study, chosen: Chosen, size: int | None) -> Iterator[Got]:
    """Yield every chosen image once, in no order, made a JPEG of `size` pixels on the longer side where asked for.

    One that cannot be read, or is not the one that the results are of, comes as a failure. Raises StoreError where a
    shard is damaged.
    """
    left = dict(chosen.ranks)
    originals = _originals(study, left)
    if size is None:
        yield from (_made(rank, data, chosen, None) for rank, data in originals)
    else:
        yield from _in_threads(originals, lambda rank, data: _made(rank, data, chosen, size))
    for rank in left.values():
        yield Got(
            rank, failure=PixelError(Status.NOT_FETCHED, "its bytes could not be read; run `vasculum fetch` again")
        )


def _originals(study: Study, left: dict[str, int]) -> Iterator[tuple[int, bytes | Failure]]:
    """Yield rank and bytes (or why there are none) of the images in `left`, taking each from it."""
    for last in (False,) * LISTINGS + (True,):
        try:
            for media_id, data in study.corpus.read_images(list(left)):
                yield left.pop(media_id), data
            return
        except FileNotFoundError as error:
            if last:
                raise StoreError(
                    f"a file of the corpus is gone that was there a moment ago: {error}. Run again."
                ) from error


def _made(rank: int, data: bytes | Failure, chosen: Chosen, size: int | None) -> Got:
    if not isinstance(data, bytes):
        return Got(rank, failure=PixelError(*data))
    recorded = chosen.hashes[rank].decode()
    if recorded and hashlib.sha256(data).hexdigest() != recorded:
        told = "it is another image now than the one that the results are of; run `vasculum fetch` and apply again"
        return Got(rank, failure=PixelError(Status.HASH_MISMATCH, told))
    status, kind = sniff(data)
    if status is not Status.OK or kind is None:
        return Got(rank, failure=PixelError(status, WORDS[status].format(kind or "something else")))
    if size is None:
        return Got(rank, data, ENDINGS[kind])
    try:
        return Got(rank, smaller_jpeg(data, size, QUALITY), "jpg")
    except PixelError as error:
        return Got(rank, failure=error)


def _in_threads(
    items: Iterator[tuple[int, bytes | Failure]], work: Callable[[int, bytes | Failure], Got]
) -> Iterator[Got]:
    """Yield what `work` makes of each item, in order; a few are worked on at once and no more are held."""
    cores = resources.cores()
    waiting: deque[Future[Got]] = deque()
    pool = ThreadPoolExecutor(cores)
    try:
        for item in items:
            waiting.append(pool.submit(work, *item))
            if len(waiting) > 2 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class Gathered:
    """The images that were read, on disk by rank until they are taken."""

    def __init__(self, folder: Path, chosen: Chosen) -> None:
        self.lengths = np.zeros(len(chosen), np.int64)
        """Bytes of each image by rank; 0: there is none."""
        self._offsets = np.zeros(len(chosen), np.int64)
        self._endings = np.zeros(len(chosen), np.uint8)
        self._sizes = np.zeros(len(chosen) // RANKS_A_BUCKET + 1, np.int64)
        self._folder = folder
        self._open: tuple[int, BinaryIO] | None = None

    def put(self, got: Got, *, keep: bool = True) -> None:
        """Take in one image; without `keep`, only that it is there. Raises OSError where the disk refuses."""
        bucket = got.rank // RANKS_A_BUCKET
        if keep:
            with self._file(bucket).open("ab", buffering=0) as file:
                disk.write(file, got.data)
        self._offsets[got.rank] = self._sizes[bucket]
        self._sizes[bucket] += len(got.data)
        self.lengths[got.rank] = len(got.data)
        self._endings[got.rank] = NUMBERED.index(got.ending)

    def ending(self, rank: int) -> str:
        """Return the ending of an image's file, without the dot; empty: there is no image."""
        return NUMBERED[int(self._endings[rank])]

    def take(self, rank: int) -> bytes:
        """Return the bytes of an image. Ranks are taken in order: a bucket is deleted when the next one begins."""
        bucket = rank // RANKS_A_BUCKET
        if self._open is None or self._open[0] != bucket:
            self.close()
            self._open = bucket, self._file(bucket).open("rb")
        file = self._open[1]
        file.seek(int(self._offsets[rank]))
        return file.read(int(self.lengths[rank]))

    def close(self) -> None:
        """Let go of the bucket that is being read."""
        if self._open is not None:
            bucket, file = self._open
            file.close()
            self._file(bucket).unlink()
            self._open = None

    def _file(self, bucket: int) -> Path:
        return self._folder / f"bucket-{bucket:06d}"


def gather(
    study: Study, chosen: Chosen, size: int | None, work: Path, progress: Watch | None, place: Callable[[Got], None] | None = None
) -> Gathered:  # fmt: skip
    """Read all images. Each goes to `place` where it has one already, else into the buckets in `work`."""
    gathered = Gathered(work, chosen)
    if progress:
        progress.begin(len(chosen))
    failures: dict[int, PixelError] = {}
    for got in read_images(study, chosen, size):
        if got.failure is not None:
            failures[got.rank] = got.failure
        elif place:
            place(got)
            gathered.put(got, keep=False)
        else:
            gathered.put(got)
        if progress:
            progress({str(got.failure.status if got.failure else Status.OK): 1})
    _note(chosen, failures)
    return gathered


def _note(chosen: Chosen, failures: dict[int, PixelError]) -> None:
    """Put the images that could not be read among those left out."""
    rank = 0
    for batch in chosen.batches() if failures else ():
        for place in range(batch.num_rows):
            if rank + place in failures:
                failure = failures[rank + place]
                row = (
                    batch.slice(place, 1)
                    .select(["media_id", "catalogNumber", "local_path", "license_id"])
                    .to_pylist()[0]
                )
                chosen.left_out.add(row, failure.status, failure.detail)
        rank += batch.num_rows


def in_shards(lengths: np.ndarray[Any, np.dtype[np.int64]], shards: int) -> list[int]:
    """Return where each shard ends, by the count of images before: as near to equal bytes as whole images allow.

    `lengths` are those of the images in order. No shard is empty; `shards` is at most their number.
    """
    before = np.concatenate([[0], np.cumsum(lengths)])
    ends: list[int] = []
    for shard in range(1, shards):
        end = int(np.searchsorted(before, before[-1] * shard / shards))
        ends.append(min(max(end, (ends[-1] if ends else 0) + 1), len(lengths) - (shards - shard)))
    return [*ends, len(lengths)]
