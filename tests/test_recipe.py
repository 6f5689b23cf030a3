"""What a build was made by comes back as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import BuildError
from mldata.recipe import Recipe

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
STAGES = st.sampled_from(["fetch", "normalize", "transform", "split", "export"])


@given(st.dictionaries(STAGES, st.dictionaries(st.text(max_size=4), VALUES, max_size=4)))
def test_recipes_come_back(params: dict[str, dict[str, object]]) -> None:
    """Values and their order, which a manifest shows."""
    recipe = Recipe([{"source": "x", "tree": "0"}], params, [[1.5, None]])
    found = Recipe.from_text(recipe.to_text().encode(), "d@1")
    assert found == recipe
    assert json.dumps(found.params) == json.dumps(params)


def test_code_is_named() -> None:
    """The files that functions may run, by path; none where there are no functions."""
    assert Recipe([], {"transform": {"code": {"a.py": "00"}}}).code == {"a.py": "00"}
    assert Recipe([], {"fetch": {}}).code == {}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"recipe": 2}', '{"recipe": 1, "sources": []}', "[" * 9999]
)
def test_anything_else_is_refused(text: str) -> None:
    """With the build that it is of."""
    with pytest.raises(BuildError, match=r"expected a recipe of version 1") as told:
        Recipe.from_text(text, "d@1")
    assert str(told.value).startswith("d@1: ")
