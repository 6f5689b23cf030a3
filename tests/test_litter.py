"""What is left out of every source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.litter import NAMES, litter, litter_among, litter_text

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


NAMES_OF_FILES = st.text(st.characters(exclude_characters="/\0"), min_size=1) | st.sampled_from(
    [*NAMES, *KINDS]
)


@given(st.lists(NAMES_OF_FILES | NAMES_OF_FILES.map(str.upper) | NAMES_OF_FILES.map(str.lower)))
def test_many_names_at_once(names: list[str]) -> None:
    """The quick look at a whole folder finds what a look at each name finds."""
    assert litter_among(names) == {name: kind for name in names if (kind := litter(name)) is not None}


def test_text() -> None:
    """Kinds with their numbers, without what a terminal would not show."""
    assert litter_text({"Thumbs.db": 2, "Icon\r": 1000}) == "Icon 1,000, Thumbs.db 2"
