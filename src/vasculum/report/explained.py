"""How much of what differs between images goes with the institution: a camera may be measured for a plant."""

from __future__ import annotations

import dataclasses
import math

from vasculum.processing.types import Boolean, Float, Gives, Integer, Text
from vasculum.report.queries import ROWS, as_number, value
from vasculum.store.sql import Database

ROWS_OF_A_GROUP = 3
"""An institution with fewer values of a column than this is left out of the comparison."""

MUCH = 0.3
"""A share above this is said in words."""

RARE = 0.01
"""A share that chance alone would reach more often than this is called possibly chance."""

BIGGEST = 1e150
"""Beyond it squares overflow, and nothing is compared."""

ROUNDING = 1e-14
"""Differences below this share of the values themselves are what adding them up leaves, not differences."""


@dataclasses.dataclass(frozen=True, slots=True)
class Explained:
    """What institutions explain of one column: `share` (0 to 1, may be a little below 0) over `rows` of `groups`.

    `chance` is how often as much would come of institutions that make no difference.
    """

    share: float
    chance: float
    rows: int
    groups: int

    @property
    def much(self) -> bool:
        """True where it is enough to be said."""
        return self.share > MUCH

    @property
    def beware(self) -> bool:
        """True where it is enough to be warned of, and hardly chance."""
        return self.much and self.chance < RARE


def explained(database: Database, column: str, kind: Gives) -> Explained | None:
    """Return what the institutions explain of a results column.

    None where fewer than two institutions have `ROWS_OF_A_GROUP` values, all values are the same, or the kind of
    column has no such share (vectors, lists, pictures).
    """
    if isinstance(kind, Float | Integer):
        return of_numbers(database, as_number(column))
    if isinstance(kind, Boolean):
        return of_numbers(database, f"{value(column)}::int::double")
    return of_labels(database, value(column)) if isinstance(kind, Text) else None


def of_numbers(database: Database, expression: str) -> Explained | None:
    """Return epsilon squared of a one-way analysis of variance of an SQL expression of numbers by institution.

    ε² = (SSB - (k - 1) SSW / (N - k)) / (SSB + SSW) = 1 - (1 - η²) (N - 1) / (N - k), for k institutions with N
    values: η² less what chance gives, the same as the adjusted R² of a regression on the institution. Source: Kelley
    1935, doi:10.1073/pnas.21.9.554; it is the least biased of the common ones (Okada 2013,
    doi:10.2333/bhmk.40.129). Chance: the F test of the same analysis, tail by `beyond_f`.
    """
    groups = (
        f"select count(x) as n, avg(x) as mean, var_pop(x) as variance, min(x) as low, max(x) as high from ({_held(expression)}) "
        f"where abs(x) < {BIGGEST} group by institution having count(x) >= {ROWS_OF_A_GROUP}"
    )
    found = database.run(
        f"with g as ({groups}), whole as (select sum(n) as rows, sum(n * mean) / sum(n) as mean from g) "
        "select count(*) as groups, sum(g.n)::double as rows, min(low) as low, max(high) as high, sum(g.n * g.variance) as within, "
        "sum(g.n * (g.mean - whole.mean) * (g.mean - whole.mean)) as between_them from g, whole"
    ).to_pylist()[0]
    k, n = int(found["groups"]), int(found["rows"] or 0)
    if k < 2:
        return None
    within, between = found["within"], found["between_them"]
    total = within + between
    # Equal values differ in nothing, though their means in groups do in the last digit.
    size = max(abs(found["low"]), abs(found["high"]))
    if found["low"] == found["high"] or not n * (ROUNDING * size) ** 2 < total < math.inf:
        return None
    share = 1 - (within / total) * (n - 1) / (n - k)
    chance = beyond_f((between / (k - 1)) / (within / (n - k)), k - 1, n - k) if within > 0 else 0.0
    return Explained(share, chance, n, k)


def of_labels(database: Database, expression: str) -> Explained | None:
    """Return Goodman and Kruskal's τ of an SQL expression of labels by institution, adjusted for chance.

    τ = (Σ p_ij² / p_i. - Σ p_.j²) / (1 - Σ p_.j²): the share of wrong guesses of the label that knowing the
    institution spares (Goodman & Kruskal 1954, doi:10.2307/2281536). It is R² for labels (Light & Margolin 1971,
    doi:10.2307/2283520), so it is adjusted like one: 1 - (1 - τ) (N - 1) / (N - k). Chance: their
    C = (N - 1) (c - 1) τ, which is χ² with (k - 1) (c - 1) degrees of freedom for c labels.
    """
    found = database.run(
        f"with h as ({_held(expression)}), "
        f"g as (select institution from h group by institution having count(x) >= {ROWS_OF_A_GROUP}), "
        "cells as (select institution, x, count(*)::double as n from h semi join g using (institution) group by all), "
        "rows_ as (select sum(n) as n, sum(n * n) as squares from cells group by institution), "
        "columns_ as (select sum(n) as n from cells group by x) "
        "select (select count(*) from rows_) as groups, (select sum(n) from rows_) as rows, "
        "(select sum(squares / n) from rows_) as held, (select count(*) from columns_) as labels, "
        "(select sum(n * n) from columns_) as squares"
    ).to_pylist()[0]
    k, n, labels = int(found["groups"]), int(found["rows"] or 0), int(found["labels"])
    if k < 2 or labels < 2:
        return None
    apart = 1 - found["squares"] / n**2
    tau = (found["held"] / n - found["squares"] / n**2) / apart
    share = 1 - (1 - tau) * (n - 1) / (n - k)
    return Explained(share, beyond_chi((n - 1) * (labels - 1) * tau, (k - 1) * (labels - 1)), n, k)


def _held(expression: str) -> str:
    return (
        f"select trim(m.institutionCode) as institution, {expression} as x from {ROWS} "
        f"where {expression} is not null and trim(m.institutionCode) <> ''"
    )


def beyond_chi(x: float, freedom: int) -> float:
    """Return about how often χ² with `freedom` degrees goes beyond x (Wilson & Hilferty 1931, doi:10.1073/pnas.17.12.684)."""
    ninth = 2 / (9 * freedom)
    return _beyond(((max(x, 0.0) / freedom) ** (1 / 3) - (1 - ninth)) / ninth**0.5)


def beyond_f(x: float, upper: int, lower: int) -> float:
    """Return about how often F with these degrees of freedom goes beyond x (Paulson 1942, doi:10.1214/aoms/1177731608)."""
    above, below, root = 2 / (9 * upper), 2 / (9 * lower), max(x, 0.0) ** (1 / 3)
    if not math.isfinite(root):
        return 0.0
    return _beyond(((1 - below) * root - (1 - above)) / (below * root * root + above) ** 0.5)


def _beyond(z: float) -> float:
    """Return the share of a normal distribution beyond z."""
    return 0.5 * math.erfc(z / 2**0.5)
