"""What a bucket of Google's is as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from unittest import mock

import pytest

pytest.importorskip("gcsfs", reason="the extra gs is not installed")

from mldata.testing import RemotePlace, RemoteSourceContract
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
