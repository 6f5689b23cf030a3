"""Labels and parts out of folders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.stages.folders import Folders, Said, said


@pytest.mark.parametrize(
    ("names", "split", "expected"),
    [
        (["cat/1.png", "2.png"], False, [Said(None, "cat"), Said(None, None)]),
        (["cat/tabby/1.png", "dog/1.png"], False, [Said(None, "cat/tabby"), Said(None, "dog")]),
        (["train/cat/1.png", "Test/1.png"], True, [Said("train", "cat"), Said("Test", None)]),
        (["train/cat/tabby/1.png", "1.png"], True, [Said("train", "cat/tabby"), Said(None, None)]),
        (["train/cat/1.png", "extra/cat/1.png"], False, [Said(None, "train/cat"), Said(None, "extra/cat")]),
        (["train.png"], False, [Said(None, None)]),
    ],
)
def test_folders(names: list[str], split: bool, expected: list[Said]) -> None:
    """The path of folders is the label; where all folders at the top are named as parts, the first is the part."""
    folders = Folders(names)
    assert (folders.split, [folders.of(name) for name in names]) == (split, expected)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.zip/cat/1.png", "x/b.tar/1.png"], [Said(None, "cat"), Said(None, "x")]),
        (["train.zip/cat/1.png", "test.tar.gz/1.png"], [Said("train", "cat"), Said("test", None)]),
        (["all.zip/train/cat/1.png", "val/cat/2.png"], [Said("train", "cat"), Said("val", "cat")]),
        (["train.zip/train/cat/1.png"], [Said("train", "cat")]),
        (["0/train.zip/cat/1.png", "0/test.tar.gz/cat/1.png"], [Said("train", "cat"), Said("test", "cat")]),
        (["train.zip/cat/1.png", "more.zip/cat/1.png"], [Said(None, "cat"), Said(None, "cat")]),
    ],
)
def test_archives(names: list[str], expected: list[Said]) -> None:
    """Archives count as unpacked where they are, or as the part that they are named as."""
    archives = {"a.zip", "x/b.tar", "train.zip", "test.tar.gz", "all.zip", "more.zip"} | {
        "0",
        "0/train.zip",
        "0/test.tar.gz",
    }
    assert [(f := Folders(names, archives)).of(name) for name in names] == expected
    assert f.params(names)["folders"]


@settings(max_examples=50)
@given(
    st.lists(st.lists(st.sampled_from(["train", "val", "a", "b.zip"]), max_size=3), min_size=1, max_size=8)
)
def test_a_key_has_all_that_is_said(places: list[list[str]]) -> None:
    """What is said of a file follows from its name and the parameters of the key; without archives these are next to nothing."""
    names = ["/".join([*folders, "x"]) for folders in places]
    for archives in ({"b.zip"}, set[str]()):
        folders = Folders(names, archives)
        params = folders.params(names)
        for name in names:
            inside = params.get("folders", {}).get(name)
            assert folders.of(name) == (Said(*inside) if inside else said(name, params.get("split", False)))
        assert archives or set(params) <= {"split"}
