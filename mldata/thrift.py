"""Thrift's compact protocol, as the footers of Parquet files have it: structures to values and back.

The protocol is https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Fields are kept by number and in order, known or
not, so that a structure that is read and encoded is the same bytes. Anything may be in the bytes: what is no structure is :class:`NoStruct`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = [
    "I16",
    "I64",
    "LIST",
    "STRUCT",
    "NoStruct",
    "Span",
    "Struct",
    "decode_struct",
    "encode_integer",
    "encode_list_head",
    "encode_struct",
    "integer_at",
    "list_at",
    "struct_at",
]

_TRUE, _FALSE, _BYTE, I16, _I32, I64, _DOUBLE, _BINARY, LIST, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
_INTEGERS = frozenset({I16, _I32, I64})
_MOST_BITS = 70
"""Of a number: ten bytes of seven."""

_NOTHING: Mapping[int, Any] = MappingProxyType({})

Struct = dict[int, tuple[int, Any]]
"""Field number → (type, value), in order. A list's value is (type of its items, items); a number's an int, a double's its bytes."""

Span = tuple[int, int, int]
"""(type, offset of the value's first byte, offset behind its last)."""


class NoStruct(ValueError):
    """Bytes that are no structure."""


def decode_struct(data: bytes) -> tuple[Struct, int]:
    """The structure at the beginning of ``data``, and where it ends. Raises :class:`NoStruct`."""
    try:
        return _Reader(data).struct(0)
    except (IndexError, RecursionError) as error:
        raise NoStruct(f"it ends in the middle of a value ({type(error).__name__})") from error


def encode_struct(fields: Struct) -> bytes:
    """The bytes of a structure."""
    out = bytearray()
    _put_struct(out, fields)
    return bytes(out)


def struct_at(
    data: bytes, at: int, inside: Mapping[int, Callable[[int, int], int]] = _NOTHING
) -> tuple[dict[int, Span], int]:
    """Where the values of a structure at offset ``at`` are, by field number and in order, and where it ends. None is decoded.

    Args:
        inside: what is called for the value of a field, with its type and offset, and returns where it ends; so nothing is gone through twice.

    Raises :class:`NoStruct`, ``IndexError`` or ``RecursionError``.
    """
    spans: dict[int, Span] = {}
    number = 0
    while head := data[at]:
        at += 1
        kind = head & 15
        if head >> 4:
            number += head >> 4
        else:
            number, at = integer_at(data, at)
        if number in spans:
            raise NoStruct(f"field {number} is there twice")
        begin = at
        if number in inside:
            at = inside[number](kind, at)
        elif kind in _INTEGERS:
            while data[at] & 0x80:
                at += 1
            at += 1
        else:
            at = _behind(data, kind, at)
        spans[number] = kind, begin, at
    return spans, at + 1


def list_at(data: bytes, at: int) -> tuple[int, int, int]:
    """The type of a list's items, how many there are, and where the first one is. Raises as :func:`struct_at` does."""
    head = data[at]
    at += 1
    size = head >> 4
    if size == 15:
        size, at = _varint_at(data, at)
    return head & 15, size, at


def integer_at(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends. Raises as :func:`struct_at` does."""
    value, at = _varint_at(data, at)
    return (value >> 1) ^ -(value & 1), at


def encode_integer(value: int) -> bytes:
    """The bytes of a number."""
    out = bytearray()
    _put_zigzag(out, value)
    return bytes(out)


def encode_list_head(kind: int, size: int) -> bytes:
    """What stands before the items of a list."""
    out = bytearray()
    _put_list_head(out, kind, size)
    return bytes(out)


def _behind(data: bytes, kind: int, at: int) -> int:
    """The offset behind a value of a field."""
    if kind in _INTEGERS:
        while data[at] & 0x80:
            at += 1
        return at + 1
    if kind == _BINARY:
        size, at = _varint_at(data, at)
        return at + size
    if kind == STRUCT:
        while head := data[at]:
            at += 1
            if not head >> 4:
                at = _behind(data, I64, at)
            kind, first = head & 15, data[at]
            # The usual values, short numbers and short texts, without a call.
            if first < 0x80 and kind in _INTEGERS:
                at += 1
            elif first < 0x80 and kind == _BINARY:
                at += 1 + first
            else:
                at = _behind(data, kind, at)
        return at + 1
    if kind in (_TRUE, _FALSE):
        return at
    if kind == LIST:
        inner, size, at = list_at(data, at)
        if inner in (_TRUE, _FALSE, _BYTE):
            return at + size
        for _ in range(size):
            at = _behind(data, inner, at)
        return at
    if kind == _BYTE:
        return at + 1
    if kind == _DOUBLE:
        return at + 8
    raise NoStruct(f"a value of type {kind}, which is not known")


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := data[at]) & 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if shift >= _MOST_BITS:
            raise NoStruct("a number of too many bytes")
    return value | byte << shift, at + 1


class _Reader:
    """Reads values from one byte string: each method takes an offset and returns the value and the offset behind it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def struct(self, at: int) -> tuple[Struct, int]:
        # Half of what a footer takes to read is spent in here, so the usual numbers and texts are read without a call.
        data = self._data
        fields: Struct = {}
        number = 0
        while head := data[at]:
            at += 1
            kind = head & 15
            if head >> 4:
                number += head >> 4
            else:
                number, at = integer_at(data, at)
            first = data[at]
            if first < 0x80 and kind in _INTEGERS:
                fields[number] = (kind, (first >> 1) ^ -(first & 1))
                at += 1
            elif first < 0x80 and kind == _BINARY and at + first < len(data):
                fields[number] = (kind, data[at + 1 : at + 1 + first])
                at += 1 + first
            elif kind in (_TRUE, _FALSE):
                fields[number] = (kind, None)
            else:
                value, at = self._value(kind, at)
                fields[number] = (kind, value)
        return fields, at + 1

    def _value(self, kind: int, at: int) -> tuple[Any, int]:
        if kind in _INTEGERS:
            return integer_at(self._data, at)
        if kind == _BINARY:
            size, at = _varint_at(self._data, at)
            return self._take(at, size)
        if kind == STRUCT:
            return self.struct(at)
        if kind == LIST:
            return self._list(at)
        if kind in (_TRUE, _FALSE, _BYTE):  # in a list a boolean is a byte
            return self._take(at, 1)
        if kind == _DOUBLE:
            return self._take(at, 8)
        raise NoStruct(f"a value of type {kind}, which is not known")

    def _list(self, at: int) -> tuple[Any, int]:
        kind, size, at = list_at(self._data, at)
        items = []
        for _ in range(size):
            item, at = self._value(kind, at)
            items.append(item)
        return (kind, items), at

    def _take(self, at: int, size: int) -> tuple[bytes, int]:
        if at + size > len(self._data):
            raise NoStruct("it ends in the middle of a value")
        return self._data[at : at + size], at + size


def _put_struct(out: bytearray, fields: Struct) -> None:
    before = 0
    for number, (kind, value) in fields.items():
        if 0 < number - before < 16:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _put_zigzag(out, number)
        before = number
        if kind not in (_TRUE, _FALSE):
            _put(out, kind, value)
    out.append(0)


def _put(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _put_zigzag(out, value)
    elif kind == STRUCT:
        _put_struct(out, value)
    elif kind == LIST:
        _put_list(out, *value)
    else:
        if kind == _BINARY:
            _put_varint(out, len(value))
        out += value


def _put_list_head(out: bytearray, kind: int, size: int) -> None:
    if size < 15:
        out.append(size << 4 | kind)
    else:
        out.append(0xF0 | kind)
        _put_varint(out, size)


def _put_list(out: bytearray, kind: int, items: Sequence[Any]) -> None:
    _put_list_head(out, kind, len(items))
    for item in items:
        _put(out, kind, item)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _put_zigzag(out: bytearray, value: int) -> None:
    _put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
