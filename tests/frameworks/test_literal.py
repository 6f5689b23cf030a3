"""Literals in generated code."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.naming import class_name, free_name, hook_names, in_docstring, in_markdown
from mldata.testing.frameworks import code_faults

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=6),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=30, deadline=None)
def test_literals_come_back(value: object) -> None:
    """What Python reads is what was written, on one line or several, and all of it can be printed."""
    assert ast.literal_eval(literal(value)) == value
    tree = ast.parse(assignment("NAME", "Any", value, "Doc."))
    assert isinstance(tree.body[0], ast.AnnAssign) and tree.body[0].value is not None
    assert ast.literal_eval(tree.body[0].value) == value
    assert all(line.isprintable() for line in assignment("NAME", "Any", value, "Doc.").splitlines())


@given(st.lists(VALUES, min_size=10, max_size=40))
@settings(max_examples=3, deadline=None)
def test_ruff_has_nothing_to_change(values: list[object]) -> None:
    """Assignments are as ``ruff format`` leaves them, however long or wide their values are, and none is suspicious to ``ruff check``."""
    lines = [assignment(f"NAME_{number}", "object", value, "Doc.") for number, value in enumerate(values)]
    assert code_faults({"m.py": '"""Doc."""\n\n' + "\n".join(lines)}) == []


def test_every_length_about_the_edge_is_laid_out() -> None:
    """Around the width of a line too, as text alone, in a list, and in a mapping."""
    texts = {}
    for length in range(60, 90):
        long, wide = "x" * length, "é" * (length // 2)
        values: list[object] = [long, wide * 2, [long], {long: [1]}, {"k": [long]}, {"k": long}, [wide, wide]]
        lines = [assignment(f"N{number}", "object", value, "Doc.") for number, value in enumerate(values)]
        texts[f"m{length}.py"] = '"""Doc."""\n\n' + "\n".join(lines)
    assert code_faults(texts) == []


def test_what_is_no_literal_is_refused() -> None:
    """Only plain values get into code."""
    with pytest.raises(TypeError, match="expected text"):
        literal(object())


def test_names() -> None:
    """Identifiers are valid and distinct whatever names are; harmless names stay."""
    assert [class_name(it) for it in ("penguins", "spoken-digits", "3d", "…")] == [
        "Penguins",
        "SpokenDigits",
        "Data3d",
        "Data",
    ]
    assert hook_names(["tags", "Tags", "日本", "a b"]) == {
        "tags": "decode_tags",
        "Tags": "decode_tags_2",
        "日本": "decode_column_3",
        "a b": "decode_a_b",
    }
    assert hook_names(["a_3", "a", "A"])["A"] == "decode_a_3_1"
    assert free_name("image", ["image", "image_1"]) == "image_2"
    assert in_docstring("a b", "it") == "a b" and in_docstring('a"""', "it") == "it"
    assert in_markdown("a|`b`") == "`` a\\|`b` ``"


@given(st.lists(TEXTS, unique=True, max_size=20))
@settings(max_examples=30, deadline=None)
def test_hooks_have_names_of_their_own(columns: list[str]) -> None:
    """No two columns share a method, and every one is an identifier."""
    names = hook_names(columns)
    assert len(set(names.values())) == len(columns)
    assert all(name.isidentifier() and name.isascii() for name in names.values())
