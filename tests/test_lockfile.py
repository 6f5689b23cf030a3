"""mldata.lock: what was pinned is read back, and nothing else is taken for it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.lockfile import (
    Locked,
    LockError,
    format_lock,
    locked_read,
    locked_tree,
    parse_lock,
    read_lock,
    update_lock,
)
from mldata.pin import Pin
from mldata.project import Project, load_project
from store import Digest

A, B = "a" * 64, "0123456789" * 6 + "4444"
TEXT = f"""\
# Made by mldata: what the sources in mldata.yaml were when they were built. Commit it; do not edit it.
version: 1
datasets:
  "2024":
    source:
      - "raw"
    tree: "{B}"
    files: 1
    bytes: 0
  penguins:
    source:
      - "data/a b/*.csv"
      - "x: 'é' # \\"\\\\"
    tree: "{A}"
    files: 3
    bytes: 13519
    read:
      - "csv, utf-8, delimiter ';', header"
      - "csv, utf-16-le, delimiter ',', no header"
    remote:
      - source: "https://example.org/x.csv"
        revision: "etag \\"1\\""
        tree: "{A}"
      - source: "hf://owner/name"
        revision: "cafe"
        tree: "{B}"
        facts: {{"license": "é", "rows": 3}}
"""
READ = ("csv, utf-8, delimiter ';', header", "csv, utf-16-le, delimiter ',', no header")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    names = "".join(f"  {name}: {{source: data/{name}}}\n" for name in ("a", "b", "c"))
    (tmp_path / "mldata.yaml").write_text(f"version: 1\ndatasets:\n{names}")
    return load_project(tmp_path)


def lock_of(**kwargs: Any) -> Locked:
    return Locked(**{"sources": ("x",), "tree": A, "files": 1, "bytes": 2} | kwargs)


def test_the_format_is_pinned() -> None:
    """These bytes, sorted by name, whatever the order of what is locked."""
    pins = (
        Pin("https://example.org/x.csv", 'etag "1"', Digest(A)),
        Pin("hf://owner/name", "cafe", Digest(B), {"rows": 3, "license": "é"}),
    )
    sources = ("data/a b/*.csv", "x: 'é' # \"\\")
    penguins = lock_of(sources=sources, files=3, bytes=13519, read=READ, remote=pins)
    locked = {"penguins": penguins, "2024": lock_of(sources=("raw",), tree=B, bytes=0)}
    assert format_lock(locked) == TEXT
    assert parse_lock(TEXT.encode(), "f") == locked
    assert parse_lock(format_lock({}).encode(), "f") == {}


names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True) | st.sampled_from(
    ["null", "no", "y", "1.5", "1e3"]
)
texts = st.text(st.characters(exclude_categories=("Cs",)))
trees = st.text("0123456789abcdef", min_size=64, max_size=64)
plain = texts | st.integers() | st.booleans() | st.none() | st.lists(texts, max_size=2)
pins = st.builds(
    Pin, source=texts, revision=texts, tree=trees, facts=st.dictionaries(texts, plain, max_size=2)
)
locks = st.dictionaries(
    names,
    st.builds(
        Locked,
        sources=st.lists(texts, min_size=1, max_size=3).map(tuple),
        tree=trees,
        files=st.integers(0, 10**9),
        bytes=st.integers(0, 10**18),
        read=st.lists(texts, max_size=2).map(tuple),
        remote=st.lists(pins, max_size=2).map(tuple),
    ),
    max_size=4,
)


@pytest.mark.no_cover
@settings(deadline=None)
@given(locks)
def test_it_is_yaml(locked: dict[str, Locked]) -> None:
    """What is written is read back, by PyYAML to the same data, and equal locks are equal bytes."""
    text = format_lock(locked)
    assert parse_lock(text.encode(), "f") == locked
    assert format_lock(dict(reversed(list(locked.items())))) == text
    assert yaml.safe_load(text) == {
        "version": 1,
        "datasets": {
            name: {
                "source": list(entry.sources),
                "tree": entry.tree,
                "files": entry.files,
                "bytes": entry.bytes,
            }
            | ({"read": list(entry.read)} if entry.read else {})
            | ({"remote": [pin.to_json() for pin in entry.remote]} if entry.remote else {})
            for name, entry in locked.items()
        },
    }


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 6), st.binary(max_size=4))
def test_damage_is_noticed(at: int, cut: int, junk: bytes) -> None:
    """A changed lock is an error with a line, or one that writes out as it reads."""
    content = TEXT.encode()
    check_strict(content[:at] + junk + content[at + cut :])


def test_truncation_is_noticed() -> None:
    """Cut at any byte, it is refused, or is a whole lock of fewer datasets, of less under ``read`` and ``remote``, or without its last line end."""
    content = TEXT.encode()
    whole = {length for length in range(len(content)) if check_strict(content[:length])}
    ends = {content.index(b"  penguins:") - 1, content.index(b"  penguins:"), len(content) - 1}
    read = content.index(b"    read:")
    ends |= {read, content.index(b'      - "csv, utf-16'), content.index(b'      - "csv, utf-16') - 1}
    for less in (b"    remote:", b'      - source: "hf', b"        facts:"):
        ends |= {content.index(less), content.index(less) - 1}
    numbers = set(range(read - 5, read))  # "bytes: 1351" cannot be told from "bytes: 13519"
    assert whole <= ends | numbers | {content.index(b'  "2024"') - 1, content.index(b'  "2024"')}


def check_strict(content: bytes) -> bool:
    try:
        locked = parse_lock(content, "f")
    except LockError as error:
        assert "git checkout -- mldata.lock" in str(error)
        assert getattr(error.where, "line", None)
        return False
    given = content.decode().replace("\r\n", "\n").split("\n")
    lines = [line for line in given if line and not line.startswith("#")]
    again = [line for line in format_lock(locked).split("\n") if line and not line.startswith("#")]
    assert lines == again or not locked
    return True


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("version: 1", "version: 2", 2, "expected version 1"),
        ("version: 1", "<<<<<<< HEAD", 2, "merge conflict"),
        ("datasets:", "datasets: []", 3, "expected datasets:"),
        ("  penguins:", "  1999:", 10, "in order"),
        ("  penguins:", '  "2024":', 10, "in order"),
        ("  penguins:", "  a/b:", 10, "dataset names"),
        ("  penguins:", '  "a:', 10, "text in quotes"),
        ("    files: 3", "    files: 03", 15, "files: with a number"),
        ("    files: 3", "    rows: 3", 15, "files: with a number"),
        (f'"{A}"', f'"{A[1:]}"', 14, "64 hex digits"),
        ('"raw"', "raw", 6, "text in quotes"),
        ('"raw"', '"\\u0041"', 6, "text in quotes"),
        ('      - "raw"\n', "", 6, "a source"),
        ("    bytes: 13519\n", "", 16, "bytes: with a number"),
        ("    bytes: 13519\n", "    bytes: 13519\nmore\n", 17, "a dataset's name"),
        ("é", "\udcff", 13, "UTF-8"),
    ],
)
def test_errors_name_the_line(old: str, new: str, line: int, words: str) -> None:
    """What was expected, and where, so that a merge gone wrong can be mended."""
    content = TEXT.replace(old, new).encode("utf-8", "surrogateescape")
    with pytest.raises(LockError, match=words) as caught:
        parse_lock(content, "f")
    assert str(caught.value).startswith(f"f:{line}: ")
    with pytest.raises(LockError, match="the end of the file"):
        parse_lock(b"version: 1\ndatasets: {}\nmore\n", "f")


def test_comments_and_foreign_line_ends() -> None:
    """What git or a person may add without changing what is said."""
    text = TEXT.replace("  penguins:", "# kept\n\n  penguins:").replace("\n", "\r\n")
    assert parse_lock(text.encode(), "f") == parse_lock(TEXT.encode(), "f")


def test_update(project: Project) -> None:
    """The first build writes it, an equal one leaves it alone, a change shows as a small diff."""
    path = project.root / "mldata.lock"
    assert read_lock(path) == {}
    assert locked_tree(project, "a") is None
    assert update_lock(project, "a", tree=A, files=1, size=2)
    assert update_lock(project, "b", tree=A, files=1, size=2)
    before, stat = path.read_text(), path.stat()
    assert not update_lock(project, "a", tree=A, files=1, size=2)
    assert path.stat() == stat
    assert update_lock(project, "a", tree=B, files=1, size=2)
    assert locked_tree(project, "a") == B
    changed = [line for line in path.read_text().splitlines() if line not in before.splitlines()]
    assert changed == [f'    tree: "{B}"']


def test_how_files_are_read_stays_until_it_is_said_anew(project: Project) -> None:
    """Fetch pins other bytes before normalize has read them."""
    update_lock(project, "a", tree=A, files=1, size=2, read=READ)
    update_lock(project, "a", tree=B, files=1, size=2)
    assert locked_read(project, "a") == READ
    update_lock(project, "a", tree=B, files=1, size=2, read=[])
    assert locked_read(project, "a") == ()


def test_a_pin_is_for_the_sources_it_was_made_of(project: Project) -> None:
    """After the spec names other sources, the old pin does not count; datasets that went away lose theirs."""
    for name in "abc":
        update_lock(project, name, tree=A, files=1, size=2)
    project.spec_path.write_text("version: 1\ndatasets: {a: {source: elsewhere}, b: {source: data/b}}")
    changed = load_project(project.root)
    assert locked_tree(changed, "a") is None
    assert locked_tree(changed, "b") == A
    update_lock(changed, "a", tree=B, files=1, size=2)
    assert sorted(read_lock(project.root / "mldata.lock")) == ["a", "b"]


def test_a_damaged_lock_is_not_overwritten(project: Project) -> None:
    """It may pin what others rely on: the user decides."""
    path = project.root / "mldata.lock"
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises(LockError, match="merge conflict"):
        update_lock(project, "a", tree=A, files=1, size=2)
    assert path.read_text() == "<<<<<<< HEAD\n"
    path.unlink()
    path.mkdir()
    with pytest.raises(LockError, match="cannot read it"):
        read_lock(path)


def test_threads_lose_nothing(project: Project) -> None:
    """Datasets that finish at the same time all get their pin."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: update_lock(project, name, tree=A, files=1, size=2), "abc"))
    assert sorted(read_lock(project.root / "mldata.lock")) == ["a", "b", "c"]


def test_no_yaml_is_needed() -> None:
    """Reading and writing the lock loads no YAML library."""
    code = "import sys, mldata.lockfile as l; l.parse_lock(l.format_lock({}).encode(), 'f'); print('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
