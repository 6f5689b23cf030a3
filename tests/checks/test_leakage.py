"""The check of leakage."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mldata.checks import CHECKS
from mldata.checks.base import Finding
from mldata.errors import SpecError
from mldata.specvalidate import Validate
from mldata.testing.checks import check_pieces

NEAR = {"text": 0.9, "images": 4, "audio": 8, "columns": [], "most": None}
PARAMS = {"rows": 0, "groups": [], "near": NEAR, "label": None, "ignore": []}
PARTS = {"train": [0, 1, 2, 3, 4, 5], "val": [6, 7], "test": [8, 9]}


def check(table: pa.Table, parts: Any = PARTS, kind: str = "tabular", **params: Any) -> list[Finding]:
    found = check_pieces(CHECKS["leakage"], PARAMS | params, [table], parts=parts, kind=kind)
    assert not isinstance(found, str), found
    return found


def test_rows_in_two_parts() -> None:
    """They are an error that names the rows, unless the spec allows so many or they are told elsewhere."""
    table = pa.table({"n": [0, 1, 2, 3, 4, 5, 6, 2, 8, 6]})
    found = check(table)
    assert [(it.severity, it.code, it.part, it.rows) for it in found] == [
        ("error", "shared-row", "val", 1),
        ("error", "shared-row", "test", 1),
    ]
    assert found[0].message == "1 row of part 'val' (50%) is in 'train' too"
    assert found[1].parts == {"val": 1}
    assert [(it.row, it.like and it.like.row) for it in found[1].places] == [(9, 6)]
    assert not check(table, rows=1)
    assert not check(table, rows=None)


def test_rows_within_a_part_are_no_leakage() -> None:
    """They are for the check of duplicates."""
    assert not check(pa.table({"n": [1, 1, 1, 1, 1, 1, 2, 2, 3, 3]}))


def test_rows_with_another_label() -> None:
    """A row that an earlier part has with another label is a warning, and one that it has with the same, too, is none."""
    table = pa.table(
        {"x": [0, 1, 2, 3, 4, 5, 6, 7, 1, 2], "label": ["a", "b", "a", "b", "a", "b", "a", "b", "a", "a"]}
    )
    shared, other = check(table)
    assert (shared.code, shared.rows, [it.row for it in shared.places]) == ("shared-row", 1, [9])
    assert (other.severity, other.code, other.rows) == ("warning", "shared-input", 1)
    numbered = check(table.add_column(0, "ID", [range(10)]))
    assert [(it.code, it.rows) for it in numbered] == [("shared-input", 2)]
    [place] = other.places
    assert place.like is not None and (place.row, place.like.row) == (8, 1)
    assert (place.value, place.like.value) == ("'a', 1", "'b', 1")
    assert (
        other.message
        == "1 row of part 'test' (50%) is in an earlier part too, but for 'label', which is another one there"
    )


def test_groups() -> None:
    """A value of a group in two parts is an error; null is no group; a column that looks like one is only noted."""
    table = pa.table({"id": range(10), "patient_id": [1, 1, 2, 2, None, None, 3, 1, None, 4]})
    [named] = check(table, groups=["patient_id"])
    assert (named.severity, named.code, named.part, named.parts) == (
        "error",
        "shared-group",
        "val",
        {"train": 1},
    )
    assert [it.row for it in named.places] == [7]
    [hint] = check(table)
    assert (hint.severity, hint.code, hint.column) == ("info", "maybe-group", "patient_id")


def test_texts_that_are_nearly_those_of_another_part() -> None:
    """They are a warning by part, and an error if the spec says how many may be; within a part they are none."""
    words = [
        f"word{n} of row{n} is not like what number{n} says, since {n * 7919} is{n} another"
        for n in range(10)
    ]
    words[1] = words[0] + " x"
    words[9] = "Y " + words[5]
    table = pa.table({"id": range(10), "t": words})
    [finding] = check(table)
    assert (finding.severity, finding.code, finding.part, finding.parts) == (
        "warning",
        "near-text-across",
        "test",
        {"train": 1},
    )
    assert [(it.row, it.like and it.like.row) for it in finding.places] == [(9, 5)]
    assert [it.severity for it in check(table, near=NEAR | {"most": 0})] == ["error"]
    assert not check(table, near=NEAR | {"text": None})


def test_files_under_another_name() -> None:
    """Media with the same bytes in two parts are an error that names the file."""
    files = pa.table({"path": [f"{n}.png" for n in range(10)], "digest": [*"abcdefgh", "a", "j"]})
    [finding] = check(files, kind="audio")
    assert finding.message == "1 row of part 'test' (50%) is in 'train' too, by the content of their files"
    assert finding.places[0].value == "'8.png'"


def test_a_feature_that_is_the_label() -> None:
    """A copy is an error and another name for each label a warning, split or not, unless nobody learns from it."""
    labels = [["cat", "dog", "eel"][n % 3] for n in range(30)]
    table = pa.table(
        {
            "x": range(30),
            "copy": labels,
            "number": [n % 3 for n in range(30)],
            "some": [n % 3 == 0 for n in range(30)],
            "finer": [n % 6 for n in range(30)],
            "same": [1] * 30,
            "Label": labels,
        }
    )
    for parts in (None, {"train": range(20), "test": range(20, 30)}):
        found = check(table, parts=parts)
        assert [(it.severity, it.code, it.column) for it in found] == [
            ("error", "label-copy", "copy"),
            ("warning", "label-renamed", "number"),
        ]
    assert not check(table, parts=None, ignore=["copy", "number"])
    assert not check(table.drop_columns(["copy", "number"]), parts=None)


def test_what_tells_labels_by_chance() -> None:
    """A few rows, a column that tells rows apart, and a label that is always the same show nothing."""
    few = pa.table({"x": [1, 2, 1, 2], "y": ["a", "b", "a", "b"]})
    assert not check(few, parts=None)
    many = pa.table({"id": range(1000), "y": [float(n) / 7 for n in range(1000)]})
    assert not check(many, parts=None)
    assert not check(pa.table({"x": [1] * 50, "y": ["a"] * 50}), parts=None)
    target = pa.table({"x": [n / 7 for n in range(1000)], "y": [n / 7 for n in range(1000)]})
    [finding] = check(target, parts=None)
    assert finding.code == "label-copy"


def test_nothing_to_look_at() -> None:
    """Without parts and without a label there is none; what cannot be compared is noted."""
    skipped = check_pieces(CHECKS["leakage"], PARAMS, [pa.table({"x": [1]})])
    assert skipped == "the table is not split, and no column is known for its label"
    [finding] = check(pa.table({"x": range(10), "v": pa.nulls(10, pa.string_view())}))
    assert finding.message == (
        "Rows of different parts were not compared: the column 'v' is of a type whose values cannot be compared"
    )


@pytest.mark.parametrize("setting", ["groups", "ignore", "label"])
def test_names_that_are_no_columns(setting: str) -> None:
    """They are refused."""
    with pytest.raises(SpecError, match="found 'patint'"):
        check(pa.table({"patient": range(10)}), **{setting: "patint" if setting == "label" else ["patint"]})


def test_what_parts_share_is_told_once() -> None:
    """By the check of leakage where both are made, unless settings of the other say how rows are compared across parts."""

    def plain(**said: Any) -> tuple[Any, Any]:
        made = Validate.model_validate({"checks": ["duplicates", "leakage"]} | said).to_plain()
        return made["duplicates"]["across"], made["leakage"]["rows"]

    assert plain() == (None, 0)
    assert plain(leakage={"rows": 3}) == (None, 3)
    assert plain(duplicates={"across": 2}) == (2, None)
    assert plain(duplicates={"columns": ["id"]}) == (0, None)
    alone = Validate.model_validate({"checks": ["duplicates"]}).to_plain()
    assert alone["duplicates"]["across"] == 0
