"""A profile in a terminal is readable at any width, and obeys nothing that is in the data."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.cells import width
from mldata.profile.profile import Alert, Profile
from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profile.terminal import WARNING, Room, plain, profile_lines
from mldata.profiling import Summaries

MIXED = pa.table(
    {
        "name": [f"person {n}" for n in range(40)],
        "kind": ["a", "b"] * 20,
        "height": [150.0 + n for n in range(39)] + [None],
        "born": pa.array([n * 86_400 for n in range(40)], pa.timestamp("s")),
        "gone": pa.nulls(40),
    }
)


def profile(table: pa.Table, parts: int = 0) -> Profile:
    """With the first rows as its first part, and so on."""
    size = max(table.num_rows // parts, 1) if parts else 0
    found = {f"part {n}": summarize(table.slice(n * size, size)) for n in range(parts)}
    return make_profile("t", "tabular", Summaries(summarize(table), found), schema=table.schema, size=1234)


def told(found: Profile, room: Room | None = None) -> str:
    return plain(profile_lines(found, room or Room()))


def test_what_is_told() -> None:
    """The table in a line, then a line a column: name, type, missing, distinct, how values are spread, and what they are like."""
    lines = told(profile(MIXED), Room(120)).splitlines()
    assert lines[:3] == ["t", "40 rows, 5 columns, 1.2 KiB, 20.5% missing, no duplicate rows", ""]
    by_name = {line.split()[0]: line for line in lines[3:9]}
    assert list(by_name) == ["column", "name", "kind", "height", "born", "gone"]
    assert by_name["kind"].split() == ["kind", "string", "2", "██", "a", "50%,", "b", "50%"]
    assert "2.5%" in by_name["height"] and "mean 169, median 169, 150 to 188" in by_name["height"]
    assert "1970-01-01 to 1970-02-09" in by_name["born"]
    assert by_name["gone"].split() == ["gone", "null", "100%", "0", "no", "values", "but", "nulls"]


def test_a_number_stays_with_its_unit() -> None:
    """However wide the terminal is, the head breaks between two facts, never inside of one, and its spaces are plain ones."""
    found = replace(profile(MIXED), rows=123_456_789, size=12_345_678_901)
    for cells in range(72, 100):
        lines = plain(profile_lines(found, Room(cells), 0.4)).splitlines()
        head = lines[1 : lines.index("")]
        assert all(line.endswith(",") for line in head[:-1])
        assert " ".join(head) == (
            "123,456,789 rows, 5 columns, 11.5 GiB, 20.5% missing, no duplicate rows, 0.4 s"
        )


@pytest.mark.parametrize("cells", [72, 80, 100, 160])
@pytest.mark.parametrize("parts", [0, 3, 30])
def test_no_line_is_too_wide(cells: int, parts: int) -> None:
    """Whatever there is to tell, it fits."""
    wide = MIXED.rename_columns(["数据" * 40, "k", "a very long name of a column indeed " * 5, "b", "g"])
    found = profile(wide, parts)
    found = replace(
        found, title="/a/long/path" * 20, alerts=[Alert("x", "word " * 80, column=wide.column_names[0])]
    )
    assert all(width(line) <= cells for line in told(found, Room(cells)).splitlines())


def test_many_columns() -> None:
    """Of 2,000 columns the first ones are shown, with how to see the others; all of them if that is asked for."""
    one = profile(pa.table({"x": [1, 2]}))
    found = replace(one, columns=[replace(one.columns[0], name=f"c{n}") for n in range(2000)])
    text = told(found)
    assert "\nc49 " in text and "\nc50 " not in text
    assert "and 1,950 more columns: -v shows all" in text
    assert "\nc1999 " in told(found, Room(everything=True))


def test_alerts() -> None:
    """Warnings come first, and can be told from the rest without colours; of very many the first are shown."""
    alerts = [Alert("skewed", f"is skewed {n}", column=f"c{n}") for n in range(30)]
    found = replace(profile(MIXED), alerts=[*alerts, Alert("duplicates", "5 rows", "warning")])
    lines = told(found).splitlines()
    at = lines.index("alerts")
    assert lines[at + 1 : at + 3] == ["  ! 5 rows", "  - c0: is skewed 0"]
    assert lines[-1] == "  and 11 more: -v shows all of them"
    tones = [line[0][1] for line in profile_lines(found, Room()) if line and line[0][0] == "  ! "]
    assert tones == [WARNING]


def test_parts() -> None:
    """Parts are told side by side: their rows, and each column in each."""
    text = told(profile(MIXED, 2))
    assert "part 0    20    50%" in text
    assert "a 50%, b 50%" in text
    heads = next(line for line in text.splitlines() if line.startswith("column") and "part" in line)
    assert heads.split() == ["column", "part", "0", "part", "1"]


def test_without_blocks() -> None:
    """A terminal without Unicode gets bars that it can show, and nothing else that it cannot."""
    assert told(profile(MIXED, 2), Room(ascii_only=True)).isascii()


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=20), st.lists(st.text(max_size=40), max_size=6))
def test_data_is_only_text(name: str, values: list[str]) -> None:
    """No name or value brings a line end, an escape sequence or a mark that turns text around."""
    name = name.encode(errors="ignore").decode() or "x"
    values = [value.encode(errors="ignore").decode() for value in values]
    found = profile(pa.table({name: pa.array(values, pa.string())}))
    assert len(told(replace(found, alerts=())).splitlines()) == 5
    assert all(line.isprintable() for line in told(found).split("\n"))


def test_nothing_at_all() -> None:
    """A table without columns, or without rows, is told as such."""
    assert told(profile(pa.table({}))).splitlines()[1].startswith("0 rows, 0 columns")
    assert "no values" in told(profile(MIXED.slice(0, 0)))
