"""Some columns of a table are told as if it had no others."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import UsageError
from mldata.profile.choice import check_columns, column_names, only_columns
from mldata.profile.summarize import summarize

TABLE = pa.table({"a": [1, None, 3, None], "b": ["x", None, None, None], "c": [True, False, None, True]})


def test_a_summary_of_some_columns() -> None:
    """Columns, what is missing together, and the sample are those of the table with these columns alone, in the order asked for."""
    kept, made = only_columns(summarize(TABLE), ["b", "a"]), summarize(TABLE.select(["b", "a"]))
    assert [column.name for column in kept.columns] == ["b", "a"]
    assert {frozenset(names): count for names, count in kept.missing} == {
        frozenset(names): count for names, count in made.missing
    }
    assert kept.sample is not None and made.sample is not None
    assert set(kept.sample.numbers) == set(made.sample.numbers) == {"a"}
    assert set(kept.sample.codes) == set(made.sample.codes) == {"b"}


def test_duplicates_stay_those_of_whole_rows() -> None:
    """Rows that differ in a column which is not shown are no duplicates."""
    table = pa.table({"a": [1, 1, 1], "b": [1, 2, 2]})
    found = only_columns(summarize(table), ["a"]).distinct_rows
    assert found is not None and found.estimate == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b", ["a", "b"]),
        (" b , a,b", ["b", "a"]),
        ('"a,b", c', ["a,b", "c"]),
        ("", []),
        (" ,, ", []),
        ("a b", ["a b"]),
        ('" a" , b', [" a", "b"]),
        ('"",b', ["", "b"]),
        ('"say ""hi""",b', ['say "hi"', "b"]),
        ('5" screen,"', ['5" screen', '"']),
        ("a\nb,c", ["a\nb", "c"]),
    ],
)
def test_names_in_a_flag(text: str, names: list[str]) -> None:
    """Names stand between commas, each counts once, and any name can be said."""
    assert column_names(text) == names


@given(st.lists(st.text(' ab,"\n', max_size=4), unique=True, min_size=1, max_size=4))
def test_what_an_error_tells_can_be_typed(names: list[str]) -> None:
    """The names that there are stand in the error as the flag takes them; line ends alone become spaces."""
    with pytest.raises(UsageError) as found:
        check_columns(["nothing like it"], names)
    assert found.value.hint is not None
    told = found.value.hint.removeprefix("there are: ")
    assert column_names(told) == list(dict.fromkeys(name.replace("\n", " ") for name in names))


def test_an_unknown_column() -> None:
    """The nearest name is told, or what there is."""
    with pytest.raises(UsageError, match="found 'specis'") as found:
        check_columns(["species", "specis"], ["species", "island"])
    assert found.value.hint == "Did you mean: species"
    with pytest.raises(UsageError) as found:
        check_columns(["zzz"], [f"c{n}" for n in range(2000)])
    assert found.value.hint is not None and found.value.hint.endswith("c19, ...")
    with pytest.raises(UsageError, match="found none"):
        check_columns([], ["a"])
