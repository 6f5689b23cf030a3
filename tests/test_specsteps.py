"""``transform:`` in mldata.yaml: what it may say, and how its mistakes are told."""

from __future__ import annotations

from typing import Any

import pytest

from mldata.spec import InvalidSpec, parse_dataset, parse_spec


def spec(text: str) -> str:
    return f"version: 1\ndatasets:\n  d:\n    source: x\n    {text}\n"


def plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = parse_spec(spec(text), "f").to_plain()["datasets"]["d"]["transform"]
    return found


def steps(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plain(text)["steps"]
    return found


def test_a_function_alone_has_every_default() -> None:
    """``transform: file.py:function`` is a step over fragments with ten minutes and no memory limit."""
    assert plain("transform: clean.py:clean") == {
        "steps": [{"step": "function", "function": "clean.py:clean", "scope": "fragment", "params": {}}],
        "limits": [[600.0, None]],
    }
    assert plain("transform: [clean.py:clean]") == plain("transform: {function: clean.py:clean}")


def test_limits_are_no_parameters() -> None:
    """A time and a memory limit say nothing of what is made, and stand apart from the steps."""
    more = "transform: {function: ./a/../c.py:f, scope: table, params: {b: 1, a: [x, {y: 2.5}]}"
    limited = plain(more + ", timeout: 90s, memory: 2GB}")
    assert limited["steps"] == plain(more + ", timeout: none, memory: 4GiB}")["steps"]
    assert limited["steps"][0]["function"] == "c.py:f"
    assert limited["steps"][0]["params"] == {"a": ["x", {"y": 2.5}], "b": 1}
    assert limited["limits"] == [[90.0, 2_000_000_000]]
    assert plain(more + ", timeout: none, memory: 4GiB}")["limits"] == [[None, 4 << 30]]
    assert plain(more + ", timeout: 1.5}")["limits"] == [[1.5, None]]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("{select: [b, a]}", {"step": "select", "columns": ["b", "a"]}),
        ("{select: b}", {"step": "select", "columns": ["b"]}),
        ("{rename: {old: new}}", {"step": "rename", "columns": {"old": "new"}}),
        ("{cast: {a: int, b: date}}", {"step": "cast", "columns": {"a": "int64", "b": "date32"}}),
        ("{filter: ' a > 1 '}", {"step": "filter", "expression": "a > 1"}),
        ("{dedupe: true}", {"step": "dedupe", "by": []}),
        ("{dedupe: [a, b]}", {"step": "dedupe", "by": ["a", "b"]}),
        ("{sample: {rows: 10}}", {"step": "sample", "rows": 10, "share": None, "seed": 42}),
        ("{sample: {share: 0.1, seed: 7}}", {"step": "sample", "rows": None, "share": 0.1, "seed": 7}),
        ("{sort: [a, -b]}", {"step": "sort", "by": [["a", False], ["b", True]]}),
        ("{fill_null: {b: x, a: 0}}", {"step": "fill_null", "values": {"a": 0, "b": "x"}}),
        ("{map: {l: {1: dog, 0: null}}}", {"step": "map", "labels": {"l": {"0": None, "1": "dog"}}}),
    ],
)
def test_built_in_steps(text: str, step: dict[str, Any]) -> None:
    """Each built-in step has one plain form, alone and in a list."""
    assert steps(f"transform: {text}") == [step]
    assert steps(f"transform: [{text}, clean.py:f]")[0] == step


def test_python_values_are_taken_too() -> None:
    """A dataset built without a spec is given as Python values."""
    made = parse_dataset(
        "d",
        {"source": "x", "transform": [{"sample": {"rows": 3}}, {"dedupe": True}, {"fill_null": {"a": 1}}]},
    )
    assert [step["step"] for step in made["transform"]["steps"]] == ["sample", "dedupe", "fill_null"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "f:5:16: expected at least one step, found an empty list"),
        ("{}", "f:5:16: expected a step, found an empty mapping"),
        ("[3]", "f:5:17: expected file.py:function, found '3'"),
        ("clean.py", "f:5:16: expected file.py:function, found 'clean.py'"),
        ("clean:f", "f:5:16: expected file.py:function, found 'clean:f'"),
        ("'clean.py:a b'", "f:5:16: expected file.py:function"),
        ("clean.py:class", "f:5:16: expected file.py:function"),
        ("../x.py:f", "f:5:16: expected a file inside the project folder, found '../x.py'|  copy the file"),
        ("a/../../x.py:f", "f:5:16: expected a file inside the project folder"),
        ("/x.py:f", "f:5:16: expected a file inside the project folder"),
        ("~/x.py:f", "f:5:16: expected a file inside the project folder"),
        ("'C:\\x.py:f'", "f:5:16: expected a file inside the project folder"),
        ("[{selct: [a]}]", "f:5:18: unknown step 'selct'|  did you mean 'select'?"),
        ("{timeout: 3}", "f:5:17: unknown step 'timeout'|  'timeout' belongs to a step with 'function"),
        (
            "{select: a, filter: b}",
            "f:5:28: expected one step, found select and filter|  write them as a list",
        ),
        ("{function: c.py:f, timout: 3}", "f:5:35: unknown key 'timout'|  did you mean 'timeout'?"),
        (
            "{function: c.py:f, scope: tabel}",
            "f:5:42: expected one of fragment, table; found 'tabel'|  did you",
        ),
        ("{function: c.py:f, timeout: 0}", "f:5:44: expected seconds, a time such as 90s"),
        ("{function: c.py:f, memory: 3}", "f:5:43: expected a size such as 512MB"),
        ("{function: c.py:f, params: [a]}", "f:5:43: expected a mapping such as {limit: 3}, found a list"),
        ("{function: c.py:f, params: {a-b: 1}}", "f:5:44: expected the name of a parameter, found 'a-b'"),
        ("{select: []}", "f:5:25: expected column names such as [a, b], found an empty list"),
        ("{select: [a, a]}", "f:5:29: 'a' is given twice"),
        ("{rename: {a: c, b: c}}", "f:5:35: 'a' and 'b' would both be called 'c'"),
        ("{rename: {a: ''}}", "f:5:29: expected a column name, found ''"),
        ("{cast: {a: itn32}}", "f:5:27: expected a column type, found 'itn32'|  did you mean 'int32'?"),
        ("{cast: int32}", "f:5:23: expected a mapping such as {age: int32}, found 'int32'"),
        ("{filter: a = 1}", "f:5:25: expected a condition, found 'a = 1' at character 3"),
        (
            "{filter: a == null}",
            "f:5:25: 'null' at character 6 is only to be compared with 'is'|  write 'x is",
        ),
        ("{dedupe: false}", "f:5:25: expected true (all columns) or column names, found 'false'"),
        ("{sample: {rows: 1, share: 0.2}}", "f:5:25: expected either 'rows' or 'share'"),
        ("{sample: {rows: 0}}", "f:5:32: expected a number of rows of at least 1, found '0'"),
        ("{sample: {share: 1.5}}", "f:5:33: expected a share above 0 and at most 1, found '1.5'"),
        ("{sample: {rows: 1, sed: 2}}", "f:5:35: unknown key 'sed'|  did you mean 'seed'?"),
        ("{sort: [a, -a]}", "f:5:27: 'a' is given twice"),
        ("{fill_null: {a: null}}", "f:5:32: expected a value, found 'null'"),
        ("{map: {a: {b: 1, c: x}}}", "f:5:26: expected labels of one kind, found numbers and text"),
    ],
)
def test_mistakes_have_a_place_and_a_remedy(text: str, problem: str) -> None:
    """A mistake names file, line and column, what was expected, what was found, and what to do."""
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(spec(f"transform: {text}"), "f")
    assert str(caught.value).replace("\n", "|").startswith(problem), str(caught.value)


def test_every_mistake_is_told_at_once() -> None:
    """Steps are checked each by itself."""
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(spec("transform: [{selct: a}, x.py, {filter: '('}]"), "f")
    assert len(caught.value.problems) == 3
