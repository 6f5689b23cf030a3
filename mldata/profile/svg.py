"""Plots as SVG inside a page: histograms, bars, two distributions side by side, heat maps; and the words of a severity with its colour.

Format: SVG 2 as HTML5 embeds it. A plot is one picture to a screen reader (``role="img"``), whose label says in words what it shows; nothing is told by
colour alone; its colours are those of :mod:`mldata.webpage`, light or dark, through :data:`STYLE`. Text that comes in is text: it is escaped here. Plots are
at most :data:`WIDTH` wide, but for heat maps: their letters stay as large on a phone. Equal arguments give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from mldata.cells import clipped
from mldata.markdown import one_line
from mldata.plural import counted
from mldata.webpage import escaped, verdict

__all__ = ["STYLE", "WIDTH", "badge", "bars", "compared", "heatmap", "histogram", "key", "short", "spark"]

WIDTH, HEIGHT = 340, 90
"""Pixels; the height of the highest bin."""
SMALL = 120, 24
STYLE = """
.plot{display:block;max-width:100%;height:auto;overflow:visible;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.plot text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--soft);font-variant-numeric:tabular-nums}
.plot .name{fill:var(--text)}.plot .end{text-anchor:end}.plot .mid{text-anchor:middle}
.plot .axis{stroke:var(--line);stroke-width:1;fill:none}
.plot .mark{fill:var(--mark)}.plot .mark:hover{fill:var(--text)}.plot .rest{fill:var(--greyfill)}
.plot .track{fill:var(--panel)}
.plot .was{fill:var(--back);stroke:var(--was);stroke-width:1.5}.plot .is{fill:var(--mark)}
.plot .plus{fill:var(--plus)}.plot .minus{fill:var(--minus)}.plot .none{fill:var(--panel)}
.key{display:flex;flex-wrap:wrap;gap:.1rem 1rem;list-style:none;margin:.25rem 0;padding:0;font-size:.85rem;color:var(--soft)}
.key svg{vertical-align:-1px;margin-right:.35rem}
"""
"""The rules of plots; goes into the page with ``page(..., style=STYLE)``."""

_SEVERITIES = {"stable": "green", "moderate": "yellow", "major": "red", "info": "grey", "warning": "yellow"}


def badge(severity: str, word: str | None = None) -> str:
    """A severity of drift or of an alert in its colour, with its sign. ``word``: what is written instead of the severity."""
    return verdict(word if word is not None else severity, _SEVERITIES[severity])


def short(text: str, cells: int) -> str:
    """Text of data as markup of at most so many cells; however many marks stand on one character, its bytes are bounded as well."""
    return _short(text[: 4 * cells], len(text) > 4 * cells, cells)


@lru_cache(maxsize=8192)
def _short(text: str, cut: bool, cells: int) -> str:
    plain = text if text.isprintable() else one_line(text)
    return escaped(clipped(plain + ("…" if cut else ""), cells))


def histogram(
    counts: Sequence[int],
    edges: Sequence[str],
    *,
    title: str,
    tips: bool = True,
    single: bool = False,
    below: int = 0,
    above: int = 0,
) -> str:
    """Counts of bins of equal width.

    Args:
        edges: those of the bins as text, one more than there are counts.
        title: what is counted.
        tips: each bin says what it is where a mouse is over it.
        single: each bin holds one value alone, its lower edge.
        below, above: how many values are beyond the first and the last edge.
    """
    top, base = 14, 14 + HEIGHT
    most, total, step = max(counts, default=0), sum(counts), WIDTH / max(1, len(counts))
    spans = [low if single else f"{low} to {high}" for low, high in pairwise(edges)]
    shapes = list(_columns(counts, spans if tips else None, most, step, top, base))
    shapes.append(f'<path class="axis" d="M0 {base}.5H{WIDTH}"/>')
    if not most:
        shapes.append(f'<text class="mid" x="{WIDTH // 2}" y="{base - 8}">no values</text>')
        return _plot(WIDTH, base + 20, f"{title}: no values", shapes)
    last = edges[-2] if single else edges[-1]
    peak = spans[max(range(len(counts)), key=counts.__getitem__)]
    said = f"{title}: {counted(total, 'value')} in {counted(len(counts), 'bin')} from {edges[0]} to {last}; most, {most:,}, at {peak}"
    shapes.append(f'<text x="0" y="10">{most:,} at most</text>')
    shapes.append(f'<text x="0" y="{base + 14}">{short(edges[0], 26)}</text>')
    shapes.append(f'<text class="end" x="{WIDTH}" y="{base + 14}">{short(last, 26)}</text>')
    beyond = [f"{count:,} {side}" for count, side in ((below, "below"), (above, "above")) if count]
    if beyond:
        told = f"not drawn: {', '.join(beyond)}"
        shapes.append(f'<text class="end" x="{WIDTH}" y="10">{told}</text>')
        said += f"; {told}"
    return _plot(WIDTH, base + 20, said, shapes)


def _columns(
    counts: Sequence[int], spans: Sequence[str] | None, most: int, step: float, top: int, base: int
) -> Iterator[str]:
    """A shape a bin that says what it is, or one shape of all."""
    gap = 1 if step > 4 else 0
    path = []
    for at, count in enumerate(counts):
        if not count:
            continue
        tall = max(1.0, (base - top) * count / most)
        x, y, wide = _number(at * step), _number(base - tall), _number(step - gap)
        if spans is None:
            path.append(f"M{x} {base}V{y}h{wide}V{base}")
            continue
        box = f'x="{x}" y="{y}" width="{wide}" height="{_number(tall)}"'
        yield f'<rect class="mark" {box}><title>{escaped(spans[at])}: {count:,}</title></rect>'
    if path:
        yield f'<path class="mark" d="{"".join(path)}z"/>'


def spark(counts: Sequence[int], *, title: str) -> str:
    """A small histogram without letters; ``title`` says in words what it shows."""
    width, height = SMALL
    most, step = max(counts, default=0), width / max(1, len(counts))
    path = []
    for at, count in enumerate(counts):
        if count:
            tall = _number(max(1.0, (height - 2) * count / most))
            path.append(f"M{_number(at * step)} {height - 1}v-{tall}h{_number(step - 0.5)}v{tall}z")
    drawn = f'<path class="mark" d="{"".join(path)}"/>' if path else ""
    return _plot(width, height, title, [drawn, f'<path class="axis" d="M0 {height - 0.5}H{width}"/>'])


def bars(
    rows: Sequence[tuple[str, float, str]], *, title: str, full: float | None = None, rest: int | None = None
) -> str:
    """A bar each.

    Args:
        rows: name, length and what is written at the end of each.
        full: the length that fills the width; None: that of the longest.
        rest: which of them stands for all others, and looks different.
    """
    most = full or max((length for _, length, _ in rows), default=0) or 1
    shapes = []
    for at, (name, length, told) in enumerate(rows):
        y = at * 20
        wide = max(1.0 if length else 0.0, 130 * min(1.0, length / most))
        kind = "rest" if at == rest else "mark"
        shapes.append(
            f'<text class="name" x="0" y="{y + 13}">{_tip(name, 18)}</text><rect class="track" x="130" y="{y + 3}" width="130" height="13"/>'
            f'<rect class="{kind}" x="130" y="{y + 3}" width="{_number(wide)}" height="13"/><text x="266" y="{y + 13}">{escaped(told)}</text>'
        )
    said = "; ".join(f"{name[:40]} {told}" for name, _, told in rows) or "nothing"
    return _plot(WIDTH, 20 * max(1, len(rows)), f"{title}: {said}", shapes)


def compared(
    labels: Sequence[str],
    baseline: Sequence[float],
    current: Sequence[float],
    *,
    title: str,
    names: tuple[str, str] = ("baseline", "current"),
) -> str:
    """Two distributions over the same bins: of each bin the baseline as an outline, the current one filled below it, and both shares in words.

    Args:
        labels: of the bins.
        baseline, current: shares of the bins, 0 to 1.
        names: what the two are called; :func:`key` draws what tells them apart.
    """
    most = max([*baseline, *current], default=0.0) or 1.0
    shapes, said = [], []
    for at, (label, before, now) in enumerate(zip(labels, baseline, current, strict=True)):
        y = at * 26
        told = f"{_share(before)} → {_share(now)}"
        said.append(f"{label} {_share(before)} to {_share(now)}")
        shapes.append(
            f'<text class="name" x="0" y="{y + 16}">{_tip(label, 18)}</text>'
            f'<rect class="was" x="130.5" y="{y + 2.5}" width="{_number(110 * before / most)}" height="8"/>'
            f'<rect class="is" x="130" y="{y + 12}" width="{_number(110 * now / most)}" height="9"/>'
            f'<text class="end" x="{WIDTH}" y="{y + 16}">{told}</text>'
        )
    return _plot(
        WIDTH,
        26 * max(1, len(labels)),
        f"{title}, {names[0]} to {names[1]}: {'; '.join(said) or 'nothing'}",
        shapes,
    )


def key(names: tuple[str, str] = ("baseline", "current")) -> str:
    """What the outlined and the filled bars of :func:`compared` stand for."""
    marks = (
        '<rect class="was" x=".75" y=".75" width="18.5" height="8.5"/>',
        '<rect class="is" width="20" height="10"/>',
    )
    items = (
        f'<li><svg class="plot" style="display:inline-block" width="20" height="10" aria-hidden="true">{mark}</svg>{escaped(name)}</li>'
        for name, mark in zip(names, marks, strict=True)
    )
    return f'<ul class="key">{"".join(items)}</ul>'


def heatmap(
    names: Sequence[str], matrix: Sequence[Sequence[float | None]], *, title: str, about: str = ""
) -> str:
    """Numbers from -1 to 1 of each two of some columns; deep is far from 0, of few columns the number is written, too.

    Args:
        names: of rows and columns alike.
        matrix: symmetric; None where there is no number.
        about: what a screen reader is told of the numbers.
    """
    size = 34 if len(names) <= 12 else (22 if len(names) <= 24 else 14)
    left, top = 130, 96
    shapes = []
    for at, name in enumerate(names):
        middle = at * size + size / 2
        shapes.append(
            f'<text class="name end" x="{left - 6}" y="{_number(top + middle + 4)}">{_tip(name, 20)}</text>'
        )
        x = _number(left + middle + 3)
        shapes.append(
            f'<text class="name" transform="translate({x} {top - 6}) rotate(-55)">{_tip(name, 16)}</text>'
        )
    shapes += _cells(names, matrix, size, left, top)
    wide = left + size * len(names) + 40
    return _plot(wide, top + size * len(names) + 2, f"{title}, {len(names)} columns{about}", shapes)


def _cells(
    names: Sequence[str], matrix: Sequence[Sequence[float | None]], size: int, left: int, top: int
) -> Iterator[str]:
    """Few cells with what they are; of many, all of one strength as one path."""
    paths: dict[tuple[str, float], list[str]] = {}
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            x, y = left + column * size, top + row * size
            kind = "none" if value is None else ("minus" if value < 0 else "plus")
            strength = 1.0 if value is None else round(min(1.0, abs(value)) * 20) / 20
            if len(names) > 24:
                paths.setdefault((kind, strength), []).append(f"M{x} {y}h{size - 1}v{size - 1}h{1 - size}z")
                continue
            told = "not defined" if value is None else f"{round(value, 2) + 0.0:.2f}"  # 0.00, never -0.00
            tip = f"{short(names[row], 40)}, {short(names[column], 40)}: {told}"
            box = f'x="{x}" y="{y}" width="{size - 1}" height="{size - 1}"'
            yield f'<rect class="{kind}" {box} fill-opacity="{strength:g}"><title>{tip}</title></rect>'
            if len(names) <= 12:
                mark = "–" if value is None else told.replace("0.", ".", 1)
                place = f'x="{_number(x + size / 2)}" y="{_number(y + size / 2 + 4)}"'
                yield f'<text class="name mid" {place} pointer-events="none">{mark}</text>'
    for (kind, strength), found in sorted(paths.items()):
        yield f'<path class="{kind}" fill-opacity="{strength:g}" d="{"".join(found)}"/>'


def _plot(width: int, height: int, said: str, shapes: Sequence[str]) -> str:
    return (
        f'<svg class="plot" role="img" aria-label="{escaped(said)}" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        + "".join(shapes)
        + "</svg>"
    )


def _tip(name: str, cells: int) -> str:
    """A name that fits, with more of it where a mouse is over it."""
    cut = short(name, cells)
    return cut if cut == escaped(name) else f"{cut}<title>{short(name, 120)}</title>"


def _share(share: float) -> str:
    return f"{share:.1%}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
