"""A drift report as JSON."""

from __future__ import annotations

import json

import pyarrow as pa

from mldata.drift.compare import compare
from mldata.drift.form import drift_to_json
from mldata.profile.summarize import summarize


def test_json_has_the_keys_that_do_not_change() -> None:
    """The report and each of its columns have the keys that programs rely on; every number is one that JSON has."""
    before = pa.table({"x": [1.0, float("inf")] * 20, "t": ["some text here"] * 40, "gone": [1] * 40})
    after = pa.table({"x": [2.0, 1e308] * 20, "t": ["another text"] * 40, "new": [1] * 40})
    plain = drift_to_json(compare(summarize(before), summarize(after), names=("a@1", "a@2")))
    assert plain["baseline"] == {"name": "a@1", "rows": 40}
    assert (plain["drift"], plain["share"], plain["added"], plain["removed"]) == (
        True,
        1.0,
        ["new"],
        ["gone"],
    )
    keys = {"kind", "psi", "kl", "js", "wasserstein", "ks", "chi2", "hellinger", "severity", "drift_detected"}
    assert all(keys <= column.keys() for column in plain["columns"].values())
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_columns_of_one_name_stay_apart() -> None:
    """The second column of a name has its number behind it."""
    table = summarize(pa.table([[1], [2], [3]], names=["a", "a", "a (2)"]))
    assert list(drift_to_json(compare(table, table))["columns"]) == ["a", "a (2)", "a (2) (2)"]


def test_facets_have_their_bins() -> None:
    """Of texts each facet has its own measures and bins."""
    table = summarize(pa.table({"t": [f"text {number}" for number in range(50)]}))
    facets = drift_to_json(compare(table, table))["columns"]["t"]["facets"]
    assert facets["length"]["bins"] == [
        {"label": "= 6", "baseline": 10, "current": 10, "psi": 0.0},
        {"label": "= 7", "baseline": 40, "current": 40, "psi": 0.0},
    ]
