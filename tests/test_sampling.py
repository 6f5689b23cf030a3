"""The first rows of a source as files: what they are called, what is in them, and what was read for them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mldata.download import retries
from mldata.download.web import Web
from mldata.formats.base import Options
from mldata.sampling import Sample, sample_files
from mldata.sources.base import RemoteFile, Resolved
from tests.servers.parts import Parts, serve_parts
from tests.sources.made_up import listed


@pytest.fixture
def server() -> Iterator[Parts]:
    with serve_parts({}) as state:
        yield state


def sampled(server: Parts, folder: Path, rows: int, **options: Any) -> Sample:
    web = Web(timeout=10)

    class Somewhere:
        text = "somewhere"

        def origin(self, file: RemoteFile) -> Any:
            return web.origin(f"{server.url}/{file.place}")

    source: Any = Somewhere()
    folder.mkdir()
    try:
        return sample_files(source, Resolved("1", listed(server.files)), rows, folder, Options(**options))
    finally:
        web.close()


def shard(start: int, rows: int) -> bytes:
    out = io.BytesIO()
    table = pa.table(
        {"id": range(start, start + rows), "x": [(n * 2654435761 % 97) / 7 for n in range(rows)]}
    )
    pq.write_table(table, out, row_group_size=max(rows // 16, 1))
    return out.getvalue()


def test_first_rows_of_shards(server: Parts, tmp_path: Path) -> None:
    """Rows come from as many shards as it takes, in their order, each into a file called like the shard; later shards are not asked for."""
    server.files = {f"data/train-{n}.parquet": shard(n * 1000, 1000) for n in range(9)}
    made = sampled(server, tmp_path / "a", 1500)
    assert (made.rows, list(made.made), made.files) == (
        1500,
        ["data/train-0.parquet", "data/train-1.parquet"],
        (),
    )
    ids = [pq.read_table(path).column("id").to_pylist() for path in made.made.values()]
    assert ids == [list(range(1000)), list(range(1000, 1500))]
    assert {name for name, _ in server.asked} == set(made.made)
    assert made.received == server.sent


def test_a_small_share_is_read(server: Parts, tmp_path: Path) -> None:
    """Of a large shard only what the rows are in comes over the network."""
    server.files = {"a.parquet": shard(0, 400_000)}
    made = sampled(server, tmp_path / "a", 100)
    assert pq.read_table(made.made["a.parquet"]).num_rows == 100
    assert server.sent * 4 < len(server.files["a.parquet"])


def test_the_same_bytes_each_time(server: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same state gives the same files, however the bytes come."""
    server.files = {
        "b.csv": b"x,y\n1,a\n" * 1 + b"".join(b"%d,b\n" % n for n in range(90_000)),
        "a.jsonl": b'{"x": 1}\n',
    }
    monkeypatch.setattr(retries, "FIRST", 0.0)
    found = []
    for number, parts in enumerate((True, False)):
        server.parts = parts
        server.troubles = [0, 503]
        made = sampled(server, tmp_path / str(number), 40_000)
        found.append(
            {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in made.made.items()}
        )
    assert found[0] == found[1]
    assert list(found[0]) == ["a.parquet", "b.parquet"]


def test_names(server: Parts, tmp_path: Path) -> None:
    """A compressed file loses both suffixes; where two files would be called alike both keep their names."""
    import gzip

    server.files = {"d/train.csv.gz": gzip.compress(b"x\n1\n2\n")}
    assert list(sampled(server, tmp_path / "a", 1).made) == ["d/train.parquet"]
    server.files = {"a.csv": b"x\n1\n", "a.tsv": b"x\n2\n"}
    assert list(sampled(server, tmp_path / "b", 2).made) == ["a.csv.parquet", "a.tsv.parquet"]


def test_what_the_spec_says(server: Parts, tmp_path: Path) -> None:
    """The files are read as they are written; what normalize makes of columns is left to it."""
    server.files = {"a.csv": b"Some Name|y\n1,5|a\n"}
    made = sampled(
        server,
        tmp_path / "a",
        5,
        delimiter="|",
        decimal=",",
        columns="snake_case",
        drop=["y"],
        types={"y": "int8"},
    )
    assert pq.read_table(made.made["a.parquet"]).to_pylist() == [{"Some Name": 1.5, "y": "a"}]


def test_archives(server: Parts, tmp_path: Path) -> None:
    """What stands in an archive is taken out of it, under the name by which a build tells its label and part."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("d/a.csv", b"x\n1\n2\n")
    server.files = {"all.zip": out.getvalue()}
    assert list(sampled(server, tmp_path / "a", 1).made) == ["d/a.parquet"]
    picture = io.BytesIO()
    Image.new("L", (3, 2)).save(picture, "PNG")
    for name in ("train.zip", "test.zip"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("cat/1.png", picture.getvalue())
        server.files[name] = out.getvalue()
    del server.files["all.zip"]
    made = sampled(server, tmp_path / "b", 2)
    assert {name: path.read_bytes() for name, path in made.made.items()} == {
        "test/cat/1.png": picture.getvalue(),
        "train/cat/1.png": picture.getvalue(),
    }
    assert made.files == []


def test_media(server: Parts, tmp_path: Path) -> None:
    """Of images the first files are to be downloaded as they are, with the rows of metadata that are about them; none is read here."""
    for number in range(5):
        out = io.BytesIO()
        Image.new("L", (3, 2)).save(out, "PNG")
        server.files[f"train/{number}.png"] = out.getvalue()
    server.files["train/metadata.csv"] = b"file_name,kind\n" + b"".join(
        b"%d.png,k%d\n" % (n, n) for n in range(5)
    )
    made = sampled(server, tmp_path / "a", 2)
    assert [file.name for file in made.files] == ["train/0.png", "train/1.png"]
    assert list(made.made) == ["train/metadata.parquet"]
    assert pq.read_table(made.made["train/metadata.parquet"]).to_pylist() == [
        {"file_name": "0.png", "kind": "k0"},
        {"file_name": "1.png", "kind": "k1"},
    ]
    assert {name for name, _ in server.asked} == {"train/metadata.csv"}
