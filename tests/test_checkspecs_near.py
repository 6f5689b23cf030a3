"""What the spec says of near-duplicates and leakage."""

from __future__ import annotations

from typing import Any

import pytest

from mldata.spec import InvalidSpec, parse_dataset

DEFAULT = {"text": 0.9, "images": 4, "audio": 8, "columns": [], "most": None}


def plain(**validate: Any) -> Any:
    return parse_dataset("d", {"source": "a.csv", "validate": validate})["validate"]


def test_defaults() -> None:
    """Both checks look for near-duplicates alike, so that they share what they see."""
    found = plain(checks=["duplicates", "leakage"])
    assert found["duplicates"]["near"] == found["leakage"]["near"] == DEFAULT
    assert found["leakage"] | {"near": 0} == {"rows": 0, "groups": [], "near": 0, "label": None, "ignore": []}


def test_everything_is_kept() -> None:
    """Settings come as they are meant: false switches off, lists are sorted."""
    said = {"text": False, "images": 0, "audio": False, "columns": ["b", "a"], "most": "1%"}
    found = plain(
        checks="leakage", leakage={"near": said, "groups": "patient", "label": "y", "ignore": ["d", "c"]}
    )
    assert found["leakage"] == {
        "rows": 0,
        "groups": ["patient"],
        "near": {"text": None, "images": 0, "audio": None, "columns": ["a", "b"], "most": "1%"},
        "label": "y",
        "ignore": ["c", "d"],
    }
    assert plain(checks="duplicates", duplicates={"near": {"text": 1, "images": False}})["duplicates"][
        "near"
    ] == {
        **DEFAULT,
        "text": 1.0,
        "images": None,
    }


@pytest.mark.parametrize(
    ("near", "told"),
    [
        ({"text": 0.4}, "expected a number from 0.5 to 1, or false, found 0.4"),
        ({"text": True}, "expected a number from 0.5 to 1, or false, found True"),
        ({"text": "much"}, "expected a number from 0.5 to 1, or false, found 'much'"),
        ({"images": 11}, "expected a whole number from 0 to 10, or false, found 11"),
        ({"audio": 11}, "expected a whole number from 0 to 10, or false, found 11"),
        ({"images": 0.5}, "expected a whole number from 0 to 10, or false, found 0.5"),
        ({"texts": 0.9}, "did you mean 'text'"),
        (0.9, "expected a mapping such as {text: 0.9, images: 4}; found 0.9"),
    ],
)
@pytest.mark.parametrize("check", ["duplicates", "leakage"])
def test_mistakes(check: str, near: Any, told: str) -> None:
    """They are refused where they stand, with what was expected."""
    with pytest.raises(InvalidSpec) as error:
        plain(**{"checks": [check], check: {"near": near}})
    assert told in str(error.value)


def test_a_label_is_no_group() -> None:
    """Every part has every label."""
    with pytest.raises(InvalidSpec, match="'y' is the label, which all parts have to share"):
        plain(checks=["leakage"], leakage={"label": "y", "groups": ["y"]})
