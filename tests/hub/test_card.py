"""What a repository says of itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.hub.card import Info, infos_of, license_of, subsets_of, texts_of, title_of

KEYS = st.sampled_from(
    [
        "config_name",
        "configs",
        "features",
        "splits",
        "name",
        "dtype",
        "list",
        "sequence",
        "struct",
        "_type",
        "num_examples",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_there_does_no_harm(said: Any) -> None:
    """People write it by hand: what makes no sense is passed over."""
    for info in infos_of(said).values():
        assert all(isinstance(text, str) for pair in info.features for text in pair)
        assert all(rows is None or isinstance(rows, int) for rows in info.splits.values())
    card = {"license": said, "pretty_name": said, "configs": said, "license_name": said}
    assert isinstance(license_of(card), str | None) and isinstance(title_of(card), str | None)
    assert all(isinstance(name, str) for name in [*subsets_of(card), *texts_of(said)])


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("int64", "int64"),
        ({"dtype": "float32", "_type": "Value"}, "float32"),
        ({"class_label": {"names": {"0": "a"}}}, "class label"),
        ({"names": ["a"], "_type": "ClassLabel"}, "class label"),
        ({"_type": "Image"}, "image"),
        ([{"dtype": "int8", "_type": "Value"}], "list<int8>"),
        ({"feature": {"dtype": "int8", "_type": "Value"}, "_type": "Sequence"}, "list<int8>"),
        ({"a": {"dtype": "int8", "_type": "Value"}}, "struct"),
    ],
)  # fmt: skip
def test_types_in_both_forms(said: Any, text: str) -> None:
    """The front matter and the dataset viewer write types in different ways, which are told in one."""
    assert infos_of({"default": {"features": {"x": said}}})["default"].features == [("x", text)]
    listed = {"features": [{"name": "x", **(said if isinstance(said, dict) else {"dtype": said})}]}
    if not isinstance(said, list):
        assert infos_of(listed) == {"default": Info({}, [("x", text)])}


def test_licences() -> None:
    """One, several, or one of its own."""
    assert license_of({"license": "mit"}) == "mit"
    assert license_of({"license": ["mit", "cc-by-4.0"]}) == "mit, cc-by-4.0"
    assert license_of({"license": "other", "license_name": "ours"}) == "ours"
    assert license_of({}) is None
