"""What a profile warns of, and from where on: the one table of thresholds.

Invariant: codes do not change; programs go by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

from mldata.profile.profile import Alert

__all__ = ["INFO", "RULES", "WARNING", "Rule", "raised"]

INFO, WARNING = "info", "warning"
NEVER = math.inf


@dataclass(frozen=True)
class Rule:
    """When there is an alert."""

    limit: float
    """It is raised from this value on."""
    warning: float
    """And is a warning from this one on; infinite: never."""
    value: str
    """What the value is."""
    meaning: str


RULES = MappingProxyType(
    {
        # of the table
        "duplicates": Rule(0.0, 0.01, "their share", "rows equal an earlier one in every column"),
        "same-name": Rule(2, 2, "how many", "columns have one name"),
        # of any column
        "empty": Rule(1, 1, "1", "there is no value: no row, no column, or nulls alone"),
        "constant": Rule(2, 2, "values", "every value is the same"),
        "missing": Rule(0.01, 0.2, "share of nulls", "values are missing"),
        "likely-id": Rule(20, NEVER, "values", "every value is different, and looks as if it named its row"),
        "correlated": Rule(
            0.9, 0.99, "the greatest coefficient", "the column says much of what an earlier one says"
        ),
        # of numbers and times
        "nan": Rule(0.0, 0.2, "share of values", "values are NaN, which is not null"),
        "infinite": Rule(1, 1, "values", "values are infinite"),
        "zeros": Rule(0.5, NEVER, "share of values", "numbers, of which there are more than two, are zero"),
        "skewed": Rule(
            3.0, NEVER, "skewness (G1), without its sign", "one tail is much longer than the other"
        ),
        "outliers": Rule(
            0.05, NEVER, "share of values", "five numbers and more are beyond 1.5 interquartile ranges"
        ),
        "extreme": Rule(
            1, NEVER, "values", "values, at most one of a hundred, are beyond 10 interquartile ranges"
        ),
        "dates-in-numbers": Rule(
            0.95,
            NEVER,
            "share of values",
            "integers look like 20240506, or like seconds since 1970 by their name",
        ),
        # of categories, booleans and integers of at most 10 values
        "imbalance": Rule(
            0.5, 0.8, "1 - entropy / its greatest", "few of the classes (at most 50) have nearly all rows"
        ),
        "high-cardinality": Rule(
            51,
            NEVER,
            "different values",
            "texts of at most 50 characters have many values, each twice and more",
        ),
        "case-variants": Rule(1, 1, "values", "categories differ in case or white space alone"),
        # of texts
        "all-distinct": Rule(20, NEVER, "values", "no text, of at most 50 characters, is there twice"),
        "dates-in-text": Rule(0.95, NEVER, "share of texts", "texts look like dates"),
        "numbers-in-text": Rule(0.95, NEVER, "share of texts", "texts look like numbers"),
        "booleans-in-text": Rule(0.95, NEVER, "share of texts", "texts look like booleans"),
        "blank": Rule(1, NEVER, "texts", "texts are empty, or of white space alone"),
        "padded": Rule(1, NEVER, "texts", "categories or ids have white space before or after them"),
        "placeholders": Rule(1, NEVER, "values", "values such as N/A or -999 may stand for missing ones"),
        "constant-length": Rule(20, NEVER, "texts", "texts, no categories and no ids, have one length"),
        # of the columns that mldata makes of files
        "duplicate-files": Rule(1, 1, "files", "files have the bytes of another"),
        "mixed-format": Rule(
            2, NEVER, "different values", "pictures differ in mode, or sounds in rate or channels"
        ),
    }
)
"""By code. Shares of zeros, outliers, dates and classes are of 20 values at least (:data:`mldata.profile.roles.LEAST`), correlations of as many rows in which
both columns have a value, those of texts' looks of three. Of numbers the first is told of ``placeholders``,
``zeros``, ``skewed`` (but where few values alone make it so), ``extreme`` and ``outliers``: it explains those after it."""


def raised(code: str, value: float, message: str, column: str | None = None) -> tuple[Alert, ...]:
    """An alert, or none if the value is below its limit, or zero."""
    rule = RULES[code]
    if value < rule.limit or not value:
        return ()
    return (Alert(code, message, WARNING if value >= rule.warning else INFO, column, float(value)),)
