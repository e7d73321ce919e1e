"""What passes between a job and its guarded child: which images to work on, and what came of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from vasculum.outcomes import Status
from vasculum.pixels.policy import DecodePolicy
from vasculum.processing.load import Reference

Failure = tuple[Status, str]


@dataclasses.dataclass(slots=True)
class Item:
    """One image to work on."""

    media_id: str
    place: str
    """Path of the shard, or of the file itself where `etag` is given."""
    etag: str | None
    sha256: str
    image_key: int
    skip: dict[str, Failure] = dataclasses.field(default_factory=dict)
    """Processors that died on it, and how: they are not called again."""


@dataclasses.dataclass(slots=True)
class Outcome:
    """What came of one image: the columns of each processor that ended well, and what the others met."""

    media_id: str
    failure: Failure | None = None
    """What befell the image itself, before any processor."""
    columns: dict[str, Any] = dataclasses.field(default_factory=dict)
    failures: dict[str, Failure] = dataclasses.field(default_factory=dict)
    """By processor."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setup:
    """What a child needs to begin: sent once."""

    processors: tuple[Reference, ...]
    """In the order in which they run: one that needs another's columns comes after it."""
    policy: DecodePolicy
    alone: frozenset[str]
    """Processors whose numbers depend on their neighbours in a batch: called with one image at a time."""
    path: tuple[str, ...]
    """sys.path of the driver, for processors in importable modules."""


@dataclasses.dataclass(frozen=True, slots=True)
class At:
    """Sent before every step that may hang or kill: what is being done to which items, and its time limit."""

    step: str
    """'open', 'read', 'decode' or 'call'."""
    items: tuple[int, ...]
    seconds: float
    processor: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """What the contract check found on the first image."""

    mismatches: Mapping[str, str]
    """By processor: what was expected and what came."""
    raised: Mapping[str, str]
    alone: frozenset[str]
