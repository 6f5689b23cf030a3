"""Arrow IPC: every batch of files and streams, and what is missing at the end of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.integrity.base import Unsupported
from tests.formats.test_parquet_arrow import RICH, arrow
from tests.integrity.checking_bytes import check, codes, cuts, flips
from tests.tables import tables

TABLE = pa.table({"a": range(300), "s": [f"text {n}" for n in range(300)]})


def batches(table: pa.Table, size: int, *, stream: bool, **how: object) -> bytes:
    """A file or stream of several record batches."""
    sink = pa.BufferOutputStream()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, table.schema, options=pa.ipc.IpcWriteOptions(**how)) as writer:
        writer.write_table(table, max_chunksize=size)
    return bytes(sink.getvalue().to_pybytes())


FILE, STREAM = (batches(TABLE, 100, stream=stream) for stream in (False, True))


@pytest.mark.parametrize("data", [FILE, STREAM], ids=["file", "stream"])
def test_sound_files(data: bytes) -> None:
    """Rows, columns and batches are told."""
    found = check("arrow", data)
    assert (found.verdict, found.facts) == ("valid", {"rows": 300, "columns": 2, "record_batches": 3})


ODD = {
    "rich types": arrow(RICH),
    "no rows": arrow(TABLE.slice(0, 0), stream=True),
    "compressed": batches(TABLE, 100, stream=False, compression="zstd"),
    "an old stream": batches(TABLE, 100, stream=True, use_legacy_format=True),
    "an old file": batches(TABLE, 100, stream=False, use_legacy_format=True),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_valid(name: str) -> None:
    """There are many ways to write a sound file."""
    assert check("arrow", ODD[name]).problems == []


def test_every_cut_of_a_file_is_found() -> None:
    """A file that was cut off anywhere is corrupt."""
    for data in cuts(FILE, 211):
        assert check("arrow", data).verdict == "corrupt"


def test_every_cut_of_a_stream_is_told() -> None:
    """A stream that was cut inside of a message is corrupt; one that ends behind a message without the mark is suspect."""
    whole = {len(STREAM) - 8}
    for data in [*cuts(STREAM, 211), STREAM[:-8], STREAM[:-3]]:
        found = check("arrow", data)
        if len(data) in whole:
            assert (found.verdict, codes(found)) == ("suspect", ["no-end-mark"])
        else:
            assert found.verdict in ("corrupt", "suspect")
            assert found.problems


def test_flipped_bits_are_never_a_crash() -> None:
    """Any bit may be wrong: the answer is a verdict."""
    verdicts = {check("arrow", data).verdict for data in (FILE, STREAM) for _, data in flips(data, 97)}
    assert "corrupt" in verdicts


def test_data_that_points_elsewhere() -> None:
    """Indexes beyond a dictionary and texts that are no text are damage, and the batch is told."""
    index = pa.array([0, 1 << 30], pa.int32())
    words = pa.DictionaryArray.from_arrays(index, pa.array(["x", "y"]), safe=False)
    letters = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")]
    )
    for column in (words, letters):
        (problem,) = check("arrow", arrow(pa.table({"a": column}))).problems
        assert (problem.code, problem.row_group) == ("bad-batch", 0)


def test_absurd_sizes_are_damage() -> None:
    """A batch that says that it takes more than any memory holds is corrupt, and nothing is made for it."""
    data = batches(TABLE, 300, stream=True)
    body = [message.body.size for message in pa.ipc.MessageReader.open_stream(data)][1]
    bad = data.replace(body.to_bytes(8, "little"), (1 << 50).to_bytes(8, "little"), 1)
    assert codes(check("arrow", bad)) == ["too-large"]


def test_what_is_behind_a_stream() -> None:
    """More bytes behind the end are told."""
    assert codes(check("arrow", STREAM + bytes(100))) == ["trailing-data"]
    assert codes(check("arrow", FILE + bytes(100))) == ["truncated"]


def test_the_first_feather_is_not_judged() -> None:
    """Feather version 1 is another format, which is not read."""
    with pytest.raises(Unsupported, match="version 1"):
        check("arrow", b"FEA1" + bytes(100) + b"FEA1")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(), stream=st.booleans())
def test_what_arrow_writes_is_valid(table: pa.Table, stream: bool) -> None:
    """Any table that Arrow writes is sound."""
    assert check("arrow", arrow(table, stream=stream)).problems == []
