"""A file elsewhere is read like one on the disk, and only the parts that are asked for come."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.download import ranged, retries
from mldata.download.base import HttpError, Mismatch, Transient
from mldata.download.ranged import BLOCK, RangedFile
from mldata.download.web import Web
from mldata.errors import AuthError, SourceError
from tests.servers.parts import Parts, serve_parts

DATA = random.Random(1).randbytes(20 * BLOCK + 100)


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web(timeout=10)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[Parts]:
    with serve_parts({"a": DATA, "empty": b""}) as state:
        yield state


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for before it is tried again."""
    monkeypatch.setattr(retries, "FIRST", 0.0)


def opened(server: Parts, web: Web, name: str = "a", size: int | None = None) -> RangedFile:
    return RangedFile(web.origin(f"{server.url}/{name}"), size)


def test_reads_what_is_asked_for(server: Parts, web: Web) -> None:
    """Any place of a file reads as it would on the disk, and a few bytes cost a few blocks."""
    with opened(server, web) as file:
        assert file.read(10) == DATA[:10]
        assert file.seek(-5, io.SEEK_END) == len(DATA) - 5
        assert file.read() == DATA[-5:]
        assert file.read(1) == b""
        file.seek(7 * BLOCK - 3)
        assert file.read(6) == DATA[7 * BLOCK - 3 : 7 * BLOCK + 3]
        assert file.size == len(DATA)
        assert server.sent == file.received <= 6 * BLOCK


def test_reads_all_of_a_file_in_few_requests(server: Parts, web: Web) -> None:
    """Reading straight on asks for more and more at a time."""
    with opened(server, web) as file:
        assert file.read() == DATA
        assert server.sent == len(DATA)
        assert len(server.asked) < 8


@pytest.mark.no_cover
def test_random_reads(server: Parts, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads at random places give the bytes of the file, whatever stays in memory."""
    monkeypatch.setattr(ranged, "KEPT", 3 * BLOCK)
    places = random.Random(2)
    with opened(server, web) as file:
        for _ in range(60):
            at, size = places.randrange(len(DATA) + 10), places.choice([1, 100, BLOCK, 3 * BLOCK])
            file.seek(at)
            assert file.read(size) == DATA[at : at + size]
            assert len(file._blocks) <= 3


def test_what_is_expected_comes_at_once(server: Parts, web: Web) -> None:
    """A stretch that is known to be read comes by one request, when it is begun; another one does not come at all."""
    with opened(server, web) as file:
        file.expect([(2 * BLOCK, 9 * BLOCK), (12 * BLOCK, 19 * BLOCK)])
        file.seek(2 * BLOCK)
        assert file.read(7 * BLOCK) == DATA[2 * BLOCK : 9 * BLOCK]
        assert len(server.asked) == 1
        assert server.sent == 7 * BLOCK


@pytest.mark.parametrize("sizes", [True, False])
def test_a_place_without_parts(server: Parts, web: Web, sizes: bool) -> None:
    """Where parts are not given the file is read from its beginning, no further than asked for, and once only."""
    server.parts, server.sizes = False, sizes
    with opened(server, web) as file:
        assert file.read(10) == DATA[:10]
        assert file.received < len(DATA) // 2
        assert file.seek(0, io.SEEK_END) == len(DATA)
        file.seek(5)
        assert file.read() == DATA[5:]
        assert len(server.asked) == 1


def test_a_large_file_without_parts_is_refused(
    server: Parts, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not more than a limit is taken of a file without parts; what lies before it can be read all the same."""
    monkeypatch.setattr(ranged, "WHOLE", 4 * BLOCK)
    server.parts = False
    with opened(server, web) as file:
        assert file.read(2 * BLOCK) == DATA[: 2 * BLOCK]
        with pytest.raises(SourceError, match="gives parts of a file") as caught:
            file.read()
        assert "mldata build" in str(caught.value)


def test_a_part_that_is_too_large(server: Parts, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a file says is to be read at once, not more than a limit is."""
    monkeypatch.setattr(ranged, "LARGEST", 2 * BLOCK)
    with opened(server, web) as file:
        assert file.read(2 * BLOCK) == DATA[: 2 * BLOCK]
        with pytest.raises(SourceError, match="at once"):
            file.read(2 * BLOCK + 1)
        assert b"".join(iter(lambda: file.read(BLOCK), b"")) == DATA[2 * BLOCK :]


@pytest.mark.parametrize("parts", [True, False])
def test_passing_failures(server: Parts, web: Web, parts: bool) -> None:
    """Errors that pass and connections that break are tried again, from where they broke."""
    server.parts = parts
    server.troubles += [503, 0, 429, 0]
    with opened(server, web) as file:
        assert file.read() == DATA


def test_failures_that_do_not_pass(server: Parts, web: Web) -> None:
    """It is tried so many times, not for ever; an error that stays is raised at once."""
    server.troubles += [503] * 20
    with pytest.raises(Transient, match="503"):
        opened(server, web).read(1)
    assert len(server.asked) == 6
    server.troubles[:] = [403]
    with pytest.raises(AuthError):
        opened(server, web).read(1)
    with pytest.raises(HttpError, match="404"):
        opened(server, web, "nothing").read(1)


def test_a_long_wait_is_not_waited(server: Parts, web: Web) -> None:
    """A place that wants to be left alone for minutes is an error that says so."""
    server.troubles, server.retry_after = [429] * 3, 300
    with pytest.raises(Transient, match="429"):
        opened(server, web).read(1)
    assert len(server.asked) == 1


@pytest.mark.parametrize("parts", [True, False])
def test_a_file_that_changes(server: Parts, web: Web, parts: bool) -> None:
    """Bytes of two states are never put together."""
    server.parts = parts
    with opened(server, web) as file:
        file.read(10)
        server.etag, server.files["a"] = '"2"', DATA[::-1]
        if not parts:
            assert file._spool is not None
            file._spool._body = None  # as after a connection that broke
        with pytest.raises(SourceError, match="changed while it was read"):
            file.read()


def test_answers_that_say_less(server: Parts, web: Web) -> None:
    """An answer that does not repeat the ETag is no other state."""
    with opened(server, web) as file:
        file.read(10)
        server.etag = ""
        assert file.read() == DATA[10:]


def test_a_size_that_is_not_the_stated_one(server: Parts, web: Web) -> None:
    """A file of another size than its source states is refused."""
    with pytest.raises(Mismatch, match=f"expected 5 bytes.*{len(DATA):,}"):
        opened(server, web, size=5).read()
    with opened(server, web, "empty", 0) as file:
        assert file.read() == b""


@pytest.mark.parametrize("parts", [True, False])
def test_an_empty_file(server: Parts, web: Web, parts: bool) -> None:
    """An empty file of unknown size is one without bytes."""
    server.parts = parts
    with opened(server, web, "empty") as file:
        assert file.read() == b""
        assert file.size == 0


@pytest.mark.no_cover
def test_parquet_over_ranges(server: Parts, web: Web) -> None:
    """pyarrow reads one column of a Parquet file through it, for a small share of the bytes."""
    rows = 1 << 19
    noise = random.Random(3).randbytes(rows * 8)
    table = pa.table(
        {"x": range(rows), "noise": pa.Array.from_buffers(pa.int64(), rows, [None, pa.py_buffer(noise)])}
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=1 << 16)
    server.files["a"] = sink.getvalue()
    with opened(server, web) as file, pq.ParquetFile(file, pre_buffer=False, buffer_size=BLOCK) as source:
        got = source.read_row_group(2, ["x"], use_threads=False)
    assert got == table.select(["x"]).slice(2 << 16, 1 << 16)
    assert server.sent * 4 < len(sink.getvalue())
