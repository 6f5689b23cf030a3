"""The coded pixels of a JPEG scan (ITU-T T.81, annexes F and G): what stands in them that no encoder writes.

A decoder takes any bytes for Huffman codes, so that a hole filled with zeros decodes to some pattern. In a canonical Huffman table the code of only zeros is
the first one (annex C). What a run of zeros says is therefore known from the tables alone: where it says "the rest of the block is empty", as for an
even area, any run is possible, else it repeats one coefficient for blocks on end, which no picture does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Component", "Frame", "Scan", "Tables", "impossible_zeros", "restarts"]

BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
ZRL = 0xF0
"""The symbol for sixteen coefficients of zero."""
DC_RANGE = 2048
"""How far apart two DC coefficients of 8-bit pixels can be, undivided (annex F.1.2.1)."""
REPEATED = 320
"""So many equal coefficients in a row, in at least two blocks, are no picture."""
MCUS = 2
"""So many whole MCUs of equal coefficients are no picture."""

Tables = Mapping[tuple[int, int], tuple[int, int]]
"""By class (0 DC, 1 AC) and number: bits of the first code, and its symbol."""


@dataclass(frozen=True)
class Component:
    """A component of the frame."""

    number: int
    across: int
    """Horizontal sampling factor."""
    down: int
    """Vertical sampling factor."""


@dataclass(frozen=True)
class Frame:
    """What the frame header (SOF) says."""

    marker: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]


@dataclass(frozen=True)
class Scan:
    """What the scan header (SOS) says, with what holds for it."""

    components: tuple[tuple[Component, int, int], ...]
    """Component, number of its DC table, number of its AC table."""
    first: int
    """Of the coefficients, in zigzag order."""
    last: int
    high: int
    """Successive approximation: 0 in the first scan of these coefficients."""
    low: int


def restarts(frame: Frame, scan: Scan, interval: int) -> int:
    """How many restart markers the scan has (annex A.2, B.2.1)."""
    across = max(it.across for it in frame.components)
    down = max(it.down for it in frame.components)
    if len(scan.components) > 1:
        mcus = _ceil(frame.width, 8 * across) * _ceil(frame.height, 8 * down)
    else:
        one = scan.components[0][0]
        mcus = _ceil(_ceil(frame.width * one.across, across), 8) * _ceil(
            _ceil(frame.height * one.down, down), 8
        )
    return _ceil(mcus, interval) - 1


def impossible_zeros(frame: Frame, scan: Scan, tables: Tables) -> int | None:
    """The bytes of a run of zeros that is too long for a picture; None if any may be, or if it cannot be told."""
    if frame.marker not in (BASELINE, EXTENDED, PROGRESSIVE):
        return None
    if frame.marker == PROGRESSIVE and scan.first > 0:
        return _band(scan, tables)
    if scan.high:
        return None  # one bit a block, which is zero all over an even area
    blocks = [
        (tables.get((0, dc)), (0, 0) if frame.marker == PROGRESSIVE else tables.get((1, ac)), times)
        for it, dc, ac in scan.components
        for times in [it.across * it.down if len(scan.components) > 1 else 1]
    ]
    bits, filled, drift = 0, False, 0
    for dc, ac, times in blocks:
        if dc is None or ac is None:
            return None  # the decoder says what is missing
        of_block = dc[0] + dc[1] + _ac_bits(*ac, 63)
        bits += times * of_block
        filled = filled or bool(ac[1])
        drift = max(drift, times * ((1 << min(dc[1], 16)) - 1))
    if filled:
        return _ceil((MCUS + 1) * bits, 8)  # one more, since it may begin in the midst of one
    # Empty blocks, each darker than the one before: at most until the range of DC coefficients is used up.
    return _ceil((DC_RANGE // drift + 2) * bits, 8) if drift else None


def _band(scan: Scan, tables: Tables) -> int | None:
    table = tables.get((1, scan.components[0][2]))
    if table is None:
        return None
    length, symbol = table
    run, size = symbol >> 4, symbol & 15
    if not size and symbol != ZRL:
        return None  # the end of a band, for some blocks
    if scan.high:  # new coefficients, all negative, and bits of old ones, all zero (G.1.2.3)
        return _ceil(REPEATED * (length + 2), 8)
    width = scan.last - scan.first + 1
    blocks = max(2, _ceil(REPEATED * (run + 1), width))
    return _ceil(blocks * _ac_bits(length, symbol, width), 8)


def _ac_bits(length: int, symbol: int, width: int) -> int:
    """Bits of zero that fill a block's coefficients."""
    if not symbol:
        return length
    return _ceil(width, (symbol >> 4) + 1) * (length + (symbol & 15))


def _ceil(number: int, by: int) -> int:
    return -(-number // by)
