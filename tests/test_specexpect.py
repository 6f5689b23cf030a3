"""The expect section of mldata.yaml: what it takes, its defaults, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mldata
from mldata.spec import InvalidSpec, parse_spec

DRIFT = {
    "max": "moderate",
    "columns": {},
    "share": None,
    "thresholds": {"moderate": 0.1, "major": 0.25, "epsilon": 1e-4, "bins": 10},
}
DEFAULT = {
    "against": "d@3",
    "schema": "compatible",
    "allow": [],
    "drift": None,
    "rows": {"min": None, "max": None, "max_change": None},
}


def validate(expect: str, more: str = "") -> dict[str, Any]:
    """Parameters of the validate stage of a dataset with an expect section."""
    text = f"version: 1\ndatasets:\n  d:\n    source: x\n    expect: {expect}\n{more}"
    found: dict[str, Any] = parse_spec(text, "f").to_plain()["datasets"]["d"]["validate"]
    return found


def test_the_section_alone_has_a_build_validated() -> None:
    """A contract is a check of its own: the only one where nothing else is said, the last one beside others, with when to fail as they have it."""
    assert validate("{against: 3}") == {"checks": ["expect"], "fail_on": "error", "expect": DEFAULT}
    found = validate("{against: d@3}", "    validate: {checks: [missing], fail_on: warning}\n")
    assert (found["checks"], found["fail_on"], found["expect"]) == (["missing", "expect"], "warning", DEFAULT)
    assert "expect" not in validate("{against: 3}", "    validate: {}\n")["checks"][:-1]


def test_everything_is_kept() -> None:
    """Every setting arrives in the plain form, what has no order sorted, shares as numbers."""
    found = validate(
        "{against: other@12, schema: same, allow: [reordered, added], rows: {min: 5, max: 9, max_change: 20%},"
        " drift: {max: stable, columns: {b: major, a: moderate}, share: 20%, thresholds: {major: 0.5, bins: 20}}}"
    )["expect"]
    assert found == {
        "against": "other@12",
        "schema": "same",
        "allow": ["added", "reordered"],
        "rows": {"min": 5, "max": 9, "max_change": "20%"},
        "drift": {
            "max": "stable",
            "columns": {"a": "moderate", "b": "major"},
            "share": 0.2,
            "thresholds": {"moderate": 0.1, "major": 0.5, "epsilon": 1e-4, "bins": 20},
        },
    }
    assert validate("{against: 3, drift: {}}")["expect"]["drift"] == DRIFT


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("{}", "f:5:13: 'against' is missing|  for example {against: 3, schema: compatible, drift: {max: moderate}}"),
        ("3", "f:5:13: expected a mapping such as {against: 3, schema: compatible, drift: {max: moderate}}; found '3'"),
        ("{against: 0}", "f:5:23: expected the number of a build, or NAME@NUMBER; found '0'|  'mldata log' lists the builds of a dataset"),
        ("{against: d@latest}", "f:5:23: expected the number of a build, or NAME@NUMBER; found 'd@latest'|  'mldata log' lists the builds of a dataset"),
        ("{against: 3, schema: wide}", "f:5:34: expected one of compatible, same, any; found 'wide'"),
        ("{against: 3, allow: [aded]}", "f:5:34: expected one of added, removed, renamed, type, nullability, reordered; found 'aded'|  did you mean 'added'?"),
        ("{against: 3, schema: any, allow: added}", "f:5:46: 'schema: any' allows all changes|  remove 'allow', or say 'schema: compatible'"),
        ("{against: 3, drift: moderate}", "f:5:33: expected a mapping such as {max: moderate, columns: {NAME: major}, share: 20%}; found 'moderate'"),
        ("{against: 3, drift: {mx: major}}", "f:5:34: unknown key 'mx'|  did you mean 'max'?"),
        ("{against: 3, drift: {columns: {a: bad}}}", "f:5:47: expected one of stable, moderate, major; found 'bad'"),
        ("{against: 3, drift: {share: 120%}}", "f:5:41: expected a share such as 20% or 0.2, found '120%'"),
        ("{against: 3, drift: {thresholds: {moderate: 0}}}", "f:5:57: expected a PSI above 0, at most 100, found '0'"),
        ("{against: 3, drift: {thresholds: {moderate: 0.3}}}", "f:5:46: expected 'major' of at least 0.3, found 0.25"),
        ("{against: 3, drift: {thresholds: {bins: 1}}}", "f:5:53: expected from 2 to 1000 bins, found '1'"),
        ("{against: 3, drift: {thresholds: {epsilon: 0}}}", "f:5:56: expected a share from 1e-9 to 0.1, found '0'"),
        ("{against: 3, rows: {min: 5, max: 4}}", "f:5:46: expected 'max' of at least 5, found 4"),
        ("{against: 3, rows: {max_change: some}}", "f:5:45: expected a number of rows or a share such as 1%, found 'some'"),
    ],
)  # fmt: skip
def test_mistakes(expect: str, expected: str) -> None:
    """Each is told with its place and what to write."""
    with pytest.raises(InvalidSpec) as caught:
        validate(expect)
    assert "|".join(str(caught.value).splitlines()) == expected


def test_the_documented_contract_is_one() -> None:
    """What the documentation of drift shows can be written so."""
    text = (Path(mldata.__file__).parent / "drift/DRIFT.md").read_text(encoding="utf-8")
    shown = text.partition("```yaml\n")[2].partition("```")[0]
    indented = "".join(f"    {line}\n" for line in shown.splitlines())
    spec = parse_spec(f"version: 1\ndatasets:\n  d:\n    source: x\n{indented}", "f")
    found = spec.to_plain()["datasets"]["d"]["validate"]["expect"]
    assert found["drift"]["columns"] == {"price": "major"} and found["rows"]["max_change"] == "20%"
