"""The files below a folder, whatever is there: nothing but regular files is handed on to be opened."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import UsageError
from mldata.integrity.base import FileCheckResult
from mldata.integrity.checking import Target
from mldata.integrity.walk import shown_path, walk


def told(found: Iterable[Target | FileCheckResult]) -> dict[str, str]:
    """What was found: ``file``, or the type and class of what is none."""
    return {
        it.path: "file" if isinstance(it, Target) else f"{it.file_type} {it.details['error_class']}"
        for it in found
    }


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    """As ``LC_ALL=C sort`` has them: of ``a.txt`` and what is in ``a``, the file comes first."""
    names = ["a.txt", "a/b.txt", "a/b/c.txt", "a0", "A", "é/x", "z/\U0001f600", "z/\ue000"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = list(walk(tmp_path))
    assert [it.path for it in found] == sorted(names, key=os.fsencode)
    assert all(isinstance(it, Target) and it.file == f"{tmp_path}/{it.path}" for it in found)


@given(st.lists(st.binary(min_size=1, max_size=6).filter(lambda it: not set(it) & {0, 47} and it[:1] != b"."), unique=True))  # fmt: skip
@settings(max_examples=20)
def test_any_name_is_found(tmp_path_factory: pytest.TempPathFactory, names: list[bytes]) -> None:
    """Line ends, escapes and what is no Unicode: every file is found once, in the order of the bytes, and can be opened."""
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(name)
    left = Counter[str]()
    found = [it for it in walk(folder, left) if isinstance(it, Target)]
    opened = []
    for it in found:
        with open(it.file, "rb") as file:
            opened.append(file.read())
        it.path.encode()  # Unicode
    assert opened == sorted(opened) and set(opened) <= set(names)
    assert len(opened) + left.total() == len(names)


def test_a_name_that_is_no_unicode_is_shown_escaped(tmp_path: Path) -> None:
    """Its bytes are told; a line end stays one."""
    with open(os.fsencode(tmp_path) + b"/caf\xe9\n.jpg", "wb"):
        pass
    [found] = walk(tmp_path)
    assert isinstance(found, Target) and found.path == "caf\\xe9\n.jpg"
    assert os.path.exists(found.file)
    assert shown_path("café") == "café"


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    """Pipes and sockets, and links that lead nowhere, out or in a circle; of those inside, files are followed and folders found under their own name."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/file").write_text("x")
    (tmp_path / "outside").write_text("x")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(root)  # the path of a socket must be short
        listening.bind("socket")
        os.chdir(here)
    links = {
        "dangling": "nowhere",
        "device": "/dev/null",
        "inside": "sub/file",
        "folder": "sub",
        "self": "self",
        "up": ".",
        "sub/up": "../..",
        "sub/above": "..",
        "out": "../outside",
        "piped": "pipe",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert told(walk(root)) == {
        "dangling": "link dangling-link",
        "device": "link link-outside",
        "inside": "file",
        "out": "link link-outside",
        "pipe": "fifo fifo",
        "piped": "fifo fifo",
        "self": "link link-loop",
        "socket": "socket socket",
        "sub/file": "file",
        "sub/up": "link link-outside",
    }


def test_litter_is_left_out_and_counted(tmp_path: Path) -> None:
    """Hidden files and what file managers leave are no data; a folder of them counts once."""
    for name in (".git/config", ".hidden", "Thumbs.db", "a/.DS_Store", "a/b.jpg", "c.jpg~"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    left = Counter[str]()
    assert told(walk(tmp_path, left)) == {"a/b.jpg": "file"}
    assert left == {".*": 2, "Thumbs.db": 1, ".DS_Store": 1, "*~": 1}


def test_a_root_of_any_kind(tmp_path: Path) -> None:
    """A file is itself, also a hidden one and through a link; a pipe is told; nothing there is an error."""
    (tmp_path / ".hidden.jpg").write_text("x")
    (tmp_path / "link").symlink_to(".hidden.jpg")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    assert told(walk(tmp_path / ".hidden.jpg")) == {".hidden.jpg": "file"}
    assert told(walk(tmp_path / "link")) == {"link": "file"}
    assert told(walk(tmp_path / "pipe")) == {"pipe": "fifo fifo"}
    assert told(walk(tmp_path / "empty")) == {}
    for name in ("nothing", "dangling", ".hidden.jpg/x", "a\0b"):
        with pytest.raises(UsageError, match="expected"):
            list(walk(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every folder")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    """It is told, and the others are walked."""
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "open.jpg").write_text("x")
    assert told(walk(tmp_path)) == {"closed": "folder unreadable", "open.jpg": "file"}


def test_a_folder_that_is_gone_meanwhile(tmp_path: Path) -> None:
    """It is told, and the others are walked."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("x")
    found = walk(tmp_path)
    first = next(found)
    (tmp_path / "b/x").unlink()
    (tmp_path / "b").rmdir()
    assert told([first, *found]) == {"a/x": "file", "b": "folder gone", "c/x": "file"}


def test_a_folder_is_walked_as_it_is_asked_for(tmp_path: Path) -> None:
    """The first file comes before the folders after it are listed."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1").write_text("x")
    found = walk(tmp_path)
    assert next(found).path == "a/1"
    (tmp_path / "b/2").write_text("x")
    assert [it.path for it in found] == ["b/1", "b/2"]
