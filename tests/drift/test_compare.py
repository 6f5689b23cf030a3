"""What comparing two summaries finds, column by column."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.drift.compare import compare, compare_columns
from mldata.drift.report import MAJOR, MODERATE, STABLE, ColumnDrift, Thresholds
from mldata.profile.summarize import summarize
from mldata.profile.summary import ColumnSummary, Distinct, Frequent, TableSummary
from tests.drift.columns import drift, summary, told

MEASURES = (
    "psi",
    "psi_critical",
    "kl",
    "js",
    "hellinger",
    "wasserstein",
    "ks",
    "ks_p_value",
    "chi2",
    "chi2_p_value",
)


def test_swapped_categories_are_major() -> None:
    """A swap of 90/10 to 10/90 of two categories is major: a PSI of 1.6 ln 9."""
    found = drift(["a"] * 90 + ["b"] * 10, ["a"] * 10 + ["b"] * 90)
    assert (found.kind, found.severity) == ("categorical", MAJOR)
    assert found.psi == pytest.approx(1.6 * math.log(9))


def test_one_outlier_hides_no_shift() -> None:
    """A shift by half a standard deviation gives the same PSI when one absurd value is added on both sides."""
    rng = np.random.default_rng(7)
    before, after = rng.normal(size=5_000), rng.normal(0.5, size=5_000)
    plain = drift(before, after)
    found = drift(np.append(before, 1e9), np.append(after, 1e9))
    assert plain.psi == pytest.approx(0.238, abs=0.03)  # what the distribution function gives
    assert found.psi == pytest.approx(plain.psi, rel=0.02)
    assert found.severity == plain.severity != STABLE


def test_equal_rows_have_not_moved() -> None:
    """A table compared with itself has distances of 0 in every column, whatever its type."""
    table = pa.table(
        {
            "i": [1, 2, None],
            "f": [0.5, float("nan"), float("inf")],
            "s": ["a", "b", None],
            "b": [True, None, False],
            "l": [[1], [], None],
            "n": pa.nulls(3),
            "d": pa.array([1, 2, 3], pa.date32()),
            "x": [b"1", b"22", None],
            "o": [{"a": 1}, None, {"a": 2}],
        }
    )
    report = compare(summarize(table), summarize(table))
    assert [column.psi for column in report.columns] == [0.0] * table.num_columns
    assert (report.drift, report.share, report.severity) == (False, 0.0, STABLE)


def test_added_and_removed_columns_are_told() -> None:
    """Columns of one side alone are named in its order, and nothing else is said of them."""
    before, after = pa.table({"a": [1], "b": [1]}), pa.table({"c": [1], "b": [1], "d": [1]})
    report = compare(summarize(before), summarize(after), names=("x", "y"))
    assert (report.baseline, report.current) == ("x", "y")
    assert (report.added, report.removed) == (("c", "d"), ("a",))
    assert [column.name for column in report.columns] == ["b"]


def test_columns_of_one_name_are_paired_in_order() -> None:
    """The second column of a name is compared with the second one of it."""
    before = pa.table([[1] * 30, [5] * 30, [1] * 30], names=["a", "a", "a"])
    after = pa.table([[1] * 30, [6] * 30], names=["a", "a"])
    report = compare(summarize(before), summarize(after))
    assert [column.severity for column in report.columns] == [STABLE, MAJOR]
    assert report.removed == ("a",)


def test_numbers_in_tenths() -> None:
    """Numbers are counted in tenths of the baseline, up to and with the greatest of each."""
    found = drift(list(range(1, 101)), [5.5, 10.9, 10.91, 1e6, -3.0])
    assert list(told(found).values())[:2] == [(10, 3), (10, 1)]
    assert list(told(found))[0::9] == ["<= 10.9", "> 90.1"]
    assert told(found)["> 90.1"] == (10, 1)


def test_a_frequent_number_has_a_bin_of_its_own() -> None:
    """A number that a tenth of the baseline is is counted alone, those around it apart from it."""
    rng = np.random.default_rng(1)
    before = np.concatenate([np.zeros(500), rng.uniform(1, 2, 500)])
    found = drift(before, np.concatenate([np.full(400, -1e-9), rng.uniform(1, 2, 600)]))
    assert told(found)["= 0"] == (500, 0)
    assert told(found)["< 0"] == (0, 400)
    assert found.severity == MAJOR


def test_few_numbers_are_told_one_by_one() -> None:
    """Each of few distinct numbers has a bin, however rare, and so has what lies between them."""
    found = drift([1] * 90 + [2] * 9 + [3], [1] * 90 + [2] * 8 + [2.5] * 2)
    assert told(found) == {"= 1": (90, 90), "= 2": (9, 8), "2 to below 3": (0, 2), "= 3": (1, 0)}


def test_neighbours_among_floats_are_told_apart() -> None:
    """Two numbers that no other one lies between have each its own bin, and its own name."""
    found = drift([0.3] * 40 + [0.1 + 0.2] * 10, [0.3] * 10 + [0.1 + 0.2] * 40)
    assert told(found) == {"= 0.3": (40, 10), "= 0.30000000000000004": (10, 40)}


def test_a_constant_baseline_sees_any_other_number() -> None:
    """Of a constant baseline there are what is below, equal and above; the distance has no unit then."""
    found = drift([5.0] * 50, [4.0] * 25 + [5.0] * 15 + [6.0] * 10)
    assert told(found) == {"< 5": (0, 25), "= 5": (50, 15), "> 5": (0, 10)}
    assert (found.severity, found.wasserstein) == (MAJOR, None)
    assert drift([5.0] * 50, [5.0] * 9).wasserstein == 0


def test_what_is_no_finite_number_is_counted() -> None:
    """Infinities are at the ends, NaN and missing have bins of their own; also of a baseline that has nothing else."""
    found = drift([1.0, 2.0] * 5, [math.inf, -math.inf, math.nan, None] + [1.0, 2.0] * 3)
    assert told(found) == {
        "< 1": (0, 1),
        "= 1": (5, 3),
        "= 2": (5, 3),
        "> 2": (0, 1),
        "(NaN)": (0, 1),
        "(missing)": (0, 1),
    }
    found = drift([math.inf, -math.inf, math.nan, None], [1.0, 1e308, -math.inf])
    assert told(found) == {
        "-inf": (1, 1),
        "(a number)": (0, 2),
        "inf": (1, 0),
        "(NaN)": (1, 0),
        "(missing)": (1, 0),
    }


@pytest.mark.parametrize("values", [[1.5] * 40, ["a", "b"] * 20, [True] * 40, [b"1"] * 40, [[1]] * 40])
def test_a_column_that_loses_its_values_is_major(values: list[Any]) -> None:
    """A column without any value on one side, of whatever type, is compared by what is missing."""
    for empty in (pa.nulls(40, pa.array(values).type), pa.nulls(40)):
        for found in (drift(values, empty), drift(empty, values)):
            assert found.severity == MAJOR
            assert found.psi is not None and found.psi > 9
    assert drift(pa.nulls(40), pa.nulls(3)).psi == 0


def test_kinds_that_differ_are_incomparable() -> None:
    """Text where numbers were is major, with a note and without numbers; it counts as a column that has moved."""
    before, after = pa.table({"x": [1, 2], "y": [1, 1]}), pa.table({"x": ["1", "2"], "y": [1, 1]})
    report = compare(summarize(before), summarize(after))
    found = report.columns[0]
    assert (found.kind, found.severity, found.psi, found.bins) == ("incomparable", MAJOR, None, ())
    assert found.note == "its type went from int64 to string; values of these types cannot be compared"
    assert report.share == 0.5


def test_types_are_told_as_far_as_a_line_has_room() -> None:
    """Of a wide struct that became another one the field that changed is told, not each of its hundreds."""
    fields = {f"field_{number}": number for number in range(300)}
    found = drift([fields] * 9, [{**fields, "field_7": 0.5, "field_250": "x"}] * 9)
    assert found.note is not None and len(found.note) < 260
    assert "from …field_7: int64, field_8: int64" in found.note
    assert "… to …field_7: double, field_8: int64" in found.note
    ends = drift([fields] * 9, [{**fields, "field_299": "x"}] * 9).note
    assert ends is not None and "from …field_299: int64> to …field_299: string>;" in ends


def test_integers_floats_and_booleans_are_numbers() -> None:
    """A column that became one of other numbers is compared, and its types are told."""
    found = drift([True, False] * 20, [1, 0] * 20)
    assert (found.kind, found.psi, found.note) == ("numeric", 0, "its type went from bool to int64")
    assert drift([1, 2] * 20, [1.0, 2.0] * 20).psi == 0


def test_booleans_are_told_as_such() -> None:
    """True, false and missing are the bins of booleans."""
    found = drift([True] * 9 + [False], [True] * 5 + [False] * 3 + [None] * 2)
    assert (found.kind, told(found)) == ("boolean", {"true": (9, 5), "false": (1, 3), "(missing)": (0, 2)})


def test_unseen_categories_have_a_bin() -> None:
    """Values that the baseline never saw are counted together; those that are gone stay."""
    found = drift(["a"] * 50 + ["b"] * 50, ["a"] * 50 + ["c"] * 20 + ["d"] * 20 + [None] * 10)
    assert told(found) == {"a": (50, 50), "b": (50, 0), "(unseen)": (0, 40), "(missing)": (0, 10)}
    assert found.severity == MAJOR


def test_a_category_is_not_taken_for_what_is_no_value() -> None:
    """A text that reads as the bin of missing or unseen rows is a category of its own, whose rows are not mixed with those."""
    found = drift(["(missing)"] * 50 + ["a"] * 50, ["(missing)"] * 50 + ["a"] * 30 + ["b"] * 15 + [None] * 5)
    assert told(found) == {"'(missing)'": (50, 50), "a": (50, 30), "(unseen)": (0, 15), "(missing)": (0, 5)}
    quoted = ["'(missing)'", "(missing)", "", "''"] * 9
    assert list(told(drift(quoted, quoted)).values()) == [(9, 9)] * 4
    # Nor has a column of few rows lost its values, which would be more than chance.
    few = [["(missing)"] * count + ["abcdefgh"[row % 8] for row in range(40 - count)] for count in (1, 8)]
    assert drift(*few).severity == STABLE


def test_categories_that_become_identifiers_are_unseen() -> None:
    """Where the baseline has classes, any number of other values on the current side is unseen."""
    found = drift(["a", "b"] * 500, [f"{number:x}" for number in range(1000, 2000)])
    assert (found.kind, told(found)["(unseen)"]) == ("categorical", (0, 1000))


def test_identifiers_are_no_categories() -> None:
    """Texts that do not repeat are compared by their length and their words, of which identifiers have none in common."""
    found = drift(
        [f"id{number}" for number in range(100, 120)], [f"id{number}" for number in range(200, 220)]
    )
    assert (found.kind, found.severity) == ("text", STABLE)
    assert list(found.facets) == ["length", "words"]


def test_texts_are_compared_by_length_and_words() -> None:
    """Other words of the same length move the words alone, and the column is told by them."""
    rng = np.random.default_rng(2)
    old, new = ["alpha", "bravo", "delta"], ["gamma", "kappa", "omega"]

    def texts(words: list[str]) -> list[str]:
        return [f"{' '.join(rng.choice(words, 4))} {number:04d}" for number in range(300)]

    found = drift(texts(old), texts(new))
    assert (found.kind, found.severity) == ("text", MAJOR)
    assert [it.severity for it in found.facets.values()] == [STABLE, MAJOR]
    assert found.psi == found.facets["words"].psi
    assert set(told(found)) == {*old, *new, "(other)"}
    longer = drift(texts(old), [f"{text} and more" for text in texts(old)])
    assert longer.facets["length"].severity == MAJOR


def test_texts_that_repeat_are_compared_as_they_are() -> None:
    """Among texts that are no classes, one that becomes frequent moves the facet of whole values; others are told together."""

    def texts(frequent: int, letter: str) -> list[str]:
        return ["n/a"] * frequent + [f"{letter}{number:03d}" for number in range(1000 - frequent)]

    found = drift(texts(100, "a"), texts(400, "b"))
    assert (found.kind, found.severity) == ("text", MAJOR)
    assert told(found.facets["values"]) == {"n/a": (100, 400), "(other)": (900, 600)}
    assert {"'n/a': 10% → 40%", "other values: 90% → 60%"} <= set(found.moved)


def test_values_whose_counts_are_uncertain_are_among_the_others() -> None:
    """A value is told apart only where its count is far above the error of counts."""
    before = summary([f"{number}" for number in range(1000)])
    listed = Frequent((("a", 300), ("b", 50)), rest=650, over=10, complete=False)
    found = compare_columns(replace(before, frequent=listed), replace(before, frequent=listed), Thresholds())
    assert told(found.facets["values"]) == {"a": (300, 300), "(other)": (700, 700)}


def test_times_of_any_unit_are_on_one_clock() -> None:
    """Dates and timestamps of the same days have not moved; bins are told as dates."""
    days = pa.array(range(1000), pa.int32()).cast(pa.date32())
    for kind in (pa.timestamp("s"), pa.timestamp("ns", "Europe/Zurich"), pa.date64()):
        found = drift(days, days.cast(kind))
        assert (found.kind, found.psi, found.ks, found.wasserstein) == ("time", 0, 0, 0)
    assert found.bins[0].label == "<= 1970-04-10T21:36"
    later = pa.array(range(500, 1500), pa.int32()).cast(pa.date32())
    assert drift(days, later).severity == MAJOR
    assert drift(days, later).wasserstein == pytest.approx(500 / np.std(range(1000), ddof=1))


def test_bins_of_days_are_told_by_the_days_in_them() -> None:
    """A bin of days ends with the last day that it holds, though the quantile that it ends at lies between two days."""
    days = pa.array(range(15), pa.int32()).cast(pa.date32())
    found = drift(days, days)
    held = [(it.label, it.baseline) for it in found.bins]
    assert held[:3] == [
        ("<= 1970-01-02", 2),
        ("1970-01-02 to 1970-01-03", 1),
        ("1970-01-03 to 1970-01-05", 2),
    ]
    assert held[-1] == ("> 1970-01-13", 2)


def test_times_of_other_clocks_are_incomparable() -> None:
    """A time of day is no date, and a duration is neither."""
    dates, times = pa.array([1, 2], pa.date32()), pa.array([1, 2], pa.time32("s"))
    durations = pa.array([1, 2], pa.duration("s"))
    assert [drift(dates, it).kind for it in (times, durations, dates)] == [
        "incomparable",
        "incomparable",
        "time",
    ]


def test_lists_and_bytes_are_compared_by_their_sizes() -> None:
    """Longer lists and longer bytes have moved."""
    for short, long, kind in (([1], [1, 2, 3], "list"), (b"1", b"123", "binary")):
        found = drift([short] * 50, [long] * 50)
        assert (found.kind, found.severity, told(found)["= 1"]) == (kind, MAJOR, (50, 0))


def test_structs_are_compared_by_what_is_missing() -> None:
    """Of structs no more is known than whether they are there."""
    found = drift([{"a": 1}] * 50, [{"a": 2}] * 10 + [None] * 40)
    assert (found.kind, found.severity) == ("other", MAJOR)
    assert found.note == "only whether values are missing was compared"


def test_tables_without_rows() -> None:
    """Without rows on one side every column is major and nothing is measured; without any on both nothing has moved."""
    some, none = pa.table({"x": [1, 2], "s": ["a", "b"]}), pa.table({"x": [1], "s": ["a"]}).slice(0, 0)
    report = compare(summarize(some), summarize(none))
    assert [(it.severity, it.psi) for it in report.columns] == [(MAJOR, None)] * 2
    assert report.columns[0].note == "there are 2 rows to compare with 0"
    assert report.share == 1.0
    [single] = compare(summarize(pa.table({"x": [1]})), summarize(pa.table({"x": [1]}).slice(1))).columns
    assert single.note == "there is 1 row to compare with 0"
    assert compare(summarize(none), summarize(none)).severity == STABLE
    assert compare(summarize(pa.table({})), summarize(pa.table({}))).columns == ()


def test_few_rows_of_one_distribution_are_stable() -> None:
    """A PSI far above the thresholds that two small samples have by chance is told as such; the same of large ones is drift."""
    rng = np.random.default_rng(4)
    found = drift(rng.normal(size=30), rng.normal(size=30))
    assert found.psi is not None and found.psi > 0.25
    assert found.severity == STABLE
    assert found.note == "a PSI that chance alone gives samples of 30 and 30 rows, too"
    assert drift([1, 2, 3], [101, 102, 103]).severity == MAJOR


def test_thresholds_are_settable() -> None:
    """Severity begins where it is said to: at the first threshold, above the second."""
    before, after = ["a", "b"] * 500, ["a"] * 600 + ["b"] * 400
    psi = drift(before, after).psi
    assert psi is not None
    found = [
        drift(before, after, Thresholds(*limits)).severity
        for limits in ((0.1, 0.25), (psi, psi), (psi, 1.0), (psi / 3, psi / 2))
    ]
    assert found == [STABLE, MODERATE, MODERATE, MAJOR]
    assert len(drift(np.arange(1000), np.arange(1000), Thresholds(bins=20)).bins) == 20
    wide = drift(before, ["a"] * 1000, Thresholds(epsilon=0.01)).psi
    assert wide == pytest.approx(0.5 * math.log(2) + 0.49 * math.log(50))


def test_counts_that_may_be_short_are_told() -> None:
    """Where the current side lists not all of its values, a note says by how much a count may be too low."""
    before = summary(["a"] * 50 + ["b"] * 50)
    after = replace(
        before,
        frequent=Frequent((("a", 50),), rest=50, over=9, complete=False),
        distinct=Distinct(20_000, 0.008),
    )
    found = compare_columns(before, after, Thresholds())
    assert told(found) == {"a": (50, 50), "b": (50, 0), "(unseen)": (0, 50)}
    assert found.note == "counts may lack up to 9 rows"


VALUES: tuple[st.SearchStrategy[Any], ...] = (
    st.floats(width=64) | st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.booleans() | st.none(),
    st.text(max_size=3) | st.none(),
    st.sampled_from(["a", "b", "c"]),
    st.binary(max_size=2) | st.none(),
    st.lists(st.integers(0, 1), max_size=2) | st.none(),
    st.dates() | st.none(),
    st.just(None),
)
sides = st.lists(
    st.sampled_from(VALUES).flatmap(lambda it: st.lists(it, max_size=12)), min_size=2, max_size=2
)


def _all(column: ColumnDrift) -> list[ColumnDrift]:
    return [column, *column.facets.values()]


@settings(max_examples=25)
@given(sides)
def test_any_two_columns_compare(lists: list[list[Any]]) -> None:
    """Whatever is compared, numbers are finite and at least 0, the counts of each side are its rows, equal sides are stable, and nothing warns."""
    with warnings.catch_warnings():
        before, after = (summary(values) for values in lists)
        warnings.simplefilter("error")
        found, same = (compare_columns(before, it, Thresholds()) for it in (after, before))
    for column in _all(found):
        numbers = [getattr(column, name) for name in MEASURES]
        assert all(number is None or 0 <= number < math.inf for number in numbers)
    for column in _all(same):
        assert (column.severity, column.psi or 0, column.wasserstein or 0) == (STABLE, 0, 0)
    if found.bins and found.kind != "text":
        assert sum(it.baseline for it in found.bins) == before.rows
        assert sum(it.current for it in found.bins) == after.rows
    assert all(it.baseline or it.current for it in found.bins)


def test_many_columns_are_told_in_the_order_of_the_baseline() -> None:
    """2,000 columns have a report, in the order of the baseline."""
    columns = tuple(ColumnSummary(f"c{number}", "string", "text", rows=0) for number in range(2000))
    report = compare(TableSummary(0, columns), TableSummary(0, columns[::-1]))
    assert [column.name for column in report.columns] == [column.name for column in columns]
