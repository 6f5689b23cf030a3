"""Pieces know which bytes are there, give each missing one out once, and vouch for what is there."""

from __future__ import annotations

import os
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mldata.download.pieces import Pieces, Span
from store import Piece, digest_bytes

LENGTH = 10
DATA = os.urandom(95)


def vouched(pieces: Pieces) -> None:
    """Whatever a snapshot claims has the digest that it says."""
    for number, piece in pieces.snapshot().items():
        assert piece.digest == digest_bytes(DATA[number * LENGTH : number * LENGTH + piece.have])


@given(st.integers(0, len(DATA)), st.integers(1, 4), st.randoms(use_true_random=False))
def test_several_bring_everything_once(size: int, workers: int, random: Random) -> None:
    """However many take parts, leave off and take again: every byte is brought once, and what is there is known at any time."""
    pieces = Pieces(LENGTH, size, {})
    brought: list[int] = []
    working: list[tuple[Span, int]] = []
    while not pieces.complete:
        while len(working) < workers and (span := pieces.take()) is not None:
            working.append((span, span.start))
        span, at = working.pop(random.randrange(len(working)))
        assert span.stop is not None
        step = random.randint(0, span.stop - at)
        if step:
            pieces.wrote(at, DATA[at : at + step])
            brought += range(at, at + step)
        if at + step < span.stop and random.random() < 0.7:
            working.append((span, at + step))
        else:
            pieces.give_back(span)
        assert pieces.have == len(brought)
        assert pieces.contiguous == next(at for at in range(size + 1) if at not in brought)
        vouched(pieces)
    assert sorted(brought) == list(range(size)) and pieces.take() is None and pieces.gap() is None


@given(st.sets(st.integers(0, 9)), st.integers(1, 4))
def test_gaps_are_found(there: set[int], short: int) -> None:
    """One who brings everything alone is told each gap as one, from where it begins to where something is there again."""
    parts = {
        n: Piece(len(DATA[n * LENGTH :][:LENGTH]), digest_bytes(DATA[n * LENGTH :][:LENGTH])) for n in there
    }
    pieces = Pieces(LENGTH, len(DATA), parts)
    if there:
        last = max(there)
        if last < 9:
            pieces.begun(last + 1, [memoryview(DATA)[(last + 1) * LENGTH :][:short]])
    while (span := pieces.gap()) is not None:
        stop = span.stop if span.stop is not None else len(DATA)
        assert span.start < stop
        pieces.wrote(span.start, DATA[span.start : stop])
        vouched(pieces)
    assert pieces.complete and pieces.have == len(DATA)


def test_nobody_knows_how_long_it_is() -> None:
    """Without a size there is one gap without an end, until it ends."""
    pieces = Pieces(LENGTH, None, {})
    assert pieces.gap() == Span(0, None) and not pieces.complete
    pieces.wrote(0, DATA[:25])
    assert pieces.gap() == Span(25, None) and pieces.contiguous == 25
    pieces.ended(25)
    assert pieces.complete and pieces.gap() is None
    vouched(pieces)
