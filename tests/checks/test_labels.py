"""The check of labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.checks import CHECKS, base, equalrows, labels
from mldata.checks.base import Finding
from mldata.errors import SpecError
from mldata.spec import InvalidSpec, parse_dataset
from mldata.testing.checks import check_pieces

PARAMS: dict[str, Any] = parse_dataset("d", {"source": "x", "validate": {"checks": ["labels"]}})["validate"][
    "labels"
]


def check(table: pa.Table | list[pa.Table], parts: Any = None, kind: str = "tabular", **params: Any) -> Any:
    pieces = table if isinstance(table, list) else [table]
    return check_pieces(CHECKS["labels"], PARAMS | params, pieces, parts=parts, kind=kind)


def labelled(counts: dict[str | None, int], **columns: Any) -> pa.Table:
    """A table with so many rows of each label, all inputs different."""
    column = [label for label, count in counts.items() for _ in range(count)]
    return pa.table({"x": range(len(column)), "label": pa.array(column, pa.string()), **columns})


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


def test_defaults() -> None:
    """Nothing is held to unless the spec says so."""
    assert PARAMS == {
        "column": None, "inputs": [], "max_ratio": None, "min_entropy": None, "min_rows": None,
        "min_part_rows": None, "missing": None, "conflicts": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"max_ratio": 0.5}, "expected a number of at least 1, found 0.5"),
        ({"min_entropy": 2}, "expected a number from 0 to 1, found 2"),
        ({"min_rows": -1}, "expected a number of rows, found -1"),
        ({"column": "a", "inputs": ["a"]}, "'a' is the column of labels, and not an input"),
    ],
)
def test_limits_of_the_spec(said: dict[str, Any], message: str) -> None:
    """A limit that cannot be one is refused."""
    with pytest.raises(InvalidSpec, match=message):
        parse_dataset("d", {"source": "x", "validate": {"labels": said}})


def test_fair_labels_pass() -> None:
    """Even classes, each in every part, with inputs of their own, have no finding."""
    parts = {"train": range(0, 100, 2), "test": range(1, 100, 2)}
    assert check(labelled({"a": 40, "b": 60}), parts) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "Label"], "Label"), (["target", "label"], "label"), (["y", "class"], "class"),
        (["category"], "category"), (["mylabel", "x"], None), (["Label", "label"], "Label"),
    ],
)  # fmt: skip
def test_the_column_is_found(names: list[str], expected: str | None) -> None:
    """Labels are in the first column that is called as labels are, whatever the case; without one there is nothing to check."""
    found = check(pa.table({name: ["a"] * 20 for name in names}))
    if expected is None:
        assert found == (
            "no column of labels: none is called label, labels, target, targets, class, y or category"
        )
    else:
        assert [(it.code, it.column) for it in found] == [("one-class", expected)]


def test_a_wrong_name_is_refused() -> None:
    """A column that is not there is an error, not a pass; so is an input."""
    with pytest.raises(SpecError, match="found 'lable'") as error:
        check(labelled({"a": 1}), column="lable")
    assert "did you mean 'label'?" in str(error.value)
    with pytest.raises(SpecError, match="found 'xx'"):
        check(labelled({"a": 1}), inputs=["xx"])
    with pytest.raises(SpecError, match="expected a column of labels to go with them"):
        check(pa.table({"x": [1]}), inputs=["x"])


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (pa.array([1.5]), "are quantities (float64), not classes: if they are classes, read them as such"),
        (pa.array([["a"]]), "are list<item: string>, of which each value is no class of its own"),
        (pa.nulls(1), "are all missing"),
    ],
)
def test_what_is_no_class(values: pa.Array, why: str) -> None:
    """Quantities and lists are skipped, with the reason, also if they are named."""
    for params in ({}, {"column": "y"}):
        reason = check(pa.table({"y": values}), **params)
        assert reason.startswith(f"the labels in 'y' {why}")


def test_ids_and_quantities() -> None:
    """A column of many values is not taken for classes: a note if it was only found, a warning if it was named."""
    ids = labelled({f"id{n}": 1 for n in range(50)})
    [finding] = check(ids)
    assert (finding.severity, finding.code) == ("info", "not-classes")
    assert (
        finding.message
        == "'label' has 50 distinct values in 50 rows: taken for an id or a quantity, and not looked at as classes"
    )
    assert "small-class" in codes(check(ids, column="label"))
    prices = pa.table({"target": [n % 100 for n in range(1000)]})
    assert codes(check(prices)) == ["not-classes"]
    digits = pa.table({"target": [n % 10 for n in range(1000)]})
    assert check(digits) == []


def test_too_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a fixed number of values none is looked at, in one fragment or in several."""
    monkeypatch.setattr(labels, "MOST_CLASSES", 4)
    table = labelled(dict.fromkeys("abcde", 10))
    for pieces in ([table], [table.slice(0, 30), table.slice(30)]):
        [finding] = check(pieces, column="label")
        assert finding.severity == "warning"
        assert finding.message.startswith("'label' has more than 4 distinct values")
    assert check(labelled(dict.fromkeys("abcd", 10)), column="label") == []


def test_long_texts_are_no_classes() -> None:
    """A text of more than 200 characters is no name of a class."""
    assert codes(check(labelled({"a" * 200: 10, "b": 10}))) == []
    assert codes(check(labelled({"a" * 201: 10, "b": 10}))) == ["not-classes"]


def test_imbalance() -> None:
    """Twenty to one, and an entropy of 0.3, are the limits of suspicion; others can be given, and then hold."""
    assert codes(check(labelled({"a": 400, "b": 40}))) == []
    [finding] = check(labelled({"a": 1000, "b": 49}))
    assert (finding.severity, finding.code) == ("warning", "imbalance")
    assert (
        finding.message
        == "classes of 'label' are uneven: 'a' (1,000 rows) is 20 times as frequent as 'b' (49 rows), entropy 0.27 of 1"
    )
    assert check(labelled({"a": 1000, "b": 49}), max_ratio=21.0, min_entropy=0.2) == []
    [held] = check(labelled({"a": 30, "b": 10}), max_ratio=2.5)
    assert held.severity == "error"
    [held] = check(labelled({"a": 30, "b": 10}), min_entropy=0.9)
    assert held.severity == "error"


def test_one_class() -> None:
    """A single class leaves nothing to learn."""
    [finding] = check(labelled({"a": 20}))
    assert finding.message == "'label' has one class only, 'a' (20 rows)"


def test_small_classes() -> None:
    """Fewer than ten rows are a warning; the least class comes first."""
    [finding] = check(labelled({"a": 30, "b": 9, "c": 8, "d": 10}))
    assert finding.severity == "warning"
    assert finding.message == "'label' has 2 classes with fewer than 10 rows: 'c' (8 rows), 'b' (9 rows)"
    assert [place.row for place in finding.places] == [30, 39]
    assert check(labelled({"a": 30, "b": 9}), min_rows=9) == []
    assert [it.severity for it in check(labelled({"a": 30, "b": 9}), min_rows=10)] == ["error"]


def test_parts_without_a_class() -> None:
    """A class that a part lacks is told of the part; a part without any label, and one without rows, is not."""
    table = labelled({"a": 20, "b": 20, None: 1})
    parts = {"train": range(30), "test": range(30, 40), "blind": [40], "none": []}
    found = check(table, parts, missing=1)
    assert [(it.code, it.part) for it in found] == [("class-missing-in-part", "test")]
    assert found[0].message == "part 'test' has no row of 1 of the 2 classes of 'label': 'a' (20 rows)"
    held = check(table, parts, missing=1, min_part_rows=11)
    assert [(it.severity, it.part) for it in held] == [("error", "train"), ("error", "test")]
    assert "has fewer than 11 rows of 1 of the 2 classes of 'label': 'b' (10 rows)" in held[0].message
    assert "of 2 of the 2 classes of 'label': 'b' (10 rows), 'a' (0 rows)" in held[1].message


def test_missing_labels() -> None:
    """Null, and text of nothing but spaces, is no label; it is counted by part."""
    table = labelled({"a": 20, None: 2, "b": 20, " ": 1})
    parts = {"train": range(21), "test": range(21, 43)}
    [finding] = check(table, parts, min_part_rows=0)
    assert finding.message == "3 rows of 43 (7%) have no label in 'label'"
    assert finding.parts == {"train": 1, "test": 2}
    assert check(table, missing="7%") == []
    assert [it.severity for it in check(table, missing=2)] == ["error"]


def test_files_without_labels() -> None:
    """A column that was only found and holds nothing is a note; one that was named lacks its labels; of no rows nothing is said."""
    files = pa.table(
        {"path": ["1.png", "2.png"], "label": pa.array([None, None], pa.string()), "digest": ["c", "d"]}
    )
    assert [(it.severity, it.code) for it in check(files, kind="images")] == [("info", "no-labels")]
    assert [(it.severity, it.code) for it in check(files, column="label")] == [("warning", "missing-label")]
    assert check(files.slice(0, 0), kind="images") == []


def test_labels_that_are_meant_alike() -> None:
    """Case, spaces and width make no class; single letters of another case do."""
    [finding] = check(labelled({"Cat": 20, "cat ": 10, "ｃat": 10, "dog": 30}))
    assert finding.code == "similar-labels" and finding.rows == 20
    assert finding.message.endswith("'Cat' (20 rows), 'cat ' (10 rows), 'ｃat' (10 rows)")
    assert check(labelled({"A": 20, "a": 20})) == []


def test_conflicting_labels() -> None:
    """Rows with equal inputs and other labels are named with the row that they contradict; ids and rows without a label are left out."""
    table = pa.table(
        {
            "id": range(45),
            "x": [1, 2, 1, 3, 1, *range(10, 50)],
            "label": ["a", "b", "b", "a", None, *["a", "b"] * 20],
        }
    )
    [finding] = [
        it
        for it in check(table, {"train": range(2), "test": range(2, 45)})
        if it.code == "conflicting-labels"
    ]
    assert finding.severity == "warning" and finding.rows == 2
    assert finding.parts == {"train": 1, "test": 1}
    assert "have an input that has another label in 'label' elsewhere: 'a' and 'b' for one" in finding.message
    assert [(it.row, it.part, it.like and it.like.row) for it in finding.places] == [(2, "test", 0)]
    assert "conflicting-labels" not in codes(check(table, inputs=["id", "x"]))
    assert "conflicting-labels" not in codes(check(table, conflicts=2))
    assert [it.severity for it in check(table, conflicts=1, missing=1)] == ["error"]


def test_media_conflict_by_content() -> None:
    """Two pictures with the same bytes in folders of two classes are a conflict; two of a kind are classes, however few they are."""
    table = pa.table({"path": ["a/1.png", "b/1.png"], "label": ["a", "b"], "digest": ["d", "d"]})
    found = check(table, kind="images", min_rows=0)
    assert codes(found) == ["conflicting-labels"]
    assert "another label in 'label' elsewhere, by the content of files" in found[0].message
    assert check(table.drop_columns("label"), kind="images").startswith("no column of labels")


def test_no_inputs() -> None:
    """Labels alone, and inputs of a type that cannot be compared, are no conflict; to name such inputs is refused."""
    assert check(pa.table({"label": ["a", "b"] * 20})) == []
    odd = pa.table({"u": pa.nulls(40, pa.string_view()), "label": ["a", "b"] * 20})
    assert check(odd) == []
    with pytest.raises(SpecError, match="inputs cannot be compared"):
        check(odd, inputs=["u"])


@settings(deadline=None, max_examples=25)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "c", None]), st.sampled_from([0, 1, 255])),
        min_size=1,
        max_size=30,
    ),
    cut=st.integers(1, 30),
    gather=st.sampled_from([1, 4, 1 << 20]),
    block=st.sampled_from([3, 1000]),
)
def test_counts_are_those_of_the_definition(rows: Any, cut: int, gather: int, block: int) -> None:
    """Rows in conflict, and rows by class and part, are those of the definition, however little is held at a time and however rows are cut."""
    inputs, classes, parts = zip(*rows, strict=True)
    table = pa.table({"x": inputs, "label": pa.array(classes, pa.string())})
    split = {
        name: [n for n, it in enumerate(parts) if it == part] for part, name in ((0, "train"), (1, "test"))
    }
    pieces = [table.slice(at, cut) for at in range(0, len(rows), cut)]
    held = {"column": "label", "conflicts": 0, "missing": 0, "min_rows": 1000, "min_part_rows": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equalrows, "GATHER_ROWS", gather)
        patch.setattr(base, "BLOCK_ROWS", block)
        found = {it.code: it for it in check(pieces, split, **held)}
    kinds = defaultdict(set)
    for x, label, part in rows:
        if part != 255 and label is not None:
            kinds[x].add(label)
    bad = [
        n
        for n, (x, label, part) in enumerate(rows)
        if part != 255 and label is not None and len(kinds[x]) > 1
    ]
    conflict = found.get("conflicting-labels")
    assert (conflict.rows if conflict else 0) == len(bad)
    if conflict is not None:
        assert conflict.parts == Counter("train" if parts[n] == 0 else "test" for n in bad)
        for place in conflict.places:
            assert place.row in bad and place.like is not None
            assert (
                inputs[place.row] == inputs[place.like.row] and classes[place.row] != classes[place.like.row]
            )
    missing = found.get("missing-label")
    assert (missing.rows if missing else 0) == classes.count(None)
    if "small-class" in found:
        assert found["small-class"].rows == len(rows) - classes.count(None)


def test_labels_by_class_as_polars_counts_them() -> None:
    """The counts that messages tell are those of Polars."""
    random = np.random.default_rng(3)
    column = random.choice(["a", "b", "c"], 500, p=[0.97, 0.02, 0.01])
    counts = dict(pl.Series(column).value_counts().iter_rows())
    [imbalance, small] = check(pa.table({"label": column}))
    assert (
        f"'a' ({counts['a']} rows)" in imbalance.message and f"'c' ({counts['c']} rows)" in imbalance.message
    )
    assert small.rows == sum(count for count in counts.values() if count < 10)
