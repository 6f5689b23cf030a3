"""Disks that are full or cannot be written, and sources that change under the build's hands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import environment
from tests.e2e.small import assert_sound, outputs, small_project

FULL_DISK = """
set -e
mount -t tmpfs -o size={size}k none "$1"
cp -r "$2"/. "$1"
cd "$1"
set +e
{python} -m mldata -q build; echo "first $?"
{python} -m mldata -q check --read-data; echo "check $?"
mount -o remount,size=64m "$1"
{python} -m mldata -q build; echo "second $?"
{python} -m mldata -q check --read-data; echo "check $?"
rm -rf "$2"/out; cp -r "$1"/out "$2"/out
"""


def may_mount() -> bool:
    done = subprocess.run(
        [
            "unshare",
            "-rm",
            "sh",
            "-c",
            "d=$(mktemp -d); mount -t tmpfs none $d; r=$?; umount $d; rmdir $d; exit $r",
        ],
        capture_output=True,
    )
    return done.returncode == 0


def test_a_full_disk(tmp_path: Path) -> None:
    """The build stops with a clear message, the store is sound, and with room the build goes on to the same bytes."""
    try:
        if not may_mount():
            pytest.skip("may not mount a small file system here")
    except OSError:
        pytest.skip("there is no unshare here")
    reference = small_project(tmp_path / "reference", files=100)
    reference.build()
    project = small_project(tmp_path / "project", files=100)
    (tmp_path / "disk").mkdir()
    script = FULL_DISK.format(size=900, python=sys.executable)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(tmp_path / "disk"), str(project.root)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith(("first", "check", "second"))]
    assert told == ["first 1", "check 0", "second 0", "check 0"], done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "space" in done.stderr or "full" in done.stderr
    assert project.files("out") == reference.files("out")


def test_a_read_only_store_can_be_read(tmp_path: Path) -> None:
    """status, log, show and check work on a store that cannot be written."""
    try:
        if not may_mount():
            pytest.skip("may not mount here")
    except OSError:
        pytest.skip("there is no unshare here")
    project = small_project(tmp_path / "project")
    project.build()
    script = f"""
    mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" || exit 77
    for words in status "log d" "show d" "check --read-data"; do
        {sys.executable} -m mldata $words || exit 1
    done
    {sys.executable} -m mldata -q build || exit 2
    """
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(project.root)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode == 77:
        pytest.skip("may not bind-mount here")
    assert done.returncode in (0, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


@pytest.fixture
def hook() -> Iterator[list[object]]:
    """A place for the publish hook; taken down afterwards."""
    import store.atomic

    kept: list[object] = []
    yield kept
    store.atomic.on_checkpoint = None


@pytest.mark.parametrize("step", [0, 1, 3, 10, 30])
def test_a_source_edited_while_it_is_read(step: int, tmp_path: Path, hook: list[object]) -> None:
    """The build refuses or builds one consistent state; nothing is kept under the wrong content."""
    import store.atomic

    project = small_project(tmp_path / "project")
    edited = "x,y\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(500, 510))
    count = 0

    def listen(_: str) -> None:
        nonlocal count
        if count == step:
            for number in range(3):
                project.write(f"data/{number}.csv", edited)
        count += 1

    store.atomic.on_checkpoint = listen
    done = project.run("build", expect=None)
    store.atomic.on_checkpoint = None
    assert done.code in (0, 1)
    assert "Traceback" not in done.text
    if done.code:
        assert ".csv" in done.err
    assert_sound(project)
    told = project.build()
    other = small_project(tmp_path / "other")
    for number in range(3):
        other.write(f"data/{number}.csv", edited)
    assert outputs(told) == outputs(other.build())
    assert project.files("out") == other.files("out")


def test_a_failing_write_is_an_error_with_a_path(tmp_path: Path, hook: list[object]) -> None:
    """ENOSPC at a publish step is exit code 1 with a message, and the next build goes on."""
    import errno

    import store.atomic

    project = small_project(tmp_path / "project")
    count = 0

    def listen(_: str) -> None:
        nonlocal count
        count += 1
        if count == 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    store.atomic.on_checkpoint = listen
    done = project.run("build", expect=1)
    store.atomic.on_checkpoint = None
    assert "Traceback" not in done.text
    assert_sound(project)
    reference = small_project(tmp_path / "reference")
    assert outputs(project.build()) == outputs(reference.build())
