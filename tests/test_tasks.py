"""doit's database survives what doit and the world do to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.tasks import StateCodec, drop_damaged

DATA = {
    "fetch:d": {"_values_:": {}, "checker:": "ContentChecker", "/a": "1", "/b": "1", "deps:": ["/a", "/b"]},
    "build:d": {"_values_:": {}, "result:": "x", "checker:": "ContentChecker", "/r": "ab", "deps:": ["/r"]},
    "odd": {"ignore:": "1"},
    "partly": {"/a": "1", "deps:": ["/a", "/never saved"]},
}


def test_round_trip() -> None:
    """What doit saved is what it gets back."""
    assert StateCodec().decode(StateCodec().encode(DATA)) == DATA


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.dictionaries(st.text().filter(lambda k: not k.endswith(":")), st.text(), max_size=5),
        max_size=5,
    )
)
def test_any_names_round_trip(data: dict[str, Any]) -> None:
    """Paths may hold anything that text can."""
    for record in data.values():
        record["deps:"] = list(record)
    assert StateCodec().decode(StateCodec().encode(data)) == data


def test_an_unchanged_database_is_not_encoded_again() -> None:
    """A run that did nothing writes back the text that it read."""
    text = StateCodec().encode(DATA)
    codec = StateCodec()
    assert codec.encode(codec.decode(text)) is text


@pytest.mark.parametrize("change", ["set", "replace", "remove"])
def test_a_changed_database_is(change: str) -> None:
    """Any write is saved."""
    codec = StateCodec()
    data = codec.decode(StateCodec().encode(DATA))
    if change == "set":
        data["odd"]["x"] = "y"
    elif change == "replace":
        data["odd"] = {}
    else:
        del data["odd"]
    assert StateCodec().decode(codec.encode(data)) == data


def test_torn_anywhere_is_empty(tmp_path: Path) -> None:
    """A database cut at any length is dropped before doit can stop at it, and decodes to nothing."""
    text = StateCodec().encode(DATA)
    path = tmp_path / "doit.json"
    for length in range(len(text)):
        assert StateCodec().decode(text[:length]) == {}
        path.write_text(text[:length])
        drop_damaged(path)
        assert not path.exists()


def test_binary_rubbish_is_dropped(tmp_path: Path) -> None:
    """Bytes that are no text are dropped too; a good database and a missing one are left alone."""
    path = tmp_path / "doit.json"
    drop_damaged(path)
    path.write_bytes(b"\xff\xfe\x00" * 100)
    drop_damaged(path)
    assert not path.exists()
    path.write_text(StateCodec().encode(DATA))
    drop_damaged(path)
    assert path.exists()
