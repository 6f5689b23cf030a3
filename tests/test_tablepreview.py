"""What a profile shows of a table as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image

from mldata import tablepreview
from mldata.assignment import Assignment
from mldata.profile.profile import Preview
from mldata.table import Table
from mldata.tablepreview import MOST_COLUMNS, PICTURES, RECORDINGS, ROWS, WAV_BYTES, make_preview
from store import Store
from tests.stages.jobs import put_table
from tests.stages.test_validate import assign


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def preview(store: Store, *pieces: pa.Table, part: str | None = None, **parts: range) -> Preview:
    rows = sum(piece.num_rows for piece in pieces)
    split = Assignment.open(store, assign(store, parts, rows)) if parts else None
    return make_preview(Table.open(store, put_table(store, pieces)), split, part)


def test_the_first_rows(store: Store) -> None:
    """Values as people read them: text without quotes and shortened, no value as none; from more than one fragment if need be."""
    first = pa.table({"n": [1, None], "t": ["a\n", "b" * 100], "l": [[1, 2], []]})
    found = preview(store, first, first, *[first] * 9)
    assert found.columns == ("n", "t", "l")
    assert len(found.rows) == ROWS
    assert found.rows[0] == ("1", "a\n", "[1, 2]")
    assert found.rows[1] == (None, "b" * 77 + "...", "[]")
    assert found.rows[2] == found.rows[0] and not found.media


def test_rows_of_a_part(store: Store) -> None:
    """Of a part they are rows of that part alone; a table may have none at all, and many columns."""
    table = pa.table({"n": range(30)})
    found = preview(store, table, part="b", a=range(20), b=range(20, 30, 5))
    assert found.rows == (("20",), ("25",))
    found = preview(store, table, table, part="b", a=range(0, 60, 2), b=range(1, 60, 2))
    assert [int(row[0]) for row in found.rows] == [*range(1, 2 * ROWS, 2)]
    assert preview(store, table.slice(0, 0)).rows == ()
    wide = pa.table({f"c{n}": [n] for n in range(MOST_COLUMNS + 1)})
    assert len(preview(store, wide).columns) == MOST_COLUMNS == len(preview(store, wide).rows[0])


def png(colour: int, side: int = 300) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (colour, 0, 0)).save(out, "PNG")
    return out.getvalue()


def media(store: Store, kind: str, files: dict[str, bytes]) -> tuple[Table, int]:
    labels = [path.partition("/")[0] for path in files]
    digests = [store.put(data).digest for data in files.values()]
    rows = pa.table({"path": list(files), "label": labels, "digest": digests})
    pieces = [rows.slice(0, 3), rows.slice(3)]
    return Table.open(store, put_table(store, pieces, kind=kind, media=files)), rows.num_rows


def test_pictures(store: Store) -> None:
    """Some, spread over the rows, small, with path and label; those that cannot be decoded are left out."""
    files = {f"cat/{n:02d}.png": png(n) for n in range(30)} | {"dog/0.png": b"none", "dog/1.png": png(7)[:60]}
    table, rows = media(store, "images", files)
    found = make_preview(table).media
    assert len(found) == PICTURES - 1  # one of them is no picture
    assert found[0].title == "cat/01.png (cat)" and found[0].title != found[1].title
    with Image.open(io.BytesIO(found[0].data)) as image:
        assert max(image.size) <= 256
    split = Assignment.open(store, assign(store, {"a": range(2), "b": range(2, rows)}, rows))
    assert [it.title for it in make_preview(table, split, "a").media] == [
        "cat/00.png (cat)",
        "cat/01.png (cat)",
    ]


def wav(seconds: float, rate: int, channels: int) -> bytes:
    out = io.BytesIO()
    tone = np.sin(np.arange(int(seconds * rate)) / 20)
    soundfile.write(out, np.stack([tone] * channels, axis=1), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def test_recordings(store: Store) -> None:
    """Short ones whole, of others the beginning with fewer samples a second; what is no recording is left out."""
    files = {"a/0.wav": wav(0.5, 8000, 1), "a/1.wav": wav(30, 44100, 2), "a/2.wav": b"none"}
    found = make_preview(media(store, "audio", files)[0]).media
    assert len(found) == RECORDINGS - 1
    assert [it.mime for it in found] == ["audio/wav"] * 2
    assert all(len(it.data) <= WAV_BYTES for it in found)
    short, long = (soundfile.info(io.BytesIO(it.data)) for it in found)
    assert (short.frames, short.samplerate) == (4000, 8000)
    assert long.channels == 1 and long.duration > 3


def test_recordings_of_many_channels(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many channels and samples a second a recording claims, no more of it is decoded than there is memory for."""
    monkeypatch.setattr(tablepreview, "MOST_SAMPLES", 44100)
    [found] = make_preview(media(store, "audio", {"a/0.wav": wav(30, 44100, 4)})[0]).media
    assert soundfile.info(io.BytesIO(found.data)).duration == pytest.approx(0.25, abs=0.01)
