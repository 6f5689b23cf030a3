"""What is said of files that no spec names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldata.ownparts import OWN_PARTS
from mldata.plainplace import OWN_SPLIT, plain_place
from mldata.spec import parse_dataset


def test_it_is_what_a_spec_would_say(tmp_path: Path) -> None:
    """Every default is that of the spec, so that both give the same action keys."""
    (tmp_path / "a b.csv").touch()
    (tmp_path / "data").mkdir()
    for sources in (["data"], ["a b.csv", "data"], [str(tmp_path / "data")]):
        plain = plain_place(sources, tmp_path)
        assert plain == parse_dataset("d", {"source": sources})
        assert plain is not None and list(plain) == list(parse_dataset("d", {"source": sources}))
    assert parse_dataset("d", {"source": ".", "split": OWN_PARTS})["split"] == OWN_SPLIT


@pytest.mark.parametrize(
    "source",
    ["nothing", "*.csv", "hf://a/b", "https://a.example/b.csv", "-", "~", "dataset://d", "a\n", "file:a"],
)
def test_all_else_is_for_the_spec(source: str, tmp_path: Path) -> None:
    """Patterns, sources elsewhere, and what is not there; and what is named twice."""
    assert plain_place([source], tmp_path) is None
    assert plain_place([".", "."], tmp_path) is None
