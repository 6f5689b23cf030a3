"""What a bucket of Google's is as a source."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast
from unittest import mock

import pytest

pytest.importorskip("gcsfs", reason="the extra gs is not installed")

from mldata.errors import NetworkError, SourceError
from mldata.sources import open_source
from mldata.sources.base import RemoteSource
from mldata.testing import RemotePlace, RemoteSourceContract
from mldata.testing.expect import raises
from mldata.testing.places import fetch
from tests.servers.gcs import Gcs, gcs


class TestGoogle(RemoteSourceContract):
    """``gs://`` by gcsfs, from a server that speaks the JSON API."""

    malformed = ("gs://", "gs:///a", "gs://B", "gs://user:secret@bucket/a", "gcs://a b/c")
    lacks: ClassVar[Mapping[str, str]] = {
        "old": "a bucket is read as it is now",
        "gate": "a bucket has no terms to accept",
        "rename": "a bucket cannot be renamed",
        "move": "bytes come from the service itself",
    }
    place: Gcs
    folder: Path

    @contextmanager
    def serve(self, folder: Path) -> Iterator[RemotePlace]:
        self.folder = folder
        with gcs() as self.place:
            yield self.place

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        path = self.folder / f"{token}.json"
        self.place.write_credentials(path, token)
        with mock.patch.dict(os.environ, {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}):
            yield


def opened(text: str) -> RemoteSource:
    return cast(RemoteSource, cast(Any, open_source(text, Path("/"))))


def test_what_is_kept_compressed_comes_as_it_is_kept() -> None:
    """An object with ``Content-Encoding: gzip`` is not unpacked on the way: size and MD5 are of what is stored."""
    packed = gzip.compress(b"x,y\n1,2\n" * 1000)
    with gcs() as place:
        place.add({"a.csv": packed}, contentEncoding="gzip")
        source = opened("gs://penguins")
        resolved = source.resolve()
        assert resolved.files[0].size == len(packed) and "md5" in resolved.files[0].digests
        assert fetch(source, resolved) == {"a.csv": packed}


def test_an_object_put_together_of_parts_has_no_md5() -> None:
    """Where the service states no MD5, none is stated; the generation still tells what changed."""
    with gcs() as place:
        place.add({"a.csv": b"a"}, md5Hash=None, componentCount=2)
        [file] = opened("gs://penguins").resolve().files
        assert not file.digests and file.version


def test_a_generation_that_is_gone() -> None:
    """What was written anew since it was listed is not read in its place."""
    with gcs() as place:
        place.put({"a.csv": b"a" * 10})
        source = opened("gs://penguins/a.csv")
        file = source.resolve().files[0]
        place.put({"a.csv": b"b" * 10})
        with source.origin(file).open() as body:
            assert "it changed after it was listed" in str(raises(SourceError, lambda: b"".join(body)))


def test_other_names_of_the_scheme() -> None:
    """``gcs://`` is ``gs://``."""
    assert opened("gcs://penguins/a").key == opened("gs://penguins/a").key


def test_errors_are_not_logged_too(capfd: pytest.CaptureFixture[str]) -> None:
    """gcsfs logs every error that it raises, with its traceback; the user sees ours alone."""
    with gcs() as place:
        place.put({"a.csv": b"a"})
        place.fail(500, None)
        raises(NetworkError, opened("gs://penguins").resolve)
    assert capfd.readouterr() == ("", "")


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
    with gcs() as place:
        place.put(files)
        source = opened(f"{place.uri}{path}")
        assert list(fetch(source, source.resolve())) == names
