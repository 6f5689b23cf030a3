"""Datasets of OpenML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from mldata.testing import RemoteSourceContract
from mldata.testing.places import Asked
from mldata.testing.remote import LONG, SECRET
from tests.servers.openml import Column, Openml, Table

ARFF = b"@relation iris\n@attribute petal numeric\n@attribute class {setosa,virginica}\n@data\n1.4,setosa\n?,virginica\n"
COLUMNS = (Column("petal", missing=1), Column("class", "nominal", ("setosa", "virginica")))


class Place:
    """Dataset 61 of a local OpenML."""

    uri = "openml://61"
    nowhere = "openml://62"

    def __init__(self, server: Openml, *, parquet: bool) -> None:
        self.server, self._parquet = server, parquet
        self.table = server.add(Table(61, "iris", None, columns=COLUMNS, rows=2))
        server.keys.add(SECRET)

    @property
    def requests(self) -> Sequence[Asked]:
        return self.server.steering.asked

    def put(self, files: Mapping[str, bytes]) -> None:
        for data in files.values():
            self.table.arff, self.table.parquet = data, data if self._parquet else None

    def require_token(self, token: str) -> None:
        self.table.key, self.table.shown = token, False

    def gate(self) -> None:
        raise NotImplementedError

    rename = gate

    def move(self) -> None:
        """Parquet files always come from another host, ARFF files never."""

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        self.server.steering.failures = (status, times, headers or {})

    def cut(self, after: int) -> None:
        self.server.steering.cut_after = after


class OpenmlContract(RemoteSourceContract):
    """What OpenML promises, for each of the two files."""

    variable = "OPENML_APIKEY"
    malformed = (
        "openml://", "openml://61/iris", "openml://iris@x", "openml://iris@1?revision=2", "openml://61?files=csv", "openml://@1",
        "openml://61?split=train",
    )  # fmt: skip
    lacks: ClassVar[Mapping[str, str]] = {
        "gate": "nothing has to be accepted there",
        "rename": "a dataset is known by its number",
        "many": "a dataset is one file",
        "names": "the name of the file is made here, of what is safe",
        "old": "a file that is replaced is gone",
    }
    parquet: ClassVar[bool]

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Place]:
        with pytest.MonkeyPatch.context() as patch, Openml() as server:
            patch.setenv("MLDATA_OPENML_ENDPOINT", server.url)
            yield Place(server, parquet=type(self).parquet)


class TestParquetContract(OpenmlContract):
    parquet = True
    files: ClassVar[Mapping[str, bytes]] = {"iris.parquet": LONG}
    changed = long = "iris.parquet"
    lacks: ClassVar[Mapping[str, str]] = {
        **OpenmlContract.lacks, "token": "what is private is not given out by the storage host: see the other file",
    }  # fmt: skip


class TestArffContract(OpenmlContract):
    parquet = False
    files: ClassVar[Mapping[str, bytes]] = {"iris.arff": LONG}
    changed = long = "iris.arff"
    lacks: ClassVar[Mapping[str, str]] = {**OpenmlContract.lacks, "move": "the server gives them out itself"}
