"""Attributes of paths: what is read of .gitattributes is what git itself says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.tracking.gitattributes import AttributesFile, Line, Stack, State, parse, read_regular
from mldata.tracking.wildmatch import matcher

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

TOKENS = (
    "a", "b", "A", "x", "*", "**", "?", "/", "[", "]", "!", "^", "-", "\\", "[a-b]", "[!a]", "[[:alpha:]]", "[[:upper:]]",
    "[[:space:]]", "[[:foo:]]", "[:", "**/", "/**", "*.p", ".p", " ", '"', "#", "a/b", "ab/**",
)  # fmt: skip
ATTRIBUTES = (
    "filter=lfs", "filter", "-filter", "!filter", "filter=other", "filter=", "m", "-m", "!m", "n", "m=3", "text", "-text", "bad*name",
)  # fmt: skip
NAMES = ("a", "b", "ab", "A", "x.p", "*", "-", "[", "]", "!", "#", "a b", '"a', "a.p", "b\\")
FOLDERS = ("", "a/", "a/b/", "x/")

patterns = st.lists(st.sampled_from(TOKENS), min_size=1, max_size=5).map("".join)
quoted = patterns.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
words = st.lists(st.sampled_from(ATTRIBUTES), max_size=2).map(" ".join)
macros = st.sampled_from(["[attr]m ", "[attr]n "])
lines = st.tuples(st.sampled_from(["", " ", "# "]), patterns | quoted | macros, st.sampled_from(" \t"), words)
texts = st.lists(lines.map("".join), min_size=1, max_size=6)
files = st.tuples(texts, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
contents = files.map(lambda file: (file[2] + file[1].join(file[0])).encode())
paths = st.tuples(st.sampled_from([*FOLDERS, "A/", "b/a/"]), st.sampled_from(NAMES)).map("".join)


def stack(
    below: Mapping[str, bytes], first: bytes | None = None, last: bytes | None = None, fold: bool = False
) -> Stack:
    """What files with these contents say."""

    def outside(data: bytes | None) -> list[AttributesFile]:
        return [] if data is None else [AttributesFile("outside", b"", tuple(parse(data)), False)]

    named = {
        folder.encode(): AttributesFile(folder, folder.encode(), tuple(parse(data, macros=not folder)))
        for folder, data in below.items()
    }
    return Stack(b"filter", outside(first), outside(last), named, fold)


def shown(state: State) -> bytes:
    """A state as git prints it."""
    return state if isinstance(state, bytes) else {True: b"set", False: b"unset", None: b"unspecified"}[state]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository."""
    root = tmp_path_factory.mktemp("attributes")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    return root


@needs_git
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    below=st.dictionaries(st.sampled_from(FOLDERS), contents, min_size=1),
    first=st.none() | contents,
    last=st.none() | contents,
    asked=st.sets(paths, min_size=20, max_size=40),
    fold=st.booleans(),
)
def test_git_says_the_same(
    repository: Path,
    below: dict[str, bytes],
    first: bytes | None,
    last: bytes | None,
    asked: set[str],
    fold: bool,
) -> None:
    """Whatever the files say, in folders, of the repository and of the user, a path has the attribute that git gives it."""
    outside = repository / "of-the-user"
    for path, data in [
        *((repository / folder / ".gitattributes", below.get(folder)) for folder in FOLDERS),
        (repository / ".git" / "info" / "attributes", first),
        (outside, last),
    ]:
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
    ordered = sorted(asked)
    config = ["-c", f"core.ignoreCase={str(fold).lower()}", "-c", f"core.attributesFile={outside}"]
    done = subprocess.run(
        ["git", *config, "-C", str(repository), "check-attr", "-z", "--stdin", "filter"],
        input=b"".join(path.encode() + b"\0" for path in ordered),
        capture_output=True,
        check=True,
    )
    said = dict(zip(ordered, done.stdout.split(b"\0")[2::3], strict=False))
    read = stack(below, first, last, fold)
    assert {path: shown(read.find(path.encode()).state) for path in ordered} == said


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (b"*.csv", [b"a.csv", b".csv"], [b"a.csv.gz"]),
        (b"media/**", [b"media/a", b"media/a/b"], [b"media", b"a/media/b"]),
        (b"a/**/b", [b"a/b", b"a/x/y/b"], [b"ab"]),
        (b"[[:space:]]\\#[!a-c]", [b" #d"], [b" #a", b"x#d"]),
    ],
)
def test_patterns(pattern: bytes, matching: list[bytes], other: list[bytes]) -> None:
    """Stars stay within a folder, two of them do not, and sets are as in POSIX."""
    made = matcher(pattern)
    assert made is not None
    assert all(made.expression.fullmatch(path) for path in matching)
    assert not any(made.expression.fullmatch(path) for path in other)


def test_who_says_it() -> None:
    """The last line that matches counts, and it is told which it is."""
    read = stack({"": b"*.p filter=lfs\nx.p -filter\n", "a/": b"\n*.p filter=lfs\n"})
    assert read.find(b"y.p").state == b"lfs"
    found = read.find(b"x.p")
    assert found.state is False
    assert found.line == Line(2, b"x.p", ((b"filter", False),))
    nested = read.find(b"a/x.p")
    assert nested.state == b"lfs"
    assert nested.file is not None and nested.line is not None
    assert (nested.file.name, nested.line.number) == ("a/", 2)


def test_long_lines_and_zeros() -> None:
    """A line that git finds too long says nothing, and what comes after a zero byte neither."""
    long = b"a" * 2048 + b" filter=lfs\n"
    assert parse(long + b"b filter\0=lfs") == [Line(2, b"b", ((b"filter", True),))]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in place of the file is none, as for git."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "file") == b"x"
    assert read_regular(tmp_path / "link") is None
    assert read_regular(tmp_path / "none") is None
    assert read_regular(tmp_path) is None
