"""A profile as one web page: what to know first, alerts that lead to their columns, then each column.

Format: the frame of :mod:`mldata.webpage`, with a script of its own that nothing needs; the card of a column is ``#column-N``, counted from 1, its line in the
table of columns ``#row-N``. Invariant: at most :data:`LIMIT` bytes, whatever the table; what has no room is left out in a fixed order, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mldata.plural import counted
from mldata.profile import pagesections as sections
from mldata.profile.pageassets import SCRIPT
from mldata.profile.pageassets import STYLE as PAGE_STYLE
from mldata.profile.pagecard import Detail, card
from mldata.profile.pageindex import index_row, index_table, tools
from mldata.profile.pagepreview import media, sample
from mldata.profile.svg import STYLE as PLOT_STYLE
from mldata.profile.svg import short
from mldata.profile.words import more_are
from mldata.webpage import page, theme_switch

if TYPE_CHECKING:
    from mldata.profile.pagesections import Link
    from mldata.profile.profile import Profile

__all__ = ["LIMIT", "profile_page"]

LIMIT = 1_900_000
"""Bytes of a page, at most: below 2 MB."""
FRAME = 40_000
"""Of them for style, script, head and foot."""
ROOM = {
    "overview": 30_000,
    "alerts": 250_000,
    "parts": 60_000,
    "correlations": 400_000,
    "missing": 150_000,
    "sample": 150_000,
    "media": 300_000,
}
"""Of them for each section but that of the columns, at most: these have what is left."""
DRAWN = 500
"""In the table of more columns there are no small histograms."""
ORDER = ("overview", "alerts", "parts", "media", "columns", "correlations", "missing", "sample")
KINDS = {"images": "Pictures", "audio": "Recordings"}


def profile_page(profile: Profile) -> str:
    """The page of a profile; the same for the same profile."""
    blocks = _blocks(profile)
    body = [
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>{markup}</section>'
        for name, (title, markup) in blocks.items()
    ]
    ways = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, (title, _) in blocks.items())
    top = [
        f'<header class="head"><h1>Profile of {short(profile.title, 200)}</h1>{theme_switch()}</header>',
        f'<nav class="ways" aria-label="Sections"><ul>{ways}</ul></nav>',
    ]
    return page(
        f"Profile of {profile.title[:200]}",
        [*body, _footer(profile)],
        top=top,
        style=PLOT_STYLE + PAGE_STYLE,
        script=SCRIPT,
    )


def _blocks(profile: Profile) -> dict[str, tuple[str, str]]:
    """Title and markup of each section, by name in order. The others are as long as they can be when it is seen what is left for the columns."""
    columns, count = profile.columns, len(profile.columns)
    longest = _sections(profile, sections.named(profile, [f"column-{at + 1}" for at in range(count)]))
    left = LIMIT - FRAME - sum(_size(markup) for _, markup in longest.values())
    drawn = count <= DRAWN
    rows = _fitting(
        (index_row(it, at + 1, link=True, drawn=drawn) for at, it in enumerate(columns)), left * 2 // 3
    )
    cards = _cards(profile, left - sum(map(_size, rows)))
    places = [
        f"column-{at + 1}" if at in cards else (f"row-{at + 1}" if at < len(rows) else None)
        for at in range(count)
    ]
    made = _sections(profile, sections.named(profile, places))
    if count:
        listed = [index_row(columns[at], at + 1, link=at in cards, drawn=drawn) for at in range(len(rows))]
        made["columns"] = ("Columns", _columns(profile, listed, cards, drawn=drawn))
    return {name: made[name] for name in ORDER if name in made}


def _sections(profile: Profile, link: Link) -> dict[str, tuple[str, str]]:
    """Titles and markup of all sections but that of the columns, by name."""
    made: dict[str, tuple[str, Iterable[str]]] = {
        "overview": ("Overview", sections.overview(profile)),
        "alerts": ("Alerts", sections.alerts(profile, link)),
    }
    if profile.parts:
        made["parts"] = ("Parts", sections.parts(profile))
    if profile.correlations:
        made["correlations"] = ("Correlations", sections.correlations(profile, link))
    if profile.columns and profile.rows:
        made["missing"] = ("Missing values", sections.missing(profile, link))
    if profile.preview is not None and profile.preview.media:
        made["media"] = (KINDS.get(profile.kind, "Files"), media(profile.preview, ROOM["media"] - 1000))
    if profile.preview is not None and profile.preview.rows:
        made["sample"] = ("Sample", sample(profile.preview))
    return {name: (title, _bounded("".join(lines), ROOM[name])) for name, (title, lines) in made.items()}


def _columns(profile: Profile, rows: Sequence[str], cards: Mapping[int, str], *, drawn: bool) -> str:
    lines = [tools(profile.columns), index_table(rows, drawn=drawn)]
    left = len(profile.columns) - len(rows)
    if left:
        lines.append(
            f'<p class="note">{more_are(left, "column")} left out, to keep this page small; a report as JSON has them all.</p>'
        )
    left = len(rows) - len(cards)
    if left:
        lines.append(
            f'<p class="note">To keep this page small, {counted(left, "column")} {"is" if left == 1 else "are"} in the table alone: those without warnings, the last ones first. '
            "A report as JSON has all of each.</p>"
        )
    lines.append(f'<div id="cards">{"".join(cards[at] for at in sorted(cards))}</div>')
    return "".join(lines)


def _cards(profile: Profile, room: int) -> dict[int, str]:
    """Cards by the place of their columns: of all columns, as detailed as there is room for; or short ones of as many as possible, those
    with warnings first."""
    columns = profile.columns

    def made(at: int, detail: Detail) -> str:
        return card(columns[at], at + 1, profile.parts, detail)

    for detail in (Detail.FULL, Detail.PLAIN, Detail.SHORT):
        some = range(0, len(columns), max(1, len(columns) // 20))
        if sum(_size(made(at, detail)) for at in some) * len(columns) > 2 * room * len(some):
            continue  # they do not fit: not worth making all
        found = _fitting((made(at, detail) for at in range(len(columns))), room)
        if len(found) == len(columns):
            return dict(enumerate(found))
    order = sorted(
        range(len(columns)), key=lambda at: not any(it.severity == "warning" for it in columns[at].alerts)
    )
    return dict(zip(order, _fitting((made(at, Detail.SHORT) for at in order), room), strict=False))


def _fitting(pieces: Iterable[str], room: int) -> list[str]:
    """The first pieces that fit into ``room`` bytes."""
    fitting = []
    for piece in pieces:
        room -= _size(piece)
        if room < 0:
            break
        fitting.append(piece)
    return fitting


def _bounded(text: str, room: int) -> str:
    """A section, or that it is too large: only where names of columns are very long."""
    return (
        text
        if _size(text) <= room
        else '<p class="note">Left out, to keep this page small; a report as JSON has it.</p>'
    )


def _size(text: str) -> int:
    return len(text.encode())


def _footer(profile: Profile) -> str:
    said = ["Made by mldata."]
    if profile.share < 1:
        said.append("All of this is of a sample of the rows.")
    duplicates = profile.duplicates
    if any(column.distinct_error for column in profile.columns) or (duplicates and duplicates.error):
        said.append("Numbers after ≈ are estimates; what follows ± is their standard error.")
    return f"<footer>{' '.join(said)}</footer>"
