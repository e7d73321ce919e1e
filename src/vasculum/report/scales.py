"""Round numbers for axes and bins."""

from __future__ import annotations

import math

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def step_for(low: float, high: float, most: int) -> float:
    """Return the smallest round step (1, 2, 2.5, 5 times a power of ten) that makes `most` parts or less."""
    width = (high - low) / most
    if not math.isfinite(width) or width <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    return next((step * power for step in STEPS if step * power >= width * (1 - 1e-9)), 10 * power)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers within low..high, at most `most` + 1 of them."""
    step = step_for(low, high, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * i for i in range(first, min(last, first + most) + 1)]
