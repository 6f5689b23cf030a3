"""A few rows of a table as they are, for a profile: its first rows, and of tables of media some of the files.

Pictures and recordings are spread evenly over the rows. Their bytes are hostile: pictures are decoded by a worker (:mod:`mldata.integrity.thumbnails`), and what
is shown is always written here. What cannot be decoded is left out: whether it is damaged is for the check ``files`` to say.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import UsageError
from mldata.mediafiles import StoredMedia
from mldata.profile.profile import Picture, Preview

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.assignment import Assignment
    from mldata.table import Table

__all__ = ["MOST_COLUMNS", "ROWS", "make_preview"]

ROWS = 10
MOST_COLUMNS = 100
STEP = 1 << 20
"""Rows whose parts are looked at at a time."""
CHARACTERS = 80
"""Of a value."""
PICTURES = 12
RECORDINGS = 3
WAV_BYTES = 60_000
"""Of a recording; as much of its beginning is shown as fits."""
MOST_SAMPLES = 1 << 24
"""Of a recording that are decoded, of all channels: 64 MB. A header may claim any rate, and a thousand channels."""
RATE = 8000
"""Samples a second that are enough for a recording which would not fit otherwise: speech as a telephone has it."""
PATH, LABEL = "path", "label"


def make_preview(
    table: Table,
    assignment: Assignment | None = None,
    part: str | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Preview:
    """The preview of a table, or of a part of it. Raises a ``store`` error, or ``DataError`` for a damaged file of the source.

    Args:
        names: of the columns to show, in this order; None: all.
    """
    from mldata.rowsat import rows_at

    columns = (table.schema.names if names is None else names)[:MOST_COLUMNS]
    rows = [
        tuple(_words(column[row]) for column in batch.columns)
        for batch in rows_at(table, _first(table, assignment, part), columns)
        for row in range(batch.num_rows)
    ]
    media = tuple(_media(table, assignment, part)) if table.media is not None else ()
    return Preview(tuple(columns), tuple(rows), media)


def _first(table: Table, assignment: Assignment | None, part: str | None) -> NDArray[np.int64]:
    """Numbers of the first rows."""
    import numpy as np

    if assignment is None or part is None:
        return np.arange(min(ROWS, table.rows))
    number, found = assignment.number(part), np.empty(0, np.int64)
    for start in range(0, table.rows, STEP):
        rows = np.flatnonzero(assignment.part_of(start, start + STEP) == number) + start
        found = np.concatenate([found, rows[: ROWS - len(found)]])
        if len(found) == ROWS:
            break
    return found


def _words(scalar: pa.Scalar) -> str | None:
    """A value as people read it; None: null."""
    import pyarrow.types as pt

    from mldata.checks.wording import shown, text_of

    if pt.is_dictionary(scalar.type):
        scalar = scalar.value
    if not scalar.is_valid:
        return None
    if not (pt.is_string(scalar.type) or pt.is_large_string(scalar.type)):
        return shown(scalar)
    text = text_of(scalar)
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 3]}..."


# -- media ---------------------------------------------------------------------------------------------------------------


def _media(table: Table, assignment: Assignment | None, part: str | None) -> Iterator[Picture]:
    wanted = PICTURES if table.kind == "images" else RECORDINGS
    titles, files = [], []
    for name, label in _named(table, _spread(table.rows, assignment, part, wanted)):
        try:
            files.append(StoredMedia("", table.store.root, table.media, table.store).path(name))
        except UsageError:  # a transform may have made the column something else
            continue
        titles.append(name if label is None else f"{name} ({label})")
    if table.kind == "images":
        from mldata.integrity.thumbnails import thumbnails

        for title, made in zip(titles, thumbnails(files), strict=True):
            if not isinstance(made, str):
                yield Picture(title, *made)
        return
    for title, file in zip(titles, files, strict=True):
        wav = _wav(file)
        if wav is not None:
            yield Picture(title, "audio/wav", wav)


def _spread(rows: int, assignment: Assignment | None, part: str | None, wanted: int) -> list[int]:
    """Numbers of rows, evenly spread over a part or over all."""
    found: Sequence[int] | NDArray[np.int64] = range(rows)
    if assignment is not None and part is not None:
        found = assignment.indices(part)
    many = min(wanted, len(found))
    return [int(found[(2 * place + 1) * len(found) // (2 * many)]) for place in range(many)]


def _named(table: Table, rows: Sequence[int]) -> Iterator[tuple[str, str | None]]:
    """Path and label of rows, which are ascending."""
    import numpy as np

    from mldata.rowsat import rows_at

    columns = [name for name in (PATH, LABEL) if name in table.schema.names]
    if PATH not in columns:
        return
    for batch in rows_at(table, np.array(rows, np.int64), columns):
        for row in range(batch.num_rows):
            name, *label = (column[row].as_py() for column in batch.columns)
            if isinstance(name, str):
                yield name, None if not label or label[0] is None else str(label[0])


def _wav(path: Path) -> bytes | None:
    """The beginning of a recording as mono WAV of 16 bits; None: it cannot be decoded."""
    import numpy as np
    import soundfile

    try:
        with open(path, "rb") as file, soundfile.SoundFile(file) as sound:  # an object has no suffix to go by
            most = (WAV_BYTES - 44) // 2
            # Whole if that fits, else fewer samples a second: means of neighbours.
            step = 1 if sound.frames <= most else max(1, sound.samplerate // RATE)
            frames = min(most * step, MOST_SAMPLES // sound.channels)
            samples = sound.read(frames, dtype="float32", always_2d=True).mean(axis=1)
            rate = sound.samplerate // step
        whole = len(samples) // step * step
        samples = np.nan_to_num(samples[:whole].reshape(-1, step).mean(axis=1))
        if not len(samples):
            return None
        out = io.BytesIO()
        soundfile.write(out, samples, rate, format="WAV", subtype="PCM_16")
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError):
        return None
    return out.getvalue()
