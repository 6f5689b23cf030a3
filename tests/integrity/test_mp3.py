"""MP3 files that are whole pass, whatever stands around their frames; what is missing is found by the counts that encoders write."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mldata.integrity.base import CORRUPT, SUSPECT, VALID
from mldata.integrity.crc import arc
from mldata.integrity.mpegframes import shape_of
from tests.integrity.sounds import codes, cuts, flipped, found, slow_crc16, tone, without, written, zeroed


@cache
def lame() -> bytes:
    """A file with LAME's header, which counts frames and bytes and has a checksum."""
    return written("MP3", "MPEG_LAYER_III", tone(2.0, 44100, 2), 44100)


def frames(data: bytes) -> Iterator[bytes]:
    """The frames of a file without tags."""
    at = 0
    while at < len(data):
        shape = shape_of(int.from_bytes(data[at : at + 4], "big"))
        assert shape is not None
        yield data[at : at + shape.size]
        at += shape.size


@cache
def uncounted() -> bytes:
    """A file of constant bit rate without that header."""
    how = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
    data = written("MP3", "MPEG_LAYER_III", tone(2.0, 44100, 2), 44100, **how)
    return data[len(next(frames(data))) :]


def recounted(count: int | None = None, size: int | None = None) -> bytes:
    """LAME's file with other counts in front, of Xing's plain form."""
    flags = (count is not None) + 2 * (size is not None)
    words = [word for word in (count, size) if word is not None]
    header = uncounted()[:3] + b"\0" + bytes(32) + b"Xing" + struct.pack(f">I{len(words)}I", flags, *words)
    header = bytes([*header[:2], 0xE0 | header[2] & 0x0D, *header[3:]])
    shape = shape_of(int.from_bytes(header[:4], "big"))
    assert shape is not None
    return header.ljust(shape.size, b"\0") + uncounted()


def vbri(count: int) -> bytes:
    """LAME's file with Fraunhofer's header in front."""
    body = struct.pack(">4sHHHII", b"VBRI", 1, 0, 75, len(lame()), count)
    first = next(frames(recounted(1)))
    return (first[:36] + body).ljust(len(first), b"\0") + uncounted()


def total() -> int:
    return sum(1 for _ in frames(uncounted()))


def id3v2(size: int, footer: bool = False) -> bytes:
    head = struct.pack(">BBBBB", 4, 0, 0x10 if footer else 0, size >> 21, size >> 14 & 127)
    head += bytes([size >> 7 & 127, size & 127])
    return b"ID3" + head + bytes(size) + (b"3DI" + head if footer else b"")


def ape(text: bytes) -> bytes:
    """An APEv2 tag with header and footer."""
    item = struct.pack("<II", len(text), 0) + b"comment\0" + text
    ends = [
        b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags) + bytes(8)
        for flags in (0xA0000000, 0x80000000)
    ]
    return ends[0] + item + ends[1]


ID3V1 = b"TAG" + bytes(125)
LYRICS = b"LYRICSBEGININD0000200000021LYRICS200"[:-9]
LYRICS = LYRICS + b"%06d" % len(LYRICS) + b"LYRICS200"


def synthetic(first: int, count: int = 30, size: int | None = None, protected: bool = False) -> bytes:
    """Frames of silence of any version and layer, of free format too; with a checksum where asked for."""
    shape = shape_of(first)
    assert shape is not None
    head = first.to_bytes(4, "big")
    side = bytes(shape.side)
    checksum = b""
    if protected:
        # Bits of the start value 0xFFFF are those of a message that begins with them.
        value = slow_crc16((0xFFFF ^ int.from_bytes(head[2:4], "big")).to_bytes(2, "big") + side)
        checksum = value.to_bytes(2, "big")
    return (head + checksum + side).ljust(size or shape.size, b"\0") * count


ODD = {
    "lame": lame,
    "mono": lambda: written("MP3", "MPEG_LAYER_III"),
    "low-rate": lambda: written("MP3", "MPEG_LAYER_III", tone(1.0, 8000), 8000),
    "one-kind-of-count": lambda: recounted(total()),
    "count-with-the-header": lambda: recounted(total() + 1, len(recounted(1, 1))),
    "bytes-with-tags": lambda: recounted(total(), len(recounted(1, 1)) + 128) + ID3V1,
    "bytes-without-the-header": lambda: recounted(total(), len(uncounted())),
    "only-bytes": lambda: recounted(None, len(recounted(None, 1))),
    "counts-of-a-pipe": lambda: recounted(0, 0),
    "vbri": lambda: vbri(total()),
    "id3v2": lambda: id3v2(300) + lame(),
    "id3v2-footer": lambda: id3v2(300, footer=True) + lame(),
    "two-id3v2": lambda: id3v2(200) + id3v2(77) + lame(),
    "padding": lambda: id3v2(200) + bytes(2048) + lame(),
    "all-tags": lambda: id3v2(500) + lame() + ape(b"x" * 50) + LYRICS + ID3V1,
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_valid(name: str, tmp_path: Path) -> None:
    """No way of counting, and no tag around the frames, makes a whole file anything but valid."""
    result = found("mp3", ODD[name](), tmp_path)
    assert (result.verdict, codes(result)) == (VALID, [])


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (0xFFFB9064, None),  # MPEG 1, layer III
        (0xFFF39064, None),  # MPEG 2
        (0xFFE39064, None),  # MPEG 2.5
        (0xFFFD9064, None),  # MPEG 1, layer II
        (0xFFF59064, None),  # MPEG 2, layer II
        (0xFFFF9064, None),  # MPEG 1, layer I
        (0xFFFB00C4, 700),  # free format
    ],
)
def test_versions(header: int, size: int | None, tmp_path: Path) -> None:
    """Every version and layer, and frames of free format, are walked and decoded to the end."""
    result = found("mp3", synthetic(header, size=size), tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["silence"])
    assert result.facts["frames"] == 30


@pytest.mark.parametrize("name", ["lame", "mono", "one-kind-of-count", "vbri", "id3v2"])
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A file whose frames are counted and that ends too early is never valid, and corrupt where more than a single whole frame is missing."""
    data = ODD[name]()
    whole = lame() if name == "id3v2" else data
    last = list(frames(whole))[-1]
    for cut in cuts(data, 20):
        verdict = found("mp3", cut, tmp_path).verdict
        assert verdict == CORRUPT or (verdict == SUSPECT and len(cut) == len(data) - len(last)), len(cut)


def test_missing_frames_are_counted(tmp_path: Path) -> None:
    """The message on a file that was cut has both numbers, and where the last whole frame ends."""
    each = list(frames(lame()))
    data = b"".join(each[:21]) + each[21][:50]
    problem = found("mp3", data, tmp_path).problems[0]
    assert (problem.code, problem.frame, problem.offset) == ("truncated", 21, len(data) - 50)
    missing = total() - 20
    assert problem.message == f"expected {total():,} frames by the header, found 20: {missing:,} missing"


def test_cut_without_a_count(tmp_path: Path) -> None:
    """Of a file in which nothing counts the frames, a last one that is not whole is only suspect."""
    result = found("mp3", uncounted()[:-100], tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["partial-frame"])
    assert found("mp3", uncounted()[:-2], tmp_path).verdict == SUSPECT


def test_damage_in_the_middle(tmp_path: Path) -> None:
    """Frames that were zeroed, taken out, or lost their header: corrupt, with or without a count, and told where."""
    for data in (lame(), uncounted()):
        each = list(frames(data))
        at = sum(map(len, each[:10]))
        for bad in (zeroed(data, at + 50, 900), without(data, at + 50, 900), flipped(data, at, 3)):
            result = found("mp3", bad, tmp_path)
            assert result.verdict == CORRUPT, result.problems
            (lost,) = (problem for problem in result.problems if problem.code == "lost-sync")
            assert lost.frame is not None and 10 <= lost.frame <= 12


def test_frames_that_are_missing_without_a_trace(tmp_path: Path) -> None:
    """Whole frames taken out of a file that nothing counts leave others whose sound does not fit: suspect."""
    each = list(frames(uncounted()))
    assert found("mp3", b"".join(each), tmp_path).verdict == VALID
    result = found("mp3", b"".join([*each[:30], *each[33:]]), tmp_path)
    assert (result.verdict, set(codes(result))) == (SUSPECT, {"lost-frames"})
    assert result.problems[0].frame == 29
    result = found("mp3", b"".join(each[20:]), tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["missing-beginning"])


def test_any_bit_of_the_sound(tmp_path: Path) -> None:
    """A bit of the sound that was flipped is found by the encoder's checksum; a change of volume that a tag tells of is none."""
    bad = flipped(lame(), len(lame()) // 2 + 77)
    assert codes(found("mp3", bad, tmp_path)) == ["bad-checksum"]
    assert found("mp3", bad + ape(b"MP3GAIN_UNDO"), tmp_path).verdict == VALID


def test_checksums_of_frames(tmp_path: Path) -> None:
    """A frame whose own checksum does not hold is corrupt; where none holds, that is the way of the encoder."""
    data = synthetic(0xFFFA9064, protected=True)
    assert codes(found("mp3", data, tmp_path)) == ["silence"]
    size = len(data) // 30
    bad = found("mp3", zeroed(data, 5 * size + 4, 2), tmp_path)
    assert (bad.verdict, bad.problems[0].code, bad.problems[0].frame) == (CORRUPT, "bad-crc", 5)
    assert codes(found("mp3", synthetic(0xFFFA9064), tmp_path)) == ["silence"]


def test_what_is_off_is_suspect(tmp_path: Path) -> None:
    """Bytes in front or behind, several files in one, a wrong count, a change of rate: suspect, for that reason."""
    each = list(frames(lame()))
    for data, code in (
        (b"junk" * 20 + lame(), "junk"),
        (each[3][100:] + b"".join(each[4:]), "junk"),
        (lame() + bytes(700), "trailing-data"),
        (uncounted() + id3v2(50) + uncounted(), "joined"),
        (lame() + lame(), "bad-count"),
        (uncounted() + written("MP3", "MPEG_LAYER_III"), "format-change"),
    ):
        result = found("mp3", data, tmp_path)
        assert (result.verdict, codes(result)[0]) == (SUSPECT, code)


def test_variable_bit_rate_without_a_count(tmp_path: Path) -> None:
    """Where the decoder's own guess ends too early, all frames are decoded all the same, and the guess is told."""
    data = synthetic(0xFFFBE064, 4) + synthetic(0xFFFB1064, 200)
    result = found("mp3", data, tmp_path)
    assert codes(result) == ["duration-mismatch", "silence"]
    assert result.facts["samples"] >= 203 * 1152


def test_no_frame_at_all(tmp_path: Path) -> None:
    """Tags alone, a tag that is cut short, nothing, marks without frames: corrupt."""
    for data, code in (
        (id3v2(100), "truncated"),
        (id3v2(1000)[:500], "truncated"),
        (b"", "truncated"),
        (b"\xff\xfb" * 5000, "bad-header"),
        (b"\xff" * 50_000, "bad-header"),
        (b"no sound" * 999, "bad-header"),
    ):
        result = found("mp3", data, tmp_path)
        assert (result.verdict, codes(result)) == (CORRUPT, [code])


def test_nothing_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What the decoder thinks of a damaged file does not get to the standard error."""
    assert found("mp3", zeroed(lame(), 9000, 900), tmp_path).verdict == CORRUPT
    assert capfd.readouterr() == ("", "")


def test_the_checksum_of_lame() -> None:
    """CRC-16/ARC's published value."""
    assert arc(b"123456789", 0, 9) == 0xBB3D
