"""ORC: the end of the file, its footer, and every stripe."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from tests.formats.test_orc import RICH, write
from tests.formats.test_round_trips import NOT_ORC, write_orc
from tests.integrity.checking_bytes import check, codes, cuts, errors, flips
from tests.tables import tables

TABLE = pa.table({"a": range(2000), "s": [f"text {n}" for n in range(2000)]})
DATA = write(TABLE, compression="zlib")


@pytest.mark.parametrize("compression", ["uncompressed", "zlib", "snappy", "zstd", "lz4"])
def test_sound_files(compression: str) -> None:
    """Files of any compression are valid, and their rows, columns and stripes told."""
    found = check("orc", write(TABLE, compression=compression))
    assert (found.verdict, found.facts["rows"], found.facts["columns"]) == ("valid", 2000, 2)
    assert check("orc", write(RICH, compression=compression)).problems == []


def test_every_cut_is_found() -> None:
    """A file that was cut off anywhere is corrupt."""
    for data in cuts(DATA, 151):
        assert check("orc", data).verdict == "corrupt"


def test_flipped_bits_are_never_a_crash() -> None:
    """Any bit may be wrong: the answer is a verdict, and damage in a compressed stripe is found there."""
    found = [check("orc", data) for _, data in flips(DATA, 59)]
    places = [problem.row_group for one in found for problem in errors(one) if problem.code == "bad-stripe"]
    assert places and set(places) == {0}


DAMAGED = {
    "a block of zeros": (DATA[:1000] + bytes(512) + DATA[1512:], "bad-stripe"),
    "zeros behind": (DATA + bytes(64), "bad-footer"),
    "two in one": (DATA + write(TABLE.slice(10), compression="zlib"), "trailing-data"),
    "another beginning": (b"XXX" + DATA[3:], "bad-signature"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_found(name: str) -> None:
    """Damage is told by a code of its own."""
    data, code = DAMAGED[name]
    found = check("orc", data)
    assert (found.verdict, codes(found)) == ("corrupt", [code])


def test_times_beyond_nanoseconds_are_suspect() -> None:
    """A time that Arrow cannot hold is no damage."""
    data = write(pa.table({"a": pa.array([dt.datetime(1, 1, 1)], pa.timestamp("s"))}))
    assert (check("orc", data).verdict, codes(check("orc", data))) == ("suspect", ["time-range"])


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(leave_out=NOT_ORC))
def test_what_arrow_writes_is_not_corrupt(table: pa.Table) -> None:
    """Any table that Arrow writes is sound; times that Arrow cannot read again are told."""
    assert set(codes(check("orc", write_orc(table)))) <= {"time-range"}
