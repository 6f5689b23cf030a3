"""What a container of Azure's is as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast
from unittest import mock

import pytest

pytest.importorskip("adlfs", reason="the extra az is not installed")

from mldata.errors import AuthError, SourceError
from mldata.sources import open_source
from mldata.sources.base import RemoteSource
from mldata.testing import RemotePlace, RemoteSourceContract
from mldata.testing.expect import raises
from mldata.testing.places import fetch
from tests.servers.azure import azure
from tests.servers.azurite import PROGRAM, azurite

LACKS = {
    "old": "a container is read as it is now",
    "token": "a key signs, and is not sent",
    "gate": "a container has no terms to accept",
    "rename": "a container cannot be renamed",
    "move": "bytes come from the service itself",
}


class TestAzure(RemoteSourceContract):
    """``az://`` by adlfs, from a server that speaks the REST API."""

    malformed = ("az://", "az:///a", "az://A", "az://user:secret@account/a", "abfs://a b/c")
    unsafe = ("../x.csv", "a/../../x.csv", "a\\..\\x.csv", "C:\\x.csv", "con.csv", "a//x.csv")
    lacks: ClassVar[Mapping[str, str]] = LACKS

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        return azure()


@pytest.mark.slow
@pytest.mark.skipif(
    PROGRAM is None, reason="azurite, Azure's emulator, is not installed: npm install -g azurite"
)
class TestAzurite(RemoteSourceContract):
    """``az://`` by adlfs, from Microsoft's own emulator."""

    unsafe = ("con.csv", "a/nul.csv")
    many = 50
    lacks: ClassVar[Mapping[str, str]] = {
        **LACKS,
        "fail": "azurite cannot be told to fail",
        "cut": "azurite cannot be told to break off",
    }

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        return azurite()


def opened(text: str) -> RemoteSource:
    return cast(RemoteSource, cast(Any, open_source(text, Path("/"))))


@contextmanager
def variables(**said: str) -> Iterator[None]:
    with mock.patch.dict(os.environ, said):
        yield


def test_a_key_opens_a_private_container() -> None:
    """With the account's key it is read; without, and with a wrong one, the error says what to do and has no key in it."""
    with azure() as place:
        place.put({"a.csv": b"a"})
        place.require_token("right")
        wrong, right = place.connection("wrong-key"), place.connection("right")
        for said in (place.connection(), wrong):
            with variables(AZURE_STORAGE_CONNECTION_STRING=said):
                found: Any = None
                try:
                    opened("az://penguins").resolve()
                except (AuthError, SourceError) as error:  # who is not known does not learn that it is there
                    found = error
                assert found is not None and found.hint
                assert "AccountKey" not in str(found) and "wrong-key" not in str(found)
        with variables(AZURE_STORAGE_CONNECTION_STRING=right):
            source = opened("az://penguins")
            assert fetch(source, source.resolve()) == {"a.csv": b"a"}
            assert any("authorization" in asked.headers for asked in place.requests)


def test_which_account() -> None:
    """Without an account there is an error that says how to name it; in the text it may stand in three ways."""
    with azure():
        os.environ.pop("AZURE_STORAGE_CONNECTION_STRING")
        error = raises(SourceError, opened("az://penguins/a").resolve)
        assert "az://CONTAINER@ACCOUNT" in str(error.hint)
    forms = ("az://c0@islands/a", "abfs://c0@islands.dfs.core.windows.net/a", "abfss://c0@islands.blob.core.windows.net/a/")  # fmt: skip
    assert len({opened(text).key for text in forms}) == 1


def test_digests_and_compression() -> None:
    """The MD5 is stated where the service has one, and what is kept compressed comes as it is kept."""
    with azure() as place:
        place.add({"a.csv": b"\x1f\x8b packed"}, **{"Content-Encoding": "gzip"})
        place.add({"b.csv": b"b"}, md5=False)
        source = opened("az://penguins")
        resolved = source.resolve()
        assert [list(file.digests) for file in resolved.files] == [["md5"], []]
        assert fetch(source, resolved)["a.csv"] == b"\x1f\x8b packed"


def test_a_blob_that_changes_while_it_is_read() -> None:
    """What was listed is what is read; where that is gone, the error says that it changed."""
    with azure() as place:
        place.put({"a.csv": b"a" * 100})
        source = opened("az://penguins/*.csv")
        file = source.resolve().files[0]
        place.put({"a.csv": b"b" * 100})
        assert "it changed after it was listed" in str(raises(SourceError, source.origin(file).open))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/data/a.csv", ["a.csv"]),
        ("/data", ["a.csv", "b.csv", "sub/c.csv"]),
        ("/data/?.csv", ["a.csv", "b.csv"]),
        ("/data/b*.csv", ["b.csv"]),
        ("/top*.csv", ["top.csv"]),
        ("/data/*/*", ["sub/c.csv"]),
        ("/**/c.csv", ["data/sub/c.csv"]),
    ],
)
def test_keys_folders_and_patterns(path: str, names: list[str]) -> None:
    """A key, a folder and a pattern are what they are on this machine; names are relative to them."""
    files = {
        "data/a.csv": b"a",
        "data/b.csv": b"b",
        "data/sub/c.csv": b"c",
        "data2/d.csv": b"d",
        "top.csv": b"t",
    }
    with azure() as place:
        place.put(files)
        source = opened(f"{place.uri}{path}")
        assert list(fetch(source, source.resolve())) == names
