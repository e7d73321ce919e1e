"""What a processor wants to be given and what it promises to give: small values, declared once.

Wants: `Pixels` (a batch of fitted pictures), `Tiles` (one large picture in squares), `Bytes` (as they came).
Gives: `Float`, `Integer`, `Text`, `Boolean`, `Vector`, `ListOf`, `Picture`; `float`, `int`, `str`, `bool` stand for the first four.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pyarrow as pa

Fit = Literal["pad", "crop", "squash"]
Filter = Literal["lanczos", "bilinear"]


@dataclasses.dataclass(frozen=True, slots=True)
class Pixels:
    """A batch of pictures fitted into squares: uint8 array `(N, size, size, 3)`, sRGB, upright.

    `pad` keeps the whole picture, centred on `fill`; `crop` fills the square and cuts the longer side;
    `squash` changes the proportions.
    """

    size: int = 256
    fit: Fit = "pad"
    fill: int = 255
    filter: Filter = "lanczos"


@dataclasses.dataclass(frozen=True, slots=True)
class Tiles:
    """One picture cut into squares: uint8 array `(T, size, size, 3)`, row by row, white beyond the edge.

    `long_side` scales the picture down first (None: full size). The processor is called once an image.
    """

    size: int = 512
    overlap: int = 0
    long_side: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Bytes:
    """The encoded images as they came: a list of N `bytes`. Nothing is decoded for it."""


Wants = Pixels | Tiles | Bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Given:
    """What is said of every column: `missing`, whether it may be null; `unit` and `meaning`, in words, for who reads it."""

    missing: bool = False
    unit: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        for name in ("unit", "meaning"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{type(self).__name__}: {name}={getattr(self, name)!r} is no text")

    def __repr__(self) -> str:
        shown = [(field.name, getattr(self, field.name)) for field in dataclasses.fields(self)]
        shown.sort(key=lambda pair: pair[0] in ("missing", "unit", "meaning"))
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown if value != '')})"


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Float(_Given):
    """A float64. NaN and infinity are refused unless `missing`, where None and NaN become null."""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.float64()


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Integer(_Given):
    """An int64; None becomes null where `missing`."""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.int64()


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Text(_Given):
    """A text; None becomes null where `missing`."""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.string()


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Boolean(_Given):
    """True or false; None becomes null where `missing`."""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.bool_()


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Vector(_Given):
    """A vector of `length` float32 numbers, all finite."""

    length: int

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.list_(pa.field("element", pa.float32()), self.length)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class ListOf(_Given):
    """A list of any length of one of the plain types."""

    element: Float | Integer | Text | Boolean

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.list_(pa.field("element", self.element.arrow))


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Picture(_Given):
    """An encoded image (`bytes` of a JPEG, PNG or WebP), kept under blobs/; the column holds its sha256."""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column: the hash of the picture, hex."""
        return pa.string()


Gives = Float | Integer | Text | Boolean | Vector | ListOf | Picture
_SHORT: dict[Any, Gives] = {float: Float(), int: Integer(), str: Text(), bool: Boolean()}


def as_gives(value: Any) -> Gives | None:
    """Return the declared type for `value` (a type of this module, or float, int, str, bool), or None."""
    if isinstance(value, Float | Integer | Text | Boolean | Vector | ListOf | Picture):
        return value
    return _SHORT.get(value) if isinstance(value, type) else None
