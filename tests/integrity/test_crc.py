"""The checksums are those of the formats: published values, and the slow way bit by bit."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.integrity.content import Content
from mldata.integrity.crc import crc8, joined, ogg_crc, remainders, shortest
from tests.integrity.sounds import slow_crc16


def test_published_values() -> None:
    """The check values of CRC-8/SMBUS, and of CRC-32/MPEG-2's polynomial with Ogg's zero start."""
    assert crc8(b"123456789") == 0xF4
    assert ogg_crc(b"123456789") == 0x89A1897F
    assert slow_crc16(b"123456789") == 0xFEE8  # CRC-16/UMTS


@settings(max_examples=25, deadline=None)
@given(messages=st.lists(st.binary(max_size=200), min_size=1, max_size=6))
def test_many_at_the_same_time(messages: list[bytes]) -> None:
    """A message with its checksum behind it leaves no rest, in whatever company; with a bit flipped it does."""
    whole = [message + slow_crc16(message).to_bytes(2, "big") for message in messages]
    flipped = [bytes([message[0] ^ 1]) + message[1:] for message in whole]
    spans, at = [], 0
    for message in whole + flipped:
        spans.append((at, at + len(message)))
        at += len(message)
    content = _Bytes(b"".join(whole + flipped))
    rests = remainders(content, spans)
    assert not any(rests[: len(whole)]) and all(rests[len(whole) :])
    for (start, end), rest in zip(spans, rests, strict=True):
        middle = (start + end) // 2
        left, right = remainders(content, [(start, middle), (middle, end)])
        assert joined(left, right, end - middle) == rest


class _Bytes(Content):
    """A content that is in no file."""

    def __init__(self, data: bytes) -> None:
        self._map, self._data, self.size = None, data, len(data)


def test_where_a_message_ends() -> None:
    """The first length at which a message ends with its own checksum, not before the least one."""
    message = bytes(range(1, 90))
    whole = message + slow_crc16(message).to_bytes(2, "big")
    assert shortest(whole + b"more", 10) == len(whole)
    assert shortest(message, 10) is None
