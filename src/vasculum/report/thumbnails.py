"""Small pictures inside the page: each a `data:` address of a JPEG, PNG or WebP, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from markupsafe import Markup

from vasculum.study.study import Study
from vasculum.study.thumbnails import media_type, small_pictures

MOST_IN_ALL = 3_500_000
"""All pictures of a page together, in bytes before base64 makes them a third longer."""


class Thumbnails:
    """Gives `data:` addresses as long as all of them together stay within `MOST_IN_ALL`."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._left = MOST_IN_ALL

    def of(self, media_ids: Sequence[str], column: str | None = None) -> dict[str, Markup]:
        """Return address by media id: of a Picture column, or of the images themselves.

        An image that cannot be read, or for which no room is left, has none.
        """
        addresses: dict[str, Markup] = {}
        for media_id, data in small_pictures(self._study, media_ids, column).items():
            if len(data) <= self._left:
                self._left -= len(data)
                coded = base64.b64encode(data).decode()
                addresses[media_id] = Markup(f"data:{media_type(data)};base64,{coded}")
        return addresses
