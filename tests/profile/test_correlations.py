"""Correlations are what scipy and pandas say, pair by pair, and None where there is none."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile.correlations import COLUMNS, correlations_of
from mldata.profile.profile import Correlation
from mldata.profile.summarize import summarize


def found(table: pa.Table) -> dict[str, Correlation]:
    """By method."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary = summarize(table)
        return {it.method: it for it in correlations_of(summary)}


def holes(rng: np.random.Generator, values: np.ndarray, share: float) -> list[float | None]:
    """The values with nulls among them."""
    return [None if rng.random() < share else float(it) for it in values]


@pytest.fixture(scope="module")
def numbers() -> pa.Table:
    """Columns that go together more or less, with ties and nulls."""
    rng = np.random.default_rng(5)
    base = rng.normal(size=400)
    return pa.table(
        {
            "a": base,
            "b": np.exp(base + rng.normal(size=400)),
            "ties": pa.array(np.rint(base * 2).astype(np.int64)),
            "holes": pa.array(holes(rng, base + rng.normal(size=400), 0.3), pa.float64()),
            "more": pa.array(holes(rng, -base, 0.2), pa.float64()),
            "flag": pa.array(base + rng.normal(size=400) > 0),
            "day": pa.array(np.rint(base * 100).astype(np.int32), pa.int32()).cast(pa.date32()),
        }
    )


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_numbers_have_the_coefficients_of_pandas(method: str, numbers: pa.Table) -> None:
    """Pearson's and Spearman's, over the rows that both columns have, with ties, booleans and times; to 1e-12."""
    told = found(numbers)[method]
    frame = numbers.set_column(6, "day", numbers["day"].cast(pa.int32())).to_pandas()
    want = frame.astype("float64").corr(method=method)
    assert list(told.columns) == list(want.columns)
    assert np.abs(np.array(told.matrix, float) - want.to_numpy()).max() < 1e-12


@pytest.mark.no_cover
def test_spearman_is_that_of_scipy(numbers: pa.Table) -> None:
    """An implementation by others, with mean ranks for ties; to 1e-12."""
    stats = pytest.importorskip("scipy.stats", reason="scipy is in the test extra")
    told = found(numbers)["spearman"]
    want = stats.spearmanr(numbers["a"].to_numpy(), numbers["ties"].to_numpy()).statistic
    assert told.matrix[0][2] == pytest.approx(want, abs=1e-12)


def test_ranks_of_a_worked_example() -> None:
    """Ten students' IQ and hours of television, the textbook case: rho is -29/165."""
    told = found(
        pa.table(
            {
                "iq": [106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
                "hours": [7, 27, 2, 50, 28, 29, 20, 12, 6, 17],
            }
        )
    )
    assert told["spearman"].matrix[0][1] == pytest.approx(-29 / 165, abs=1e-15)


def test_categories_have_cramers_v_without_its_bias() -> None:
    """Chi-squared as scipy has it, corrected by Bergsma's formula; to 1e-12."""
    stats = pytest.importorskip("scipy.stats.contingency", reason="scipy is in the test extra")
    rng = np.random.default_rng(8)
    one = rng.integers(0, 4, 500)
    other = np.where(rng.random(500) < 0.4, one, rng.integers(0, 6, 500))
    frame = pd.DataFrame({"x": [f"x{it}" for it in one], "y": [f"y{it}" for it in other]})
    counts = pd.crosstab(frame.x, frame.y).to_numpy()
    rows, columns = counts.shape
    square = stats.association(counts, method="cramer", correction=False) ** 2 * (min(rows, columns) - 1)
    square -= (rows - 1) * (columns - 1) / 499
    want = math.sqrt(square / (min(rows - (rows - 1) ** 2 / 499, columns - (columns - 1) ** 2 / 499) - 1))
    told = found(pa.table({"x": frame.x.to_list(), "y": frame.y.to_list()}))["cramers_v"]
    assert told.matrix[0][1] == pytest.approx(want, abs=1e-12)


def test_categories_that_say_the_same_and_nothing_of_each_other() -> None:
    """A name for a name gives 1; independent ones give 0, which the uncorrected measure never does; rows with a null do not count."""
    rows = list(itertools.product(["a", "b", "c"], [True, False])) * 20
    table = pa.table(
        {
            "x": [*(x for x, _ in rows), None],
            "same": [*(f"like {x}" for x, _ in rows), "like a"],
            "coin": [*(y for _, y in rows), True],
        }
    )
    told = found(table)["cramers_v"]
    assert told.columns == ("x", "same", "coin")
    assert told.matrix[0][1] == pytest.approx(1.0, abs=1e-12)
    assert told.matrix[0][2] == 0.0


def test_what_has_no_coefficient_has_none() -> None:
    """Constant columns are left out; pairs that are constant, or have hardly a row, where both have a value give None."""
    table = pa.table(
        {
            "x": [1.0, 2.0, 3.0, None, None, None],
            "apart": [None, None, None, 1.0, 2.0, 4.0],
            "level": [5.0, 5.0, 5.0, 1.0, 2.0, 3.0],
            "constant": [1.0] * 6,
            "null": pa.nulls(6, pa.float64()),
        }
    )
    told = found(table)["pearson"]
    assert told.columns == ("x", "apart", "level")
    assert told.matrix[0][1:] == (None, None)
    assert told.matrix[1][2] == pytest.approx(np.corrcoef([1, 2, 4], [1, 2, 3])[0, 1])


def test_the_most_complete_columns_are_taken() -> None:
    """Of more than fifty columns those with the most values, in the order of the table; the others are counted."""
    rng = np.random.default_rng(3)
    columns = {
        f"c{it}": pa.array(holes(rng, rng.normal(size=500), 0.5 if it % 2 else 0.1)) for it in range(90)
    }
    summary = summarize(pa.table(columns))
    told = {it.method: it for it in correlations_of(summary)}["spearman"]
    assert len(told.columns) == COLUMNS and told.left_out == 40
    assert [name for name in told.columns if int(name[1:]) % 2 == 0] == [f"c{it}" for it in range(0, 90, 2)]
    assert list(told.columns) == sorted(told.columns, key=lambda name: int(name[1:]))


def test_columns_of_one_name_are_left_out() -> None:
    """The sample knows columns by their names."""
    table = pa.Table.from_arrays([pa.array([1.0, 2.0, 3.5])] * 4, ["a", "b", "b", "c"])
    assert found(table)["pearson"].columns == ("a", "c")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            *[st.floats(allow_subnormal=True) | st.none() | st.sampled_from([0.0, 1e308, -1e308, 1e-320])] * 3
        ),
        max_size=12,
    )
)
def test_coefficients_are_numbers_from_minus_one_to_one(rows: list[tuple[float | None, ...]]) -> None:
    """Whatever the numbers are: no NaN, no warning, nothing out of bounds."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    table = pa.table({name: pa.array(it, pa.float64()) for name, it in zip("abc", columns, strict=True)})
    for told in found(table).values():
        for value in itertools.chain.from_iterable(told.matrix):
            assert value is None or -1 <= value <= 1
