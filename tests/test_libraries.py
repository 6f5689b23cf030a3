"""Versions of libraries are those that Python tells."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from mldata.libraries import library_version


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """What was asked for before."""
    library_version.cache_clear()


def test_installed() -> None:
    """Each distribution that is installed has the version that Python tells, however its name is written."""
    names = {it.metadata["Name"] for it in distributions()}
    assert "pyarrow" in names
    assert {it: library_version(it) for it in names} == {it: version(it) for it in names}
    assert library_version("Charset.Normalizer") == version("charset-normalizer")


def test_absent() -> None:
    """What is not installed is absent."""
    assert library_version("no-such-distribution") == "absent"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"some_thing-1.5.dist-info/METADATA": "Name: some-thing\nVersion: 1.5\n\nVersion: 9\n"}, "1.5"),
        ({"some_thing-1.5.dist-info/METADATA": "Name: some-thing\nVersion: 1.5"}, "1.5"),
        ({"Some.Thing-1.5.dist-info/METADATA": "Name: Some.Thing\nVersion: 1.5+cpu\n"}, "1.5+cpu"),
        ({"some_thing-1.5.egg-info/PKG-INFO": "Name: some-thing\nVersion: 1.5\n"}, "1.5"),
        ({"some_thing_else-1.5.dist-info/METADATA": "Name: some-thing-else\nVersion: 1.5\n"}, "absent"),
    ],
)
def test_ways_of_installing(
    files: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version is found in whatever way a distribution was installed."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert library_version("some-thing") == expected


def test_quick() -> None:
    """Libraries that are installed as usual are looked up without what takes long to load."""
    code = (
        "import sys; before = set(sys.modules); from mldata.libraries import library_version; library_version('pyarrow'); "
        "print({'pyarrow', 'email', 'zipfile', 'importlib.metadata'} & (set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
