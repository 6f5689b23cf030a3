"""Other ways to write a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldata.errors import SourceError, UsageError
from mldata.into import from_root
from mldata.sources import LOCAL, is_remote, local_path, open_source, scheme_of
from mldata.spec import InvalidSpec, parse_dataset

FORMS = [
    ("file:///data/a.csv", "/data/a.csv"),
    ("FILE://localhost/data/a.csv", "/data/a.csv"),
    ("file:/data/a.csv", "/data/a.csv"),
    ("local:///data/a.csv", "/data/a.csv"),
    ("local://data/a.csv", "data/a.csv"),
    ("local://./data/*.csv", "./data/*.csv"),
    ("file:///data/a%20b%23.csv", "/data/a b#.csv"),
    ("file:///data/**/*.csv", "/data/**/*.csv"),
    ("file:///C:/data/a.csv", "C:/data/a.csv"),
    ("local://C:\\data\\a.csv", "C:\\data\\a.csv"),
    ("file:a.csv", "file:a.csv"),
    ("data/a.csv", "data/a.csv"),
]


@pytest.mark.parametrize(("text", "path"), FORMS)
def test_forms(text: str, path: str, tmp_path: Path) -> None:
    """Each is a local source, the same as the plain path: with the same key, and the same in a spec."""
    assert scheme_of(text) == LOCAL
    assert local_path(text) == path
    assert not is_remote(text)
    assert open_source(text, tmp_path).key == open_source(path, tmp_path).key
    assert parse_dataset("d", {"source": text}) == parse_dataset("d", {"source": path})


@pytest.mark.parametrize(
    "text",
    [
        "file://server/share/a.csv",
        "file://C:/data/a.csv",
        "file://a.csv",
        "local://",
        "file://",
        "file:///%00",
    ],
)
def test_what_is_no_path_of_this_machine(text: str, tmp_path: Path) -> None:
    """A path of another host, and none at all, are refused with what was found, in a spec too."""
    with pytest.raises(InvalidSpec, match=r"found"):
        parse_dataset("d", {"source": text})
    if "%" not in text:
        with pytest.raises(SourceError, match="expected"):
            open_source(text, tmp_path)


def test_patterns_with_and_without_a_dot(tmp_path: Path) -> None:
    """``./data/*.csv`` is ``data/*.csv``, however it is written."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_bytes(b"x")
    texts = ["data/*.csv", "./data/*.csv", "local://data/*.csv", f"file://{tmp_path}/data/*.csv", f"file:{tmp_path}/./data/*.csv"]  # fmt: skip
    found = [open_source(text, tmp_path) for text in texts]
    assert len({source.key for source in found}) == 1
    assert {tuple(source.listing().names) for source in found} == {("a.csv",)}


def test_a_relative_one_is_made_relative_to_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed in a folder below the spec is written into it as the path from there."""
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert from_root("local://a.csv", tmp_path) == "sub/a.csv"
    assert from_root("file:///x/a.csv", tmp_path) == "/x/a.csv"
    assert from_root("local://../a.csv", tmp_path) == "a.csv"
    assert from_root("-", tmp_path) == "-"
    with pytest.raises(UsageError, match="host 'server'"):
        from_root("file://server/x", tmp_path)
    assert from_root("s3://bucket/a.csv", tmp_path) == "s3://bucket/a.csv"
