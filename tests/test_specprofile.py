"""``profile:`` in the spec."""

from __future__ import annotations

from typing import Any

import pytest

from mldata.spec import InvalidSpec, parse_dataset, parse_spec

SPLIT = "split: {train: 0.5, test: 0.5}"


def spec(profile: str, split: str = SPLIT) -> str:
    return f"version: 1\ndatasets:\n  d:\n    source: x\n    {split}\n    {profile}\n"


@pytest.mark.parametrize(
    ("said", "params"),
    [
        ("", None),
        ("profile: false", None),
        ("profile: true", {"parts": False}),
        ("profile: {}", {"parts": False}),
        ("profile: {parts: true}", {"parts": True}),
    ],
)
def test_what_it_means(said: str, params: dict[str, bool] | None) -> None:
    """A flag will do; without it nothing is summarized."""
    assert parse_spec(spec(said), "f").to_plain()["datasets"]["d"]["profile"] == params


def test_from_python() -> None:
    """The API takes the same values."""
    given: dict[str, Any] = {"source": "x"}
    assert parse_dataset("d", given)["profile"] is None
    assert parse_dataset("d", given | {"profile": True})["profile"] == {"parts": False}
    assert parse_dataset("d", given | {"profile": False})["profile"] is None


@pytest.mark.parametrize(
    ("said", "split", "message"),
    [
        ("profile: yes", SPLIT, "f:6:14: expected a mapping such as {parts: true}, or true; found 'yes'"),
        ("profile: {parts: 1}", SPLIT, "f:6:22: expected true or false, found '1'"),
        ("profile: {part: true}", SPLIT, "f:6:15: unknown key 'part'\n  did you mean 'parts'?"),
        (
            "profile: {parts: true}",
            "",
            "f:6:22: expected a split dataset, found one without parts\n  add 'split:', or leave 'parts' out",
        ),
    ],
)
def test_mistakes(said: str, split: str, message: str) -> None:
    """Each is named with its place and what was expected."""
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(spec(said, split), "f")
    assert str(caught.value) == message
