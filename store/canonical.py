"""The one canonical encoding that keys and trees are hashed from.

Format: MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) restricted so that every value has exactly
one encoding and every encoding one value:

- None, bool, int (-2**63 to 2**64-1, shortest form), float (always 8 bytes; every NaN is 7ff8000000000000; 1.0 is not 1,
  -0.0 is not 0.0), str (UTF-8; Unicode form kept as it is; lone surrogates refused), bytes (bin), list or tuple (array),
  dict with str keys (map, sorted by the UTF-8 bytes of the keys).
- shortest headers, no extension types, nothing after the value, at most 64 levels deep.

Invariant: ``encode(decode(data)) == data`` for all bytes that ``decode`` accepts; everything else is :class:`BadEncoding`.
"""

from __future__ import annotations

import math
from typing import Any

import msgpack

from store.errors import BadEncoding

Value = Any
"""None, bool, int, float, str, bytes, list or tuple of values, dict of str to value."""

MAX_DEPTH = 64
"""Deeper nesting is refused, so that hostile bytes cannot exhaust the stack."""

_PLAIN = frozenset({type(None), bool, int, str, bytes})
"""Exact types that msgpack packs in only one way. Floats are not among them, because of NaN."""


def encode(value: Value) -> bytes:
    """The canonical bytes of ``value``. Raises :class:`BadEncoding` for what has none."""
    try:
        packed: bytes = msgpack.packb(_normal(value, 0), use_bin_type=True)
    except (ValueError, OverflowError, TypeError) as error:
        raise BadEncoding(
            f"expected a value with a canonical encoding, found one that has none: {error}"
        ) from error
    return packed


def decode(data: bytes) -> Value:
    """The value whose canonical encoding ``data`` is; tuples come back as lists. Else :class:`BadEncoding`."""
    value = decode_own(data)
    if encode(value) != data:
        raise BadEncoding(
            f"expected canonical msgpack, found {len(data)} bytes that encode a value in another way"
        )
    return value


def decode_own(data: bytes) -> Value:
    """:func:`decode` of bytes that only :func:`encode` can have made, as a digest beside them shows. A third of the time.

    Raises:
        BadEncoding: it is no msgpack. That it is canonical is not looked at.
    """
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_no_extension)
    except BadEncoding:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise BadEncoding(f"expected canonical msgpack, found {len(data)} other bytes: {error}") from error


def _normal(value: Value, depth: int) -> Value:
    """``value`` with maps sorted and NaN made one; refuses every type outside the table."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return math.nan if math.isnan(value) else value
    if depth >= MAX_DEPTH:
        raise BadEncoding(f"expected at most {MAX_DEPTH} levels of nesting, found more")
    if kind is list or kind is tuple:
        if set(map(type, value)) <= _PLAIN:
            return value
        return [item if type(item) in _PLAIN else _normal(item, depth + 1) for item in value]
    if kind is dict:
        if not set(map(type, value)) <= {str}:
            raise BadEncoding("expected str keys in every dict, found another type of key")
        # Python compares str by code point, which is the order of their UTF-8 bytes.
        return {
            key: item if type(item := value[key]) in _PLAIN else _normal(item, depth + 1)
            for key in sorted(value)
        }
    raise BadEncoding(f"expected None, bool, int, float, str, bytes, list or dict, found {kind.__qualname__}")


def _no_extension(code: int, data: bytes) -> Value:
    raise BadEncoding(f"expected no msgpack extension, found type {code}")
