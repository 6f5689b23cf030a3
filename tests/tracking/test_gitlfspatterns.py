"""Lines for Git LFS: which files, which patterns, where in a file of the user."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.tracking.gitattributes import AttributesFile, Stack, parse
from mldata.tracking.gitlfspatterns import FEW, Kind, append_lines, kinds, lines_for

BIG = 1000
END = b" filter=lfs diff=lfs merge=lfs -text"


def tracked(patterns: Iterable[str], paths: Iterable[str]) -> set[str]:
    """What git would find."""
    data = append_lines(b"", patterns)
    stack = Stack(b"filter", [], [], {b"": AttributesFile("", b"", tuple(parse(data)))})
    return {path for path in paths if stack.find(os.fsencode(path)).state == b"lfs"}


def test_which_files() -> None:
    """Binary formats and media go to LFS at any size, other files from a size on, the manifest never."""
    sizes = {
        "train.parquet": 1,
        "a/train-00000-of-00001.tar": 1,
        "x.tfrecord.gz": 1,
        "train.csv": BIG,
        "test.csv": BIG - 1,
        "train.jsonl.gz": BIG,
        "cat/1.png": 1,
        "README.md": 10,
        "manifest.yaml": BIG,
    }
    found = kinds(sizes, {"cat/1.png"}, BIG)
    assert found == {
        "train.parquet": Kind.BINARY,
        "a/train-00000-of-00001.tar": Kind.BINARY,
        "x.tfrecord.gz": Kind.BINARY,
        "train.csv": Kind.LARGE,
        "train.jsonl.gz": Kind.LARGE,
        "cat/1.png": Kind.MEDIA,
    }


def patterns_of(
    wanted: dict[str, Kind], others: Iterable[str] = (), at: str = "", free: bool = True
) -> list[str]:
    return lines_for(wanted, list(others), at, lambda _: free)


def test_one_pattern_a_suffix() -> None:
    """A binary format has one pattern, bound to the export's folder where others would be taken in."""
    wanted = {"train.parquet": Kind.BINARY, "test.parquet": Kind.BINARY, "a/b.orc": Kind.BINARY}
    assert patterns_of(wanted) == ["*.orc", "*.parquet"]
    assert patterns_of(wanted, at="out/", free=False) == ["out/**/*.orc", "out/*.parquet"]
    assert patterns_of({"train.parquet": Kind.BINARY}, free=False) == ["/*.parquet"]


def test_large_files_by_path() -> None:
    """A file that is large has a pattern of its own; many together that are all there are have one."""
    assert patterns_of({"a.csv": Kind.LARGE}, ["b.csv"], "out/") == ["out/a.csv"]
    many = {f"train-{number:05d}.csv": Kind.LARGE for number in range(FEW + 1)}
    assert patterns_of(many, ["manifest.yaml"]) == ["/*.csv"]
    assert len(patterns_of(many, ["test.csv"])) == FEW + 1


def test_media_by_folder() -> None:
    """Media have a pattern for each folder, one for all of very many folders, and none that takes in what is no media."""
    media = {"cat/1.png": Kind.MEDIA, "cat/a/2.png": Kind.MEDIA, "dog/1.png": Kind.MEDIA}
    assert patterns_of(media, ["README.md"], "out/") == ["out/cat/**", "out/dog/**"]
    assert patterns_of(media, ["cat/notes.md"], "out/") == ["out/dog/**", "out/cat/1.png", "out/cat/a/2.png"]
    many = {f"{number}/a.png": Kind.MEDIA for number in range(FEW + 1)}
    assert patterns_of(many, ["README.md"], "out/") == ["out/*/**"]
    assert len(patterns_of(many, ["hf/state.json"], "out/")) == FEW + 1


names = st.text(st.sampled_from('ab. #!"[]*?^-\\\t\n\u00e9'), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..") and "/" not in name
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


@settings(max_examples=60, deadline=None)
@given(
    wanted=st.dictionaries(paths, st.sampled_from([Kind.LARGE, Kind.MEDIA]), min_size=1, max_size=8),
    others=st.sets(paths, max_size=8),
    at=st.sampled_from(["", "out/", '"a b"/#c[x]/', "!x/"]),
)
def test_no_more_and_no_less(wanted: dict[str, Kind], others: set[str], at: str) -> None:
    """Whatever the names, the patterns match the files that are wanted and none of the others."""
    others -= wanted.keys()
    made = patterns_of(wanted, others, at)
    assert tracked(made, [at + path for path in [*wanted, *others]]) == {at + path for path in wanted}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"a%s\n"),
        (b"x -text\n", b"x -text\na%s\n"),
        (b"x -text", b"x -text\na%s\n"),
        (b"# mine\r\nx -text\r\n", b"# mine\r\nx -text\r\na%s\r\n"),
        (b"# mine\r\nx -text", b"# mine\r\nx -text\r\na%s\r\n"),
        (b"\xef\xbb\xbf", b"\xef\xbb\xbfa%s\n"),
        (b"\n", b"\na%s\n"),
    ],
)
def test_lines_of_the_user_stay(before: bytes, after: bytes) -> None:
    """Lines are added after those that are there, with their line ends, and change nothing in front."""
    assert append_lines(before, ["a"]) == after % END
