"""Ogg files that are whole pass, whatever is in them and however often; no bit of a page can be lost without being noticed."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, Unsupported
from mldata.integrity.crc import ogg_crc
from tests.integrity.sounds import codes, cuts, flac, flipped, found, tone, without, written, zeroed
from tests.integrity.test_flac import blocks


@cache
def vorbis() -> bytes:
    """A file of several pages."""
    return written("OGG", "VORBIS", tone(3.0), compression_level=0.0)


@cache
def opus() -> bytes:
    return written("OGG", "OPUS", tone(3.0))


def page(serial: int, sequence: int, granule: int, packets: Sequence[bytes], flags: int = 0) -> bytes:
    """A page of whole packets (RFC 3533, 6)."""
    table = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = (
        b"OggS\0" + struct.pack("<BQIII", flags, granule, serial, sequence, 0) + bytes([len(table)]) + table
    )
    return signed(head + b"".join(packets))


def signed(data: bytes) -> bytes:
    """A page with its checksum put right."""
    plain = data[:22] + bytes(4) + data[26:]
    return data[:22] + struct.pack("<I", ogg_crc(plain)) + data[26:]


def pages(data: bytes) -> Iterator[bytes]:
    """The pages of a whole file."""
    at = 0
    while at < len(data):
        segments = data[at + 26]
        end = at + 27 + segments + sum(data[at + 27 : at + 27 + segments])
        yield data[at:end]
        at = end


def changed(
    data: bytes, flags: int | None = None, sequence: int | None = None, serial: int | None = None
) -> bytes:
    """A page with another header."""
    made = bytearray(data)
    if flags is not None:
        made[5] = flags
    if serial is not None:
        made[14:18] = struct.pack("<I", serial)
    if sequence is not None:
        made[18:22] = struct.pack("<I", sequence)
    return signed(bytes(made))


def flac_in_ogg() -> bytes:
    """RFC 9639, 10.1: a packet with the mark and STREAMINFO, one for each other block, one for each frame."""
    native = flac(blocks(256, 256, 256), metadata=[(4, bytes(8))])
    info, comment, frames = native[:42], native[42:54], native[54:]
    size = len(frames) // 3
    packets = [frames[at : at + size] for at in range(0, len(frames), size)]
    return b"".join(
        [
            page(5, 0, 0, [b"\x7fFLAC\1\0\0\1" + info], 2),
            page(5, 1, 0, [comment]),
            *(
                page(5, 2 + index, 256 * (index + 1), [packet], 4 * (index == 2))
                for index, packet in enumerate(packets)
            ),
        ]
    )


def multiplexed() -> bytes:
    """Vorbis and Opus side by side."""
    one = [changed(each, serial=1) for each in pages(vorbis())]
    two = [changed(each, serial=2) for each in pages(opus())]
    mixed = [one.pop(0), two.pop(0)]
    while one or two:
        mixed += ([one.pop(0)] if one else []) + ([two.pop(0)] if two else [])
    return b"".join(mixed)


ODD = {
    "vorbis": vorbis,
    "opus": opus,
    "opus-stereo": lambda: written("OGG", "OPUS", tone(0.3, 48000, 2), 48000),
    "vorbis-six-channels": lambda: written("OGG", "VORBIS", tone(0.2, 44100, 6), 44100),
    "flac": flac_in_ogg,
    "chained": lambda: vorbis() + opus() + flac_in_ogg(),
    "chained-same-serial": lambda: vorbis() + vorbis(),
    "multiplexed": multiplexed,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_valid(name: str, tmp_path: Path) -> None:
    """No codec, number of channels, chain or group makes a whole file anything but valid; all of it is decoded."""
    result = found("ogg", ODD[name](), tmp_path)
    assert (result.verdict, codes(result)) == (VALID, [])
    expected = {"chained": 6.0 + 768 / 44100, "chained-same-serial": 6.0, "multiplexed": 6.0}
    if name in expected:
        assert result.facts["duration"] == pytest.approx(expected[name], abs=0.03)


@pytest.mark.parametrize("name", ["vorbis", "opus", "flac", "chained"])
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A file that ends too early is never valid; it is corrupt wherever it was cut but between two pages, or two links."""
    data = ODD[name]()
    ends, at = set(), 0
    for each in pages(data):
        at += len(each)
        ends.add(at)
    for cut in cuts(data, 15):
        verdict = found("ogg", cut, tmp_path).verdict
        assert verdict == CORRUPT if len(cut) not in ends else verdict != VALID or name == "chained", len(cut)


def test_missing_end_is_suspect(tmp_path: Path) -> None:
    """A last page that does not say that it is the last makes a file suspect: many real files are so."""
    *before, last = pages(vorbis())
    result = found("ogg", b"".join([*before, changed(last, flags=0)]), tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["missing-eos"])
    assert codes(found("ogg", b"".join(before), tmp_path)) == ["missing-eos"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_any_bit(place: int, bit: int, tmp_path: Path) -> None:
    """Whichever bit of a file is flipped, it is corrupt."""
    data = vorbis()
    assert found("ogg", flipped(data, place % len(data), bit), tmp_path).verdict == CORRUPT


def test_damage_is_told_by_page_and_byte(tmp_path: Path) -> None:
    """A flipped bit, a missing page and one that comes twice are told with the page and the byte."""
    each = list(pages(vorbis()))
    at = sum(map(len, each[:3]))
    bad = found("ogg", flipped(vorbis(), at + 200), tmp_path).problems[0]
    assert (bad.code, bad.frame, bad.offset) == ("bad-crc", 3, at)
    gone = found("ogg", b"".join([*each[:4], *each[5:]]), tmp_path).problems[0]
    assert (gone.code, gone.frame) == ("missing-pages", 4)
    assert gone.message == "expected page 4 of the stream, found page 5"
    twice = found("ogg", b"".join([*each[:4], *each[3:]]), tmp_path)
    assert (twice.verdict, codes(twice)[0]) == (CORRUPT, "missing-pages")


def test_stretches_that_are_lost(tmp_path: Path) -> None:
    """Zeroes over a page, a stretch out of the middle, a missing beginning: corrupt."""
    data = vorbis()
    each = list(pages(data))
    for bad in (zeroed(data, 6000, 4096), without(data, 6000, 3000), data[4000:], b"".join(each[1:])):
        assert found("ogg", bad, tmp_path).verdict == CORRUPT


def test_bytes_that_are_no_page(tmp_path: Path) -> None:
    """Bytes between the pages or behind the last, where no page is missing, make a file suspect: decoders skip them."""
    each = list(pages(vorbis()))
    result = found("ogg", b"".join([*each[:4], b"junk" * 50, *each[4:]]), tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["junk"])
    result = found("ogg", vorbis() + bytes(1000), tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["trailing-data"])


def test_a_recorded_broadcast(tmp_path: Path) -> None:
    """The headers of a stream, then its pages from later on: suspect, since that is how broadcasts are recorded."""
    each = list(pages(opus()))
    data = b"".join([*each[:2], *(changed(p, sequence=500 + n) for n, p in enumerate(each[2:]))])
    result = found("ogg", data, tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["missing-pages"])


def test_what_nobody_decodes(tmp_path: Path) -> None:
    """Speex, Theora and unknown streams are unsupported where their pages are whole, and corrupt where not."""
    for first in (b"Speex   1.2", b"\x80theora\3\2\1", b"something"):
        data = page(9, 0, 0, [first + bytes(60)], 2) + page(9, 1, 320, [b"sound" * 20], 4)
        with pytest.raises(Unsupported):
            found("ogg", data, tmp_path)
        assert found("ogg", data[:-5], tmp_path).verdict == CORRUPT


def test_no_page_at_all(tmp_path: Path) -> None:
    """What begins like Ogg and is none is corrupt; so is a file of marks without pages, in little time."""
    for data in (b"", b"OggS", b"OggS\1" + bytes(100), b"OggS" * 30_000, b"OggS\0" * 30_000):
        assert found("ogg", data, tmp_path).verdict == CORRUPT
