"""Names are kept only if every system can keep them apart and write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import NameCollision, UnsafeName, check_name, check_names
from store.names import split_path, unsafe_reason

UNSAFE = [
    "", ".", "..", "a/b", "/a", "a\\b", "a\0b", "a.", "a ", "...", "CON", "con.txt", "Aux .c", "nul", "PRN", "com1",
    "LPT9.tar.gz", "COM¹", "x" * 256, "é" * 128, "bad\udcff",
]  # fmt: skip
SAFE = [
    "a",
    ".hidden",
    "a b",
    "console",
    "com",
    "com0",
    "nul-1",
    "x" * 255,
    "é" * 127,
    "-",
    "a:b",
    "日本",
    "a\nb",
    "lpt10",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused_with_a_reason(name: str) -> None:
    """Alone or among others, an unsafe name raises, and the message shows it and says why."""
    for check in (
        lambda: check_name(name),
        lambda: check_names(["ok", name, "z"]),
        lambda: check_names([name]),
    ):
        with pytest.raises(UnsafeName) as caught:
            check()
        assert (
            caught.value.name == name and repr(name) in str(caught.value) and "rename it" in str(caught.value)
        )


@pytest.mark.parametrize("name", SAFE)
def test_safe_names_pass(name: str) -> None:
    """What merely looks like a reserved name is fine."""
    check_name(name)
    check_names(["ok", name])


@given(st.lists(st.text(max_size=5), max_size=4))
def test_many_names_are_checked_as_each_alone(names: list[str]) -> None:
    """The one search over all names finds exactly what the check of each one finds."""
    try:
        check_names(names)
    except UnsafeName:
        assert any(unsafe_reason(name) for name in names)
    except NameCollision:
        assert len(names) > 1
    else:
        assert not any(unsafe_reason(name) for name in names)


@pytest.mark.parametrize(
    ("first", "second"),
    [("a", "A"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "STRASSE"), ("x", "x"), ("\u0130", "i\u0307")],
)
def test_collisions_name_both(first: str, second: str) -> None:
    """Two names that some system takes for one are refused together."""
    with pytest.raises(NameCollision) as caught:
        check_names([first, "other", second], "folder")
    assert (caught.value.first, caught.value.second) == (f"folder/{first}", f"folder/{second}")


def test_paths_are_split_into_safe_names() -> None:
    """A path is relative, with no empty, dotted or endless parts."""
    assert split_path("a/b c/d") == ["a", "b c", "d"]
    for path in ("/a", "a//b", "a/../b", "a/", "a/b\\c", "/".join(["d"] * 300)):
        with pytest.raises(UnsafeName):
            split_path(path)
