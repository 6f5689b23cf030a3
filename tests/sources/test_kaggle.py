"""Datasets of Kaggle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from mldata.testing import RemoteSourceContract
from mldata.testing.places import Asked
from mldata.testing.remote import SECRET
from tests.servers.kaggle import Kaggle

REF = "ada/palmer-penguins"


class Place:
    """One dataset of a local Kaggle."""

    uri = f"kaggle://{REF}"
    nowhere = "kaggle://ada/no-penguins"

    def __init__(self, server: Kaggle) -> None:
        self.server, self.dataset = server, server.add(REF)
        server.tokens.add(SECRET)

    @property
    def requests(self) -> Sequence[Asked]:
        return self.server.steering.asked

    def put(self, files: Mapping[str, bytes]) -> None:
        self.dataset.versions.append(dict(reversed(files.items())))

    def require_token(self, token: str) -> None:
        self.dataset.token = token

    def gate(self) -> None:
        self.dataset.gate = True

    def rename(self) -> None:
        raise NotImplementedError

    def move(self) -> None:
        """They always come from another host."""

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        self.server.steering.failures = (status, times, headers or {})

    def cut(self, after: int) -> None:
        self.server.steering.cut_after = after


class KaggleContract(RemoteSourceContract):
    """What Kaggle promises, for files that it zips and for those that it does not."""

    variable = "KAGGLE_API_TOKEN"
    malformed = (
        "kaggle://",
        "kaggle://ada",
        "kaggle://a b/c",
        "kaggle://ada/x?revision=two",
        "kaggle://ada/x?subset=y",
    )
    lacks: ClassVar[Mapping[str, str]] = {
        "rename": "what the API says of an old name is not documented",
        "fail": "small requests are not made again yet",
    }
    packs: ClassVar[Callable[[str, bytes], bool]]

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Place]:
        with pytest.MonkeyPatch.context() as patch, Kaggle(type(self).packs) as server:
            patch.setenv("KAGGLE_API_ENDPOINT", server.url)
            yield Place(server)

    def test_a_change_is_another_revision(self, tmp_path: Path) -> None:
        """A new version of the dataset is another revision; its files are known by its number, for Kaggle says nothing of each."""
        with self.serve(tmp_path) as place:
            for number in ("1", "2"):
                place.put(self.files)
                resolved = self.open(place.uri, tmp_path).resolve()
                assert resolved.revision == number and {file.version for file in resolved.files} == {number}


class TestKaggleContract(KaggleContract):
    packs = staticmethod(lambda name, data: False)


class TestZippedContract(KaggleContract):
    packs = staticmethod(lambda name, data: bool(data))
