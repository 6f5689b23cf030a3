"""Plots as SVG: what they say in words, what they draw, and that text stays text."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from mldata.profile.svg import WIDTH, badge, bars, compared, heatmap, histogram, key, spark

EVIL = '"><script>alert(1)</script>\u202e'
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ET.Element:
    """A plot as a program reads it."""
    return ET.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def marks(plot: ET.Element, kind: str, name: str) -> list[float]:
    """An attribute of all shapes of a kind."""
    return [float(it.get(name, "nan")) for it in plot.iter(f"{SVG}rect") if it.get("class") == kind]


def test_histogram() -> None:
    """Bins are as tall as their counts, one that is not empty is seen, and the label says the shape in words."""
    plot = drawn(histogram([1, 0, 100, 50], ["0", "1", "2", "3", "4"], title="age"))
    assert marks(plot, "mark", "height") == [1.0, 90.0, 45.0]
    assert plot.get("role") == "img"
    assert plot.get("aria-label") == "age: 151 values in 4 bins from 0 to 4; most, 100, at 2 to 3"
    assert [it.text for it in plot.iter(f"{SVG}title")] == ["0 to 1: 1", "2 to 3: 100", "3 to 4: 50"]
    short = histogram([1, 0, 100, 50], ["0", "1", "2", "3", "4"], title="age", tips=False)
    assert "<title>" not in short and "M170 104V14h84V104" in short


def test_nothing_to_draw() -> None:
    """Plots of nothing are plots, and say so."""
    assert "no values" in histogram([], [""], title="x") and "no values" in histogram(
        [0], ["1", "1"], title="x"
    )
    for text in (bars([], title="x"), compared([], [], [], title="x")):
        assert (drawn(text).get("aria-label") or "").endswith("nothing")
    drawn(spark([], title="x"))
    drawn(heatmap([], [], title="x"))


def test_bars() -> None:
    """The longest bar fills the width that there is, or ``full`` does; all others look different."""
    rows = [("a", 3.0, "3 (60%)"), ("b", 1.5, "1"), ("(other)", 0.001, "2")]
    plot = drawn(bars(rows, title="top", rest=2))
    assert marks(plot, "mark", "width") == [130.0, 65.0] and marks(plot, "rest", "width") == [1.0]
    assert plot.get("aria-label") == "top: a 3 (60%); b 1; (other) 2"
    assert marks(drawn(bars(rows, title="top", full=6)), "mark", "width") == [65.0, 32.5, 1.0]


def test_compared() -> None:
    """Both distributions are drawn to one scale, as an outline and filled, and both shares are written."""
    plot = drawn(compared(["low", "high"], [0.5, 0.5], [0.25, 0.75], title="age"))
    assert marks(plot, "was", "width") == [73.3, 73.3] and marks(plot, "is", "width") == [36.7, 110.0]
    assert plot.get("aria-label") == "age, baseline to current: low 50.0% to 25.0%; high 50.0% to 75.0%"
    assert "50.0% → 75.0%" in {it.text for it in plot.iter(f"{SVG}text")}
    assert "was" in key() and "current" in key()


def test_heatmap() -> None:
    """Of few columns each number is written, of more it is told under the mouse, of many there is one shape a colour; what is not defined is not zero."""
    small = drawn(heatmap(["a", "b"], [[1.0, -0.5], [None, -0.001]], title="Pearson"))
    assert [it.text for it in small.iter(f"{SVG}text")][-4:] == ["1.00", "-.50", "–", ".00"]
    assert [it.get("class") for it in small.iter(f"{SVG}rect")] == ["plus", "minus", "none", "minus"]
    middle = heatmap([str(it) for it in range(20)], [[0.25] * 20] * 20, title="x")
    assert middle.count("<rect") == 400 and "3, 4: 0.25" in middle
    large = heatmap([str(it) for it in range(50)], [[0.25, -0.5] * 25] * 50, title="x")
    assert "<rect" not in large and large.count("<path") == 2 and len(large) < 70_000


def test_text_stays_text() -> None:
    """Names from data get into a plot as text alone."""
    plots = (
        histogram([1], [EVIL, EVIL], title=EVIL),
        spark([1], title=EVIL),
        bars([(EVIL, 1, EVIL)], title=EVIL),
        compared([EVIL], [1], [1], title=EVIL, names=(EVIL, EVIL)),
        heatmap([EVIL], [[1]], title=EVIL),
    )
    for plot in plots:
        assert "<script" not in plot and "\u202e" not in plot
        assert f"{SVG}script" not in {it.tag for it in drawn(plot).iter()}
    assert "<script" not in key((EVIL, EVIL)) and "<script" not in badge("major", EVIL)


def test_width() -> None:
    """No plot but a heat map is wider than a phone, however long a name is."""
    assert drawn(bars([("a" * 500, 1, "1")], title="x")).get("width") == str(WIDTH)
    assert drawn(histogram([1], ["a" * 500, "b"], title="x")).get("width") == str(WIDTH)


def test_histogram_of_single_values() -> None:
    """Bins of one value each are told by it; what is beyond the edges is told in words."""
    plot = drawn(histogram([3, 4], ["1", "2", "3"], title="n", single=True, below=1200, above=7))
    assert (plot.get("aria-label") or "").endswith(
        "from 1 to 2; most, 4, at 2; not drawn: 1,200 below, 7 above"
    )
    assert [it.text for it in plot.iter(f"{SVG}title")] == ["1: 3", "2: 4"]


@pytest.mark.parametrize(
    ("severity", "sign"), [("stable", "✓"), ("moderate", "!"), ("major", "✕"), ("info", "–")]
)
def test_badge(severity: str, sign: str) -> None:
    """A severity has a sign and a word beside its colour."""
    assert f"{sign} {severity}</span>" in badge(severity) and f"{sign} w</span>" in badge(severity, "w")
