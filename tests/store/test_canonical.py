"""One value, one encoding; one encoding, one value."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store import BadEncoding, decode, digest_bytes, encode

VECTORS = [
    line.split(" | ")
    for line in (Path(__file__).parent / "vectors.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | text
    | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize(("literal", "hexadecimal", "digest"), VECTORS)
def test_pinned_vectors(literal: str, hexadecimal: str, digest: str) -> None:
    """Bytes and digests are what they were when the format was fixed."""
    data = encode(eval(literal))
    assert (data.hex(), digest_bytes(data)) == (hexadecimal, digest)
    assert encode(decode(data)) == data


@given(values)
def test_round_trip(value: Any) -> None:
    """What is encoded comes back equal, with the same types."""
    again = decode(encode(value))
    assert again == value and type(again) is type(value)
    assert encode(again) == encode(value)


@given(st.binary(max_size=80))
@example(b"\xc1")
@example(b"\xd6\xff\x00\x00\x00\x00")
@example(b"\x82\xa1a\x01\xa1a\x02")
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\x81\x90\x01")
@example(b"\x91" * 2000)
def test_other_bytes_are_refused(data: bytes) -> None:
    """Arbitrary bytes either are the canonical encoding of their value or raise BadEncoding, nothing else."""
    try:
        value = decode(data)
    except BadEncoding:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x01",
        b"\xcc\x01",
        msgpack.packb({"b": 1, "a": 2}),
        msgpack.packb({1: 2}),
        b"\xca\x3f\x80\x00\x00",
        b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01",
        b"\xa1\xff",
        msgpack.packb(msgpack.ExtType(5, b"x")),
        msgpack.packb(msgpack.Timestamp(1, 2)),
        b"\xd9\x01a",
    ],
)
def test_noncanonical_forms_are_refused(data: bytes) -> None:
    """Longer headers, unsorted or odd keys, short floats, other NaNs, bad UTF-8, extensions and trailing bytes."""
    with pytest.raises(BadEncoding):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [2**64, -(2**63) - 1, "\ud800", {1: 2}, {"\ud800": 1}, {1, 2}, object(), bytearray(b"x"), 1j, ["\udfff"]],
)
def test_values_without_an_encoding_are_refused(value: Any) -> None:
    """A value outside the table is an error, not something close to it."""
    with pytest.raises(BadEncoding):
        encode(value)


def test_depth_is_limited() -> None:
    """Deep nesting is refused both ways, before it exhausts the stack."""
    deep: Any = 1.0
    for _ in range(64):
        deep = [deep]
    assert decode(encode(deep)) == deep
    with pytest.raises(BadEncoding, match="64 levels"):
        encode([deep])


def test_types_stay_apart() -> None:
    """Values that Python takes for equal have encodings of their own; every NaN has one."""
    assert len({encode(value) for value in (1, 1.0, True, "1", b"1")}) == 5
    assert encode(0.0) != encode(-0.0)
    assert encode(math.nan) == encode(-math.nan)
    assert encode((1, 2)) == encode([1, 2])
