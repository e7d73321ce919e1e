"""What the values of each results column look like: counts, quartiles, bins, labels, groups."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from vasculum.processing.types import Boolean, Float, Gives, Integer, ListOf, Picture, Text, Vector
from vasculum.report.queries import ROWS, as_number, value, yes_or_no
from vasculum.report.scales import step_for
from vasculum.store.sql import Database
from vasculum.study.study import ResultColumn

MOST_BINS = 40
MOST_LABELS = 12
MOST_GROUPS = 12
ROWS_OF_A_GROUP = 3
MOST_POINTS = 30
"""A group of up to this many values is drawn point by point, a larger one as a box."""

BIGGEST = 1e150
"""Beyond it squares overflow, and no mean is given."""


@dataclasses.dataclass(frozen=True, slots=True)
class Bin:
    """How many values lie from `low` to below `high`; one whole number where both are equal."""

    low: float
    high: float
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """The values of one institution: their quartiles, and all of them where they are few."""

    name: str
    count: int
    quartiles: tuple[float, float, float, float, float]
    points: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers. `quartiles`: least, lower quartile, median, upper quartile, greatest."""

    quartiles: tuple[float, float, float, float, float]
    mean: float | None
    deviation: float | None
    bins: tuple[Bin, ...]
    below: int
    above: int
    groups: tuple[Group, ...]
    groups_in_all: int

    @property
    def spread(self) -> float:
        """How far apart these numbers are, for telling them apart in print: a tenth of their range."""
        return (self.quartiles[4] - self.quartiles[0]) / 10

    @property
    def step(self) -> float:
        """The width of a bin, or 1 where each is a single number."""
        return (self.bins[0].high - self.bins[0].low if self.bins else 0.0) or 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Labels:
    """A column of labels: the most frequent with their counts, how many there are, values of the others."""

    counts: tuple[tuple[str, int], ...]
    distinct: int
    other: int


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """One results column: `values` rows have one, `missing` none though it ran, `without` failed."""

    name: str
    processor: str
    column: str
    kind: str
    values: int
    missing: int
    without: int
    drawn: Numbers | Labels | None
    note: str = ""


def summarise(database: Database, column: ResultColumn, names: Sequence[str]) -> Summary:
    """Return the summary of one results column; `names` are the columns that the results have."""
    here = value(column.name)
    own_status = f"{column.processor}_status"
    status = value(own_status if own_status in names else "status")
    counts = database.run(
        f"select count({here}) as n, count(*) filter ({here} is null and {status} = 'ok') as missing, "
        f"count(*) filter ({here} is null and {status} is distinct from 'ok') as without from results as r"
    ).to_pylist()[0]
    values, kind = int(counts["n"]), column.kind
    drawn: Numbers | Labels | None = None
    note = ""
    if not values:
        note = "No image has a value."
    elif isinstance(kind, Float | Integer):
        drawn = _numbers(database, column.name, isinstance(kind, Integer))
        if drawn is not None and drawn.quartiles[0] == drawn.quartiles[4]:
            note = "They are all the same."
    elif isinstance(kind, Boolean):
        drawn = _labels(database, yes_or_no(column.name))
    elif isinstance(kind, Text):
        drawn = _labels(database, here)
        if drawn.distinct > 30 and drawn.distinct > values / 2:
            note = f"{drawn.distinct:,} different texts: too many to draw."
            drawn = None
    else:
        note = _note(database, here, kind)
    return Summary(
        column.name, column.processor, column.column, type(kind).__name__,
        values, int(counts["missing"]), int(counts["without"]), drawn, note,
    )  # fmt: skip


def _numbers(database: Database, column: str, whole: bool) -> Numbers | None:
    rows = f"(select {as_number(column)} as x from results as r where {as_number(column)} is not null)"
    found = database.run(
        f"select count(*) as n, min(x) as low, max(x) as high, quantile_cont(x, [0.25, 0.5, 0.75]) as q from {rows}"
    ).to_pylist()[0]
    if not found["n"]:
        return None
    low, high = found["low"], found["high"]
    quartiles = (low, *found["q"], high)
    mean = deviation = None
    if max(abs(low), abs(high)) < BIGGEST:
        moments = database.run(f"select avg(x) as mean, stddev_samp(x) as deviation from {rows}").to_pylist()[0]
        mean, deviation = moments["mean"], moments["deviation"]
    bins: tuple[Bin, ...] = ()
    groups: tuple[Group, ...] = ()
    below = above = groups_in_all = 0
    if 0 < high - low < math.inf:
        bins, below, above = _bins(database, rows, quartiles, found["n"], whole)
        groups, groups_in_all = _groups(database, column)
    return Numbers(quartiles, mean, deviation, bins, below, above, groups, groups_in_all)


def _bins(
    database: Database, rows: str, quartiles: Sequence[float], n: int, whole: bool
) -> tuple[tuple[Bin, ...], int, int]:
    """Return bins of a round width (Freedman and Diaconis 1981), and how many values lie outside what is
    drawn.

    Values further from the middle half than six times its width are counted but not drawn, where drawing
    them would leave the rest in a corner.
    """
    low, lower, _, upper, high = quartiles
    middle = upper - lower
    if middle > 0 and high - low > 3 * 12 * middle:
        low, high = max(low, lower - 6 * middle), min(high, upper + 6 * middle)
    wanted = math.ceil((high - low) / (2 * middle / n ** (1 / 3))) if middle > 0 else 12
    most = min(MOST_BINS, max(8, wanted))
    step = max(1.0, step_for(low, high, most)) if whole else step_for(low, high, most)
    single = whole and step == 1.0
    start = math.floor(low / step + 1e-9)
    last = math.floor(high / step + 1e-9)
    if not whole and last > start and high <= last * step * (1 + 1e-12):
        last -= 1  # the greatest value on an edge belongs to the bin before it
    if max(abs(start), abs(last)) > 2**52 or last - start > 2 * MOST_BINS:
        return (), 0, 0  # so far from zero and so close together that a double cannot tell the bins apart
    table = database.run(
        f"select greatest($1, least($2, floor(x / $3 + 1e-9)::bigint)) as bin, count(*) as n from {rows} "
        "where x between $4 and $5 group by bin",
        [start, last, step, low, high],
    )
    counts = {row["bin"]: row["n"] for row in table.to_pylist()}
    outside = database.run(
        f"select count(*) filter (x < $1) as below, count(*) filter (x > $2) as above from {rows}",
        [low, high],
    ).to_pylist()[0]
    bins = tuple(
        Bin(step * i, step * i if single else step * (i + 1), counts.get(i, 0)) for i in range(start, last + 1)
    )
    return bins, outside["below"], outside["above"]


def _groups(database: Database, column: str) -> tuple[tuple[Group, ...], int]:
    """Return the institutions with most values, and how many have enough; none where fewer than two have."""
    rows = (
        f"(select m.institutionCode as name, {as_number(column)} as x from {ROWS} "
        f"where {as_number(column)} is not null and trim(m.institutionCode) <> '')"
    )
    found = database.run(
        "select name, count(*) as n, min(x) as low, max(x) as high, "
        "quantile_cont(x, [0.25, 0.5, 0.75]) as q, count(*) over () as in_all "
        f"from {rows} group by name having count(*) >= $1 "
        "order by n desc, name limit $2",
        [ROWS_OF_A_GROUP, MOST_GROUPS],
    ).to_pylist()
    if len(found) < 2:
        return (), 0
    few = [row["name"] for row in found if row["n"] <= MOST_POINTS]
    marks = ", ".join(f"${i + 1}" for i in range(len(few)))
    points: dict[str, list[float]] = {name: [] for name in few}
    if few:
        table = database.run(f"select name, x from {rows} where name in ({marks}) order by x", few)
        for row in table.to_pylist():
            points[row["name"]].append(row["x"])
    groups = tuple(
        Group(name, row["n"], (row["low"], *row["q"], row["high"]), tuple(points.get(name, ())))
        for name, row in ((row["name"], row) for row in found)
    )
    return groups, found[0]["in_all"]


def _labels(database: Database, label: str) -> Labels:
    rows = f"(select {label} as label from results as r where {label} is not null)"
    found = database.run(
        "select left(label, 200) as label, n, count(*) over () as distinct_labels, sum(n) over () as in_all "
        f"from (select label, count(*) as n from {rows} group by label) order by n desc, label limit $1",
        [MOST_LABELS],
    ).to_pylist()
    counts = tuple((row["label"], int(row["n"])) for row in found)
    return Labels(counts, found[0]["distinct_labels"], int(found[0]["in_all"]) - sum(n for _, n in counts))


def _note(database: Database, here: str, kind: Gives) -> str:
    if isinstance(kind, Vector):
        return f"Vectors of {kind.length:,} numbers. They are in the export, not drawn here."
    if isinstance(kind, ListOf):
        table = database.run(f"select min(len({here})) as low, max(len({here})) as high from results as r")
        row = table.to_pylist()[0]
        return f"Lists of {row['low']:,} to {row['high']:,} entries. They are in the export, not drawn here."
    return "Pictures. Some are in the gallery." if isinstance(kind, Picture) else ""
