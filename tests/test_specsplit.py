"""The split section of mldata.yaml: what each method takes, and what is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from mldata.spec import InvalidSpec, parse_dataset, parse_spec


def plain(split: str) -> dict[str, Any]:
    """Plain form of a split section."""
    spec = parse_spec(f"version: 1\ndatasets:\n  d:\n    source: x\n    split: {split}\n", "f")
    found: dict[str, Any] = spec.to_plain()["datasets"]["d"]["split"]
    return found


def problem(split: str) -> str:
    """What is wrong with a split section, lines joined by ``|``."""
    with pytest.raises(InvalidSpec) as caught:
        plain(split)
    return "|".join(str(caught.value).splitlines())


def test_group() -> None:
    """One column or several; the method is implied."""
    assert plain("{a: 0.5, b: 0.5, group: user, seed: 7}") == {
        "parts": [["a", 0.5], ["b", 0.5]],
        "method": "group",
        "seed": 7,
        "group": ["user"],
    }
    assert plain("{a: 1, method: group, group: [x, y]}")["group"] == ["x", "y"]
    python = parse_dataset("d", {"source": "x", "split": {"a": 1, "group": ["x", "y"]}})
    assert python["split"] == plain("{a: 1, group: [x, y]}")


def test_time() -> None:
    """Shares, or cuts with parts around them; a time that is written otherwise is the same."""
    assert plain("{train: 0.8, test: 0.2, time: day}") == {
        "parts": [["train", 0.8], ["test", 0.2]],
        "method": "time",
        "time": "day",
        "cuts": [],
    }
    parts = [["train", None], ["val", None], ["test", None]]
    cuts = plain("{time: day, cuts: [2024-01-01, 2024-06-01 12:30]}")
    assert cuts["parts"] == parts
    assert cuts["cuts"] == ["2024-01-01T00:00:00", "2024-06-01T12:30:00"]
    assert plain("{time: day, cuts: [2024-01-01T00:00, 2024-06-01T12:30:00.000]}") == cuts
    given = {"time": "day", "cuts": [date(2024, 1, 1), datetime(2024, 6, 1, 12, 30)]}
    assert parse_dataset("d", {"source": "x", "split": given})["split"] == cuts
    assert plain("{time: n, cuts: 5, parts: [old, new]}") == {
        "parts": [["old", None], ["new", None]],
        "method": "time",
        "time": "n",
        "cuts": [5],
    }
    assert parse_dataset("d", {"source": "x", "split": {"time": "n", "cuts": [5]}})["split"]["cuts"] == [5]


def test_all_mistakes_are_told_at_once() -> None:
    """A contradiction does not hide shares that are wrong."""
    told = problem("{a: 0.5, b: 0.6, stratify: x, by: y}")
    assert "sum to 1" in told
    assert "exclude each other" in told


def test_parts_in_bulk() -> None:
    """There are at most 255 around cuts, too."""
    with pytest.raises(InvalidSpec, match="expected at most 255 parts, found 256"):
        cuts, parts = list(range(255)), [f"p{number}" for number in range(256)]
        parse_dataset("d", {"source": "x", "split": {"time": "n", "cuts": cuts, "parts": parts}})


def test_numbers_of_any_size_are_refused_from_python_too() -> None:
    """A cut is a number that a column can hold."""
    with pytest.raises(InvalidSpec, match="expected a date"):
        parse_dataset("d", {"source": "x", "split": {"time": "n", "cuts": [10**30]}})


def test_column() -> None:
    """Parts are not known before the table is; other names for them are."""
    assert plain("{column: split}") == {"parts": [], "method": "column", "column": "split", "values": {}}
    renamed = plain('{method: column, column: s, values: {validation: val, dev: val, "": train}}')
    assert renamed["values"] == {"": "train", "dev": "val", "validation": "val"}
    assert plain("{method: predefined, column: split}") == plain("{column: split}")
    folders = {"parts": [], "method": "folder", "values": {"dev": "val"}}
    assert (
        plain("{method: predefined, values: {dev: val}}")
        == plain("{method: folder, values: {dev: val}}")
        == folders
    )


def test_a_column_split_reads_no_export() -> None:
    """Which files the export will have is not known, so the usual parts are looked for among the sources."""
    text = "version: 1\ndatasets:\n  d: {source: 'out/t*.parquet', split: {column: s}, export: {to: out}}\n"
    with pytest.raises(InvalidSpec, match="would be read as part of the source"):
        parse_spec(text, "f")


def test_kfold() -> None:
    """Folds are the parts; by class or by group if asked for."""
    parts = [["fold_0", None], ["fold_1", None], ["fold_2", None]]
    assert plain("{folds: 3}") == {
        "parts": parts,
        "method": "kfold",
        "seed": 42,
        "stratify": None,
        "group": [],
    }
    assert plain("{method: kfold, folds: 3, stratify: y, seed: 1}") == {
        "parts": parts,
        "method": "kfold",
        "seed": 1,
        "stratify": "y",
        "group": [],
    }
    assert plain("{folds: 3, group: user}")["group"] == ["user"]
    assert [name for name, _ in plain("{folds: 12}")["parts"]][9:] == ["fold_9", "fold_10", "fold_11"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            "{a: 1, method: group}",
            "f:5:27: 'method: group' needs a column|  add 'group: COLUMN'",
        ),
        ("{a: 1, method: group, group: []}", "f:5:27: 'method: group' needs a column"),
        ("{a: 1, group: [x, x]}", "f:5:30: 'x' is given twice"),
        ("{a: 1, group: x, by: y}", "f:5:26: 'by' and 'group' exclude each other"),
        ("{a: 1, group: x, method: random}", "f:5:37: 'group: x' contradicts 'method: random'"),
        ("{a: 1, method: time}", "f:5:27: 'method: time' needs a column|  add 'time: COLUMN'"),
        ("{a: 1, cuts: 5}", "f:5:12: 'method: time' needs a column"),
        ("{a: 1, time: t, group: g}", "f:5:25: 'group' and 'time' exclude each other"),
        ("{a: 1, time: t, seed: 1}", "f:5:34: 'seed' means nothing to 'method: time'"),
        ("{a: 1, time: t, cuts: 5}", "f:5:13: 'cuts' and shares exclude each other, found 'a'"),
        ("{a: 1, time: t, parts: [b]}", "f:5:35: 'parts' names the parts before, between and after 'cuts'"),
        ("{time: t}", "f:5:12: expected at least one part"),
        ("{time: t, cuts: [1, 2, 3]}", "f:5:28: expected the names of the 4 parts around 3 cuts"),
        ("{time: t, cuts: 1, parts: [a]}", "f:5:38: expected 2 parts around 1 cut, found 1"),
        ("{time: t, cuts: 1, parts: [a, A]}", "f:5:42: parts 'a' and 'A' differ by case only"),
        ("{time: t, cuts: 1, parts: [a, a/b]}", "f:5:42: expected a part name"),
        ("{time: t, cuts: 1, parts: [a, a]}", "f:5:42: 'a' is given twice"),
        ("{time: t, cuts: [2, 1]}", "f:5:32: expected a cut after 2, found 1"),
        ("{time: t, cuts: [2024-01-01, 2024-01-01]}", "f:5:41: expected a cut after 2024-01-01T00:00:00"),
        ("{time: t, cuts: [2024, 2024-06-01]}", "f:5:35: a time after a number|  write all cuts alike"),
        ("{time: t, cuts: [2024-01-01T00:00Z, 2024-06-01]}", "f:5:48: a time after a time with offset"),
        ("{time: t, cuts: [2024-02-30]}", "f:5:29: expected a date such as 2024-01-31"),
        ("{time: t, cuts: [yesterday]}", "f:5:29: expected a date such as 2024-01-31"),
        ("{time: t, cuts: [true]}", "f:5:29: expected a date such as 2024-01-31"),
        ("{method: column}", "f:5:21: 'method: column' needs a column|  add 'column: COLUMN'"),
        ("{method: column, values: {a: b}}", "f:5:21: 'method: column' needs a column"),
        ("{method: predefined, train: 1}", "f:5:33: 'method: predefined' takes no shares, found 'train'"),
        ("{method: predefined, seed: 1}", "f:5:39: 'seed' means nothing to 'method: folder'"),
        (
            "{column: s, train: 0.8, test: 0.2}",
            "f:5:24: 'method: column' takes no shares, found 'train': the parts are the values of 's'|  remove",
        ),
        ("{column: s, seed: 1}", "f:5:30: 'seed' means nothing"),
        ("{column: s, values: {x: a, y: A}}", "f:5:42: parts 'a' and 'A' differ by case only"),
        ("{column: s, values: {x: a/b}}", "f:5:36: expected a part name"),
        ("{column: s, values: [x]}", "f:5:32: expected a mapping"),
        ("{method: kfold}", "f:5:21: 'method: kfold' needs a number of folds|  add 'folds: 5'"),
        ("{folds: 1}", "f:5:20: expected 2 to 255 folds, found 1"),
        ("{folds: 256}", "f:5:20: expected 2 to 255 folds, found 256"),
        ("{folds: five}", "f:5:20: expected a whole number, found 'five'"),
        (
            "{folds: 5, train: 0.8}",
            "f:5:23: 'method: kfold' takes no shares, found 'train'|  remove the shares: folds",
        ),
        (
            "{folds: 5, stratify: x, group: y}",
            "f:5:43: 'stratify' and 'group' exclude each other|  a group is",
        ),
        ("{a: 1, stratify: x, group: y}", "f:5:39: 'stratify' and 'group' exclude each other"),
        ("{folds: 5, by: x}", "f:5:20: 'by' and 'folds' exclude each other"),
        ("{folds: 5, parts: [a]}", "f:5:20: 'parts' and 'folds' exclude each other"),
        ("{folds: 5, method: random}", "f:5:31: 'folds: 5' contradicts 'method: random'"),
        ("{group: x}", "f:5:12: expected at least one part"),
        (
            "{a: 1, grup: x}",
            "f:5:25: expected the part's share of the rows as a number, found 'x'|  did you mean 'group'",
        ),
    ],
)
def test_mistakes(split: str, message: str) -> None:
    """Each is told at its place, with what to do."""
    assert problem(split).startswith(message)


def test_small_classes() -> None:
    """Only where there are classes; what is not said is an error, and changes nothing of the parameters."""
    plain_form = plain("{a: 0.5, b: 0.5, stratify: y}")
    assert plain("{a: 0.5, b: 0.5, stratify: y, small_classes: error}") == plain_form
    assert plain("{a: 0.5, b: 0.5, stratify: y, small_classes: warn}") == {
        **plain_form,
        "small_classes": "warn",
    }
    assert plain("{folds: 3, stratify: y, small_classes: warn}")["small_classes"] == "warn"
    assert "add 'stratify: COLUMN'" in problem("{folds: 3, small_classes: warn}")
    assert "'stratify' needs" not in problem("{a: 1, small_classes: warn, method: hash}")
    assert "expected" in problem("{a: 1, stratify: y, small_classes: perhaps}")
