"""The split section of mldata.yaml: what each method takes, and what is refused."""

from __future__ import annotations

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
