"""Datasets of the Hub keep what every source elsewhere promises."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from unittest import mock

from mldata.testing import Asked, RemoteSourceContract
from mldata.testing.remote import LONG, SECRET
from tests.servers.hub import Hub, hub


class HubPlace:
    """A repository on a Hub of its own."""

    uri, nowhere = "hf://owner/pets", "hf://owner/nothing"

    def __init__(self, served: Hub) -> None:
        self._hub = served
        self._repo = served.repo("owner/pets")

    @property
    def requests(self) -> Sequence[Asked]:
        return self._hub.seen

    def put(self, files: Mapping[str, bytes]) -> None:
        self._repo.commit(files)

    def require_token(self, token: str) -> None:
        self._hub.tokens[token] = "owner"
        self._repo.private, self._repo.readers = True, frozenset({"owner"})

    def gate(self) -> None:
        self._hub.tokens[SECRET] = "stranger"
        self._repo.gated = "manual"

    def rename(self) -> None:
        self._hub.moved["owner/pets"] = self._repo.id = "owner/animals"
        self._hub.repos["owner/animals"] = self._hub.repos.pop("owner/pets")

    def move(self) -> None:
        """Files of LFS come from another host from the beginning."""

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        self._hub.steering.failures = (status, times, headers or {})

    def cut(self, after: int) -> None:
        self._hub.steering.cut_after = after


class TestHubSource(RemoteSourceContract):
    files: ClassVar[Mapping[str, bytes]] = {
        "b.csv": b"x,y\n1,2\n", "a.csv": b"x,y\n", "sub/z.bin": LONG, "sub-1.csv": b"x\n4\n", "sub/deep/\u00e9 \u5317.csv": b"x\n5\n",
    }  # fmt: skip
    long: ClassVar[str] = "sub/z.bin"
    malformed: ClassVar[Sequence[str]] = (
        "hf://", "hf://a--b/c", "hf://a/b..c", "hf://a/.b", "hf://a b/c", "hf://a/b@", "hf://a/b@x..y", "hf://a/b/../c", "hf://a/b?x=1",
        "hf://models/a/b", "hf://a/b?files=csv", "hf://a/b@v1?revision=v2", "hf://a/b@v1?files=parquet", "hf://a/b/*.csv?split=train",
        "hf://a/b.git", f"hf://{'a' * 97}/b", "hf://a/b//c", "hf://-a/b",
    )  # fmt: skip
    variable: ClassVar[str] = "HF_TOKEN"

    @contextmanager
    def serve(self, folder: Path) -> Iterator[HubPlace]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        with hub() as served, mock.patch.dict(os.environ, clean, clear=True):
            os.environ |= {"HF_ENDPOINT": served.endpoint, "HF_HOME": str(folder / "hf-home")}
            yield HubPlace(served)
