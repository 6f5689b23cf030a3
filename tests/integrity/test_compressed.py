"""Compressed tables: the stream's own end and checksum, then what is in it."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pyarrow as pa
import pytest

from mldata.archives.base import LIMITS, Limits
from mldata.integrity import members
from tests.formats.test_parquet_arrow import parquet
from tests.integrity.checking_bytes import check, codes, cuts

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (n, n * n) for n in range(500))


def zstd(data: bytes) -> bytes:
    """One frame of Zstandard."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return bytes(sink.getvalue().to_pybytes())


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


@pytest.mark.parametrize("how", PACKED)
def test_a_compressed_table_is_checked(how: str) -> None:
    """What is in it is looked at as if it were not compressed, and how it is compressed is told; lines are those of the text."""
    found = check("csv", PACKED[how](TEXT))
    assert (found.verdict, found.facts["compression"], found.facts["rows"]) == ("valid", how, 500)
    (problem,) = check("csv", PACKED[how](TEXT.replace(b"7,name 49\n", b"7\n"))).problems
    assert (problem.code, problem.line, problem.offset) == ("ragged-row", 9, None)
    assert check("jsonl", PACKED[how](b'{"a":1}\n')).verdict == "valid"
    assert check("json", PACKED[how](b'{"a":1}\n')).verdict == "valid"
    assert check("parquet", PACKED[how](parquet(pa.table({"a": [1]})))).verdict == "valid"


@pytest.mark.parametrize("how", PACKED)
def test_every_cut_is_found(how: str) -> None:
    """A stream that was cut off anywhere is corrupt."""
    data = PACKED[how](TEXT)
    for cut in cuts(data, len(data) // 37):
        if len(cut) > 6:
            assert codes(check("csv", cut)) in (["truncated"], ["bad-stream"])


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz"])
def test_a_flipped_bit_is_found(how: str) -> None:
    """The checksum of the stream shows what its text does not."""
    data = PACKED[how](TEXT)
    at = len(data) // 2
    found = check("csv", data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
    assert found.verdict == "corrupt"
    assert codes(found) in (["bad-stream"], ["truncated"])


@pytest.mark.parametrize("how", PACKED)
def test_several_members_are_one_file(how: str) -> None:
    """Streams one behind the other are read as one text."""
    pack = PACKED[how]
    assert check("csv", pack(TEXT[:1000]) + pack(TEXT[1000:])).facts["rows"] == 500
    assert check("csv", pack(TEXT[:1000]) + pack(TEXT[1000:])[:-4]).verdict == "corrupt"


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz"])
def test_what_is_behind_a_stream(how: str) -> None:
    """Zeros as tapes have them are fine; other bytes are told, for the text is whole."""
    assert check("csv", PACKED[how](TEXT) + bytes(512)).problems == []
    found = check("csv", PACKED[how](TEXT) + b"garbage")
    assert (found.verdict, codes(found)) == ("suspect", ["trailing-data"])


def test_nothing_inside() -> None:
    """A stream of nothing is no table."""
    assert codes(check("csv", gzip.compress(b""))) == ["empty"]


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to far more than its size is refused before it is unpacked."""
    monkeypatch.setattr(members, "LIMITS", Limits(free=1 << 20, ratio=LIMITS.ratio))
    assert codes(check("csv", gzip.compress(b"a,b\n" * (1 << 20)))) == ["too-large"]


def test_layers_are_bounded() -> None:
    """A file that is compressed again and again is not unpacked for ever."""
    data = TEXT
    for _ in range(3):
        data = gzip.compress(data)
    assert check("csv", data).facts["compression"] == "gzip in gzip in gzip"
    assert codes(check("csv", gzip.compress(data))) == ["too-many-layers"]
