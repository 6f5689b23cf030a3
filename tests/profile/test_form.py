"""The JSON form of a profile is what its published schema says, and comes back equal."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from mldata.profile.form import column_keys, from_json, json_schema, to_json
from mldata.profile.profile import Picture, Preview, Profile
from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profiling import Summaries
from tests.tables import tables

jsonschema = pytest.importorskip("jsonschema", reason="not in the test extra that is installed")


@pytest.fixture(scope="module")
def validator() -> Any:
    """Of the published schema."""
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def profile_of(table: pa.Table, parts: int = 0) -> Profile:
    """A profile of a table, and of so many runs of its rows; made without a warning."""
    cut = -(-table.num_rows // max(parts, 1))
    preview = Preview(("a",), (("1",), (None,)), (Picture("p", "image/png", b"\x89PNG\xff"),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = summarize(table)
        by_part = {f"p{it}": summarize(table.slice(it * cut, cut)) for it in range(parts)}
        return make_profile(
            "it", "tabular", Summaries(whole, by_part), schema=table.schema, size=7, preview=preview
        )


def undescribed(schema: Mapping[str, Any], defs: Mapping[str, Any], value: Any, path: str) -> list[str]:
    """Keys of a document that its schema has no description of."""
    if "$ref" in schema:
        return undescribed(defs[schema["$ref"].rpartition("/")[2]], defs, value, path)
    if "anyOf" in schema:
        return [] if value is None else undescribed(schema["anyOf"][0], defs, value, path)
    if isinstance(value, list):
        return [it for one in value for it in undescribed(schema["items"], defs, one, path)]
    if not isinstance(value, dict):
        return []
    known = dict(schema.get("properties", {}))
    for more in schema.get("allOf", ()):
        known |= defs[more["$ref"].rpartition("/")[2]]["properties"]
    missing = [
        f"{path}.{key}"
        for key in value
        if "description" not in known.get(key, schema.get("additionalProperties", {}))
    ]
    return missing + [
        it
        for key, one in value.items()
        for it in undescribed(
            known.get(key, schema.get("additionalProperties", {})), defs, one, f"{path}.{key}"
        )
    ]


ODD = {
    "empty": pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}),
    "without columns": pa.table({}),
    "all null": pa.table({"a": pa.nulls(3), "b": pa.nulls(3, pa.float64()), "c": pa.nulls(3, pa.string())}),
    "single row": pa.table({"a": [1], "b": ["x"], "c": [2.5], "d": [True], "e": [[1, 2]], "f": [b"x"]}),
    "single value": pa.table({"a": [7] * 30, "b": ["x"] * 30, "c": [0.1] * 30}),
    "infinite": pa.table({"a": [np.inf, -np.inf, np.nan, None], "b": [1e308, -1e308, 1e-320, 0.0]}),
    "huge integers": pa.table({"a": pa.array([2**64 - 1, 0, 2**63], pa.uint64()), "b": [2**62, -(2**63), 0]}),
    "of one name": pa.Table.from_arrays(
        [pa.array([1, 2]), pa.array(["x", "y"]), pa.array([3, 4])], ["a", "a", "b"]
    ),
    "unicode": pa.table({"größe\u202e": ["ß", "\U0001f40d"], "\t": ["a\x00", " "], "": [1, 2]}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_have_a_form(name: str, validator: Any) -> None:
    """Empty, null, infinite and strangely named tables have a profile, without a warning, and a form as the schema has it."""
    profile = profile_of(ODD[name], parts=2)
    text = json.dumps(to_json(profile), allow_nan=False)
    validator.validate(json.loads(text))
    assert from_json(json.loads(text)) == profile


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(max_rows=12))
def test_any_table_has_a_form(table: pa.Table) -> None:
    """Whatever a table holds, its profile has finite numbers alone, and comes back from its form equal."""
    profile = profile_of(table, parts=2)
    text = json.dumps(to_json(profile), allow_nan=False)
    assert from_json(json.loads(text)) == profile


def test_every_key_is_described(validator: Any) -> None:
    """Nothing is in the form that its schema does not describe."""
    table = pa.table(
        {"n": [1.5, 2.0, None, 4.0] * 9, "t": ["a", "b", "b", None] * 9, "l": [[1], [], None, [2]] * 9}
    )
    form = json.loads(json.dumps(to_json(profile_of(table, parts=2))))
    validator.validate(form)
    assert undescribed(json_schema(), json_schema()["$defs"], form, "profile") == []


def test_columns_of_one_name_are_all_in_the_form() -> None:
    """A name that is taken gets the next free number."""
    assert column_keys(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (3)", "a (2)", "a (4)"]


@pytest.mark.parametrize(
    "form", [{}, {"form": "mldata-profile", "version": 2}, {"form": "other", "version": 1}]
)
def test_another_form_is_refused(form: dict[str, Any]) -> None:
    """What this version has not written is not guessed at."""
    with pytest.raises(ValueError, match="expected the form 'mldata-profile', version 1"):
        from_json(form)


def test_keys_that_joined_are_passed_over() -> None:
    """A form that a later mldata has written, with more keys anywhere, is read."""
    profile = profile_of(ODD["single row"], parts=2)
    assert from_json(_grown(json.loads(json.dumps(to_json(profile))))) == profile


MAPPINGS = ("columns", "percentiles", "characters", "looks", "parts")
"""Whose keys are names, or values."""


def _grown(value: Any, key: str = "") -> Any:
    if isinstance(value, list):
        return [_grown(it) for it in value]
    if not isinstance(value, dict):
        return value
    more = {} if key in MAPPINGS else {"joined": 1}
    return {**{name: _grown(it, name) for name, it in value.items()}, **more}


@pytest.mark.parametrize("lost", ["rows", "columns", "duplicates"])
def test_a_form_that_lacks_something_is_refused(lost: str) -> None:
    """It is said what is not there."""
    form = to_json(profile_of(ODD["single row"]))
    del form[lost]
    with pytest.raises(ValueError, match=f"found one without '{lost}'"):
        from_json(form)
    with pytest.raises(ValueError, match=r"expected a profile as profile\.schema\.json describes it: "):
        from_json({**to_json(profile_of(ODD["single row"])), "columns": None})
