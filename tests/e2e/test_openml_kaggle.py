"""Datasets of OpenML and Kaggle, from the service to the exported rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import Project
from tests.servers.kaggle import Kaggle
from tests.servers.openml import Column, Openml, Table

WEATHER = b"""% From a garden.
@relation weather
@attribute day date "yyyy-MM-dd"
@attribute outlook {sunny,rainy,'half sunny'}
@attribute temperature numeric
@attribute note string
@attribute play {yes,no}
@data
2020-01-02,sunny,20.5,'a nice day',yes
2020-01-03,?,?,?,no
2020-01-04,'half sunny',18,'a, b',yes
"""
SPARSE = b"@relation s\n@attribute a numeric\n@attribute b numeric\n@attribute c {x,y}\n@data\n{0 1, 2 y}\n{1 2.5}\n"


@pytest.fixture
def openml(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openml]:
    with Openml() as server:
        monkeypatch.setenv("MLDATA_OPENML_ENDPOINT", server.url)
        yield server


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    with Kaggle() as server:
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", server.url)
        yield server


def built(project: Project, source: str) -> list[list[str]]:
    """The rows that a build of a source exports."""
    spec = f"version: 1\ndatasets:\n  d: {{source: '{source}', export: {{to: out, formats: [csv]}}}}\n"
    project.write("mldata.yaml", spec)
    project.run("build")
    return list(csv.reader((project / "out/data.csv").read_text().splitlines()))


def test_arff_of_openml(project: Project, openml: Openml) -> None:
    """Dates, nominal values, numbers, text and what is missing come as they are meant; the manifest names the target and the values."""
    columns = (Column("day", "date"), Column("outlook", "nominal", ("sunny", "rainy", "half sunny"), 1))
    openml.add(Table(41, "weather", WEATHER, columns=columns, target="play"))
    assert built(project, "openml://weather") == [
        ["day", "outlook", "temperature", "note", "play"],
        ["2020-01-02", "sunny", "20.5", "a nice day", "yes"],
        ["2020-01-03", "", "", "", "no"],
        ["2020-01-04", "half sunny", "18.0", "a, b", "yes"],
    ]
    manifest = (project / "out/manifest.yaml").read_text()
    assert '"target": "play"' in manifest and '"half sunny"' in manifest and "date32" in manifest
    assert "openml://weather comes as ARFF" in project.run("update").text


def test_sparse_arff_of_openml(project: Project, openml: Openml) -> None:
    """What a sparse row leaves out is 0, or the first of the nominal values."""
    openml.add(Table(42, "s", SPARSE, format="Sparse_ARFF"))
    assert built(project, "openml://42") == [["a", "b", "c"], ["1", "0.0", "y"], ["0", "2.5", "x"]]


def test_parquet_of_openml(project: Project, openml: Openml) -> None:
    """It is built without its ARFF ever being asked for, and then without the network."""
    made = io.BytesIO()
    pq.write_table(pa.table({"petal": [1.4, None], "class": pa.array(["a", "b"]).dictionary_encode()}), made)
    openml.add(Table(61, "iris", b"no arff", made.getvalue()))
    rows = [["petal", "class"], ["1.4", "a"], ["", "b"]]
    assert built(project, "openml://61") == rows
    assert not any("download" in asked.path for asked in openml.steering.asked)
    asked = len(openml.steering.asked)
    (project / "out/data.csv").unlink()
    project.run("build", "--offline")
    assert list(csv.reader((project / "out/data.csv").read_text().splitlines())) == rows
    assert len(openml.steering.asked) == asked


def test_an_arff_that_is_not_what_was_stated(project: Project, openml: Openml) -> None:
    """One whose MD5 is another is refused, and nothing is built of it."""
    openml.add(Table(41, "weather", WEATHER, more={"md5_checksum": "0" * 32}))
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: 'openml://41'}\n")
    told = project.run("build", expect=None)
    assert told.code != 0 and "md5" in told.text and "0" * 32 in told.text
    assert not (project / "mldata.lock").exists() or "tree" not in (project / "mldata.lock").read_text()


@pytest.mark.no_cover
def test_tables_of_kaggle(project: Project, kaggle: Kaggle) -> None:
    """A table that comes zipped, after a connection that broke in the middle of it, and one that does not, are one dataset; a new version is taken on demand."""
    large = b"x,y\n" + b"".join(b"%d,%d\n" % (n * n * 7919 % 100_003, n) for n in range(60_000))
    kaggle.add("ada/numbers", {"a.csv": large, "more/b.csv": b"x,y\n-1,c\n"})
    kaggle.steering.cut_after = 50_000
    rows = built(project, "kaggle://ada/numbers")
    assert len(rows) == 60_002 and rows[1] == ["0", "0"] and rows[-1] == ["-1", "c"]
    assert kaggle.steering.cut_after is None
    lock = (project / "mldata.lock").read_text()
    kaggle.datasets["ada/numbers"].versions.append({"a.csv": b"x,y\n1,2\n"})
    assert built(project, "kaggle://ada/numbers") == rows and (project / "mldata.lock").read_text() == lock
    project.run("update")
    assert built(project, "kaggle://ada/numbers") == [["x", "y"], ["1", "2"]]
    assert 'revision: "2"' in (project / "mldata.lock").read_text()


def test_the_archive_of_kaggle(project: Project, kaggle: Kaggle) -> None:
    """The one archive of all files is built from like any archive, gone on with where the connection broke."""
    noise = Random(0)
    files = {
        f"part-{number}.csv": b"x\n%d,%s\n" % (number, noise.randbytes(9000).hex().encode())
        for number in range(300)
    }
    kaggle.add("ada/parts", {name: data.replace(b"x\n", b"x,y\n") for name, data in files.items()})
    kaggle.steering.cut_after = 1_500_000
    rows = built(project, "kaggle://ada/parts?files=archive")
    assert sorted(int(row[0]) for row in rows[1:]) == list(range(300))
    assert [asked.headers.get("range") for asked in kaggle.steering.asked if not asked.own] == [
        None, f"bytes={1_500_000}-",
    ]  # fmt: skip
