"""What a bucket of S3 is as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar
from unittest import mock

import pytest

pytest.importorskip("s3fs", reason="the extra s3 is not installed")

from mldata.testing import RemotePlace, RemoteSourceContract
from tests.servers.s3 import s3


class TestS3(RemoteSourceContract):
    """``s3://`` by s3fs, from moto's server."""

    malformed = (
        "s3://",
        "s3:///a.csv",
        "s3://b",
        "s3://user:secret@bucket/a",
        "s3://a b/c",
        "s3://user@bucket/a",
    )
    lacks: ClassVar[Mapping[str, str]] = {
        "old": "a bucket is read as it is now",
        "gate": "a bucket has no terms to accept",
        "rename": "a bucket cannot be renamed",
        "move": "bytes come from the service itself",
    }

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        return s3()

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        with mock.patch.dict(os.environ, {"AWS_ACCESS_KEY_ID": token, "AWS_SECRET_ACCESS_KEY": token}):
            yield
