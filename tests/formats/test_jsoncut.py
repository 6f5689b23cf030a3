"""Counting brackets finds the same records as parsing does."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from mldata.formats.jsoncut import Cutter, Form, State, Text, depth_of

VALUES = st.recursive(
    st.none() | st.integers() | st.text('ab"\\[]{},\n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('k"\\]}', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text('k"\\]}', max_size=3), VALUES, max_size=3), min_size=1, max_size=6)
DECODER = json.JSONDecoder()


def objects(text: str) -> int:
    """How many objects follow each other, with or without commas."""
    count, at = 0, 0
    while at < len(text.rstrip(", \n")):
        at += len(text[at:]) - len(text[at:].lstrip(", \n"))
        at = DECODER.raw_decode(text, at)[1]
        count += 1
    return count


@given(ROWS, st.integers(1, 60), st.sampled_from([None, 1]), st.sampled_from([Form.VALUES, Form.ELEMENTS]))
def test_pieces_are_whole_records(rows: list[Any], target: int, indent: int | None, form: Form) -> None:
    """Each piece is the fewest records that have ``target`` bytes, and together they are the file."""
    data = (
        (", " if form is Form.ELEMENTS else "\n").join(json.dumps(row, indent=indent) for row in rows)
    ).encode()
    if form is Form.ELEMENTS:
        data += b" ]"
    text = Text(io.BytesIO(data), 0, len(data))
    made = list(Cutter(text, form, target))
    assert sum(objects(piece.data.decode()) for piece in made) == len(rows)
    assert all(piece.fault is None for piece in made)
    assert [data[piece.start : piece.start + len(piece.data)] for piece in made] == [
        piece.data for piece in made
    ]
    for piece in made[:-1]:
        assert len(piece.data) >= target
        head = piece.data[: target - 1].rstrip(b" ,\n")
        with suppress(ValueError):  # cut inside of a record, so it was not whole before
            assert objects(head.decode()) < objects(piece.data.decode())
    assert text.peek() == (b"]" if form is Form.ELEMENTS else b"")


@given(VALUES, st.integers(0, 40), st.integers(0, 40))
@example({"\\": None}, 3, 3)
def test_state_goes_over_any_cut(value: Any, first: int, second: int) -> None:
    """What is between two looks at the text does not matter, an escape neither."""
    data = json.dumps(value).encode()
    whole, cut, near = State(), State(), State()
    whole.feed(data)
    first, second = sorted((first, second))
    for part in (data[:first], data[first:second], data[second:]):
        cut.feed(part)
        near.places(part)
    assert whole == cut == near
    assert (whole.depth, whole.inside) == (0, False)


@given(
    st.lists(st.sampled_from([b"\\", b'"', b"{", b"}", b"[", b"]", b"n", b" "])).map(b"".join),
    st.integers(0, 20),
)
def test_both_looks_agree_on_what_is_no_json(data: bytes, at: int) -> None:
    """Where brackets are counted and where they are found, the same ones are seen."""
    quick, near = State(), State()
    least = 0
    for part in (data[:at], data[at:]):
        least = min(least, quick.feed(part))
        depths = near.places(part)[1]
        assert quick == near
        assert not len(depths) or min(least, int(depths.min())) == least


@given(VALUES)
def test_depth(value: Any) -> None:
    """The depth is that of the value, or a little more where each record is a line."""

    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return (1 if isinstance(value, dict | list) else 0) + max(map(depth, inner), default=0)

    data = json.dumps(value).encode()
    assert depth_of(data, lines=False) == depth(value) <= depth_of(data, lines=True)


@given(VALUES, st.binary(max_size=5))
def test_where_a_container_ends(value: Any, behind: bytes) -> None:
    """Its end is found whatever follows."""
    data = json.dumps([value]).encode()
    assert Text(io.BytesIO(data + behind), 0, len(data + behind)).end_of_container() == len(data)
    assert Text(io.BytesIO(data[:-1]), 0, len(data) - 1).end_of_container() is None
