"""The one exception of this room: an image that cannot be turned into pixels, and why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from vasculum.outcomes import Status

LONGEST_DETAIL = 200


class PixelError(Exception):
    """One image cannot be turned into pixels. `status` goes into its row; `detail` is for a person."""

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.status.value}: {self.detail}"


def one_line(text: object) -> str:
    """Return `text` as one printable line of at most 200 characters (hostile files choose parts of it)."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return clean if len(clean) <= LONGEST_DETAIL else clean[: LONGEST_DETAIL - 1] + "…"


@contextlib.contextmanager
def only_pixel_errors(image_type: str, *, cut: bool = False) -> Iterator[None]:
    """Turn whatever a codec raises inside into a PixelError.

    `cut` says that the container is known to end too early: then a failure is `truncated`.
    """
    try:
        yield
    except PixelError:
        raise
    except MemoryError:
        raise PixelError(Status.TOO_LARGE, f"{image_type}: not enough memory to decode it") from None
    except Exception as error:  # codecs raise OSError, ValueError, SyntaxError, struct.error, zlib.error and others
        status = Status.TRUNCATED if cut else _status_of(error)
        said = one_line(error) or type(error).__name__
        raise PixelError(status, one_line(f"{image_type}: {said}")) from error


def _status_of(error: Exception) -> Status:
    text = str(error).lower()
    if isinstance(error, NotImplementedError) or "unsupported" in text or "not supported" in text:
        return Status.UNSUPPORTED
    if isinstance(error, EOFError) or "truncated" in text or "premature end" in text:
        return Status.TRUNCATED
    return Status.CORRUPT
