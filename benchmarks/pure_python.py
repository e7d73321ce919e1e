"""A processor that holds the interpreter's lock all the time: what a stranger's loop over pixels costs."""

from __future__ import annotations

from typing import Any

from vasculum import Pixels, processor


@processor(Pixels(64), gives={"darkest_row": int})
def pure_python(pixels: Any) -> dict[str, list[int]]:
    """Return the number of the darkest row of each picture, added up value by value in plain Python."""
    found = []
    for picture in pixels.tolist():
        sums = []
        for row in picture:
            total = 0
            for _ in range(60):
                for red, green, blue in row:
                    total += red * 3 + green * 6 + blue
            sums.append(total)
        found.append(sums.index(min(sums)))
    return {"darkest_row": found}
