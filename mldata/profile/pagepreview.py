"""The rows, pictures and recordings that a profile's page shows as they are.

Invariant: only media of a type in :data:`TYPES` are embedded, and no more than there is room for.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.profile.svg import short
from mldata.profile.words import more_are

if TYPE_CHECKING:
    from mldata.profile.profile import Picture, Preview

__all__ = ["media", "sample"]

TYPES = {
    "image/png": "img",
    "image/jpeg": "img",
    "audio/wav": "audio",
    "audio/x-wav": "audio",
    "audio/mpeg": "audio",
    "audio/ogg": "audio",
    "audio/flac": "audio",
}
ROWS, COLUMNS = 20, 60
CELLS = 200
"""Of a value."""


def sample(preview: Preview) -> Iterator[str]:
    """A few rows."""
    names = list(preview.columns[:COLUMNS])
    heads = "".join(f'<th scope="col">{short(name, 60)}</th>' for name in names)
    yield '<div class="wide"><table class="sample">'
    yield f"<caption>{_as_they_are(len(preview.rows[:ROWS]))}</caption><thead><tr>{heads}</tr></thead><tbody>"
    for row in preview.rows[:ROWS]:
        yield "<tr>" + "".join(map(_cell, row[:COLUMNS])) + "</tr>"
    yield "</tbody></table></div>"
    if len(preview.columns) > COLUMNS:
        yield f'<p class="small">{more_are(len(preview.columns) - COLUMNS, "column")} left out.</p>'


def _as_they_are(rows: int) -> str:
    return "1 row as it is" if rows == 1 else f"{rows:,} rows as they are"


def _cell(value: str | None) -> str:
    return '<td class="null">null</td>' if value is None else f"<td>{short(value, CELLS)}</td>"


def media(preview: Preview, room: int) -> Iterator[str]:
    """Pictures and recordings that can be looked at and heard, as many as fit into ``room`` bytes."""
    shown, left = [], 0
    for it in preview.media:
        markup = _figure(it) if it.mime in TYPES else None
        if markup is None or len(markup.encode()) > room:
            left += 1
            continue
        room -= len(markup.encode())
        shown.append(markup)
    sounds = any(TYPES.get(it.mime) == "audio" for it in preview.media)
    if shown:
        yield f'<ul class="media{" sounds" if sounds else ""}">{"".join(shown)}</ul>'
    if left:
        yield f'<p class="small">{left:,} more {"is" if left == 1 else "are"} left out, to keep this page small.</p>'


def _figure(picture: Picture) -> str:
    data = f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode()}"
    title = short(picture.title, 120)
    shown = (
        f'<img src="{data}" alt="thumbnail">'
        if TYPES[picture.mime] == "img"
        else f'<audio controls preload="metadata" src="{data}" aria-label="{title}"></audio>'
    )
    return f"<li><figure>{shown}<figcaption>{title}</figcaption></figure></li>"
