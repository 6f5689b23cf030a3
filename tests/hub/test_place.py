"""What texts of the Hub mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import SourceError
from mldata.hub.place import Place
from mldata.sources import open_source
from mldata.sources.hf import HubSource


def place(text: str) -> Place:
    source = open_source(text, Path())
    assert isinstance(source, HubSource)
    return source.place


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf://a/b", Place("a/b")),
        ("HF://a/b/", Place("a/b")),
        ("huggingface://a/b", Place("a/b")),
        ("hf://datasets/a/b", Place("a/b")),
        ("hf://datasets/b", Place("b")),
        ("hf://squad", Place("squad")),
        ("hf://squad@v1/x.csv", Place("squad", "v1", "x.csv")),
        ("hf://a/b@v1.0", Place("a/b", "v1.0")),
        ("hf://a/b?revision=v1.0", Place("a/b", "v1.0")),
        ("hf://a/b@main/data/x y.csv", Place("a/b", "main", "data/x y.csv")),
        ("hf://a/b/data/x%20y.csv", Place("a/b", None, "data/x y.csv")),
        ("hf://a/b@feature%2Fnew/x.csv", Place("a/b", "feature/new", "x.csv")),
        ("hf://a/b@refs/pr/7/x.csv", Place("a/b", "refs/pr/7", "x.csv")),
        ("hf://a/b@refs/convert/parquet", Place("a/b", "refs/convert/parquet")),
        ("hf://a/b/**/*.csv", Place("a/b", None, "**/*.csv")),
        ("hf://a/b/user@home.csv", Place("a/b", None, "user@home.csv")),
        ("hf://a/b?subset=en&split=train", Place("a/b", subset="en", split="train")),
        ("hf://a/b?files=parquet&subset=en", Place("a/b", subset="en", converted=True)),
    ],
)
def test_texts_and_their_normal_form(text: str, expected: Place) -> None:
    """Every way to write a place is understood, and the normal form means the same."""
    assert place(text) == expected
    assert place(str(expected)) == expected
    assert open_source(text, Path()).key == str(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hf://spaces/a/b", "the address of a space"),
        ("hf://a/b--c", "'b--c'"),
        ("hf://a/b@", "the revision ''"),
        ("hf://a/b@a%20b", "the revision 'a b'"),
        ("hf://a/b/../c", "the path '../c'"),
        ("hf://a/b/x%0Ay", "the path"),
        ("hf://a/b@x?revision=y", "a revision twice"),
        ("hf://a/b?subset=", "no value for subset"),
        ("hf://a/b?columns=x", "one of files, revision, split, subset"),
        ("hf://a/b/*.csv?subset=en", "either a pattern or a subset"),
        ("hf://a/b/x?files=parquet", "found a path"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    """What cannot be meant says what was found, before anything is asked."""
    with pytest.raises(SourceError, match="expected") as caught:
        place(text)
    assert message in str(caught.value) and text in str(caught.value)


NAMES = st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True)
PATHS = st.lists(st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=8), max_size=3)


@given(NAMES, NAMES, PATHS, st.none() | st.from_regex(r"[a-z0-9.]{1,5}(/[a-z]{1,4})?", fullmatch=True))
def test_normal_forms_are_read_back(owner: str, name: str, steps: list[str], revision: str | None) -> None:
    """What is written in normal form is the place that it was made of."""
    path = "/".join(step for step in steps if step.strip("/. ") and "/" not in step and step.isprintable())
    if owner in ("datasets", "models", "spaces", "buckets", "kernels") or (revision and ".." in revision):
        return
    made = Place(f"{owner}/{name}", revision, path)
    assert place(str(made)) == made
