"""Patterns of paths."""

from __future__ import annotations

import time

import pytest

from mldata.hub.pattern import base_folder, has_magic, path_matcher


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a/*.csv", "a/b.csv", True),
        ("a/*.csv", "a/c/b.csv", False),
        ("*.csv", "a/b.csv", False),
        ("**/*.csv", "b.csv", True),
        ("**/*.csv", "x/y/b.csv", True),
        ("data/**", "data/x/y", True),
        ("data/**", "data", False),
        ("**", "a/b", True),
        ("**/train/**", "train/b", True),
        ("**/train/**", "a/train", False),
        ("**/a/*/b/**", "a/x/a/y/b/c/d", True),
        ("t[!a]*", "tb", True),
        ("t[!a]*", "ta", False),
        ("part-?.csv", "part-1.csv", True),
        ("part-?.csv", "part-12.csv", False),
        ("x[", "x[", True),
        ("[z-a]", "m", False),
        ("a+b(1).csv", "a+b(1).csv", True),
        ("a", "a/b", False),
    ],
)
def test_what_a_pattern_means(pattern: str, path: str, expected: bool) -> None:
    """Stars stay within a name, two of them go through any number of folders."""
    assert path_matcher(pattern)(path) is expected


def test_patterns_made_to_take_long_do_not() -> None:
    """Many stars against a long path that almost matches are answered at once."""
    begin = time.perf_counter()
    assert not path_matcher("*a" * 40 + "b")("a" * 500)
    assert not path_matcher("**/a/" * 40 + "b")("a/" * 500 + "c")
    assert time.perf_counter() - begin < 1


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [("a/b/*.csv", "a/b"), ("*.csv", ""), ("a/**/x", "a"), ("a/b.csv", "a"), ("a[0]/x", "")],
)
def test_the_folder_above(pattern: str, folder: str) -> None:
    """What matches is below the folders that are written out."""
    assert base_folder(pattern) == folder
    assert has_magic(pattern) is (pattern != "a/b.csv")
