"""Datasets of OpenML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from mldata.download.patience import Patience
from mldata.errors import AuthError, NetworkError, SourceError
from mldata.sources.base import Query
from mldata.sources.openml import OpenmlSource, search
from mldata.sources.openmlapi import OpenmlApi
from mldata.sources.openmldata import Feature, read_description, read_features
from mldata.testing import RemoteSourceContract
from mldata.testing.places import Asked, fetch
from mldata.testing.remote import LONG, SECRET
from tests.servers.openml import Column, Openml, Table
from tests.servers.steered import Answer, as_json

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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openml]:
    with Openml() as server:
        monkeypatch.setenv("MLDATA_OPENML_ENDPOINT", server.url)
        server.keys.add(SECRET)
        yield server


def source(text: str) -> OpenmlSource:
    return OpenmlSource(text, Path())


def iris(number: int = 61, **said: object) -> Table:
    return Table(number, "iris", **{"arff": ARFF, "columns": COLUMNS, "rows": 2, "target": "class", **said})  # type: ignore[arg-type]


def test_parquet_is_taken_where_it_is(server: Openml) -> None:
    """It is preferred without a word; ARFF is taken on demand, or with a warning where there is none or the storage host does not give it out."""
    server.add(iris(parquet=b"PAR1"))
    resolved = source("openml://61").resolve()
    assert fetch(source("openml://61"), resolved) == {"iris.parquet": b"PAR1"} and not resolved.warnings
    assert resolved.revision.startswith("61-parquet-") and resolved.files[0].size == 4
    wanted = source("openml://61?files=arff").resolve()
    assert fetch(source("openml://61"), wanted) == {"iris.arff": ARFF} and not wanted.warnings
    assert wanted.files[0].digests == {"md5": wanted.revision.removeprefix("61-arff-")}
    server.tables[61].shown = False
    fallen = source("openml://61").resolve()
    assert fallen.files == wanted.files and "comes as ARFF" in fallen.warnings[0]
    with pytest.raises(SourceError, match="does not give out") as caught:
        source("openml://61?files=parquet").resolve()
    assert "openml://61?files=arff" in str(caught.value.hint)


def test_the_pinned_file_is_taken(server: Openml) -> None:
    """What is pinned is this dataset in this format, also when its name has gone to another one or a Parquet file has come up since."""
    server.add(iris())
    before = source("openml://iris").resolve()
    server.tables[61].parquet = b"PAR1"
    server.tables[61].status = "deactivated"
    server.add(iris(90, version=2, parquet=b"PAR2"))
    now = source("openml://iris").resolve()
    assert now.revision.startswith("90-parquet-")
    again = source("openml://iris").resolve(before.revision)
    assert (again.revision, again.files) == (before.revision, before.files)
    assert source(f"openml://iris?revision={before.revision}").resolve().files == before.files
    with pytest.raises(SourceError, match="a revision of dataset 90"):
        source("openml://90").resolve(before.revision)
    with pytest.raises(SourceError, match="a revision such as"):
        source("openml://90").resolve("7f3a")


def test_names_and_versions(server: Openml) -> None:
    """A name means the oldest active dataset of that name, and others are told; with a version it means that one, active or not."""
    for number, version, status in (
        (5, 1, "deactivated"),
        (61, 2, "active"),
        (90, 3, "active"),
        (91, 4, "active"),
    ):
        server.add(iris(number, version=version, status=status, parquet=b"PAR1"))
    server.add(Table(3, "iris-like", ARFF))
    found = source("openml://Iris").resolve()
    assert found.facts["id"] == 61
    assert found.warnings == [
        "openml://Iris may mean 3 datasets: the oldest is taken, openml://61; others are openml://90, openml://91"
    ]
    for text, number in (("openml://iris@3", 90), ("openml://iris?revision=4", 91), ("openml://90@3", 90)):
        assert source(text).resolve().facts["id"] == number and not source(text).resolve().warnings
    assert (
        source("openml://iris@3").key == source("openml://iris?revision=3").key != source("openml://iris").key
    )
    (warning,) = source("openml://iris@1").resolve().warnings
    assert "deactivated" in warning and f"{server.url}/d/5" in warning
    for text, why in (
        ("openml://iris@9", "no version 9 of a dataset called iris"), ("openml://lilies", "no active dataset called lilies"),
        ("openml://61@9", "version 9; found the dataset 61, version 2"), ("openml://7", "no dataset 7"),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=why) as caught:
            source(text).resolve()
        assert caught.value.where == text and caught.value.hint


def test_what_is_being_prepared(server: Openml) -> None:
    """Its state is told, and that its columns are not known yet; it can be read all the same."""
    server.add(iris(status="in_preparation", columns=()))
    resolved = source("openml://61").resolve()
    assert "in preparation" in resolved.warnings[0] and "columns" in resolved.warnings[2]
    assert "features" not in resolved.facts and fetch(source("openml://61"), resolved) == {"iris.arff": ARFF}


def test_what_the_manifest_tells(server: Openml) -> None:
    """Target, columns with their types and values, what nothing is to be learnt from, and where it is from; long lists of values by their length."""
    many = tuple(f"value {number}" for number in range(200))
    columns = (*COLUMNS, Column("id", "string"), Column("city", "nominal", many))
    server.add(iris(columns=columns, ignore=["petal"], row_id="id", parquet=b"PAR1"))
    assert source("openml://61").resolve().facts == {
        "id": 61, "name": "iris", "version": 1, "license": "Public", "homepage": f"{server.url}/d/61", "format": "parquet",
        "target": "class", "ignore": ["petal"], "row_id": "id",
        "features": [
            {"name": "petal", "type": "numeric", "missing": 1},
            {"name": "class", "type": "nominal", "values": ["setosa", "virginica"]},
            {"name": "id", "type": "string"},
            {"name": "city", "type": "nominal", "distinct": 200},
        ],
    }  # fmt: skip
    about = source("openml://61").about()
    assert (about.title, about.rows, about.size, about.target) == ("iris", 2, 4, "class")
    assert about.features[:2] == [("petal", "numeric"), ("class", "nominal")] and about.tags == (
        "study_1",
        "uci",
    )
    server.tables[61].columns = tuple(Column(f"c{number}") for number in range(1000))
    assert "features" not in source("openml://61").resolve().facts
    assert len(source("openml://61").about().features) == 1000


def test_a_wrong_key_does_no_harm_to_what_is_public(server: Openml, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is shown for what is private alone, and who may not see it learns which key was tried."""
    monkeypatch.setenv("OPENML_APIKEY", "not-the-one")
    server.add(iris(parquet=b"PAR1"))
    assert fetch(source("openml://61"), source("openml://61").resolve())
    assert not any("api_key" in asked.path for asked in server.steering.asked)
    server.add(iris(70, key=SECRET))
    with pytest.raises(AuthError, match="does not know the key from the variable OPENML_APIKEY") as caught:
        source("openml://70").resolve()
    assert "not-the-one" not in str(caught.value) and "mldata auth login openml" in str(caught.value.hint)
    server.keys.add("not-the-one")
    with pytest.raises(AuthError, match="does not give this dataset to who has the key"):
        source("openml://70").resolve()
    monkeypatch.delenv("OPENML_APIKEY")
    with pytest.raises(AuthError, match="only to who may see it") as caught:
        source("openml://70").resolve()
    assert "mldata auth login openml" in str(caught.value.hint)


def test_a_private_file_is_denied_by_itself(server: Openml, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not let at the file learns that, whoever was let at its description; a source opened anew shows the key for the file too."""
    server.add(iris(70, key=SECRET))
    monkeypatch.setenv("OPENML_APIKEY", SECRET)
    resolved = source("openml://70").resolve()
    assert fetch(source("openml://70"), resolved) == {"iris.arff": ARFF}
    server.tables[70].key = "another"
    with pytest.raises(AuthError, match="does not give this dataset") as caught:
        fetch(source("openml://70"), resolved)
    assert SECRET not in str(caught.value)


def test_other_hosts_get_no_key(server: Openml, monkeypatch: pytest.MonkeyPatch) -> None:
    """A description that names a file elsewhere does not bring the key there."""
    monkeypatch.setenv("OPENML_APIKEY", SECRET)
    elsewhere = f"{server.storage.url}/data/v1/download/1070/iris.arff"
    server.add(iris(70, key=SECRET, more={"url": elsewhere}))
    resolved = source("openml://70").resolve()
    with pytest.raises(AuthError):
        fetch(source("openml://70"), resolved)
    assert all(SECRET not in asked.path for asked in server.steering.asked if not asked.own)


def test_no_key_goes_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone on the way could read it: a server that is asked like that is warned of, and asked as by somebody without a key."""
    monkeypatch.setenv("OPENML_APIKEY", SECRET)
    monkeypatch.setenv("MLDATA_OPENML_ENDPOINT", "http://openml.example")
    api = OpenmlApi("openml://61")
    assert "plain http" in str(api.warning) and "only to who may see it" in api.deny().message


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "/etc/passwd", "ftp://host/x", "http://", "http://u:p@host/x", "http://[", 5],
)
def test_addresses_that_are_none(server: Openml, address: object) -> None:
    """What is not an address of the web, or has a password in it, is not read."""
    server.add(iris(more={"url": address, "parquet_url": address}))
    with pytest.raises(SourceError, match="names no file"):
        source("openml://61").resolve()


def test_files_come_over_https_if_the_api_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody on the way may change what is stated over a safe connection."""
    monkeypatch.setenv("MLDATA_OPENML_ENDPOINT", "https://openml.example/api/v1/xml")
    api = OpenmlApi("openml://61")
    said = {
        "id": "61",
        "name": "iris",
        "url": "http://a.example/x.arff",
        "parquet_url": "http://b.example:80/x",
    }
    found = read_description(said, api)
    assert api.site == "https://openml.example"
    assert (found.arff, found.parquet) == ("https://a.example/x.arff", "https://b.example:80/x")
    assert not api.own("http://openml.example/x") and api.own("https://openml.example/x")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("iris", "iris.arff"), ("Bike Sharing/Demand", "Bike_Sharing_Demand.arff"), ("../../x", "x.arff"), ("con", "dataset_61.arff"),
        ("\u00e9\u5317", "dataset_61.arff"), ("a" * 300, "a" * 100 + ".arff"), ("x.", "x.arff"), ("a(1)", "a(1).arff"),
    ],
)  # fmt: skip
def test_the_name_of_the_file(server: Openml, name: str, file: str) -> None:
    """It is the dataset's, as far as that is safe on every system."""
    server.add(Table(61, name, ARFF))
    assert fetch(source("openml://61"), source("openml://61").resolve()) == {file: ARFF}


@pytest.mark.parametrize(
    "said",
    [
        [], {}, {"data_set_description": 5}, {"data_set_description": {"id": "x", "name": "y"}},
        {"data_set_description": {"id": "62", "name": "y"}}, {"data_set_description": {"id": "61", "name": ["y"]}},
        {"data_set_description": {"id": "61", "name": "y"}}, {"error": {"code": "x"}},
    ],
)  # fmt: skip
def test_answers_that_make_no_sense(server: Openml, monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    """They are an error that names the source, not a wrong dataset and not a crash."""
    monkeypatch.setattr(server, "answer", lambda request: as_json(said))
    with pytest.raises((SourceError, NetworkError)) as caught:
        source("openml://61").resolve()
    assert "openml://61" in str(caught.value)


def test_its_database_is_down(server: Openml, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is a failure which passes: it is asked again, a few times, and is never taken for a dataset that is not there."""
    monkeypatch.setattr("mldata.sources.openmlapi.Patience", partial(Patience, sleep=lambda seconds: None))
    busy = as_json({"error": {"code": "107", "message": "Database connection error"}}, 412)
    right, times = server.answer, iter([busy, busy])
    monkeypatch.setattr(server, "answer", lambda request: next(times, None) or right(request))
    server.add(iris())
    assert source("openml://61").resolve().files
    monkeypatch.setattr(server, "answer", lambda request: busy)
    with pytest.raises(NetworkError, match="database"):
        source("openml://61").resolve()
    monkeypatch.setattr(server, "answer", lambda request: Answer(b"<html>", 412))
    with pytest.raises(NetworkError, match="412"):
        source("openml://61").resolve()


def test_columns_in_any_form(server: Openml) -> None:
    """Values come as a list or as JSON within the JSON, a single column alone, and nonsense is left out."""
    said = [
        {"index": "1", "name": "b", "data_type": "nominal", "nominal_value": ["x", "y"]},
        {"index": "0", "name": "a", "data_type": "nominal", "nominal_values": '["x"]', "number_of_missing_values": "3"},
        {"index": "2", "name": "c", "data_type": "nominal", "nominal_values": "[broken"}, {"name": 5}, "x",
    ]  # fmt: skip
    assert read_features({"feature": said}) == [
        Feature("a", "nominal", ("x",), 3), Feature("b", "nominal", ("x", "y")), Feature("c", "nominal"),
    ]  # fmt: skip
    assert read_features({"feature": said[0]}) == [Feature("b", "nominal", ("x", "y"))]
    assert read_features({}) == []


def test_search(server: Openml, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that have all the words are found in the whole list, which comes in pages; the nearest is first."""
    monkeypatch.setattr("mldata.sources.openml.PAGE", 10)
    for number in range(1, 31):
        server.add(Table(number, f"iris-{number}-set", ARFF, classes=number % 2 * 3, rows=number))
    server.add(Table(31, "iris", ARFF, classes=3, rows=150))
    server.add(Table(32, "iris", ARFF, version=2, status="deactivated"))
    server.add(Table(33, "airis", ARFF))
    server.add(Table(34, "iris", ARFF, key=SECRET))
    hits = list(search(Query("iris", limit=100)))
    assert [hit.source for hit in hits] == ["openml://31", *(f"openml://{number}" for number in range(1, 31))]
    assert (hits[0].title, hits[0].rows) == ("iris, version 1", 150)
    assert "task:tabular-classification" in hits[0].tags and "modality:tabular" in hits[0].tags
    assert [hit.source for hit in search(Query("Iris 7"))] == ["openml://7"]
    assert len(list(search(Query("iris", task="tabular-regression", limit=100)))) == 15
    assert len(list(search(Query("iris", limit=4)))) == 4
    assert list(search(Query("iris", modality="image"))) == list(search(Query("lily"))) == []
