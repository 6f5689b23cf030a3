"""The name that somebody most likely meant."""

from __future__ import annotations

import pytest

from mldata.nearest import nearest

CHOICES = ["Species", "island", "body_mass_g"]


@pytest.mark.parametrize(
    "word,meant",
    [
        ("species", "Species"),
        ("SPECIES", "Species"),
        ("ISLND", "island"),
        ("body_mass", "body_mass_g"),
        ("year", None),
        ("", None),
    ],
)
def test_what_is_meant(word: str, meant: str | None) -> None:
    """Letters that are missing or in the other case hide no name; what is like none gives none."""
    assert nearest(word, CHOICES) == meant
