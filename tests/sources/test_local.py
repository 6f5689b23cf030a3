"""What a local source takes and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldata.errors import SourceError
from mldata.snapshot import combined
from mldata.sources import open_source


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def names(text: str, root: Path) -> list[str]:
    return list(open_source(text, root).listing().names)


def test_a_file_is_one_name(tmp_path: Path) -> None:
    """A single file is listed under its own name, with its size."""
    make(tmp_path, "data/a.csv")
    listing = open_source("data/a.csv", tmp_path).listing()
    assert listing.names == ["a.csv"]
    assert listing.numbers[0] == len("data/a.csv")
    assert listing.paths == [str(tmp_path / "data" / "a.csv")]


def test_a_folder_is_walked_in_name_order(tmp_path: Path) -> None:
    """All files below a folder are listed, sorted by name whatever the order they were made in."""
    make(tmp_path, "d/z.csv", "d/sub/b.csv", "d/a.csv")
    assert names("d", tmp_path) == ["a.csv", "sub/b.csv", "z.csv"]


def test_hidden_names_are_left_out(tmp_path: Path) -> None:
    """Files and folders whose name starts with a dot are no data, unless the pattern asks for them."""
    make(tmp_path, "d/.git/config", "d/.DS_Store", "d/a.csv", "d/.b.csv")
    assert names("d", tmp_path) == ["a.csv"]
    assert names("d/*.csv", tmp_path) == ["a.csv"]
    assert names("d/.*.csv", tmp_path) == [".b.csv"]


def test_what_programs_leave_behind_is_left_out_and_counted(tmp_path: Path) -> None:
    """Hidden files and the like are no data at any depth; a folder of them counts once. Several sources are counted together."""
    make(
        tmp_path,
        "d/a.csv",
        "d/.DS_Store",
        "d/s/.DS_Store",
        "d/s/Thumbs.db",
        "d/@eaDir/b.csv",
        "d/@eaDir/c.csv",
    )
    make(tmp_path, "d/s/._a.csv", "d/s/b.csv~", "d/.git/x/y", "e/a.csv", "e/THUMBS.DB")
    listing = open_source("d", tmp_path).listing()
    counts = {".DS_Store": 2, "Thumbs.db": 1, "@eaDir": 1, "._*": 1, "*~": 1, ".*": 1}
    assert (list(listing.names), listing.ignored) == (["a.csv"], counts)
    both = combined([listing, open_source("e/*", tmp_path).listing()])
    assert both.ignored == counts | {"Thumbs.db": 2}
    assert open_source("d/*.csv", tmp_path).listing().ignored == {}
    assert open_source("d/**", tmp_path).listing().ignored == counts
    assert open_source("d/**/*", tmp_path).listing().ignored == counts
    folders = {"@eaDir": 1, ".*": 1}  # that would be looked into
    assert open_source("d/**/*.csv", tmp_path).listing().ignored == folders | {"._*": 1}


def test_a_pattern_that_names_them_takes_them(tmp_path: Path) -> None:
    """What is left out elsewhere is data where the source itself says so."""
    make(tmp_path, "d/a.csv", "d/@eaDir/b.csv", "d/a.csv~")
    assert names("d/@eaDir/*.csv", tmp_path) == ["b.csv"]
    assert names("d/*~", tmp_path) == ["a.csv~"]
    assert names("d/a.csv~", tmp_path) == ["a.csv~"]
    with pytest.raises(SourceError, match=r"no files but what is left out: \*~ 1: expected at least one"):
        make(tmp_path, "only/a~")
        names("only", tmp_path)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("d/*.csv", ["a.csv", "b.csv"]),
        ("d/[a]*.csv", ["a.csv"]),
        ("d/?.txt", ["c.txt"]),
        ("d/*/x.csv", ["s/x.csv"]),
        ("d/**/*.csv", ["a.csv", "b.csv", "s/deep/y.csv", "s/x.csv"]),
        ("d/**", ["a.csv", "b.csv", "c.txt", "s/deep/y.csv", "s/x.csv"]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    """Wildcards match as in a shell, and ** any depth; names start at the folder before the first wildcard."""
    make(tmp_path, "d/a.csv", "d/b.csv", "d/c.txt", "d/s/x.csv", "d/s/deep/y.csv")
    assert names(pattern, tmp_path) == expected


def test_a_real_name_with_brackets_is_a_file(tmp_path: Path) -> None:
    """A file whose name looks like a pattern can be named as it is."""
    make(tmp_path, "d/a[1].csv")
    assert names("d/a[1].csv", tmp_path) == ["a[1].csv"]


def test_absolute_paths(tmp_path: Path) -> None:
    """An absolute source does not start at the project folder."""
    make(tmp_path, "elsewhere/a.csv")
    assert names(str(tmp_path / "elsewhere"), tmp_path / "project") == ["a.csv"]


@pytest.mark.parametrize("text", ["missing.csv", "missing/*.csv", "d/*.parquet", "empty"])
def test_nothing_there_is_an_error_that_names_the_source(tmp_path: Path, text: str) -> None:
    """A source without a file stops the build and says which source it was."""
    make(tmp_path, "d/a.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError) as caught:
        open_source(text, tmp_path).listing()
    assert str(caught.value.where) == text


def test_a_link_inside_is_followed(tmp_path: Path) -> None:
    """A link to a file of the same source is read as that file."""
    make(tmp_path, "d/a.csv")
    (tmp_path / "d" / "b.csv").symlink_to("a.csv")
    assert names("d", tmp_path) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "gone"])
def test_a_link_that_leaves_or_dangles_is_refused(tmp_path: Path, target: str) -> None:
    """A link cannot bring in a file from outside the source folder."""
    make(tmp_path, "d/a.csv", "secret")
    (tmp_path / "d" / "b.csv").symlink_to(target)
    with pytest.raises(SourceError, match=r"b\.csv"):
        open_source("d", tmp_path).listing()


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A named pipe would block the build for ever."""
    make(tmp_path, "d/a.csv")
    os.mkfifo(tmp_path / "d" / "pipe")
    with pytest.raises(SourceError, match="pipe"):
        open_source("d", tmp_path).listing()


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A name that means another thing on another machine cannot be part of a dataset."""
    make(tmp_path, "d/a.csv")
    Path(os.fsdecode(os.fsencode(tmp_path / "d") + b"/b\xff.csv")).write_bytes(b"x")
    with pytest.raises(SourceError, match="UTF-8"):
        open_source("d", tmp_path).listing()
