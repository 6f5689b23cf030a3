"""Cutting files into pieces, and finding the line of a byte."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.formats.base import ordered
from mldata.formats.pieces import Cutter, RawPiece, line_of


def cut(data: bytes, target: int, delimiter: bytes | None = b",", end: bytes = b"\n") -> list[RawPiece]:
    return list(Cutter(io.BytesIO(data), 0, len(data), delimiter=delimiter, end_of_line=end, target=target))


def texts(pieces: list[RawPiece]) -> list[bytes]:
    return [piece.data.to_pybytes() for piece in pieces]


def test_a_piece_ends_with_the_record_that_reaches_the_target() -> None:
    """Pieces are whole records and depend on nothing but the bytes and the target."""
    assert texts(cut(b"aa\nbb\ncc\ndd", 4)) == [b"aa\nbb\n", b"cc\ndd"]
    assert texts(cut(b"aa\nbb\ncc\n", 3)) == [b"aa\n", b"bb\n", b"cc\n"]
    assert texts(cut(b'"a\nb"\nc\n', 1)) == [b'"a\nb"\n', b"c\n"]
    assert texts(cut(b'{"a":"', 1, None)) == [b'{"a":"']
    assert texts(cut(b"a\r\nb\rc", 1, end=b"\r")) == [b"a\r\n", b"b\r", b"c"]


def test_stray_quotes_are_cut_exactly() -> None:
    """A quote inside a bare field opens nothing."""
    assert texts(cut(b'5" x,1\n"q\nr",2\n3\n', 1)) == [b'5" x,1\n', b'"q\nr",2\n', b"3\n"]
    assert [piece.start for piece in cut(b'5" x,1\n"q\nr",2\n3\n', 1)] == [0, 7, 15]


@pytest.mark.no_cover
def test_a_record_longer_than_the_look_ahead() -> None:
    """A record of any allowed size is one piece, by count and by scan."""
    long = b'"' + b"x\n" * (3 << 20) + b'"\n'
    assert texts(cut(long + b"a\n", 1)) == [long, b"a\n"]
    assert texts(cut(b'a"\n' + long + b"a\n", 1)) == [b'a"\n', long, b"a\n"]
    bare = b"x" * (5 << 20) + b"\n"
    assert texts(cut(bare + b"a\n", 1)) == [bare, b"a\n"]


@given(st.lists(st.sampled_from([b"\n", b"\r", b"x", b"\xc3\xa9"]), max_size=12).map(b"".join))
def test_line_of_every_byte(data: bytes) -> None:
    """LF, CR and CRLF each end one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(data)
        for offset in range(len(data) + 1):
            before = data[:offset]
            ended = before.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            line, column = line_of(path, offset)
            assert line == ended.count(b"\n") + 1
            assert column == len(ended) - (ended.rfind(b"\n") + 1) + 1


def test_ordered_keeps_the_order_and_the_first_error() -> None:
    """Results come in the order of the items; of several errors the first item's is raised; no item is drawn far ahead."""
    assert list(ordered(range(50), lambda i: i * i, 4)) == [i * i for i in range(50)]
    drawn: list[int] = []

    def items() -> object:
        for i in range(1000):
            drawn.append(i)
            yield i

    def run(item: int) -> int:
        if item >= 3:
            raise ValueError(item)
        return item

    try:
        list(ordered(items(), run, 3))  # type: ignore[arg-type]
    except ValueError as error:
        assert error.args == (3,)
    assert len(drawn) < 50


@pytest.mark.parametrize("threads", [1, 3])
def test_an_item_that_fails_is_told_before_one_that_cannot_be_drawn(threads: int) -> None:
    """So which error of a file is told does not depend on threads."""

    def items() -> Iterator[int]:
        yield 0
        raise RuntimeError("the file cannot be cut further on")

    def run(item: int) -> int:
        time.sleep(0.05)
        raise ValueError("this piece is bad")

    with pytest.raises(ValueError, match="this piece"):
        list(ordered(items(), run, threads))
    with pytest.raises(RuntimeError, match="further on"):
        list(ordered(items(), lambda item: item, threads))
