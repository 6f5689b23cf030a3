"""Patterns over names that a place lists mean what they mean on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.sources import open_source
from mldata.sources.patterns import EVERYTHING, literal_head, split_pattern, take

NAMES = [
    "a.csv", "b.csv", ".hidden.csv", "a.csv~", "c.txt", "s/x.csv", "s/deep/y.csv", ".git/z.csv", "s/.DS_Store", "@eaDir/q.csv",
    "s/@eaDir/r.csv", "t/x.csv", "t/[a].csv", "s/deep/deeper/w.csv",
]  # fmt: skip
PATTERNS = [
    "**", "*", "*.csv", "**/*.csv", "**/*", "?.csv", "[ab].csv", "s/*", "*/x.csv", "**/deep/**", ".*.csv", "@eaDir/*", "*~", "**/@eaDir/*.csv",
    "t/[a].csv", "**/**/*.csv", "s/**", "**/s/**/*.csv", "[!a].csv", "no*",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("names")
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


@pytest.mark.parametrize("pattern", PATTERNS)
def test_as_on_this_machine(folder: Path, pattern: str) -> None:
    """The same names are taken as of a local folder."""
    base, segments = split_pattern(pattern)
    below = [name.removeprefix(f"{base}/") for name in NAMES if not base or name.startswith(f"{base}/")]
    found = sorted(take(sorted(below), segments or EVERYTHING).names)
    try:
        local = list(open_source(pattern, folder).listing().names)
    except Exception:  # nothing matches
        local = []
    assert found == (local if pattern != "t/[a].csv" else ["[a].csv"])


def test_what_is_left_out_is_counted() -> None:
    """Hidden files and the like by their kind, a folder once."""
    assert take(NAMES, EVERYTHING).ignored == {".*": 2, ".DS_Store": 1, "*~": 1, "@eaDir": 2}
    assert take(NAMES, ("*.csv",)).ignored == {".*": 1}
    assert take(NAMES, ("s", "*.csv")).ignored == {}


def test_names_that_lead_out_are_not_left_out() -> None:
    """``..`` is no hidden name that may be passed over: it is there to be refused."""
    assert take(["../x.csv", "a/./x.csv", "a//x.csv"], EVERYTHING).names == [
        "../x.csv",
        "a/./x.csv",
        "a//x.csv",
    ]


def test_the_head_of_a_pattern() -> None:
    """What every match begins with narrows a list."""
    assert [literal_head(it) for it in (("n-*.csv",), ("*",), ("**", "a"), ("a", "b*"), ())] == [
        "n-",
        "",
        "",
        "a",
        "",
    ]


@given(st.lists(st.text("ab*?[]/.!~", max_size=8), max_size=4), st.text("ab*?[]/!", max_size=8))
def test_any_pattern_and_name(names: list[str], pattern: str) -> None:
    """Nothing that a place lists, or a user writes, makes it fail."""
    _, segments = split_pattern(pattern)
    taken = take(names, segments or EVERYTHING)
    assert set(taken.names) <= set(names)
