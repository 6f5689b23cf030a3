"""Parquet footers: read, moved, written."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.exports.footer import MAGIC, Footer, Group, NoFooter
from tests.exports.columns import ALL, table


def written(rows: pa.Table, **options: object) -> bytes:
    """A file as pyarrow writes it, its row groups of seven rows."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, row_group_size=7, **options)
    return sink.getvalue()


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 42), pages=st.sampled_from(["1.0", "2.0"]), statistics=st.booleans())
def test_a_footer_is_written_as_it_was_read(rows: int, pages: str, statistics: bool) -> None:
    """Footers of all column types, page versions and sizes come back byte for byte."""
    data = written(table(ALL, 14).slice(0, rows), data_page_version=pages, write_statistics=statistics)
    footer = Footer.read(io.BytesIO(data))
    assert data.endswith(footer.tail(footer.groups))
    assert sum(group.rows for group in footer.groups) == rows


@functools.cache
def whole() -> tuple[pa.Table, bytes]:
    """A table of every type, and its file of six row groups."""
    rows = table(ALL, 14)
    return rows, written(rows)


@pytest.mark.no_cover
@settings(max_examples=25, deadline=None)
@given(order=st.lists(st.integers(0, 5), max_size=12))
def test_row_groups_in_another_order_are_a_file_of_those_rows(order: list[int]) -> None:
    """Any row groups, put together in any order, are a file in which readers find their rows, statistics and nothing else."""
    rows, data = whole()
    footer = Footer.read(io.BytesIO(data))
    made, groups = bytearray(MAGIC), list[Group]()
    for number in order:
        group = footer.groups[number]
        groups.append(group.moved(len(made), len(groups)))
        made += data[group.start : group.start + group.size]
    made += footer.tail(groups)
    expected = pa.concat_tables([rows.slice(0, 0), *(rows.slice(7 * number, 7) for number in order)])
    found = pq.read_table(io.BytesIO(made))
    assert found.equals(pq.read_table(io.BytesIO(written(expected))))
    assert Footer.read(io.BytesIO(made)).groups == tuple(groups)


def test_other_programs_read_a_file_put_together(tmp_path: Path) -> None:
    """DuckDB and Polars, which have Parquet readers of their own, take it as well."""
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    data = written(pa.table({"n": range(21), "t": [str(n) for n in range(21)]}))
    footer = Footer.read(io.BytesIO(data))
    first, _, last = footer.groups
    pieces = [data[group.start : group.start + group.size] for group in (last, first)]
    moved = [last.moved(4, 0), first.moved(4 + last.size, 1)]
    path = tmp_path / "made.parquet"
    path.write_bytes(MAGIC + b"".join(pieces) + footer.tail(moved))
    expected = [*range(14, 21), *range(7)]
    assert polars.read_parquet(path)["n"].to_list() == expected
    assert [n for (n,) in duckdb.sql(f"select n from '{path}'").fetchall()] == expected


def test_same_file_tells_what_is_not_of_rows() -> None:
    """Rows do not count; a type, a name, a metadata entry does."""
    one = pa.table({"n": pa.array([1, 2])})
    footer = Footer.read(io.BytesIO(written(one)))
    assert footer.same_file(Footer.read(io.BytesIO(written(pa.concat_tables([one] * 9)))))
    for other in (one.cast(pa.schema([("n", pa.int32())])), one.rename_columns(["m"]), one.replace_schema_metadata({"a": "b"})):  # fmt: skip
        assert not footer.same_file(Footer.read(io.BytesIO(written(other))))


@pytest.mark.parametrize("options", [{"write_page_index": True}])
def test_what_cannot_be_moved_is_refused(options: dict[str, bool]) -> None:
    """A page index lies behind the row groups, with offsets of its own: such a file is left alone."""
    with pytest.raises(NoFooter):
        Footer.read(io.BytesIO(written(pa.table({"n": range(20)}), **options)))


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 2000), bits=st.integers(1, 255), cut=st.booleans())
def test_damage_is_no_footer_or_another_one(place: int, bits: int, cut: bool) -> None:
    """Bytes that are cut short or altered raise ``NoFooter``, or are a footer that is written as it was read."""
    data = bytearray(written(pa.table({"n": range(20), "t": ["a", None] * 10})))
    place %= len(data)
    if cut:
        del data[place:]
    else:
        data[-1 - place] ^= bits
    try:
        footer = Footer.read(io.BytesIO(data))
    except NoFooter:
        return
    assert data.endswith(footer.tail(footer.groups)) or not cut


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    """Bytes that are no footer, between the marks of one, raise ``NoFooter`` and nothing else."""
    whole = MAGIC + data + len(data).to_bytes(4, "little") + MAGIC
    with pytest.raises(NoFooter):
        Footer.read(io.BytesIO(whole))
