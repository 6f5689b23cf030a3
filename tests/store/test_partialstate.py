"""States are read back as they were written, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from store import PartialState, Piece, digest_bytes, encode, piece_size
from store.partialstate import LEAST_PIECE, MOST_PIECES

DIGESTS = st.binary(max_size=4).map(digest_bytes)
STATES = st.builds(
    PartialState,
    st.text(max_size=50),
    st.just(1000),
    st.integers(0, 2**40),
    st.none() | st.integers(9000, 2**60),
    st.none() | st.text(max_size=20),
    st.none() | st.text(max_size=20),
    st.dictionaries(st.integers(0, 7), st.builds(Piece, st.integers(1, 1000), DIGESTS)),
    st.none() | DIGESTS,
)


@given(STATES, st.integers(0, 2**40), st.binary(max_size=20))
def test_states_come_back(state: PartialState, number: int, behind: bytes) -> None:
    """Whatever stands behind a state does not matter."""
    assert PartialState.decode(state.encode(number) + behind) == (number, state)


@given(STATES, st.integers(0, 10_000), st.integers(1, 255))
def test_another_byte_is_no_state(state: PartialState, at: int, change: int) -> None:
    """A state with any byte changed is none."""
    data = bytearray(state.encode(1))
    data[at % len(data)] ^= change
    assert PartialState.decode(bytes(data)) is None


def test_what_cannot_be_is_no_state() -> None:
    """Pieces that are longer than a piece, or beyond the end, are not believed, whoever signed them."""
    piece = Piece(10, digest_bytes(b""))
    good = PartialState("x", 10, 1, 25, pieces={0: piece})
    assert PartialState.decode(good.encode(1)) is not None
    for bad in (
        replace(good, pieces={0: replace(piece, have=11)}),
        replace(good, pieces={2: piece}),
        replace(good, pieces={-1: piece}),
        replace(good, pieces={0: replace(piece, have=0)}),
        replace(good, piece=0),
    ):
        assert PartialState.decode(bad.encode(1)) is None
    for other in (b"", bytes(100), encode({"kind": "mldata-partial"})):
        assert PartialState.decode(other) is None
    body = encode({"kind": "mldata-partial", "version": 2})
    signed = len(body).to_bytes(4, "big") + body + bytes.fromhex(digest_bytes(body))
    assert PartialState.decode(signed) is None


@given(st.none() | st.integers(0, 2**50))
def test_pieces_are_few_and_not_small(size: int | None) -> None:
    """However large a file is, its state fits where room was reserved for it."""
    piece = piece_size(size)
    assert piece >= LEAST_PIECE and piece & (piece - 1) == 0
    count = -(-(size or 0) // piece)
    assert count <= MOST_PIECES
    whole = Piece(piece, digest_bytes(b""))
    state = PartialState(
        "x" * 500, piece, 1, size, pieces=dict.fromkeys(range(size // piece if size else 0), whole)
    )
    assert len(state.encode(2**60)) <= 16 << 10
