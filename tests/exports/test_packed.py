"""Text formats whose files are compressed as a whole."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.exports import EXPORTS
from mldata.exports.base import Compression
from mldata.exports.packing import LEVELS, packing_sink
from mldata.formats import FORMATS
from mldata.formats.base import Options
from mldata.testing import read_table
from mldata.testing.exports import Sink
from tests.exports.columns import export, fitting, table

PACKED = [name for name in EXPORTS if name.endswith((".gz", ".zst"))]
ROWS = pa.table({"n": range(40_000), "t": [f"text {n % 9_973}" for n in range(40_000)]})
TEXTS = [name for name in PACKED if name.rpartition(".")[0] in ("csv", "tsv", "jsonl", "json")]
"""Those that other programs take for compressed text."""


def unpacked(data: bytes, codec: str) -> bytes:
    """What the whole of a file holds, by another reader than the one that wrote it."""
    return bytes(pa.CompressedInputStream(pa.BufferReader(data), codec).read())


def packed(codec: str, content: bytes, cuts: list[int], level: int | None = None, threads: int = 1) -> bytes:
    """The file of some content, written in pieces of these sizes, then the rest."""
    sink: Any = Sink()
    packing: Any = packing_sink(sink, Compression(codec, level), threads)
    start = 0
    for size in [*cuts, len(content)]:
        packing.write(content[start : start + size])
        start += size
    packing.close()
    return bytes(sink.data)


@pytest.mark.parametrize("name", PACKED)
def test_inside_is_the_plain_file(name: str) -> None:
    """A compressed file holds what the format of that name writes, byte for byte, on any number of threads."""
    inner, rows = name.rpartition(".")[0], table(fitting(name))
    data = export(name, rows, compression="none")
    assert unpacked(data, EXPORTS[name].wrapped or "") == export(inner, rows)
    assert data == export(name, rows, rows=1, compression="none", threads=3)


@pytest.mark.parametrize("codec", LEVELS)
@settings(deadline=None, max_examples=20)
@given(
    words=st.lists(st.binary(max_size=6), max_size=6),
    repeat=st.integers(0, 300),
    cuts=st.lists(st.integers(0, 900), max_size=4),
    level=st.sampled_from([None, 1, 9]),
    block=st.sampled_from([1, 100, 1 << 20]),
)
def test_content_comes_back(
    codec: str, words: list[bytes], repeat: int, cuts: list[int], level: int | None, block: int
) -> None:
    """Whatever the content, the level and the size of blocks; the writes and threads do not show in the bytes."""
    content = b"".join(words) * repeat
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mldata.exports.packing.BLOCK", block if len(content) < 500 else max(block, 100))
        data = packed(codec, content, cuts, level)
        assert data == packed(codec, content, [], level, threads=2)
    assert unpacked(data, codec) == content


def test_large_content_is_one_stream() -> None:
    """Several megabytes are one member, or one frame, on any number of threads: some readers stop behind the first."""
    content = b"".join(b"%d,%d\n" % (n, n * 7919 % 10_007) for n in range(300_000))
    data = packed("gzip", content, [])
    assert data == packed("gzip", content, [1_000_003, 5], threads=3)
    member = zlib.decompressobj(wbits=31)
    assert member.decompress(data) == content and member.eof and not member.unused_data
    frame = packed("zstd", content, [])
    assert frame == packed("zstd", content, [1_000_003, 5], threads=3)
    assert frame.count(b"\x28\xb5\x2f\xfd") == 1 and unpacked(frame, "zstd") == content


def test_a_header_holds_no_time_and_no_name() -> None:
    """The header of gzip says nothing of where and when it was written."""
    data = export("csv.gz", ROWS, compression="none")
    assert data[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    assert gzip.decompress(data) == export("csv", ROWS)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("csv.gz", "gzip:1", "gzip:9"), ("csv.zst", "zstd:1", "zstd:12")]
)
def test_levels_count(name: str, low: str, high: str) -> None:
    """A higher level is a smaller file."""
    assert len(export(name, ROWS, compression=high)) < len(export(name, ROWS, compression=low))


@pytest.mark.parametrize("name", TEXTS)
def test_other_programs_read_it(name: str, tmp_path: Path) -> None:
    """Programs read every row, told nothing but the name of the file; gzip and zstd give the plain file."""
    data, inner = export(name, ROWS, compression="none"), name.rpartition(".")[0]
    path = tmp_path / f"rows.{name}"
    path.write_bytes(data)
    delimiter: dict[str, Any] = {"sep": "\t"} if inner == "tsv" else {}
    gz = name.endswith("gz")  # for the other pandas wants a library of its own
    if inner in ("csv", "tsv"):
        assert not gz or pandas.read_csv(path, **delimiter).to_dict("list") == ROWS.to_pydict()
        assert polars.read_csv(path, separator=delimiter.get("sep", ",")).to_dicts() == ROWS.to_pylist()
    else:
        assert not gz or pandas.read_json(path, lines=inner == "jsonl").to_dict("list") == ROWS.to_pydict()
    read = "read_csv" if inner in ("csv", "tsv") else "read_json"
    assert duckdb.sql(f"select count(*), sum(n) from {read}('{path}')").fetchall() == [
        (40_000, sum(range(40_000)))
    ]
    program = shutil.which("gzip" if gz else "zstd")
    if program is not None:
        done = subprocess.run([program, "-dc", str(path)], capture_output=True, check=True)
        assert done.stdout == export(inner, ROWS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_source_reads_it(name: str, tmp_path: Path) -> None:
    """The normalize stage reads the rows that were written, from a file of that name."""
    data = export(name, ROWS.slice(0, 500), compression="none")
    found = read_table(FORMATS[name.partition(".")[0]], tmp_path, {f"rows.{name}": data}, Options())
    assert found.to_pydict() == ROWS.slice(0, 500).to_pydict()
