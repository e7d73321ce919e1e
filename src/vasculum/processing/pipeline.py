"""The work of a guarded child: read, decode once, fit for all, call each processor, check what it returns."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import itertools
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vasculum.outcomes import Status
from vasculum.pixels.decode import Decoded, Fitted, Want, decode
from vasculum.pixels.errors import PixelError
from vasculum.pixels.header import read_header
from vasculum.pixels.tiles import cut_tiles
from vasculum.processing.items import At, Checked, Failure, Item, Outcome, Setup
from vasculum.processing.load import Loaded, load
from vasculum.processing.outputs import BadOutput, check_columns
from vasculum.processing.reading import read_items
from vasculum.processing.types import Bytes, Pixels, Tiles

OPEN_SECONDS = 600.0
READ_SECONDS = 300.0
DECODE_SECONDS = 120.0
BATCH_BYTES = 64 * 2**20
"""Bytes of fitted pixels, and of encoded images, that one batch may hold; larger ones come in smaller batches."""

CHECKED_IMAGES = 4

Tell = Callable[[Any], None]


@dataclasses.dataclass(slots=True)
class Prepared:
    """One image, decoded and fitted for every processor that wants pixels."""

    index: int
    item: Item
    data: bytes
    failure: Failure | None = None
    fitted: dict[Want, Fitted] = dataclasses.field(default_factory=dict)
    whole: dict[int | None, np.ndarray[Any, Any]] = dataclasses.field(default_factory=dict)
    width: int = 0
    height: int = 0


class Pipeline:
    """The processors of one run, opened, and the batches that pass through them."""

    def __init__(self, setup: Setup, tell: Tell) -> None:
        self.setup = setup
        self.tell = tell
        self.processors = [load(reference) for reference in setup.processors]
        for loaded in self.processors:
            tell(At("open", (), OPEN_SECONDS, loaded.name))
            loaded.open()
        wants = [loaded.declaration.wants for loaded in self.processors]
        self.wants = list(dict.fromkeys(_want(want) for want in wants if isinstance(want, Pixels)))
        self.tiles = list(dict.fromkeys(want.long_side for want in wants if isinstance(want, Tiles)))
        self.needs_pixels = bool(self.wants or self.tiles)
        self.needs_bytes = any(isinstance(want, Bytes) for want in wants)
        self.needs_size = any({"width", "height"} & set(loaded.asks) for loaded in self.processors)
        self.owners = {f"{one.name}_{column}": one.name for one in self.processors for column in one.declaration.gives}
        self.batch = self._batch_size()

    def _batch_size(self) -> int:
        if self.tiles:
            return 1  # a sheet at full size is 140 MB: one at a time
        weight = sum(want.size**2 * 3 for want in self.wants)
        most = min((loaded.declaration.batch for loaded in self.processors), default=1)
        return max(1, min(most, BATCH_BYTES // weight if weight else most))

    def close(self) -> None:
        """Close what the processors opened."""
        for loaded in self.processors:
            loaded.close()

    def run(self, items: Sequence[Item], *, singly: bool = False) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch; every item ends in exactly one of them."""
        size = 1 if singly else self.batch
        batch: list[Prepared] = []
        held = 0
        for prepared in self._prepared(items):
            batch.append(prepared)
            held += len(prepared.data)
            if len(batch) == size or held >= BATCH_BYTES:
                yield self._process(batch)
                batch, held = [], 0
        if batch:
            yield self._process(batch)

    def check(self, items: Sequence[Item]) -> Checked:
        """Return how the contract holds on the first image that decodes, alone and among others."""
        sound = (prepared for prepared in self._prepared(items) if prepared.failure is None)
        good = list(itertools.islice(sound, CHECKED_IMAGES))
        mismatches: dict[str, str] = {}
        raised: dict[str, str] = {}
        alone: set[str] = set()
        first = {prepared.index: Outcome(prepared.item.media_id) for prepared in good[:1]}
        for loaded in self.processors if good else ():
            try:
                single = self._call(loaded, good[:1], first)
                for value in (values[0] for values in single.values()):
                    if isinstance(value, BadOutput) and not value.by_chance:
                        raise value
            except BadOutput as error:
                mismatches[loaded.name] = str(error)
            except Exception as error:
                raised[loaded.name] = told(error)
            else:
                if not isinstance(loaded.declaration.wants, Tiles) and not self._same_among(
                    loaded, single, good, first
                ):
                    alone.add(loaded.name)
                outcome = next(iter(first.values()))
                outcome.columns.update({f"{loaded.name}_{c}": values[0] for c, values in single.items()})
        return Checked(mismatches, raised, frozenset(alone))

    def _same_among(
        self, loaded: Loaded, single: dict[str, list[Any]], good: Sequence[Prepared], first: dict[int, Outcome]
    ) -> bool:
        """Return whether the first image gets the same among others, to the bit. A neighbour that raises says nothing."""
        try:
            among = self._call(loaded, good, {p.index: self._with(first, good[0].index, p) for p in good})
        except BadOutput:
            return False
        except Exception:
            return True
        return all(_same(single[column][0], among[column][0]) for column in single)

    @staticmethod
    def _with(first: dict[int, Outcome], index: int, prepared: Prepared) -> Outcome:
        """Lend the first image's columns to its neighbours: a check asks for shapes, not for truth."""
        return Outcome(prepared.item.media_id, columns=dict(first[index].columns))

    def _prepared(self, items: Sequence[Item]) -> Iterator[Prepared]:
        self.tell(At("read", tuple(range(len(items))), READ_SECONDS))
        for index, data in read_items(items):
            item = items[index]
            if isinstance(data, tuple):
                yield Prepared(index, item, b"", data)
            else:
                yield self._decoded(index, item, data)

    def _decoded(self, index: int, item: Item, data: bytes) -> Prepared:
        prepared = Prepared(index, item, data)
        self.tell(At("decode", (index,), DECODE_SECONDS))
        try:
            if self.needs_pixels:
                largest = None if None in self.tiles else max((side or 0 for side in self.tiles), default=0)
                picture = decode(data, self.wants, self.setup.policy, whole=largest if self.tiles else False)
                self._fit(picture, prepared)
            elif self.needs_size:
                header = read_header(data)
                turned = header.orientation >= 5
                prepared.width, prepared.height = (header.width, header.height)[:: -1 if turned else 1]
        except PixelError as error:
            prepared.failure = (error.status, error.detail)
        except MemoryError:
            prepared.failure = (Status.KILLED, "decoding it needs more memory than there is")
        if not self.needs_bytes:
            prepared.data = b""  # a batch of 32 would hold 32 of them for nobody
        return prepared

    def _fit(self, picture: Decoded, prepared: Prepared) -> None:
        prepared.width, prepared.height = picture.width, picture.height
        prepared.fitted = {want: picture.fit(want) for want in self.wants}
        prepared.whole = {side: picture.whole(side) for side in self.tiles}

    def _process(self, batch: list[Prepared]) -> list[Outcome]:
        outcomes = {prepared.index: Outcome(prepared.item.media_id, prepared.failure) for prepared in batch}
        for loaded in self.processors:
            ready = []
            for prepared in batch:
                failure = self._hindrance(loaded, prepared, outcomes[prepared.index])
                if failure is None:
                    ready.append(prepared)
                else:
                    outcomes[prepared.index].failures[loaded.name] = failure
            size = 1 if loaded.name in self.setup.alone or isinstance(loaded.declaration.wants, Tiles) else len(ready)
            for start in range(0, len(ready), max(1, size)):
                self._call_kept(loaded, ready[start : start + size], outcomes)
        for prepared in batch:
            prepared.fitted, prepared.whole = {}, {}
        return list(outcomes.values())

    def _hindrance(self, loaded: Loaded, prepared: Prepared, outcome: Outcome) -> Failure | None:
        """Return why a processor cannot be called on an image, or None."""
        if loaded.name in prepared.item.skip:
            return prepared.item.skip[loaded.name]
        if prepared.failure and (not isinstance(loaded.declaration.wants, Bytes) or not prepared.data):
            return prepared.failure
        for need in loaded.needs:
            other = self.owners[need]
            if other in outcome.failures:
                status, detail = outcome.failures[other]
                return status, f"needs {need}, and {other} failed: {detail}"
        return None

    def _call_kept(self, loaded: Loaded, group: Sequence[Prepared], outcomes: dict[int, Outcome]) -> None:
        """Call a processor on a group; where that fails as a whole, image by image, so that each pays for itself."""
        try:
            columns = self._call(loaded, group, outcomes)
        except Exception as error:
            if len(group) > 1:
                for prepared in group:
                    self._call_kept(loaded, [prepared], outcomes)
                return
            outcomes[group[0].index].failures[loaded.name] = _failure(error)
            return
        for place, prepared in enumerate(group):
            outcome = outcomes[prepared.index]
            values = {f"{loaded.name}_{column}": values[place] for column, values in columns.items()}
            bad = next((value for value in values.values() if isinstance(value, BadOutput)), None)
            if bad is not None:
                outcome.failures[loaded.name] = (Status.BAD_OUTPUT, str(bad))
            else:
                outcome.columns.update(values)

    def _call(self, loaded: Loaded, group: Sequence[Prepared], outcomes: dict[int, Outcome]) -> dict[str, list[Any]]:
        given, named = self._arguments(loaded, group, outcomes)
        settings = loaded.settings if inspect.isfunction(loaded.call) else {}
        indices = tuple(prepared.index for prepared in group)
        self.tell(At("call", indices, loaded.declaration.seconds, loaded.name))
        returned = loaded.call(given, **named, **settings)
        if isinstance(loaded.declaration.wants, Tiles) and isinstance(returned, Mapping):
            returned = {column: [value] for column, value in returned.items()}
        return check_columns(loaded.declaration, returned, len(group))

    def _arguments(
        self, loaded: Loaded, group: Sequence[Prepared], outcomes: dict[int, Outcome]
    ) -> tuple[Any, dict[str, Any]]:
        wants = loaded.declaration.wants
        named: dict[str, Any] = {}
        if isinstance(wants, Pixels):
            fitted = [prepared.fitted[_want(wants)] for prepared in group]
            given: Any = np.stack([one.pixels for one in fitted])
            if "inside" in loaded.asks:
                named["inside"] = _inside(fitted)
        elif isinstance(wants, Tiles):
            given, boxes = cut_tiles(group[0].whole[wants.long_side], wants.size, wants.overlap)
            if "tile_boxes" in loaded.asks:
                named["tile_boxes"] = boxes
        else:
            given = [prepared.data for prepared in group]
        for name, values in (
            ("media_id", [prepared.item.media_id for prepared in group]),
            ("width", [prepared.width for prepared in group]),
            ("height", [prepared.height for prepared in group]),
        ):
            if name in loaded.asks:
                named[name] = values
        for need in loaded.needs:
            named[need] = [copy.copy(outcomes[prepared.index].columns.get(need)) for prepared in group]
        return given, named


def _want(pixels: Pixels) -> Want:
    return Want(pixels.size, pixels.fit, pixels.fill, pixels.filter)


def _inside(fitted: Sequence[Fitted]) -> np.ndarray[Any, Any]:
    mask = np.zeros((len(fitted), *fitted[0].pixels.shape[:2]), bool)
    for place, one in enumerate(fitted):
        left, top, right, bottom = one.box
        mask[place, top:bottom, left:right] = True
    return mask


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.tobytes() == other.tobytes()
    return repr(one) == repr(other)


def _failure(error: Exception) -> Failure:
    if isinstance(error, BadOutput):
        return Status.BAD_OUTPUT, str(error)
    if isinstance(error, MemoryError):
        return Status.KILLED, f"needed more memory than there is ({error or 'MemoryError'})"
    return Status.PROCESSOR_ERROR, told(error)


def told(error: Exception) -> str:
    """Return an error with the file and line of the processor's own code where it was raised, on one line."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    frames = own or frames
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500] + place
