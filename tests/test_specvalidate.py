"""The validate section of mldata.yaml: what it takes, its defaults, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mldata.spec import InvalidSpec, parse_dataset, parse_spec

NEAR = {"text": 0.9, "images": 4, "audio": 8, "columns": [], "most": None}
DEFAULT = {
    "checks": ["schema", "missing", "duplicates", "labels", "leakage", "outliers", "files"],
    "fail_on": "error",
    "schema": {"columns": {}, "extra": "allow", "unseen": None},
    "missing": {"max": None, "columns": {}, "row": None, "sentinels": None},
    "duplicates": {"within": None, "across": None, "columns": [], "near": NEAR},
    "labels": {
        "column": None,
        "inputs": [],
        "max_ratio": None,
        "min_entropy": None,
        "min_rows": None,
        "min_part_rows": None,
        "missing": None,
        "conflicts": None,
    },
    "leakage": {"rows": 0, "groups": [], "near": NEAR, "label": None, "ignore": []},
    "outliers": {"far": 5.0, "constant": 0.999, "mixed": 0.9, "max": None, "skip": []},
    "files": {"max": 0, "sample": 1.0, "timeout": 5.0},
}


def plain(validate: str) -> dict[str, Any]:
    """Plain form of a validate section."""
    spec = parse_spec(f"version: 1\ndatasets:\n  d:\n    source: x\n    validate: {validate}\n", "f")
    found: dict[str, Any] = spec.to_plain()["datasets"]["d"]["validate"]
    return found


def problem(validate: str) -> str:
    """What is wrong with a validate section, lines joined by ``|``."""
    with pytest.raises(InvalidSpec) as caught:
        plain(validate)
    return "|".join(str(caught.value).splitlines())


def test_defaults() -> None:
    """An empty section is all checks with their defaults; a list of checks stands for itself."""
    assert plain("{}") == DEFAULT
    some: dict[str, Any] = {name: DEFAULT[name] for name in ("fail_on", "missing", "duplicates")}
    alone = {**some["duplicates"], "across": 0}  # else leakage tells what parts share
    assert plain("[duplicates, missing]") == {
        **some,
        "duplicates": alone,
        "checks": ["missing", "duplicates"],
    }
    assert plain("missing")["checks"] == ["missing"]
    assert plain("all") == plain("[missing, all]") == DEFAULT
    assert plain("{checks: missing, fail_on: never}")["fail_on"] == "never"
    assert parse_dataset("d", {"source": "x"})["validate"] is None


def test_everything_is_kept() -> None:
    """Every setting arrives in the plain form, times in one way, what has no order sorted, what says nothing left out."""
    found = plain(
        "{schema: {extra: error, columns: {b: {type: int, min: 1, max: 2.5}, a: {unique: true, nullable: true},"
        " c: {allowed: [NO, 0123, 1.0], nullable: false}, d: {min: 2024-01-31, max: 2024-02-01 12:00},"
        " e: {pattern: '[a-z]+', min_length: 0, max_length: 5}}},"
        " missing: {max: 5%, columns: {b: 0, a: 1.5%}}, duplicates: {within: 3, across: 1%, columns: [b, a]}}"
    )
    assert list(found["schema"]["columns"]) == ["a", "b", "c", "d", "e"]
    assert found["schema"] == {
        "extra": "error",
        "unseen": None,
        "columns": {
            "a": {"unique": True},
            "b": {"type": "int64", "min": 1, "max": 2.5},
            "c": {"allowed": ["0123", "1.0", "NO"], "nullable": False},
            "d": {"min": "2024-01-31T00:00:00", "max": "2024-02-01T12:00:00"},
            "e": {"pattern": "[a-z]+", "min_length": 0, "max_length": 5},
        },
    }
    assert found["missing"] == {"max": "5%", "columns": {"a": "1.5%", "b": 0}, "row": None, "sentinels": None}
    assert found["duplicates"] == {"within": 3, "across": "1%", "columns": ["a", "b"], "near": NEAR}


def test_from_python() -> None:
    """Python's values mean the same as those in a file."""
    said = {
        "schema": {"columns": {"a": {"min": date(2024, 1, 31), "allowed": [1, True, "x"]}}},
        "missing": {"max": 3},
    }
    found = parse_dataset("d", {"source": "x", "validate": said})["validate"]
    assert found["schema"]["columns"]["a"] == {"min": "2024-01-31T00:00:00", "allowed": ["1", "true", "x"]}
    assert parse_dataset("d", {"source": "x", "validate": ["missing"]})["validate"] == plain("[missing]")


@pytest.mark.parametrize(
    ("validate", "expected"),
    [
        ("", "f:5:5: expected a mapping such as {checks: [schema, missing, duplicates]}, or {} for all checks with their defaults; found nothing"),
        ("[]", "f:5:15: expected at least one of schema, missing, duplicates, labels, leakage, outliers, files; found an empty list"),
        ("[missing, mising]", "f:5:25: expected one of schema, missing, duplicates, labels, leakage, outliers, files, all; found 'mising'|  did you mean 'missing'?"),
        ("[missing, missing]", "f:5:15: 'missing' is given twice"),
        ("{files: {timeout: 0}}", "f:5:33: expected seconds, above 0 and at most 3600; found '0'"),
        ("{files: {sample: 0%}}", "f:5:32: expected a share such as 5% or 0.05, found '0%'|  for example 10%"),
        ("{checks: [missing], schema: {}}", "f:5:35: 'schema' is not among the checks|  add 'schema' to 'checks', or remove this"),
        ("{schema_: {}}", "f:5:16: unknown key 'schema_'|  did you mean 'schema'?"),
        ("{duplicate: {}}", "f:5:16: unknown key 'duplicate'|  did you mean 'duplicates'?"),
        ("{fail_on: warnings}", "f:5:25: expected one of error, warning, never; found 'warnings'|  did you mean 'warning'?"),
        ("{missing: 5%}", "f:5:25: expected a mapping such as {max: 5%, columns: {NAME: 0}}; found '5%'"),
        ("{missing: {most: 5%}}", "f:5:26: unknown key 'most'|  keys here are max, columns, row, sentinels"),
        ("{missing: {max: -1}}", "f:5:31: expected a number of rows or a share such as 1%, found '-1'"),
        ("{duplicates: {across: 0.1}}", "f:5:37: expected a number of rows or a share such as 1%, found '0.1'"),
        ("{duplicates: {columns: [a, a]}}", "f:5:42: 'a' is given twice"),
        ("{schema: {column: {}}}", "f:5:25: unknown key 'column'|  did you mean 'columns'?"),
        ("{schema: {columns: {a: int64}}}", "f:5:38: expected a mapping such as {type: int64, min: 0}; found 'int64'"),
        ("{schema: {columns: {a: {typ: int64}}}}", "f:5:39: unknown key 'typ'|  did you mean 'type'?"),
        ("{schema: {columns: {a: {unique: yes}}}}", "f:5:47: expected true or false, found 'yes'"),
        ("{schema: {columns: {a: {min: 3, max: 2}}}}", "f:5:52: expected 'max' of at least 3, found 2"),
        ("{schema: {columns: {a: {min: 2024-01-02, max: 2024-01-01}}}}", "f:5:61: expected 'max' of at least 2024-01-02T00:00:00, found 2024-01-01T00:00:00"),
        ("{schema: {columns: {a: {min: 3, max: 2024-01-01}}}}", "f:5:52: 'min' and 'max' are a number and a time|  write both alike"),
        ("{schema: {columns: {a: {min: low}}}}", "f:5:44: expected a number, a date such as 2024-01-31 or a time such as 2024-01-31T12:30; found 'low'"),
        ("{schema: {columns: {a: {min_length: 3, max_length: 2}}}}", "f:5:66: expected 'max_length' of at least 3, found 2"),
        ("{schema: {columns: {a: {max_length: -1}}}}", "f:5:51: expected a length of at least 0, found '-1'"),
        ("{schema: {columns: {a: {allowed: []}}}}", "f:5:48: expected at least one value, found an empty list"),
        ("{schema: {columns: {a: {allowed: [~]}}}}", "f:5:49: expected text, found '~'|  to mean the word itself, put it in quotes: \"~\""),
    ],
)  # fmt: skip
def test_mistakes(validate: str, expected: str) -> None:
    """Each is told with its place and what to write."""
    assert problem(validate) == expected


@pytest.mark.parametrize(("pattern", "why"), [("(a", "missing )"), ("a)(b", "unexpected )"), (r"\Qa", "missing )"), ("(?=a)", "invalid perl operator")])  # fmt: skip
def test_patterns_are_tried(pattern: str, why: str) -> None:
    """A pattern that RE2 does not take is an error of the spec, at its place; also one that only ends well inside of another."""
    found = problem(f"{{schema: {{columns: {{a: {{pattern: '{pattern}'}}}}}}}}")
    assert found.startswith(f"f:5:48: expected a regular expression, found {pattern!r}: {why}")
    assert "RE2" in found
