"""Looking at datasets of real hubs' protocols, by their own servers on loopback: search, info, first rows."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import Project
from tests.servers.hub import TOKEN, Hub
from tests.servers.kaggle import Kaggle
from tests.servers.openml import Column, Openml, Table
from tests.sources.hubs import served as served

CSV = b"species,mass\n" + b"".join(b"%s,%d\n" % ((b"adelie", b"gentoo")[n % 2], n) for n in range(40_000))
CARD = b"---\nlicense: cc0-1.0\ntask_categories: [tabular-classification]\n---\n# Penguins\n"


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """A Kaggle that the source asks, and nobody logged in."""
    with Kaggle() as server:
        for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", server.url)
        yield server


@pytest.fixture
def openml(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openml]:
    """An OpenML that the source asks, and nobody logged in."""
    with Openml() as server:
        monkeypatch.delenv("OPENML_APIKEY", raising=False)
        monkeypatch.setenv("MLDATA_OPENML_ENDPOINT", server.url)
        yield server


def shard(start: int, rows: int) -> bytes:
    out = io.BytesIO()
    table = pa.table(
        {"id": range(start, start + rows), "mass": [(n * 2654435761 % 97) / 7 for n in range(rows)]}
    )
    pq.write_table(table, out, row_group_size=max(rows // 16, 1))
    return out.getvalue()


def test_a_dataset_of_the_hub(project: Project, served: Hub) -> None:
    """Of a dataset of the Hub the commit, the card and the first rows are told; of its shards one footer and one row group come."""
    shards = [shard(0, 200_000), shard(200_000, 200_000)]
    names = [f"data/train-{n:05}-of-00002.parquet" for n in range(2)]
    repo = served.repo("owner/penguins", {"README.md": CARD, **dict(zip(names, shards, strict=True))})
    (got,) = project.json("info", "hf://owner/penguins", "--sample", "3")["result"]["sources"]
    assert (got["revision"], got["license"]) == (repo.refs["main"], "cc0-1.0")
    assert [row["id"] for row in got["sample"]] == [0, 1, 2]
    assert got["columns"] == [{"name": "id", "type": "int64"}, {"name": "mass", "type": "double"}]
    assert (got["data_files"], got["read_files"]) == (2, names[:1])
    assert 0 < got["bytes_read"] * 4 < len(shards[0])
    (got,) = project.json("info", f"hf://owner/penguins/{names[1]}", "--sample", "1")["result"]["sources"]
    assert got["sample"][0]["id"] == 200_000
    project.run("info", "hf://owner/nothing", "--sample", expect=None)


def test_the_first_rows_of_a_dataset_of_the_hub(project: Project, served: Hub) -> None:
    """Pulled alone they cost a footer and a row group, and build with the part that the name of their shard says."""
    large = shard(0, 200_000)
    served.repo("owner/penguins", {"README.md": CARD, "data/train-00000-of-00001.parquet": large})
    told = project.json("pull", "hf://owner/penguins", "--max-samples", "3", "-o", "few")["result"]
    assert [file["path"] for file in told["files"]] == ["data/train-00000-of-00001.parquet"]
    assert 0 < told["bytes_downloaded"] * 4 < len(large)
    assert pq.read_table(project / "few" / told["files"][0]["path"]).column("id").to_pylist() == [0, 1, 2]


def test_a_private_dataset_of_the_hub(project: Project, served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token it is an error of authentication; with one it is read, and the token is in nothing that is shown."""
    served.repo("owner/secret", {"a.csv": CSV}, private=True, readers=frozenset({"reader"}))
    refused = project.run("info", "hf://owner/secret", "--sample", expect=None)
    assert refused.code in (1, 4) and "mldata auth login" in refused.err
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    done = project.run("info", "hf://owner/secret", "--sample", "2", "-v")
    assert "adelie" in done.out
    assert TOKEN not in done.text


def test_a_dataset_of_kaggle(project: Project, kaggle: Kaggle) -> None:
    """A file that Kaggle packs is read from its beginning, as far as the rows take."""
    kaggle.add("ada/penguins", {"penguins.csv": CSV})
    (got,) = project.json("info", "kaggle://ada/penguins", "--sample", "2")["result"]["sources"]
    assert got["sample"] == [{"species": "adelie", "mass": 0}, {"species": "gentoo", "mass": 1}]
    assert got["title"] == "Palmer penguins"
    project.run("info", "kaggle://ada/nothing", expect=None)


def test_a_dataset_of_openml(project: Project, openml: Openml) -> None:
    """Rows, target and the first rows, out of ARFF as out of Parquet."""
    arff = b"@relation p\n@attribute species {adelie,gentoo}\n@attribute mass numeric\n@data\n"
    arff += b"".join(b"%s,%d\n" % ((b"adelie", b"gentoo")[n % 2], n) for n in range(40_000))
    columns = (Column("species", "nominal", ("adelie", "gentoo")), Column("mass"))
    openml.add(Table(61, "penguins", arff, columns=columns, rows=40_000, target="species"))
    (got,) = project.json("info", "openml://61", "--sample", "1")["result"]["sources"]
    assert got["sample"] == [{"species": "adelie", "mass": 0}]
    assert (got["rows"], got["target"]) == (40_000, "species")


def test_a_search_over_hubs(project: Project, served: Hub, kaggle: Kaggle, openml: Openml) -> None:
    """All hubs are asked at the same time, and take turns in what is shown; filters reach each in its own words."""
    openml.add(Table(61, "penguins", b"", rows=344, classes=3))
    for number in range(3):
        served.repo(f"owner/penguins-{number}", {"README.md": CARD, "a.csv": CSV}, downloads=9 - number)
        kaggle.add(f"ada/penguins-{number}", {"a.csv": CSV}, license="MIT")
    told = project.json("search", "penguins", "-n", "5")
    assert [hit["source"] for hit in told["result"]["hits"]] == [
        "hf://owner/penguins-0",
        "kaggle://ada/penguins-0",
        "openml://61",
        "hf://owner/penguins-1",
        "kaggle://ada/penguins-1",
    ]
    assert told["warnings"] == []
    told = project.json("search", "penguins", "-l", "cc0-1.0", "-t", "tabular-classification")
    assert {hit["source"].partition(":")[0] for hit in told["result"]["hits"]} == {"hf", "openml"}
    (warning,) = told["warnings"]
    assert warning.startswith("openml does not state the license of 1")
    assert len(project.json("search", "penguins", "-s", "huggingface")["result"]["hits"]) == 3
