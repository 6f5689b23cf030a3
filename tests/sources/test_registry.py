"""How a source is found by its scheme."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mldata.errors import SourceError
from mldata.sources import SOURCES, SourceInfo, find_source, is_remote, open_source, scheme_of
from mldata.spec import InvalidSpec, parse_dataset

MEMORY = SourceInfo("memory", __name__, "Memory", remote=True)


class Memory:
    """A source of another package."""

    def __init__(self, text: str, root: Path) -> None:
        self.text = self.key = text


@pytest.mark.parametrize(
    ("text", "scheme"),
    [("a/b.csv", ""), ("/a", ""), ("HF://x/y", "hf"), ("dataset://a#b", "dataset"), ("a:b", ""), ("://", "")],
)
def test_schemes(text: str, scheme: str) -> None:
    """What stands before :// is the scheme, whatever its case; a path has none."""
    assert scheme_of(text) == scheme


def test_what_is_built_in_needs_no_network(tmp_path: Path) -> None:
    """Local files and datasets are not remote, and keep their text."""
    for text in ("x.csv", "dataset://a"):
        source = open_source(text, tmp_path)
        assert source.text == text and not is_remote(text)
    assert {scheme for scheme, info in SOURCES.items() if not info.remote} >= {"", "dataset"}


def test_a_plug_in_adds_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point called like the scheme is found, by the spec too."""
    point = EntryPoint("memory", f"{__name__}:MEMORY", "mldata.sources")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group, name: [point][: name == "memory"])
    monkeypatch.setattr(EntryPoint, "load", lambda self: MEMORY)
    monkeypatch.setitem(
        __import__("sys").modules, __name__, __import__("types").SimpleNamespace(Memory=Memory)
    )
    find_source.cache_clear()
    try:
        assert open_source("memory://a", tmp_path).key == "memory://a" and is_remote("memory://a")
        assert parse_dataset("d", {"source": "memory://a"})["source"] == ["memory://a"]
        with pytest.raises(InvalidSpec, match="unknown scheme"):
            parse_dataset("d", {"source": "disk://a"})
    finally:
        find_source.cache_clear()


def test_an_unknown_scheme_is_an_error(tmp_path: Path) -> None:
    """A source whose plug-in is gone says so."""
    with pytest.raises(SourceError, match="gone://"):
        open_source("gone://a", tmp_path)
