"""Small drawings as inline SVG, each with a title and a description for those who do not see it.

Colours and type come from the report's style sheet by class name, so that they follow light, dark and print.
No `style` attribute is written: the report's content security policy would refuse it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from markupsafe import Markup

from vasculum.report.scales import ticks
from vasculum.report.summaries import Bin, Group, Labels, Numbers
from vasculum.report.words import count, number, plain, share

WIDTH = 400
LEFT, RIGHT = 44, 10


def element(name: str, content: str | Markup = "", **attributes: str | float) -> Markup:
    """Return one SVG element. Texts are made plain and escaped; `class_` stands for class, `_` for `-`."""
    written = Markup("").join(
        Markup(' {}="{}"').format(Markup(key.rstrip("_").replace("_", "-")), _value(value))
        for key, value in attributes.items()
    )
    inside = content if isinstance(content, Markup) else plain(content)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inside)


def _value(value: str | float) -> str:
    return plain(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def drawing(key: str, title: str, description: str, height: float, parts: Sequence[Markup]) -> Markup:
    """Return the whole SVG; `key` makes its ids unique within the page."""
    content = Markup("").join(
        [
            element("title", title, id=f"{key}-title"),
            element("desc", description, id=f"{key}-desc"),
            *parts,
        ]
    )
    return element(
        "svg",
        content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        class_="plot",
    )


def text(x: float, y: float, words: str, anchor: str = "middle", class_: str = "tick") -> Markup:
    """Return words at a point."""
    return element("text", words, x=x, y=y, text_anchor=anchor, class_=class_)


def histogram(key: str, title: str, numbers: Numbers) -> Markup:
    """Return a histogram, with the median marked."""
    top, bottom, height = 22.0, 168.0, 200.0
    bins = numbers.bins
    low, high = _extent(bins)
    most = max(b.count for b in bins)
    across = (WIDTH - LEFT - RIGHT) / (high - low)

    def x(value: float) -> float:
        return LEFT + (value - low) * across

    parts = []
    for tick in [t for t in ticks(0, most, 3) if t == int(t)]:
        y = bottom - (bottom - top) * tick / most
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(text(LEFT - 7, y + 4, count(int(tick)), "end"))
    half = 0.5 if bins[0].low == bins[0].high else 0.0
    for b in bins:
        tall = (bottom - top) * b.count / most
        left, right = x(b.low - half), x(b.high + half)
        gap = min(1.5, (right - left) / 5)
        what = element("title", f"{_span(b, numbers.step)}: {count(b.count)}")
        if b.count:
            tall = max(tall, 1.0)
            bar = {"x": left + gap / 2, "y": bottom - tall, "width": right - left - gap, "height": tall}
            parts.append(element("rect", what, **bar, class_="bar"))
    parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="axis"))
    for tick in ticks(low + half, high - half, 5):
        parts.append(text(x(tick), bottom + 18, number(tick, numbers.step)))
    median = numbers.quartiles[2]
    if low <= median <= high:
        at = x(median)
        side = "start" if at < WIDTH * 0.62 else "end"
        parts.append(element("line", x1=at, x2=at, y1=top - 10, y2=bottom, class_="median"))
        parts.append(
            text(
                at + (5 if side == "start" else -5),
                top - 6,
                f"median {number(median, numbers.spread)}",
                side,
                "note",
            )
        )
    least, lower, _, upper, greatest = numbers.quartiles
    description = (
        f"Histogram. Values run from {number(least)} to {number(greatest)}, half of them lie between "
        f"{number(lower)} and {number(upper)}, the median is {number(median)}."
    )
    return drawing(key, title, description, height, parts)


def _extent(bins: Sequence[Bin]) -> tuple[float, float]:
    low, high = bins[0].low, bins[-1].high
    if bins[0].low == bins[0].high:
        return low - 0.5, high + 0.5
    return low, high


def _span(b: Bin, step: float) -> str:
    return number(b.low, step) if b.low == b.high else f"{number(b.low, step)} to {number(b.high, step)}"


def bars(key: str, title: str, labels: Labels, values: int) -> Markup:
    """Return one bar a label, the most frequent first; a full bar would be all `values`."""
    rows = list(labels.counts) + ([(f"{count(labels.distinct - len(labels.counts))} others", labels.other)]
                                  if labels.other else [])  # fmt: skip
    parts = []
    step = 38.0
    for place, (label, n) in enumerate(rows):
        y = place * step
        other = bool(labels.other) and place == len(rows) - 1
        parts.append(text(0, y + 13, _short(label, 34), "start", "label"))
        parts.append(text(WIDTH - 58, y + 13, count(n), "end", "figure"))
        parts.append(text(WIDTH, y + 13, share(n, values), "end", "figure"))
        parts.append(element("rect", x=0, y=y + 19, width=WIDTH, height=7, class_="trough"))
        long = max(WIDTH * n / values, 1.5)
        parts.append(element("rect", x=0, y=y + 19, width=long, height=7, class_="rest" if other else "bar"))
    first, n = rows[0]
    description = f"Bars of {count(labels.distinct)} labels. The most frequent is {first} with {count(n)}."
    return drawing(key, title, description, len(rows) * step - 8, parts)


def groups(key: str, title: str, numbers: Numbers) -> Markup:
    """Return the institutions one below another: quartiles with whiskers to the ends, or every value."""
    low = min(g.quartiles[0] for g in numbers.groups)
    high = max(g.quartiles[4] for g in numbers.groups)
    if high - low < sys.float_info.min:  # all the same, or as good as: one line in the middle
        around = max(0.5, abs(low) / 10)
        low, high = low - around, high + around
    left, right, step, top = 112.0, 60.0, 28.0, 4.0
    across = (WIDTH - left - right) / (high - low)

    def x(value: float) -> float:
        return left + (value - low) * across

    bottom = top + step * len(numbers.groups)
    parts = []
    for tick in ticks(low, high, 4):
        parts.append(element("line", x1=x(tick), x2=x(tick), y1=top, y2=bottom, class_="grid"))
        parts.append(text(x(tick), bottom + 16, number(tick, (high - low) / 10)))
    for place, group in enumerate(numbers.groups):
        y = top + step * (place + 0.5)
        parts.append(text(left - 14, y + 4, _short(group.name, 12), "end", "label"))
        parts.append(text(WIDTH, y + 4, f"n {count(group.count)}", "end", "figure"))
        parts.extend(_points(group, x, y) if group.points else _box(group, x, y))
    description = "By institution: " + "; ".join(
        f"{_short(g.name, 40)} median {number(g.quartiles[2])} (n {count(g.count)})" for g in numbers.groups
    )
    return drawing(key, title, description, bottom + 24, parts)


def _points(group: Group, x: Callable[[float], float], y: float) -> list[Markup]:
    spread = [
        element("circle", cx=x(value), cy=y + (place % 3 - 1) * 2.5, r=3, class_="point")
        for place, value in enumerate(group.points)
    ]
    at = x(group.quartiles[2])
    return [*spread, element("line", x1=at, x2=at, y1=y - 9, y2=y + 9, class_="middle")]


def _box(group: Group, x: Callable[[float], float], y: float) -> list[Markup]:
    least, lower, median, upper, greatest = (x(value) for value in group.quartiles)
    return [
        element("line", x1=least, x2=greatest, y1=y, y2=y, class_="whisker"),
        element("rect", x=lower, y=y - 7, width=max(upper - lower, 1), height=14, class_="box"),
        element("line", x1=median, x2=median, y1=y - 9, y2=y + 9, class_="middle"),
    ]


def _short(words: str, most: int) -> str:
    joined = " ".join(words.split()) or "(empty)"
    return joined if len(joined) <= most else joined[: most - 1] + "…"
