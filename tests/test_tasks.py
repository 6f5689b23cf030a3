"""doit's database survives what doit and the world do to it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from doit import plugin
from hypothesis import given
from hypothesis import strategies as st

from mldata.build import Session
from mldata.doitstate import StateCodec
from mldata.project import load_project
from mldata.tasks import SilentReporter, run_doit

DATA = {
    "fetch:d": {"_values_:": {}, "checker:": "ContentChecker", "/a": "1", "/b": "1", "deps:": ["/a", "/b"]},
    "build:d": {"_values_:": {}, "result:": "x", "checker:": "ContentChecker", "/r": "ab", "deps:": ["/r"]},
    "odd": {"ignore:": "1"},
    "partly": {"/a": "1", "deps:": ["/a", "/never saved"]},
}


def again(path: Path) -> dict[str, Any]:
    """What the next doit run would read."""
    return StateCodec(path).decode("")


def test_round_trip(tmp_path: Path) -> None:
    """What doit saved is what it gets back."""
    assert StateCodec(tmp_path / "x" / "doit.json").encode(DATA) == ""
    assert again(tmp_path / "x" / "doit.json") == DATA


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.dictionaries(st.text().filter(lambda k: not k.endswith(":")), st.text(), max_size=5),
        max_size=5,
    )
)
def test_any_names_round_trip(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    """Paths may hold anything that text can."""
    path = tmp_path_factory.mktemp("state") / "doit.json"
    for record in data.values():
        record["deps:"] = list(record)
    StateCodec(path).encode(data)
    assert again(path) == data


def test_an_unchanged_database_is_not_written_again(tmp_path: Path) -> None:
    """A run that did nothing leaves the file alone."""
    path = tmp_path / "doit.json"
    StateCodec(path).encode(DATA)
    before = path.stat()
    codec = StateCodec(path)
    codec.encode(codec.decode(""))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("change", ["set", "replace", "remove"])
def test_a_changed_database_is(tmp_path: Path, change: str) -> None:
    """Any write is saved."""
    path = tmp_path / "doit.json"
    StateCodec(path).encode(DATA)
    codec = StateCodec(path)
    data = codec.decode("")
    if change == "set":
        data["odd"]["x"] = "y"
    elif change == "replace":
        data["odd"] = {}
    else:
        del data["odd"]
    codec.encode(data)
    assert again(path) == data


def test_torn_anywhere_is_empty(tmp_path: Path) -> None:
    """A database cut at any length counts as empty."""
    path = tmp_path / "doit.json"
    StateCodec(path).encode(DATA)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert again(path) == {}


@pytest.mark.parametrize("rubbish", [b"", b"\xff\xfe\x00" * 100, b"{}", b"\n{}"])
def test_rubbish_is_empty(tmp_path: Path, rubbish: bytes) -> None:
    """Bytes that are no database count as empty, and so does a folder in its place."""
    path = tmp_path / "doit.json"
    path.write_bytes(rubbish)
    assert again(path) == {}
    (tmp_path / "folder").mkdir()
    assert again(tmp_path / "folder") == {}
    StateCodec(tmp_path / "folder").encode(DATA)


def test_a_build_looks_for_no_plug_ins_of_doit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other uses of doit find theirs, during a build and after it."""
    looked: list[str] = []
    seen: list[Any] = []

    def find(group: str) -> list[str]:
        looked.append(group)
        return [group]

    def elsewhere() -> None:
        seen.append(plugin.entry_points_impl()("doit.REPORTER"))

    class Reporter(SilentReporter):
        def __init__(self, outstream: object, options: object) -> None:
            assert looked == []
            other = threading.Thread(target=elsewhere)
            other.start()
            other.join()

    monkeypatch.setattr(plugin, "entry_points_impl", lambda: find)
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "mldata.yaml").write_text("version: 1\ndatasets: {d: {source: a.csv}}\n")
    with Session(load_project(tmp_path)) as session:
        assert run_doit(session, [], Reporter) == 0
    assert seen == [["doit.REPORTER"]] and looked == ["doit.REPORTER"]
    assert plugin.entry_points_impl()("doit.COMMAND") == ["doit.COMMAND"]
