"""The check of values that cannot be meant."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.checks import CHECKS, base, spread
from mldata.checks.base import Finding
from mldata.errors import SpecError
from mldata.spec import InvalidSpec, parse_dataset
from mldata.testing.checks import check_pieces

PARAMS: dict[str, Any] = parse_dataset("d", {"source": "x", "validate": {"checks": ["outliers"]}})[
    "validate"
]["outliers"]


def check(
    table: pa.Table | list[pa.Table], parts: Any = None, kind: str = "tabular", **params: Any
) -> list[Finding]:
    pieces = table if isinstance(table, list) else [table]
    found = check_pieces(CHECKS["outliers"], PARAMS | params, pieces, parts=parts, kind=kind)
    assert not isinstance(found, str), found
    return found


def of(values: Any, kind: pa.DataType | None = None, **params: Any) -> list[tuple[str, str, int]]:
    """Severity, code and rows of what is found in a column."""
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return [(it.severity, it.code, it.rows) for it in check(pa.table({"c": column}), **params)]


def test_settings() -> None:
    """Defaults are those of the documentation, and what cannot be is refused."""
    assert PARAMS == {"far": 5.0, "constant": 0.999, "mixed": 0.9, "max": None, "skip": []}
    for said, message in (
        ({"far": 2}, "expected a number of at least 3, found 2"),
        ({"far": "much"}, "expected a number of at least 1, found 'much'"),
        ({"mixed": 1.5}, "expected a number from 0 to 1, found 1.5"),
    ):
        with pytest.raises(InvalidSpec, match=message):
            parse_dataset("d", {"source": "x", "validate": {"outliers": said}})
    with pytest.raises(SpecError, match="found 'cc'"):
        check(pa.table({"c": [1]}), skip=["cc"])


def test_nothing_to_look_at() -> None:
    """A table of lists alone, or whose columns are all left out, is skipped."""
    why = "the table has no column of numbers, times or text"
    assert check_pieces(CHECKS["outliers"], PARAMS, [pa.table({"c": [[1]]})]) == why
    assert check_pieces(CHECKS["outliers"], PARAMS | {"skip": ["c"]}, [pa.table({"c": [1]})]) == why


def test_constant_columns() -> None:
    """One value in every row is a warning, in nearly every row a note; nulls, and a single row, are no constant."""
    [finding] = check(pa.table({"c": ["x"] * 3}))
    assert finding.message == "'c' is 'x' in all of 3 rows" and finding.severity == "warning"
    assert of([7] * 999 + [8]) == [("info", "nearly-constant", 1)]
    assert of([True] * 998 + [False] * 2) == []
    assert of([1.5, 1.5, None]) == of([1]) == of([None, None, 1]) == []
    assert of([1] * 9 + [2], constant=0.9) == [("info", "nearly-constant", 1)]
    assert of(pa.array(["x", "x"]).dictionary_encode()) == [("warning", "constant", 0)]
    assert of([datetime.date(2024, 1, 2)] * 2) == of([Decimal("1.5")] * 2) == [("warning", "constant", 0)]


def test_numbers_that_are_none() -> None:
    """NaN and infinities are warnings, with their rows and parts."""
    table = pa.table({"c": pa.array([1.0, float("nan"), None, float("inf"), -float("inf")])})
    found = check(table, {"train": [0, 1, 2, 3], "test": [4]})
    assert [(it.severity, it.code, it.rows) for it in found] == [
        ("warning", "infinite", 2),
        ("warning", "nan", 1),
    ]
    assert found[0].parts == {"train": 1, "test": 1} and [it.row for it in found[0].places] == [3, 4]
    assert of(pa.array(np.array([1, np.nan], np.float16))) == [("warning", "nan", 1)]


def test_far_numbers() -> None:
    """A slip of the decimal point is told as a note, with the values; below the fence as above it."""
    ages = [20 + n % 40 for n in range(200)]
    [finding] = check(pa.table({"age": [*ages, 3200, -900]}))
    assert (finding.severity, finding.code, finding.rows) == ("info", "far-out", 2)
    assert [place.value for place in finding.places] == ["3200", "-900"]
    assert finding.message.startswith(
        "'age' has 2 values far from the others: half of them are from 29.01 to 50, "
    )
    assert of([*ages, 3200], far=200) == []
    assert of([*ages, 100]) == []
    assert of(pa.array([*ages, 3200], pa.decimal128(6, 1))) == [("info", "far-out", 1)]
    assert of(pa.array(np.array([*ages, 32000], np.float16))) == [("info", "far-out", 1)]


def test_what_is_not_far() -> None:
    """Normal and long-tailed numbers, ids, counts with many zeros, two sorts of values and few values have none."""
    random = np.random.default_rng(1)
    for values in (
        random.normal(0, 1, 50_000),
        random.normal(1e6, 1, 2000),
        np.exp(random.normal(3, 2, 50_000)),
        random.pareto(1.5, 20_000),
        np.arange(10_000),
        random.poisson(0.1, 5000),
        np.concatenate([random.normal(0, 1, 900), random.normal(1000, 1, 100)]),
        np.array([1] * 18 + [10**9]),
    ):
        assert of(values) == []


def test_quartiles_are_those_of_a_database() -> None:
    """Quartiles are right to a thousandth, and what is beyond the fences is what a database counts there."""
    random = np.random.default_rng(2)
    values = np.concatenate([random.normal(5, 3, 20_000), random.normal(0, 500, 200)])
    table = pa.table({"x": values})
    [finding] = check([table.slice(0, 9000), table.slice(9000)])
    with duckdb.connect() as database:
        database.register("t", table)
        query = "with q as (select quantile_cont(x, 0.25) a, quantile_cont(x, 0.75) b from t) select count(*), any_value(a), any_value(b) from t, q where x < a - 5 * (b - a) or x > b + 5 * (b - a)"
        [(count, first, third)] = database.sql(query).fetchall()
    assert abs(finding.rows - count) <= 1
    told = finding.message.split("half of them are from ")[1].split(",")[0].split(" to ")
    assert [float(it) for it in told] == pytest.approx([first, third], rel=2e-3)


def test_dates() -> None:
    """Centuries that none is meant in are a warning, moments that programs write for none a note if they come often."""
    day, years = datetime.date, range(1980, 2020)
    some = [day(year, 3, 4) for year in years]
    assert of([*some, day(1, 1, 1), day(9999, 12, 31), day(2200, 1, 1)]) == [("warning", "far-date", 3)]
    assert of([*some, day(2199, 12, 31), day(1000, 1, 1), None]) == []
    assert of([*some, day(1970, 1, 1), day(1970, 1, 1)]) == [("info", "stand-in", 2)]
    assert of([*some, day(1970, 1, 1)]) == []
    assert of([day(1970, 1, 1)] * 3) == [("warning", "constant", 0)]
    moment = datetime.datetime
    times = [moment(year, 3, 4) for year in years]
    for unit in ("s", "ms", "us"):
        column = pa.array(
            [*times, moment(1970, 1, 1), moment(1900, 1, 1), moment(9999, 1, 1)], pa.timestamp(unit, "UTC")
        )
        assert of(column) == [("warning", "far-date", 1), ("info", "stand-in", 2)]
    assert of(pa.array([*times, moment(2262, 1, 1)], pa.timestamp("ns"))) == [("warning", "far-date", 1)]
    assert of(pa.array([*times, moment(1970, 1, 1, 0, 0, 1)] * 2, pa.timestamp("us"))) == []
    assert of(pa.array([*some, day(2500, 1, 1)], pa.date64())) == [("warning", "far-date", 1)]


MOJIBAKE_OF = [
    "café", "voilà tout", "Côte d’Azur", "“quoted”", "10 °C", "£5", "Привет", "日本語", "😀", "Łódź w Polsce", "ÉTÉ", "dash – here", "5 €",
    "brand™", "à la carte", "señor", "straße",
]  # fmt: skip
RIGHT = [
    *MOJIBAKE_OF, "IRMÃ”", "Spaß“ sagte", "«\u00a0café\u00a0»", "„Ä“", "ESPAÑ”", "Ðið", "3×½ cup", "Ñandú", "ÄÖÜ…", "NÃO", "MANHÃ…", "übergroß…",
    "LÀ-BAS", "Λ»", "“Å”", "crème brûlée", "Ü–Ö", "Øre”", "PÂ»", "«\u00a0é\u00a0»", "Ça", "â", "Âge", "Ã", "Việt Nam", "İstanbul", "Škoda", "a&b",
]  # fmt: skip


def misread(text: str, encoding: str) -> str:
    """UTF-8 read in an encoding of one byte; bytes that it lacks as Latin-1 has them, as browsers read them."""
    return "".join(
        bytes([it]).decode(encoding) if encoding != "cp1252" or it not in b"\x81\x8d\x8f\x90\x9d" else chr(it)
        for it in text.encode()
    )


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("text", MOJIBAKE_OF)
def test_mojibake_is_found(text: str, encoding: str) -> None:
    """UTF-8 that was read in another encoding is known as such, also where it was so twice."""
    assert "mojibake" in {code for _, code, _ in of([misread(text, encoding), "right"])}


def test_what_is_right_is_no_mojibake() -> None:
    """Text of many languages, with quotes, ellipses and capital letters next to each other, is left alone."""
    assert [text for text in RIGHT if of([text, "x"])] == []


def test_a_wrong_encoding_of_a_wrong_encoding() -> None:
    """Text that went wrong twice is damaged, too."""
    twice = misread(misread("café crème", "cp1252"), "cp1252")
    assert ("warning", "mojibake", 1) in of([twice, "x"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\ufffdb", ("warning", "replacement")), ("a\x00b", ("warning", "nul")), ("a\x07b", ("warning", "control")), ("a\x9db", ("warning", "control")),
        ("a\ufeffb", ("info", "byte-order-mark")), ("a &amp; b", ("info", "html-entity")), ("&#39;", ("info", "html-entity")), (" a", ("info", "spaces")),
        ("a\u00a0", ("info", "spaces")),
    ],
)  # fmt: skip
def test_damaged_text(text: str, expected: tuple[str, str]) -> None:
    """Each mark is told with its rows, however the column is stored; lines, tabs, pages and emptiness are no damage."""
    plain = [None, text, "x\ty\r\nz\x0cz", "", "AT&T; &c", " "]
    for column in (
        pa.array(plain),
        pa.array(plain, pa.large_string()),
        pa.array(plain).dictionary_encode(),
        pa.array(plain * 2).slice(6),
    ):
        assert of(column) == [(*expected, 1)]
        [finding] = check(pa.table({"c": column}))
        assert [place.row for place in finding.places] == [1]


def test_mixed_types() -> None:
    """Text that is numbers, or dates, for the most part has the rest named; codes, blanks and a single kind are no mix."""
    numbers = [str(n / 4) for n in range(98)]
    [finding] = check(pa.table({"c": [*numbers, "n/a", "none", "", None]}))
    assert (finding.severity, finding.code, finding.rows) == ("warning", "mixed-types", 2)
    assert finding.message == "'c' is text, of which 98% are numbers and 2 rows are not"
    assert [place.value for place in finding.places] == ["'n/a'", "'none'"]
    dates = [f"2024-01-{n:02}" for n in range(1, 29)]
    assert of([*dates, "soon"]) == [("warning", "mixed-types", 1)]
    assert of(numbers) == of(dates) == of([*numbers[:18], "a"]) == of([*numbers[:50], *["a"] * 50]) == []
    assert of([*numbers[:50], *["a"] * 50], mixed=0.5) == [("warning", "mixed-types", 50)]
    assert of(["1e5", "-3.", ".5", "+7", " 8 "] * 4 + ["1,5"])[0][1:] == ("spaces", 4)


def test_a_limit_is_held_to() -> None:
    """So many damaged values pass, one more is an error; a note, and a column that is constant, stay what they are."""
    values = [float("nan"), 1.0, 2.0, float("nan")]
    assert of(values, max=2) == of(values, max="50%") == []
    assert of(values, max=1) == [("error", "nan", 2)]
    assert of([" a", "b"], max=0) == [("info", "spaces", 1)]
    assert of(["a", "a"], max=0) == [("warning", "constant", 0)]


def test_columns_that_are_left_out() -> None:
    """What the spec says to skip is not looked at."""
    table = pa.table({"a": ["&amp;", "x"], "b": ["&amp;", "y"]})
    assert [it.column for it in check(table, skip=["a"])] == ["b"]


def test_media_of_no_size() -> None:
    """A recording of no length and a picture of no width are told; that all are of one size is not."""
    table = pa.table(
        {"path": ["a", "b"], "width": [0, 3], "height": [2, 2], "duration": [1.5, -1.0], "size": [9, 9]}
    )
    found = check(table, kind="images")
    assert [(it.column, it.code, it.rows) for it in found] == [("width", "zero", 1), ("duration", "zero", 1)]


VALUES = st.one_of(
    st.none(),
    st.floats(width=64),
    st.integers(-3, 3).map(float),
    st.sampled_from([1e300, -1e-300, 1e9, 5e-324]),
)


@settings(deadline=None, max_examples=25)
@given(
    values=st.lists(VALUES, min_size=1, max_size=60),
    cut=st.integers(1, 60),
    block=st.sampled_from([3, 1000]),
)
def test_cuts_do_not_matter(values: list[float | None], cut: int, block: int) -> None:
    """Any numbers give the same findings however they are cut, and counts that are those of the values."""
    table = pa.table({"x": pa.array(values, pa.float64())})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spread, "FEWEST", 1)
        whole = check(table, far=3)
        patch.setattr(base, "BLOCK_ROWS", block)
        cuts = check([table.slice(at, cut) for at in range(0, len(values), cut)], far=3)
    assert cuts == whole
    known = np.array([it for it in values if it is not None])
    rows = {it.code: it.rows for it in whole}
    assert rows.get("infinite", 0) == np.isinf(known).sum() and rows.get("nan", 0) == np.isnan(known).sum()
