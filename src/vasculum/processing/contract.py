"""The contract of a processor: how one is declared, and what vasculum reads off the declaration.

    from vasculum import processor, Pixels

    @processor(Pixels(256), gives={"brightness": float})
    def brightness(pixels, *, gamma=1.0):
        return {"brightness": (pixels.mean(axis=(1, 2, 3)) / 255) ** gamma}

The first parameter receives what it wants. A parameter after it, with a default, is a setting
(`brightness(gamma=2.2)` on the command line). One without a default is filled by its name:
`inside` (bool `(N, H, W)`: true where the picture is, false where `pad` filled), `media_id`, `width`, `height`
(lists of N; pixels of the original, upright), `tile_boxes` (int `(T, 4)`: left, top, right, bottom), or a column of
another processor as `name_column` (then that one runs first).
It returns a dict: a column's name → N values (for `Tiles`: one value).

A class is the same with `__init__` for settings, `__call__`, and where there is something heavy, `open()`, called once
in each worker, and `close()`. Settings are only stored by `__init__`, so that it prints, pickles and hashes.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from vasculum.errors import ProcessorError, nearest
from vasculum.processing.types import Bytes, Gives, Pixels, Tiles, Wants, as_gives

DECLARATION = "__vasculum__"
GIVEN_BY_NAME = ("inside", "media_id", "width", "height", "tile_boxes")
RESERVED_COLUMNS = frozenset({"status", "detail", "media_id", "run", "image_key", "sha256"})
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MOST_SECONDS = 24 * 3600.0

T = TypeVar("T", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True, slots=True)
class Declaration:
    """What `@processor` was told. Stored on the function or class itself."""

    name: str
    wants: Wants
    gives: Mapping[str, Gives]
    seconds: float
    batch: int


def processor(
    wants: Wants,
    *,
    gives: Mapping[str, Any] | None = None,
    name: str | None = None,
    seconds: float = 60.0,
    batch: int = 32,
) -> Callable[[T], T]:
    """Declare a function or class to be a processor.

    `wants` is `Pixels(…)`, `Tiles(…)` or `Bytes()`; `gives` maps each column to its type. `seconds` is the limit of one
    call (a batch); a call that takes longer is stopped, and its images are tried one by one. `batch` is the most
    images handed over at once. Raises ProcessorError for a declaration that cannot hold.
    """

    def declare(target: T) -> T:
        own_name = name or _snake(target.__name__)
        assert gives is not None
        types = {column: as_gives(kind) for column, kind in gives.items()}
        setattr(target, DECLARATION, _checked(own_name, wants, types, gives, seconds, batch))
        return target

    if isinstance(wants, Pixels | Tiles | Bytes) and not isinstance(gives, Mapping):
        raise ProcessorError(
            f"@processor: expected gives={{column: type}}, got gives={gives!r}. Write @processor(Pixels(256), gives={{'score': float}})."
        )
    if not isinstance(wants, Pixels | Tiles | Bytes):
        raise ProcessorError(
            f"@processor: expected Pixels(…), Tiles(…) or Bytes() as what it wants, got {wants!r}. "
            "Write @processor(Pixels(256), gives={'score': float})."
        )
    return declare


def declaration_of(target: Any) -> Declaration | None:
    """Return what `@processor` stored on a function, class or instance, or None."""
    found = getattr(target, DECLARATION, None)
    return found if isinstance(found, Declaration) else None


def given_by_name(target: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the names that `target` must be filled with, and its settings with their defaults.

    `target` is a function, or a class whose `__call__` asks and whose `__init__` has the settings.
    """
    call = target.__call__ if isinstance(target, type) else target
    parameters = list(inspect.signature(call).parameters.values())
    parameters = parameters[2:] if isinstance(target, type) else parameters[1:]
    wanted = tuple(p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD)
    if isinstance(target, type):
        settings = {
            p.name: p.default
            for p in list(inspect.signature(target).parameters.values())
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }
    else:
        settings = {p.name: p.default for p in parameters if p.default is not p.empty}
    return wanted, settings


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def _checked(
    name: str,
    wants: Wants,
    types: dict[str, Gives | None],
    given: Mapping[str, Any],
    seconds: float,
    batch: int,
) -> Declaration:
    if not NAME.fullmatch(name):
        raise ProcessorError(f"processor name {name!r}: use lower-case letters, digits and single underscores.")
    if not types:
        raise ProcessorError(
            f"processor {name}: gives={{}} promises no column. Name at least one, such as gives={{'score': float}}."
        )
    for column, kind in types.items():
        if not NAME.fullmatch(column) or column in RESERVED_COLUMNS:
            raise ProcessorError(
                f"processor {name}: column name {column!r} cannot be used. Use lower-case letters, digits and "
                f"underscores, and none of {', '.join(sorted(RESERVED_COLUMNS))}."
            )
        if kind is None:
            shown = given[column]
            raise ProcessorError(
                f"processor {name}: column {column!r} is declared as {shown!r}. Use float, int, str, bool or one of "
                f"Float, Integer, Text, Boolean, Vector(n), ListOf(…), Picture(){nearest(str(shown), ('Float', 'Text'))}."
            )
    if not 0 < seconds <= MOST_SECONDS:
        raise ProcessorError(f"processor {name}: seconds={seconds!r}; expected a limit from 0 to {MOST_SECONDS:.0f}.")
    if batch < 1:
        raise ProcessorError(f"processor {name}: batch={batch!r}; expected 1 or more.")
    return Declaration(name, wants, {c: k for c, k in types.items() if k is not None}, float(seconds), int(batch))
