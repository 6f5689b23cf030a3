"""The first rows of a source are those that a build would have, for a small share of its bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from mldata import beginning
from mldata.download.web import Web
from mldata.errors import AuthError, DataError, MldataError, NetworkError, SourceError
from mldata.firstrows import FirstRows, first_rows, remote_files
from mldata.formats.base import Options
from mldata.sources.base import RemoteFile
from mldata.stages.normalize import Normalize
from mldata.table import Table
from store import Store
from tests.servers.parts import Parts, serve_parts
from tests.sources.made_up import listed
from tests.stages.conftest import fetched, normalize_params
from tests.stages.jobs import PlainJob

ROWS = 60_000


def words(seed: int, count: int) -> list[str]:
    made = random.Random(seed)
    return ["".join(made.choices("abcdefghij ,\"'é", k=made.randrange(5, 60))) for _ in range(count)]


@cache
def big() -> pa.Table:
    """A table of several MiB in any format."""
    noise = random.Random(1)
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "x": [noise.random() for _ in range(ROWS)],
            "text": words(2, ROWS),
            "flag": [n % 3 == 0 for n in range(ROWS)],
        }
    )


def as_csv(table: pa.Table, delimiter: str = ",") -> bytes:
    import csv

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return out.getvalue().encode()


def as_lines(table: pa.Table) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()


def as_parquet(table: pa.Table, rows: int = 10_000) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=rows)
    return out.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, 5_000)
    return out.getvalue()


def as_stream(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table, 5_000)
    return out.getvalue()


def as_orc(table: pa.Table) -> bytes:
    out = io.BytesIO()
    orc.write_table(table, out, stripe_size=1 << 18)
    return out.getvalue()


def as_arff(table: pa.Table) -> bytes:
    head = "@relation r\n@attribute id integer\n@attribute x real\n@data\n"
    rows = (f"{i},{x!r}\n" for i, x in zip(table["id"].to_pylist(), table["x"].to_pylist(), strict=True))
    return (head + "".join(rows)).encode()


def as_array(table: pa.Table) -> bytes:
    return json.dumps(table.to_pylist(), indent=1).encode()


MAKERS: dict[str, Callable[[], bytes]] = {
    "a.csv": lambda: as_csv(big()),
    "a.tsv": lambda: as_csv(big(), "\t"),
    "semicolons.csv": lambda: as_csv(big(), ";"),
    "utf16.csv": lambda: form("a.csv").decode().encode("utf-16"),
    "latin.csv": lambda: form("a.csv").decode().encode("cp1252"),
    "a.csv.gz": lambda: gzip.compress(form("a.csv"), 1),
    "a.csv.bz2": lambda: bz2.compress(form("a.csv"), 1),
    "a.csv.xz": lambda: lzma.compress(form("a.csv"), preset=0),
    "a.csv.zst": lambda: bytes(pa.compress(form("a.csv"), "zstd", asbytes=True)),
    "a.jsonl": lambda: as_lines(big()),
    "a.jsonl.gz": lambda: gzip.compress(form("a.jsonl"), 1),
    "a.json": lambda: as_array(big()),
    "lines.json": lambda: form("a.jsonl"),
    "a.parquet": lambda: as_parquet(big()),
    "a.arrow": lambda: as_arrow(big()),
    "stream.arrow": lambda: as_stream(big()),
    "a.orc": lambda: as_orc(big()),
    "a.arff": lambda: as_arff(big()),
}


@cache
def form(name: str) -> bytes:
    """The table as a file; made when it is first wanted."""
    return MAKERS[name]()


SHARE = {
    "utf16.csv": 2.0,
    "latin.csv": 2.0,
    "a.csv.bz2": 1.5,
    "a.csv.xz": 1.5,
    "a.csv.zst": 1.5,
    "a.csv.gz": 1.5,
    "a.jsonl.gz": 1.5,
    "a.arff": 2.0,
    "a.orc": 2.0,
}
"""At most one part in so many is read; 4 where nothing is said."""


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    made = Web(timeout=10)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[Parts]:
    with serve_parts({}) as state:
        yield state


class Anywhere:
    """The files of a server as a source."""

    def __init__(self, server: Parts, web: Web) -> None:
        self.server, self.web = server, web

    def origin(self, file: RemoteFile) -> Any:
        return self.web.origin(f"{self.server.url}/{file.place}")


def begun(
    server: Parts, web: Web, rows: int, format: str = "auto", **options: Any
) -> tuple[FirstRows, pa.Table]:
    source: Any = Anywhere(server, web)
    files, received = remote_files(source, listed(server.files))
    with first_rows(files, rows, Options(**options), format, "somewhere") as found:
        table = found.table()
    assert received.bytes == server.sent or not server.parts
    return found, table


def normalized(files: dict[str, bytes], folder: Path, **params: Any) -> pa.Table:
    """What a build makes of them."""
    with Store.open(folder / "store") as store:
        job = PlainJob(store, "normalize", normalize_params(**params), {"fetch": fetched(store, files)})
        table = Table.open(store, Normalize().build(job).output.digest)
        return pa.Table.from_batches(table.batches(), schema=table.schema)


@pytest.mark.parametrize("name", MAKERS)
def test_the_first_rows_of_a_large_file(name: str, server: Parts, web: Web, tmp_path: Path) -> None:
    """Rows and types are those that a build finds, and a small share of the file was read."""
    server.files[name] = form(name)
    found, table = begun(server, web, 7)
    expected = normalized(server.files, tmp_path).slice(0, 7)
    assert table.schema.remove_metadata() == expected.schema.remove_metadata()
    assert table.to_pylist() == expected.to_pylist()
    assert (found.rows, found.files, found.read) == (7, [name], [name])
    assert server.sent * SHARE.get(name, 4) < len(form(name)), f"{server.sent:,} of {len(form(name)):,}"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.json", "a.parquet", "a.arrow"])
def test_many_rows(name: str, server: Parts, web: Web, tmp_path: Path) -> None:
    """As many rows as are asked for come, however far into the file; and all of them if there are fewer."""
    server.files[name] = form(name)
    expected = normalized(server.files, tmp_path)
    for rows in (25_000, ROWS + 1):
        _, table = begun(server, web, rows)
        assert table.to_pylist() == expected.slice(0, rows).to_pylist()
        server.sent = 0


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.orc"])
def test_columns_alone(name: str, server: Parts, web: Web) -> None:
    """With no row asked for the columns of a file that states them are read by its footer alone."""
    server.files[name] = form(name)
    found, table = begun(server, web, 0)
    assert (table.num_rows, table.schema.names) == (0, big().schema.names)
    assert found.looked == 0
    assert server.sent <= 5 * 65536


def test_columns_of_text_files(server: Parts, web: Web) -> None:
    """Types of a text file are told from so many rows, which is said."""
    server.files["a.csv"] = form("a.csv")
    found, table = begun(server, web, 0)
    assert table.schema.types == [pa.int64(), pa.float64(), pa.string(), pa.bool_()]
    assert 1000 < found.looked < ROWS


def test_as_many_files_as_it_takes(server: Parts, web: Web, tmp_path: Path) -> None:
    """Files are read in order until there are enough rows, and their types are joined as a build joins them."""
    server.files |= {
        "c.csv": b"x,y\n7,8\n",
        "a.csv": b"x\n1\n2\n",
        "b.csv": b"x,z\n0.5,q\n1.5,r\n",
        ".hidden.csv": b"never\n1\n",
        "notes.txt": b"no table",
    }
    found, table = begun(server, web, 3)
    assert found.read == ["a.csv", "b.csv"]
    assert table.to_pylist() == [{"x": 1.0, "z": None}, {"x": 2.0, "z": None}, {"x": 0.5, "z": "q"}]
    two = {name: server.files[name] for name in found.read}
    expected = normalized(two, tmp_path)
    assert table.schema.remove_metadata() == expected.schema.remove_metadata()
    assert found.files == ["a.csv", "b.csv", "c.csv"]
    assert {name for name, _ in server.asked} == {"a.csv", "b.csv"}


def test_options_of_the_spec(server: Parts, web: Web, tmp_path: Path) -> None:
    """What normalize is told holds here too."""
    server.files["a.csv"] = b"Some Name|b\n1,5|x\n"
    said = {"columns": "snake_case", "delimiter": "|", "decimal": ",", "types": {"b": "large_string"}}
    _, table = begun(server, web, 1, **said)
    assert table.to_pylist() == [{"some_name": 1.5, "b": "x"}]
    assert (
        table.schema.remove_metadata() == normalized(server.files, tmp_path, **said).schema.remove_metadata()
    )


def test_records_with_line_ends_in_them(server: Parts, web: Web, tmp_path: Path) -> None:
    """A file is cut behind a record, not inside a quoted value."""
    rows = "".join(f'{n},"line {n}\nand ""{n}""\n\n"\n' for n in range(60_000))
    server.files["a.csv"] = f"n,text\n{rows}".encode()
    _, table = begun(server, web, 3)
    assert table.to_pylist() == normalized(server.files, tmp_path).slice(0, 3).to_pylist()
    assert server.sent * 2 < len(server.files["a.csv"])


def test_a_wide_header(server: Parts, web: Web) -> None:
    """A header that is longer than what is taken at first is read all the same."""
    names = [f"column number {n} with a long name {'x' * 200}" for n in range(1_500)]
    server.files["a.csv"] = ",".join(names).encode() + b"\n" + b",".join([b"1"] * len(names)) + b"\n"
    _, table = begun(server, web, 1)
    assert table.column_names == names


def test_a_place_without_parts(server: Parts, web: Web) -> None:
    """Text is read from the beginning where parts are not given; of other files as much as there is, up to a limit."""
    server.parts = False
    server.files["a.csv"] = form("a.csv")
    _, table = begun(server, web, 5)
    assert table.to_pylist() == big().slice(0, 5).to_pylist()
    server.files = {"a.parquet": form("a.parquet")}
    _, table = begun(server, web, 5)
    assert table.to_pylist() == big().slice(0, 5).to_pylist()


def test_files_that_are_read_as_a_whole(
    server: Parts, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an object of JSON, or a database, all is read, up to a limit that is told."""
    server.files["a.json"] = json.dumps({"data": big().slice(0, 9000).to_pylist()}).encode()
    _, table = begun(server, web, 2)
    assert table.to_pylist() == big().slice(0, 2).to_pylist()
    monkeypatch.setattr(beginning, "WHOLE", 1000)
    with pytest.raises(SourceError, match=r"at most 1,000 bytes.*found 995,869") as caught:
        begun(server, web, 2)
    assert "mldata build" in str(caught.value)


def test_folders_of_images(server: Parts, web: Web) -> None:
    """Of images each of the first files is a row: path, label, size and what its header says; no other is asked for."""
    from PIL import Image

    for number in range(9):
        out = io.BytesIO()
        Image.new("L", (3 + number, 2)).save(out, "PNG")
        server.files[f"{'cat' if number % 2 else 'dog'}/{number}.png"] = out.getvalue()
    found, table = begun(server, web, 2)
    assert found.kind == "images" and len(found.files) == 9
    assert [(row["path"], row["label"], row["width"], row["mode"]) for row in table.to_pylist()] == [
        ("cat/1.png", "cat", 4, "L"),
        ("cat/3.png", "cat", 6, "L"),
    ]
    assert len({name for name, _ in server.asked}) == 2


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl.gz", "a.json"])
def test_zip_archives(name: str, server: Parts, web: Web, tmp_path: Path) -> None:
    """Of a zip archive the directory is read, and of the members what rows are taken from."""
    noise = random.Random(9).randbytes(3_000_000)
    server.files["all.zip"] = zipped({f"d/{name}": form(name), "notes.bin": noise, "z.bin": noise})
    found, table = begun(server, web, 5)
    assert found.read == [f"all.zip/d/{name}"]
    assert table.to_pylist() == normalized({name: form(name)}, tmp_path).slice(0, 5).to_pylist()
    assert server.sent * 1.5 < len(server.files["all.zip"])


def test_tar_archives(server: Parts, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tar archive, which has no directory, is read as a whole, up to a limit; a second one is not looked into, which is said."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("d/a.csv")
        member.size = len(form("a.csv"))
        archive.addfile(member, io.BytesIO(form("a.csv")))
    server.files |= {"a.tar.gz": out.getvalue(), "b.tar.gz": out.getvalue()}
    found, table = begun(server, web, 3)
    assert table.to_pylist() == big().slice(0, 3).to_pylist()
    assert found.read == ["a.tar.gz/d/a.csv"]
    assert any("b.tar.gz" in warning for warning in found.warnings)
    monkeypatch.setattr(beginning, "WHOLE", 1000)
    with pytest.raises(SourceError, match="at most 1,000 bytes"):
        begun(server, web, 3)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_large_tar_archives(mode: Any, server: Parts, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tar archive that is too large to be copied the first members are looked at, which is said, and not much more of it is read."""
    from PIL import Image

    from mldata import unpacking

    monkeypatch.setattr(beginning, "WHOLE", 300_000)
    monkeypatch.setattr(unpacking, "FIRST_MEMBERS", 100_000)
    noise, out = random.Random(4), io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for number in range(120):
            picture = io.BytesIO()
            Image.frombytes("L", (200, 200), noise.randbytes(40_000)).save(picture, "PNG")
            member = tarfile.TarInfo(f"cat/{number:03}.png")
            member.size = len(picture.getvalue())
            archive.addfile(member, io.BytesIO(picture.getvalue()))
    server.files["shard.tar" if mode == "w" else "shard.tar.gz"] = out.getvalue()
    found, table = begun(server, web, 2)
    assert [row["path"].partition("/")[2] for row in table.to_pylist()] == ["cat/000.png", "cat/001.png"]
    assert table.column("width").to_pylist() == [200, 200]
    assert any("only the first 3 files in shard.tar" in warning for warning in found.warnings)
    assert server.sent * 2 < len(out.getvalue())


def test_what_is_left_out(server: Parts, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that is too large for a look, and all too many files without a suffix, are left out beside a table, and named."""
    monkeypatch.setattr(beginning, "WHOLE", 10_000)
    server.files["raw.7z"] = random.Random(5).randbytes(20_000)
    server.files |= {f"page{n}": b"..." for n in range(40)}
    server.files["z.csv"] = b"x\n1\n"
    found, table = begun(server, web, 1)
    assert table.to_pylist() == [{"x": 1}]
    assert any("raw.7z" in warning for warning in found.warnings)
    assert any("8 files without a suffix" in warning for warning in found.warnings)
    assert len({name for name, _ in server.asked}) == 34


def test_a_place_that_states_no_size(server: Parts, web: Web) -> None:
    """Of a file whose size nobody states, without parts, text is read from its beginning; others are taken whole."""
    server.parts = server.sizes = False
    for name in ("a.csv", "a.csv.gz", "a.parquet"):
        server.files = {name: form(name)}
        source: Any = Anywhere(server, web)
        files, _ = remote_files(source, [RemoteFile(name, name)])
        with first_rows(files, 2) as found:
            assert found.table().to_pylist() == big().slice(0, 2).to_pylist()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"../a.csv": b"x\n1\n"}), "safe"),
        (zipped({"a.csv": b"x\n1\n"})[:-30], "damage|whole"),
        (zipped({"a.csv": b"x\n1\n"}).replace(b"a.csv", b"b.csv", 1), "directory says"),
        (b"no archive at all", "zip, tar or 7z"),
    ],
)
def test_bad_archives(data: bytes, said: str, server: Parts, web: Web) -> None:
    """An archive that is damaged, or whose members would escape, is refused."""
    server.files["a.zip"] = data
    with pytest.raises(DataError, match=said):
        begun(server, web, 3)


@pytest.mark.parametrize(
    ("name", "data", "kind", "said"),
    [
        ("a.parquet", lambda: form("a.parquet")[:-100], DataError, "PAR1"),
        ("a.parquet", lambda: b"PAR1" + b"\xff\xff\xff\x7fPAR1", DataError, "footer"),
        ("a.csv", lambda: b"", SourceError, "empty file"),
        ("a.csv.gz", lambda: gzip.compress(form("a.csv"))[:20_000], DataError, "gzip"),
        ("a.csv", lambda: b'a,b\n1,"never closed\n2,3\n', DataError, "quote"),
        ("a.json", lambda: b"[" * 100_000, DataError, "a.json"),
        ("a.arrow", lambda: form("a.arrow")[:5000], DataError, "Arrow"),
        ("a.orc", lambda: form("a.orc")[:5000], DataError, "ORC"),
        ("a.xyz", lambda: b"1", SourceError, "known format"),
    ],
)
def test_bad_files(
    name: str, data: Callable[[], bytes], kind: type[MldataError], said: str, server: Parts, web: Web
) -> None:
    """A file that is not what its name says is an error that says so."""
    server.files[name] = data()
    with pytest.raises(kind, match=said):
        begun(server, web, 5)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.csv.gz", "a.arrow", "a.orc", "a.csv.zst"])
def test_a_place_that_refuses(name: str, server: Parts, web: Web) -> None:
    """What the network and the server say comes through any reader as it was said."""
    server.files[name] = form(name)
    for status, kind in ((403, AuthError), (410, NetworkError)):
        server.troubles[:] = [status] * 9
        with pytest.raises(kind, match=str(status)):
            begun(server, web, 5)
