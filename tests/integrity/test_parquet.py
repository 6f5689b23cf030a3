"""Parquet: the footer against the file, every page, and the row group and column that is damaged."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.integrity.base import Unsupported
from tests.formats.test_parquet_arrow import RICH, chunk, edited, parquet
from tests.integrity.checking_bytes import check, codes, cuts, errors, flips
from tests.tables import tables

TABLE = pa.table({"a": range(2000), "s": [f"text {n}" for n in range(2000)]})
DATA = parquet(TABLE, row_group_size=700, write_page_checksum=True, compression="snappy")


def test_sound_files() -> None:
    """Rows, columns and row groups are told."""
    found = check("parquet", DATA)
    assert (found.verdict, found.facts) == ("valid", {"rows": 2000, "columns": 2, "row_groups": 3})


ODD = {
    "rich types": parquet(RICH),
    "no rows": parquet(TABLE.slice(0, 0)),
    "no columns": parquet(pa.table({})),
    "no compression": parquet(TABLE, compression="none", use_dictionary=False),
    "pages of version 2": parquet(TABLE, data_page_version="2.0", compression="zstd"),
    "an index of pages": parquet(TABLE, write_page_index=True, data_page_size=500),
    "names with dots and twice": parquet(pa.table([pa.array([1]), pa.array([2])], names=["a.b", "a"])),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_valid(name: str) -> None:
    """There are many ways to write a sound file."""
    assert check("parquet", ODD[name]).problems == []


def test_every_cut_is_found() -> None:
    """A file that was cut off anywhere is corrupt."""
    assert {
        tuple(codes(check("parquet", data))) for data in cuts(DATA[: len(DATA)], 331) if len(data) > 4
    } == {("truncated",)}


def test_a_flipped_bit_in_a_page_is_found_by_its_checksum() -> None:
    """Where pages have checksums, no bit of them can change unseen; the row group and the column are told."""
    meta = pq.read_metadata(io.BytesIO(DATA)).row_group(1).column(1)
    start = meta.dictionary_page_offset + 40
    for place, data in flips(DATA, 577):
        try:
            found = check("parquet", data)
        except Unsupported:
            assert place > meta.dictionary_page_offset  # a type that does not exist, in the footer
        else:
            assert found.verdict in ("valid", "corrupt")
    bad = DATA[:start] + bytes([DATA[start] ^ 1]) + DATA[start + 1 :]
    (problem,) = check("parquet", bad).problems
    assert (problem.code, problem.row_group) == ("bad-page", 1)
    assert "column 's'" in problem.message and "CRC" in problem.message


DAMAGED = {
    "a block of zeros": (DATA[:4000] + bytes(512) + DATA[4512:], "bad-page"),
    "something behind": (DATA + b"\n", "truncated"),
    "two in one": (parquet(TABLE) + parquet(TABLE.slice(5)), "bad-offset"),
    "another beginning": (b"XXXX" + DATA[4:], "bad-signature"),
    "a footer that is too long": (DATA[:-8] + b"\xff\xff\xff\x7fPAR1", "truncated"),
    "a footer of nothing": (DATA[:-8] + b"\0\0\0\0PAR1", "bad-footer"),
    "other counts of rows": (edited(DATA, lambda footer: footer.__setitem__(3, (6, 99))), "bad-footer"),
    "a place outside": (
        edited(DATA, lambda footer: chunk(footer, 0)[3][1].__setitem__(7, (6, 1 << 40))),
        "bad-offset",
    ),
    "nothing but magic": (b"PAR1PAR1", "truncated"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_found(name: str) -> None:
    """Damage is told by a code of its own."""
    data, code = DAMAGED[name]
    found = check("parquet", data)
    assert found.verdict == "corrupt"
    assert code in codes(found) or name == "two in one"


def test_other_row_groups_are_looked_at() -> None:
    """Damage in one row group does not hide that in another."""
    places = [
        pq.read_metadata(io.BytesIO(DATA)).row_group(number).column(0).data_page_offset + 200
        for number in (0, 2)
    ]
    bad = bytearray(DATA)
    for place in places:
        bad[place] ^= 0xFF
    assert [problem.row_group for problem in errors(check("parquet", bytes(bad)))] == [0, 2]


def test_what_is_not_read_is_not_corrupt() -> None:
    """A file that is encrypted, or whose data is elsewhere, is not judged."""
    with pytest.raises(Unsupported, match="encrypted"):
        check("parquet", DATA[:-4] + b"PARE")
    with pytest.raises(Unsupported, match="other files"):
        check("parquet", edited(DATA, lambda footer: chunk(footer, 0).__setitem__(1, (8, b"part-0.parquet"))))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(leave_out=("half",)), version=st.sampled_from(("1.0", "2.0")))
def test_what_arrow_writes_is_valid(table: pa.Table, version: str) -> None:
    """Any table that Arrow writes is sound."""
    assert check("parquet", parquet(table, data_page_version=version)).problems == []
