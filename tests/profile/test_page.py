"""A profile as a web page: what is in it, that it stays small, and that text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from mldata.profile.page import LIMIT, profile_page
from mldata.profile.profile import Alert, Correlation, Duplicates, Picture, Preview, Profile
from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profiling import Summaries
from tests.htmlpage import Page

EVIL = '"><img src=x onerror=alert(1)>\u202e</style></script><script>alert(1)</script>'


def profile_of(table: pa.Table, **more: object) -> Profile:
    """The profile of a table, with what its statistics do not know."""
    made = make_profile("penguins", "tabular", Summaries(summarize(table)), schema=table.schema)
    return replace(made, **more)  # type: ignore[arg-type]


def alerted(profile: Profile, *alerts: Alert) -> Profile:
    """The profile with alerts, each at its column, too."""
    columns = [
        replace(column, alerts=tuple(it for it in alerts if it.column == column.name))
        for column in profile.columns
    ]
    return replace(profile, columns=columns, alerts=alerts)


def penguins() -> Profile:
    """A table of some kinds of columns, cut into parts."""
    table = pa.table(
        {
            "species": ["Adelie", "Gentoo", "Adelie", "Chinstrap"] * 25,
            "bill_mm": pa.array([39.1, None, 46.5, 50.0] * 25),
            "tagged": [True, False, True, True] * 25,
            "seen": pa.array(np.datetime64("2024-01-01", "s") + np.arange(100) * 86400),
            "note": [f"bird number {number} of a hundred" for number in range(100)],
            "eggs": pa.array([[1], [], [1, 2], None] * 25),
        }
    )
    parts = {"train": summarize(table.slice(0, 80)), "test": summarize(table.slice(80))}
    made = make_profile(
        "penguins", "tabular", Summaries(summarize(table), parts), schema=table.schema, size=2048
    )
    pearson = Correlation("pearson", ("bill_mm", "seen"), ((1.0, -0.62), (-0.62, 1.0)), 100, left_out=3)
    preview = Preview(("species", "bill_mm"), (("Adelie", "39.1"), ("Gentoo", None)))
    made = replace(made, correlations=(pearson,), preview=preview)
    return alerted(
        made,
        Alert("duplicates", "4 rows equal an earlier one", "info"),
        Alert("missing", "25% of the values are missing", "warning", "bill_mm", 0.25),
    )


def test_has_everything() -> None:
    """What matters comes first, and each section is there, with every column in a line and a card."""
    page = Page(profile_page(penguins()))
    sections = [attrs["id"] for tag, attrs in page.elements if tag == "section"]
    assert sections == ["overview", "alerts", "parts", "columns", "correlations", "missing", "sample"]
    for told in (
        "Rows100",
        "Missing values8.3%in 2 columns",
        "Size2.0 KiB",
        "Alerts21 warning",
        "! warning",
        "bill_mm: 25% of the values are missing",
        "4 rows equal an earlier one",
        "mean 45.2, median 46.5, 39.1 to 50",
        "2024-01-01",
        "Strongest pairs",
        "3 more columns are left out",
        "null",
    ):
        assert told in page.text, told
    assert [attrs["id"] for tag, attrs in page.elements if tag == "article"] == [
        f"column-{at}" for at in range(1, 7)
    ]
    assert sum(tag == "tr" and "data-missing" in attrs for tag, attrs in page.elements) == 6


def test_alerts_lead_to_their_columns() -> None:
    """Every link within the page arrives, and that of an alert at the card of its column."""
    text = profile_page(penguins())
    page = Page(text)
    ids = page_ids(page)
    links = page.values("a", "href")
    assert all(link[0] == "#" and link[1:] in ids for link in links) and len(set(ids)) == len(ids)
    alerts = text[text.index('<section id="alerts"') : text.index('<section id="parts"')]
    assert '<a href="#column-2">bill_<wbr>mm</a>: 25%' in alerts


def page_ids(page: Page) -> list[str]:
    """All anchors."""
    return [value for _, attrs in page.elements if (value := attrs.get("id"))]


def test_bytes_have_sizes() -> None:
    """Of bytes sizes are told, of texts and lists lengths."""
    told = {
        name: Page(profile_page(profile_of(pa.table({"x": values})))).text
        for name, values in (("bytes", [b"a", b"bcd", b"ef"]), ("lists", [[1], [1, 2, 3], []]))
    }
    assert "Percentiles of sizes" in told["bytes"] and "max size3" in told["bytes"]
    assert "Percentiles of lengths" in told["lists"] and "max length3" in told["lists"]


def test_one_is_not_told_as_many() -> None:
    """What is left out, or there, once is told so."""
    table = pa.table({"n": [*range(21), 0], "lone": pa.array([1, *[None] * 21])})
    pearson = Correlation("pearson", ("n", "lone"), ((1.0, None), (None, 1.0)), 22, left_out=1)
    names = tuple(f"c{number}" for number in range(61))
    preview = Preview(names, (names,))
    page = Page(profile_page(profile_of(table, correlations=(pearson,), preview=preview)))
    for told in ("in 1 column", "1 more column is left out", "1 row as it is"):
        assert told in page.text, told
    assert not re.search(r"(?<![\d.,])1 (more )?(columns|rows|values|texts|parts)", page.text)


def test_many_alerts_of_a_kind_are_one() -> None:
    """Where columns share a kind of alert, they are named in one line, a bounded number of them."""
    made = profile_of(pa.table({f"c{number}": [1, 2] for number in range(60)}))
    made = alerted(made, *(Alert("skewed", f"skewness {it}", "info", f"c{it}", it) for it in range(60)))
    page = Page(profile_page(made))
    assert "skewed: 60 columns" in page.text and "c29: skewness 29and 30 more" in page.text


def test_every_plot_is_told_in_words() -> None:
    """A picture has a label, a table heads with a scope, and headings go down one level at a time."""
    page = Page(profile_page(penguins()))
    plots = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert len(plots) > 20 and all(
        it.get("role") == "img" and len(it["aria-label"] or "") > 10 for it in plots
    )
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.elements if tag == "th")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("main") == tags.count("nav") == tags.count("header") == 1
    skip = next(attrs for tag, attrs in page.elements if tag == "a")
    assert skip["href"] == "#main"


def test_parts_are_compared() -> None:
    """Each card has a line, or a column, for each part: its distribution over the axis that all share, and its numbers."""
    text = profile_page(penguins())
    card = text[
        text.index('<article class="column" id="column-2"') : text.index(
            '<article class="column" id="column-3"'
        )
    ]
    told = Page(f"<html>{card}</html>").text
    assert re.search(r"train.*46.5.*25%.*test.*46.5.*25%", told) and card.count("<svg") == 3
    species = text[
        text.index('<article class="column" id="column-1"') : text.index(
            '<article class="column" id="column-2"'
        )
    ]
    assert "Adelie50%50%Chinstrap25%25%" in Page(f"<html>{species}</html>").text


def test_few_parts_of_many_are_compared() -> None:
    """A part is told as its column is, however few rows it has; of very many parts some are shown, and how many are not is said."""
    table = pa.table({"id": [f"x{at}y" + "z" * (at % 7) for at in range(60)], "kind": ["a", "b", "c"] * 20})
    few = summarize(table.slice(0, 3))
    made = make_profile("t", "tabular", Summaries(summarize(table), dict.fromkeys("abcdefghij", few)))
    text = profile_page(made)
    cards = text[text.index('<div id="cards">') : text.index('<section id="missing"')]
    assert (
        cards.count("2 more parts are not shown") == 2
        and cards.count('aria-label="histogram of lengths') == 8
    )


def test_text_stays_text() -> None:
    """Names, values, titles and types of files from data are text wherever they stand."""
    table = pa.table({EVIL: [EVIL, None, "b"], "x": [1, 2, 2]})
    summaries = Summaries(summarize(table), {EVIL: summarize(table)})
    made = replace(
        make_profile(EVIL, "tabular", summaries, schema=table.schema),
        correlations=(Correlation(EVIL, (EVIL, "x"), ((1, 0.9), (0.9, 1)), 3),),
        preview=Preview((EVIL,), ((EVIL,),), (Picture(EVIL, "image/png", b"x"), Picture("f", EVIL, b"x"))),
    )
    made = alerted(made, Alert(EVIL, EVIL, "warning", EVIL), Alert("x", EVIL))
    made = replace(made, missing_patterns=(((EVIL,), 1),))
    text = profile_page(made)
    page = Page(text)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1 and tags.count("img") == 1 and tags.count("style") == 1
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "\u202e" not in text and text.count("<script") == 1 and "f" in page.text
    assert "1 more is left out" in page.text


def test_needs_nothing_else() -> None:
    """Nothing is loaded: pictures and sounds are in the page, and its policy lets its one script run and nothing else."""
    png, wav = Picture("a.png", "image/png", b"\x89PNG"), Picture("a.wav", "audio/wav", b"RIFF")
    text = profile_page(replace(penguins(), kind="images", preview=Preview(media=(png, wav))))
    page = Page(text)
    assert page.values("img", "src") == ["data:image/png;base64,iVBORw=="]
    assert page.values("audio", "src") == ["data:audio/wav;base64,UklGRg=="]
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text
    policy = page.values("meta", "content")[0]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert (
        "'unsafe-inline'" not in policy.split("script-src")[1]
        and "cookie" not in text
        and "Storage" not in text
    )


def wide(count: int, name: str) -> Profile:
    """A table of very many columns, in parts."""
    one = profile_of(pa.table({"x": np.random.default_rng(7).normal(size=40)}))
    made = replace(one, columns=[replace(one.columns[0], name=name.format(at)) for at in range(count)])
    made = replace(made, parts={"train": made, "test": made})
    return alerted(made, Alert("skewed", "it has a long tail", "warning", made.columns[-1].name, 9.0))


@pytest.mark.parametrize("name", ["feature {} ü", "\u202e" * 60 + "a\u0301" * 5000 + "{}"])
def test_stays_small(name: str) -> None:
    """Of 2,000 columns each is at least in the table, those with warnings have cards, and what is left out is said; the page stays below 2 MB."""
    made = wide(2000, name)
    media = tuple(Picture(str(number), "image/png", bytes(50_000)) for number in range(100))
    row = tuple(("x" * 10_000,) * 2000)
    preview = Preview([it.name for it in made.columns], [["\x00" * 10_000] * 2000 for _ in row[:3]], media)
    names = [it.name for it in made.columns[:50]]
    matrix = tuple((0.5,) * 50 for _ in range(50))
    made = replace(
        made,
        preview=preview,
        correlations=(Correlation("pearson", names, matrix, 40), Correlation("spearman", names, matrix, 40)),
        missing_patterns=((names, 3),),
        title=name * 100,
    )
    text = profile_page(made)
    assert len(text.encode()) <= LIMIT < 2_000_000
    page = Page(text)
    ids = set(page_ids(page))
    assert "column-2000" in ids or "row-2000" not in ids
    assert all(link[1:] in ids for link in page.values("a", "href"))
    assert "to keep this page small" in page.text and "more are left out" in page.text
    assert "column-1" in ids
    if name.isascii() or "ü" in name:
        assert {f"row-{at}" if f"column-{at}" not in ids else f"column-{at}" for at in range(1, 2001)} <= ids


@pytest.mark.parametrize(
    "table",
    [
        pa.table({}),
        pa.table({"a": pa.array([], pa.int64()), "": pa.array([], pa.string())}),
        pa.table({"a": pa.nulls(3), "b": [float("nan")] * 3, "c": [float("inf"), 1e308, -1e308]}),
        pa.table([pa.array([1, 2]), pa.array(["x", ""])], names=["a", "a"]),
        pa.table({"a": pa.array([10**30, -(10**37)], pa.decimal128(38, 0)), "b": [{"x": 1}, None]}),
        pa.table({"表示": ["語" * 10_000, "\ud7ff"], "t": pa.array([0, 2**62], pa.timestamp("ns"))}),
    ],
)
def test_odd_tables(table: pa.Table) -> None:
    """Tables with nothing in them, with twins among names, with numbers beyond all measure, have a page all the same."""
    text = profile_page(profile_of(table))
    ids = page_ids(Page(text))
    assert len(ids) == len(set(ids))
    assert not re.search(r"\b(nan|inf|None)\b", Page(text).text)


def test_same_page_for_same_profile() -> None:
    """Nothing but the profile is in the page."""
    assert profile_page(penguins()) == profile_page(penguins())


def test_sample_is_said() -> None:
    """That only a share of the rows was looked at, or that numbers are estimates, is said where the numbers are."""
    made = penguins()
    columns = [replace(made.columns[0], distinct=1234, distinct_error=0.01), *made.columns[1:]]
    text = Page(profile_page(replace(made, share=0.1, columns=columns))).text
    assert "a sample of 10%" in text and "≈ 1,234 (±1.0%)" in text and "estimates" in text


def test_estimates_of_duplicate_rows_are_told_as_such() -> None:
    """Of a table, and of its parts, it is seen whether duplicate rows were counted; where none may be there, that is said."""
    made = penguins()
    parts = {
        "train": replace(made.parts["train"], duplicates=Duplicates(596_560, 0.497, 0.008)),
        "test": replace(made.parts["test"], duplicates=Duplicates(1_234, 0.25)),
    }
    page = Page(profile_page(replace(made, duplicates=Duplicates(10, 0.0, 0.008), parts=parts)))
    assert "Duplicate rows0 to 2.4%" in page.text and "are estimates" in page.text
    assert "≈ 597,000" in page.text and "1,234" in page.text


def test_bins_and_values_that_lie_near_each_other_are_told_apart() -> None:
    """Where four digits are too few there are more: of bins, of percentiles and of frequent values."""
    table = pa.table(
        {
            "seconds": [1_600_000_000 + number * 1000 for number in range(100)],
            "ratio": [1.00001, 1.00002, 1.00002, 1.00004] * 25,
        }
    )
    text = profile_page(profile_of(table))
    page = Page(text)
    assert "1,600,000,000 to 1,600,099,000" in page.text and "1,600,049,500" in page.text
    assert "1.000012525%" in page.text and "1.000025050%" in page.text
    bins = re.findall(r"<title>(1,600,\d\d\d,\d\d\d) to (1,600,\d\d\d,\d\d\d): \d+</title>", text)
    assert len(bins) > 5 and all(low < high for low, high in bins)
