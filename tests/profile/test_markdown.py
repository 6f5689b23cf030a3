"""A profile in Markdown is what GitHub shows as it is meant, whatever is in the data, and never more than it takes."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mldata.profile.markdown import LIMIT, profile_markdown
from mldata.profile.profile import Alert, Correlation, Profile
from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profiling import Summaries


def profile(table: pa.Table, parts: int = 0) -> Profile:
    found = {f"part{n}": summarize(table) for n in range(parts)}
    return make_profile("t", "tabular", Summaries(summarize(table), found), schema=table.schema)


def parsed(text: str) -> list[Token]:
    """As GitHub reads it, near enough: CommonMark with tables and raw HTML."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def cells(text: str) -> list[str]:
    """What stands in the first cell of each row of a table, without its markup."""
    tokens = parsed(text)
    first = [n + 2 for n, token in enumerate(tokens) if token.type == "tr_open"]
    return ["".join(child.content for child in tokens[at].children or ()) for at in first]


def test_what_is_told() -> None:
    """A table of columns, one of the parts side by side, and one of the numbers."""
    table = pa.table({"x": [1.0, 2.0, 9.0, None], "y": ["a", "a", "b", "b"]})
    text = profile_markdown(profile(table, 2))
    assert text.startswith("# Profile of `t`\n\n4 rows, 2 columns, 12.5% missing, no duplicate rows\n")
    assert "| `x` | `double` | 25% | 3 | " in text and "mean 4, median 2, 1 to 9 |" in text
    assert "| `y` | `string` |  | 2 | ██ | `a` 50%, `b` 50% |" in text
    assert "|  | `part0` | `part1` |" in text and "| rows | 4 (50%) | 4 (50%) |" in text
    assert "| `x` | 4 (std 4.359) | 4 (std 4.359) |" in text
    assert cells(text) == [
        "column",
        "x",
        "y",
        "",
        "rows",
        "missing",
        "duplicate rows",
        "x",
        "y",
        "column",
        "x",
    ]


def test_alerts_and_what_goes_together() -> None:
    """Warnings first; pairs of columns that hardly go together are left out; nobody is mentioned."""
    found = replace(
        profile(pa.table({"x": [1, 2]})),
        alerts=[
            Alert("a", "of *any* sort", column="x"),
            Alert("b", "ask @someone at http://www.x", "warning"),
        ],
        correlations=[
            Correlation("pearson", ("x", "y", "z"), ((1, 0.9, 0.1), (0.9, 1, None), (0.1, None, 1)), 2)
        ],
    )
    text = profile_markdown(found)
    said = "- **warning** ask @<!-- -->someone at http:<!-- -->//w<!-- -->ww.x"
    assert text.index(said) < text.index("- `x`: of \\*any\\* sort")
    assert "- `x` and `y`: 0.90 (Pearson)\n" in text
    assert "`z`" not in text


@settings(max_examples=40)
@given(
    st.text("ab|`*_<>[]()#&!\\\n\r\t -~@:/\x1b\N{RIGHT-TO-LEFT OVERRIDE}数", min_size=1, max_size=12),
    st.lists(st.text("ab|`*_<>&\\\n $", max_size=8), min_size=4, max_size=4),
)
def test_data_is_only_text(name: str, values: list[str]) -> None:
    """Whatever a name or a value is, the rows and cells stay where they are, and nothing becomes markup."""
    table = pa.table({name: values, "last": [1.0, 1.0, 2.0, 3.5]})
    text = profile_markdown(replace(profile(table, 1), title=name, alerts=[Alert("x", name, column=name)]))
    assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) == {"\n"}
    tokens = parsed(text)
    widths = [token for token in tokens if token.type in ("th_open", "td_open")]
    assert len(widths) == 6 * 3 + 2 * 6 + 12 * 2
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {
        child.type for child in inline if child.type not in ("strong_open", "strong_close", "html_inline")
    }
    assert kinds <= {"text", "code_inline", "text_special"}
    assert all(child.content == "<!-- -->" for child in inline if child.type == "html_inline")


@pytest.mark.no_cover
def test_it_is_never_too_long() -> None:
    """1,000 columns with long names, many parts and alerts stay below the limit, and what is left out is told."""
    one = profile(pa.table({"x": ["v" * 200, "w`|" * 70]}))
    names = [f"{n} " + "long \U0001f600|" * 30 for n in range(1000)]
    found = replace(one, columns=[replace(one.columns[0], name=name) for name in names])
    alerts = [Alert("x", "word " * 200, column=name) for name in names]
    together = Correlation("pearson", names[:50], [[1.0] * 50] * 50, 2)
    many = replace(found, alerts=alerts, correlations=[together], title="t" * 5000)
    text = profile_markdown(replace(many, parts={f"part {n}" * 9: many for n in range(40)}))
    assert len(text.encode("utf-16-le")) // 2 < LIMIT
    assert "more columns, which an HTML or JSON report has" in text
    assert "and 32 more parts" in text
    assert len(cells(text)) > 100
