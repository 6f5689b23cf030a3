"""Cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.exports import EXPORTS, load_export
from mldata.exports.base import Compression, Writing
from mldata.exports.formulas import FORMULA_STARTS
from mldata.testing.exports import Sink
from tests.exports.columns import export

ESCAPED = Writing("train", options={"escape_formulas": True})
NAMES = [name for name, info in EXPORTS.items() if "escape_formulas" in info.options]


def written(name: str, rows: pa.Table, writing: Writing | None = ESCAPED) -> bytes:
    """The file, as the setting asks."""
    sink, made = Sink(), load_export(name)
    told: Any = {} if writing is None else {"writing": writing}
    file = made.open(sink, rows.schema, Compression("none"), **told)  # type: ignore[arg-type]
    for batch in rows.to_batches(max_chunksize=3):
        file.write(batch)
    file.close()
    return bytes(sink.data)


def cells(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """What Python's reader makes of a file."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(st.characters(codec="utf-8"), max_size=4),
            st.builds(
                str.__add__,
                st.sampled_from(FORMULA_STARTS),
                st.text(st.characters(codec="utf-8"), max_size=3),
            ),
            st.sampled_from(["＝", "\uff1c", "\uff0b1", "é=", "'=1", "-1", ""]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_quote_goes_in_front_of_what_would_run(texts: list[str | None]) -> None:
    """Each text that begins so gets one ' and loses nothing; every other text, and every null, is as it was."""
    rows = pa.table({"a": pa.array(texts, pa.string()), "b": ["x"] * len(texts)})
    expected = [("'" if text and text[0] in FORMULA_STARTS else "") + (text or "") for text in texts]
    for name, delimiter in (("csv", ","), ("tsv", "\t")):
        assert [row[0] for row in cells(written(name, rows), delimiter)[1:]] == expected


def test_the_list() -> None:
    """It has the characters that OWASP names, in full width too."""
    assert set("=+-@\t\r＝＋－＠") <= set(FORMULA_STARTS)


def test_nothing_changes_unasked() -> None:
    """Without the setting the file is the same, whether the format is told of settings or not."""
    rows = pa.table({"=a": ["=1+1", "@x", "-2"]})
    plain = export("csv", rows)
    assert plain == b"=a\n=1+1\n@x\n-2\n"
    assert written("csv", rows, None) == written("csv", rows, Writing("train")) == plain
    assert written("csv", rows, Writing("train", options={"escape_formulas": False})) == plain


def test_names_categories_and_numbers() -> None:
    """Column names and categories are cells as well; numbers, durations and infinities are none that run."""
    rows = pa.table(
        {
            "=n": pa.array([-1, None]),
            "x": [-1.5, float("-inf")],
            "d": pa.array([-5, 1], pa.duration("s")),
            "c": pa.array(["+c", "c"]).dictionary_encode(),
        }
    )
    assert written("csv", rows) == b"'=n,x,d,c\n-1,-1.5,-5,'+c\n,-inf,1,c\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_form_of_the_formats_has_it(name: str) -> None:
    """CSV and TSV, plain and compressed, write what the plain format does."""
    inner, _, packed = name.partition(".")
    rows = pa.table({"a": ["=1", "b"]})
    data = written(name, rows)
    if packed:
        codec = EXPORTS[name].wrapped
        data = pa.CompressedInputStream(pa.BufferReader(data), codec).read()
    assert data == written(inner, rows) == b"a\n'=1\nb\n"
    assert set(NAMES) == {f"{text}{end}" for text in ("csv", "tsv") for end in ("", ".gz", ".zst")}
