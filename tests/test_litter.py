"""What is left out of every source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.litter import NAMES, litter, litter_text, may_be_litter

KINDS = {
    ".git": ".*", "._a.png": "._*", ".DS_Store": ".DS_Store", "Thumbs.db": "Thumbs.db", "THUMBS.DB": "Thumbs.db",
    "Desktop.ini": "desktop.ini", "Icon\r": "Icon\r", "__MACOSX": "__MACOSX", "@eaDir": "@eaDir", "#recycle": "#recycle",
    "$RECYCLE.BIN": "$RECYCLE.BIN", "lost+found": "lost+found", "a.csv~": "*~", "~$a.xlsx": "~$*",
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_kinds(name: str, kind: str) -> None:
    """Each name of the list is of its kind, in upper or lower case."""
    assert litter(name) == kind


@pytest.mark.parametrize("name", ["a.csv", "thumbs.db.csv", "icon", "~a.csv", "a.~b", "$a", "_a.png", "a.b"])
def test_names_that_are_data(name: str) -> None:
    """A name that only looks like one of the list is taken."""
    assert litter(name) is None


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1) | st.sampled_from([*NAMES, *KINDS]))
def test_the_quick_look_misses_nothing(name: str) -> None:
    """What may_be_litter lets pass is no litter."""
    for spelling in (name, name.upper(), name.lower()):
        assert may_be_litter(spelling) or litter(spelling) is None


def test_text() -> None:
    """Kinds with their numbers, without what a terminal would not show."""
    assert litter_text({"Thumbs.db": 2, "Icon\r": 1000}) == "Icon 1,000, Thumbs.db 2"
