"""The normalize stage on files that are written in different ways."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pyarrow as pa
import pytest

from mldata.archives import Limits
from mldata.errors import DataError
from mldata.table import Table
from store import Store
from tests.stages.conftest import Normalizer

PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
TEXT = "name;price\nZürich;1.234,5\nKöln;7,25\n"


def rows(table: Table) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for batch in table.batches() for row in batch.to_pylist()]


def test_the_same_text_in_any_wrapping_is_the_same_table(normalize: Normalizer, store: Store) -> None:
    """Encoding and compression are found out, taken off, and told; the rows are the same, and so is their order."""
    wrapped = {
        "a.csv": TEXT.encode(),
        "b.csv": TEXT.encode("utf-16"),
        "c.csv": gzip.compress(TEXT.encode("cp1252")),
        "d.csv": TEXT.replace("\n", "\r").encode("utf-8-sig"),
    }
    job, made = normalize(wrapped)
    table = Table.open(store, made.output.digest)
    assert rows(table) == [("Zürich", 1234.5), ("Köln", 7.25)] * 4
    assert [fragment.source for fragment in table.fragments] == list(wrapped)
    read = made.facts["read"]
    assert [(way["first"], way["files"], way["encoding"], way.get("compression")) for way in read] == [
        ("a.csv", 2, "utf-8", None),
        ("b.csv", 1, "utf-16-le", None),
        ("c.csv", 1, "cp1252", "gzip"),
    ]
    assert (read[0]["delimiter"], read[0]["decimal"], read[0]["header"]) == (";", ",", True)
    assert any("c.csv" in warning and "encoding: cp1252" in warning for warning in job.warnings)
    job, again = normalize(wrapped)
    assert (job.runs, again) == ([], made)


def test_a_byte_far_into_the_file_decides_on_the_encoding(
    normalize: Normalizer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read under the first guess is thrown away, not mixed with the rest."""
    from mldata.formats import base

    monkeypatch.setattr(base, "PIECE_BYTES", 1 << 16)
    body = "".join(f"{number},plain\n" for number in range(60_000)) + "60000,Zürich\n"
    _, made = normalize({"a.csv": ("id,city\n" + body).encode("cp1252")})
    table = Table.open(store, made.output.digest)
    assert table.rows == 60_001 and len(table.fragments) > 5
    assert rows(table)[-1] == (60_000, "Zürich")


def test_files_without_doubt_decide_for_the_others(normalize: Normalizer, store: Store) -> None:
    """1.234 is a number of four digits where another file of the source has a decimal comma."""
    files = {"a.csv": b"x;y\n1.234;a\n", "b.csv": b"x;y\n5,5;b\n"}
    job, made = normalize(files)
    assert rows(Table.open(store, made.output.digest)) == [(1234.0, "a"), (5.5, "b")]
    assert any("decimal comma" in warning for warning in job.warnings)
    _, made = normalize(files, decimal=".")
    assert rows(Table.open(store, made.output.digest)) == [("1.234", "a"), ("5,5", "b")]
    with pytest.raises(DataError, match=r"a\.csv: expected one way to write numbers") as caught:
        normalize(files | {"c.csv": b"x;y\n0.5;c\n"})
    assert "decimal:" in str(caught.value)


def test_a_header_in_some_files_only_is_refused(normalize: Normalizer, store: Store) -> None:
    """Else the first row of each would become names, or names a row."""
    files = {"a.csv": b"x,y\n1.5,a\n", "b.csv": b"2.5,b\n3.5,c\n"}
    with pytest.raises(DataError, match=r"b\.csv:1: expected a header as a\.csv has one"):
        normalize(files)
    job, made = normalize({"b.csv": files["b.csv"]})
    assert rows(Table.open(store, made.output.digest)) == [(2.5, "b"), (3.5, "c")]
    assert Table.open(store, made.output.digest).schema.names == ["column_1", "column_2"]
    assert any("no header" in warning for warning in job.warnings)
    job, made = normalize(files, header=False)
    assert rows(Table.open(store, made.output.digest)) == [
        ("x", "y"),
        ("1.5", "a"),
        ("2.5", "b"),
        ("3.5", "c"),
    ]
    assert job.warnings == []


def test_what_the_spec_says_holds_for_every_file(normalize: Normalizer, store: Store) -> None:
    """Also where a file looks otherwise; then it is read, or refused, as the spec says."""
    files = {"a.csv": "x|y\n% no row\n'1|2'|é\n".encode("latin-1")}
    options = {"delimiter": "|", "quote": "'", "comment": "%", "encoding": "iso8859-1"}
    job, made = normalize(files, **options)
    assert rows(Table.open(store, made.output.digest)) == [("1|2", "é")]
    assert job.warnings == []
    with pytest.raises(DataError, match=r"a\.csv:3: expected utf-8"):
        normalize(files, **options | {"encoding": "utf-8"})


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zstd"])
def test_compressed_files(how: str, normalize: Normalizer, store: Store) -> None:
    """Told by their first bytes; a name may have one suffix more; cut off, they are an error and no shorter table."""
    data = "".join(f"{number},{number * 7919 % 1000}\n" for number in range(3000)).encode()
    packed = (
        bytes(pa.compress(b"a,b\n" + data, codec="zstd", asbytes=True))
        if how == "zstd"
        else PACK[how](b"a,b\n" + data)
    )
    suffix = {"gzip": "gz", "bzip2": "bz2", "xz": "xz", "zstd": "zst"}[how]
    _, made = normalize({f"x.csv.{suffix}": packed, "y.csv": packed})
    assert made.rows == 6000 and made.facts["read"][0]["compression"] == how
    with pytest.raises(DataError, match=rf"x\.csv: expected a whole {how} file"):
        normalize({"x.csv": packed[:-20]})


def test_more_layers_than_anybody_needs_are_refused(normalize: Normalizer) -> None:
    """A file that unpacks to itself would never end."""
    data = b"a,b\n1,2\n"
    for _ in range(4):
        data = gzip.compress(data)
    with pytest.raises(DataError, match=r"a\.csv: expected at most 3 layers"):
        normalize({"a.csv": data})


def test_a_compression_bomb(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes out of a compressed file than its size can honestly hold are an error that names it; nothing of it is kept."""
    data = gzip.compress(b"a,b\n" + b"1,2\n" * 500_000)
    assert normalize({"a.csv.gz": data})[1].rows == 500_000  # few enough bytes to be free
    monkeypatch.setattr("mldata.stages.reading.LIMITS", Limits(free=1 << 20))
    with pytest.raises(DataError, match=r"(?s)b\.csv\.gz: expected at most 200 bytes.*decompress it by hand"):
        normalize({"b.csv.gz": gzip.compress(b"a,b\n" + b"1,2\n" * 500_001)})
