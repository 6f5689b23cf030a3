"""Two distributions laid over each other, as SVG inside a page: the baseline as an outline, the current rows filled below it.

Format, colours and conventions: those of :mod:`mldata.profile.svg`, whose style the page has to have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.cells import clipped
from mldata.drift.wording import share
from mldata.profile.svg import WIDTH
from mldata.webpage import escaped

if TYPE_CHECKING:
    from mldata.drift.report import Shape

__all__ = ["overlay"]

HEIGHT = 120
TOP = 14


def overlay(shape: Shape, title: str) -> str:
    """The two sides of a column, each as shares of its own values."""
    sides = [[count / max(1, sum(counts)) for count in counts] for counts in (shape.baseline, shape.current)]
    most = max((max(side, default=0.0) for side in sides), default=0.0) or 1.0
    step, base = WIDTH / max(1, len(shape.labels)), TOP + HEIGHT
    heights = [[HEIGHT * value / most for value in side] for side in sides]
    drawn = [
        f'<path class="is" d="{"".join(_bars(heights[1], step, base))}"/>' if any(sides[1]) else "",
        f'<path class="was" style="fill:none" d="{_outline(heights[0], step, base)}"/>'
        if any(sides[0])
        else "",
        f'<path class="axis" d="M0 {base}.5H{WIDTH}"/>',
        f'<text x="0" y="10">{share(most)} at most</text>',
        f'<text x="0" y="{base + 14}">{escaped(clipped(shape.ends[0], 26))}</text>',
        f'<text class="end" x="{WIDTH}" y="{base + 14}">{escaped(clipped(shape.ends[1], 26))}</text>',
        *_tips(shape, sides, step),
    ]
    said = f"{title}, from {shape.ends[0]} to {shape.ends[1]}; the shares are in the table of bins"
    return (
        f'<svg class="plot" role="img" aria-label="{escaped(said)}" width="{WIDTH}" height="{base + 20}" '
        f'viewBox="0 0 {WIDTH} {base + 20}">{"".join(drawn)}</svg>'
    )


def _bars(heights: list[float], step: float, base: int) -> Iterator[str]:
    gap = 1 if step > 4 else 0
    for at, height in enumerate(heights):
        if height:
            tall = max(height, 1.0)
            yield f"M{_short(at * step)} {base}v-{_short(tall)}h{_short(step - gap)}v{_short(tall)}z"


def _outline(heights: list[float], step: float, base: int) -> str:
    path = [f"M0 {base}"]
    path += [f"V{_short(base - height)}H{_short((at + 1) * step)}" for at, height in enumerate(heights)]
    return "".join([*path, f"V{base}"])


def _tips(shape: Shape, sides: list[list[float]], step: float) -> Iterator[str]:
    """What each bin is, where a mouse is over it."""
    for at, (label, before, now) in enumerate(zip(shape.labels, *sides, strict=True)):
        if before or now:
            told = escaped(f"{label}: {share(before, 1)} → {share(now, 1)}")
            yield (
                f'<rect x="{_short(at * step)}" y="{TOP}" width="{_short(step)}" height="{HEIGHT}" fill="transparent">'
                f"<title>{told}</title></rect>"
            )


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
