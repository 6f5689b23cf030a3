"""A Parquet export written beside an earlier one: the same bytes, less work."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pyarrow as pa
import pytest

from mldata.exports.base import Compression, Earlier, Fresh, Kept
from mldata.exports.parquet import Parquet
from mldata.exports.parquetfile import ParquetFile
from tests.exports.columns import ALL, table

ZSTD = Compression("zstd")
GROUP = 8192


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of two steps."""
    monkeypatch.setattr("mldata.exports.parquetfile.GROUP_ROWS", GROUP)


def people(start: int, rows: int) -> pa.Table:
    """Rows whose numbers are too many for a dictionary of a group, with text, nulls and lists."""
    numbers = range(start, start + rows)
    random.seed(start)
    return pa.table(
        {
            "id": pa.array([n * 2654435761 % (1 << 61) for n in numbers], pa.int64()),
            "text": pa.array([None if n % 7 == 0 else f"row {n % 1000}" for n in numbers], pa.string()),
            "list": pa.array([[n % 3] * (n % 4) for n in numbers], pa.list_(pa.int16())),
            "at": pa.array(numbers, pa.timestamp("us")),
        }
    )


def export(rows: pa.Table, batch: int = 65_536, compression: Compression = ZSTD) -> bytes:
    """The file as it is written without an earlier one."""
    sink = io.BytesIO()
    file = Parquet().open(sink, rows.schema, compression)
    for piece in rows.to_batches(max_chunksize=batch):
        file.write(piece)
    file.close()
    return sink.getvalue()


def fresh(rows: pa.Table, batch: int = 777) -> Fresh:
    """Rows to be read."""
    return Fresh(rows.num_rows, lambda: iter(rows.to_batches(max_chunksize=batch)))


def rewrite(
    path: Path, old: pa.Table, pieces: list[Kept | Fresh], monkeypatch: pytest.MonkeyPatch
) -> tuple[bytes, int]:
    """The file written beside the one of ``old``, and how many row groups were encoded."""
    path.write_bytes(export(old))
    encoded: list[int] = []
    encode = ParquetFile._encode

    def counted(file: ParquetFile, rows: pa.Table) -> None:
        encoded.append(rows.num_rows)
        encode(file, rows)

    monkeypatch.setattr(ParquetFile, "_encode", counted)
    sink = io.BytesIO()
    assert Parquet().rewrite(sink, old.schema, ZSTD, Earlier(path, old.num_rows, pieces))
    return sink.getvalue(), len(encoded)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the earlier file is."""
    return tmp_path / "old.parquet"


def test_a_changed_row_costs_its_row_group(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are replaced by as many others: their row group is encoded, the five others are copied, the bytes are those of a full write."""
    old, new = people(0, 45_000), people(90_000, 100)
    whole = pa.concat_tables([old.slice(0, 20_000), new, old.slice(20_100)])
    pieces: list[Kept | Fresh] = [Kept(0, 20_000), fresh(new), Kept(20_100, 24_900)]
    found, encoded = rewrite(path, old, pieces, monkeypatch)
    assert encoded == 1
    assert found == export(whole, 1000)


@pytest.mark.parametrize("seed", range(30))
def test_any_edit_gives_the_bytes_of_a_full_write(
    seed: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows kept, moved, repeated, left out and added anywhere: the same file as without the earlier one."""
    draw = random.Random(seed)
    old = people(0, draw.choice([0, 5, GROUP, 3 * GROUP, 30_000]))
    pieces: list[Kept | Fresh] = []
    rows = [old.slice(0, 0)]
    for _ in range(draw.randint(0, 6)):
        if draw.random() < 0.6 and old.num_rows:
            start = draw.choice([0, GROUP, 2 * GROUP, draw.randrange(old.num_rows)]) % old.num_rows
            count = draw.choice([0, 1, GROUP, old.num_rows, draw.randrange(old.num_rows)])
            count = min(count, old.num_rows - start)
            pieces.append(Kept(start, count))
            rows.append(old.slice(start, count))
        else:
            new = people(draw.randrange(10**6), draw.choice([0, 1, 4096, GROUP, draw.randrange(9000)]))
            pieces.append(fresh(new, draw.choice([1000, 4096, 65_536])))
            rows.append(new)
    assert rewrite(path, old, pieces, monkeypatch)[0] == export(pa.concat_tables(rows), 1000)


def test_every_type_gives_the_bytes_of_a_full_write(path: Path) -> None:
    """Columns of all types, decoded from the earlier file or read anew; types that Parquet alters are left to a full write."""
    rows = table(ALL, 14)
    done = []
    for name in rows.column_names:
        old = rows.select([name])
        path.write_bytes(export(old))
        sink = io.BytesIO()
        earlier = Earlier(path, 42, [Kept(10, 32), fresh(old.slice(3, 9)), Kept(0, 7)])
        if Parquet().rewrite(sink, old.schema, ZSTD, earlier):
            done.append(name)
            assert sink.getvalue() == export(
                pa.concat_tables([old.slice(10), old.slice(3, 9), old.slice(0, 7)])
            )
        else:
            assert not sink.getvalue()
    assert len(done) > len(rows.column_names) * 3 // 4 and "category" not in done


def test_a_file_of_another_kind_is_not_used(path: Path) -> None:
    """Another schema or number of rows, another writer's file, no Parquet, no file: nothing is written, and the caller told."""
    old = people(0, 10)
    good = export(old)
    sink = io.BytesIO()
    for data, schema, total in (
        (good, old.drop_columns(["at"]).schema, 10),
        (good, old.schema, 11),
        (good[:-1], old.schema, 10),
        (b"", old.schema, 10),
        (None, old.schema, 10),
    ):
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        assert not Parquet().rewrite(sink, schema, ZSTD, Earlier(path, total, [Kept(0, 10)]))
    assert not sink.getvalue()
