"""FLAC: every metadata block, every frame's checksums and place in the sequence, and the MD5 of the samples.

Format: RFC 9639. Decoders put silence, or nothing, in the place of a damaged frame and go on; the checksums do not.
"""

from __future__ import annotations

from dataclasses import dataclass

from mldata.integrity.base import Found, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.crc import shortest
from mldata.integrity.faults import Faults
from mldata.integrity.flacframes import Frame, walk_frames
from mldata.integrity.flacinfo import UNSET, Hasher, StreamInfo, read_stream_info
from mldata.integrity.pieced import Pieced
from mldata.integrity.samples import DECODER, Samples, Undecodable, decode, remark
from mldata.integrity.soundtags import leading, trailing

__all__ = ["Flac"]

_STREAMINFO, _SEEKTABLE = 0, 3
_INVALID = 127
_SIZE = 34
"""Bytes of STREAMINFO."""
_DECODED = frozenset({8, 16, 24})
"""Bits of a sample that libsndfile decodes."""
_PLACEHOLDER = 0xFFFFFFFFFFFFFFFF
"""The sample number of an unused seek point."""


class Flac:
    """The checker of FLAC files."""

    def check(self, content: Content) -> Found:
        """Walk its metadata and its frames, decode its samples."""
        faults = Faults()
        start = leading(content)
        if start:
            faults.warning(
                "foreign-tag",
                f"expected FLAC from the beginning, found {start:,} bytes of ID3 tags first",
                offset=0,
            )
        if bytes(content.data[start : start + 4]) != b"fLaC":
            code = "truncated" if content.size < start + 4 else "bad-header"
            faults.error(code, "expected the mark fLaC, found none", offset=start)
            return Found(DECODER, faults.problems)
        metadata = _metadata(content, start + 4, faults)
        if metadata is None:
            return Found(DECODER, faults.problems)
        info, seek, at = metadata
        trailer = trailing(content)
        end = max(at, trailer.start)
        if trailer.names:
            faults.warning(
                "foreign-tag",
                f"expected FLAC to the end, found tags behind it: {', '.join(trailer.names)}",
                offset=end,
            )
        frames = list(walk_frames(content, at, end))
        _headers(frames, info, at, faults)
        before = faults.broken
        tail = _tail(content, frames, info, end, faults) if frames else None
        md5 = Hasher(info.bits)
        try:
            samples = decode(_without_rest(content, start, end, tail), md5 if info.md5 != UNSET else None)
        except Undecodable as error:
            if not faults.broken and tail is None and info.bits not in _DECODED:
                raise Unsupported(f"FLAC of {info.bits} bits a sample: {error}") from None
            if not faults.broken:
                faults.error("undecodable", f"expected sound that can be decoded, found: {error}")
            return Found(DECODER, faults.problems)
        same = md5.digest() == info.md5 if info.md5 != UNSET else None
        if tail is not None:
            _judge(tail, same, before, end, faults)
        _compare(frames, info, samples, same, faults)
        if not faults.broken:
            _points(seek, frames, at, faults)
        remark(samples, faults)
        return Found(DECODER, faults.problems, {**samples.facts, "bits": info.bits})


def _without_rest(content: Content, start: int, end: int, tail: _Tail | None) -> Content | Pieced:
    """The stream alone: what stands around it stops some decoders."""
    if tail is not None and tail.end is not None:
        end = tail.end
    return content if (start, end) == (0, content.size) else Pieced(content, [(start, end)])


def _metadata(content: Content, at: int, faults: Faults) -> tuple[StreamInfo, bytes, int] | None:
    """STREAMINFO, the seek table, and where the frames begin."""
    info, seek, data = None, b"", content.data
    while True:
        head = bytes(data[at : at + 4])
        if len(head) < 4:
            faults.error(
                "truncated", "expected a metadata block, found the end of the file", offset=content.size
            )
            return None
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if at + 4 + size > content.size:
            faults.error(
                "truncated",
                f"expected {size:,} bytes in a metadata block, found {content.size - at - 4:,}",
                offset=content.size,
            )
            return None
        if kind == _INVALID or (info is None) != (kind == _STREAMINFO) or (info is None and size != _SIZE):
            expected = "STREAMINFO of 34 bytes" if info is None else "a metadata block"
            faults.error("bad-header", f"expected {expected}, found type {kind} of {size:,} bytes", offset=at)
            return None
        if info is None:
            info = read_stream_info(bytes(data[at + 4 : at + 4 + _SIZE]))
        elif kind == _SEEKTABLE:
            seek = bytes(data[at + 4 : at + 4 + size])
        at += 4 + size
        if head[0] & 0x80:
            return info, seek, at


def _headers(frames: list[Frame], info: StreamInfo, at: int, faults: Faults) -> None:
    """What the frames say, against each other and the stream."""
    if not frames:
        if info.total:
            faults.error("truncated", f"expected {info.total:,} samples, found no frame at all", offset=at)
        return
    first = frames[0].header
    for what, expected, found in (
        ("sample rate", info.sample_rate, first.sample_rate),
        ("number of channels", info.channels, first.channels),
        ("number of bits", info.bits, first.bits),
    ):
        if found and found != expected:
            faults.error(
                "bad-header",
                f"expected the {what} {expected:,} of the stream, found a frame with {found:,}",
                offset=at,
            )
    if first.number:
        faults.warning(
            "missing-frames",
            f"expected the number 0 at the first frame, found {first.number:,}",
            offset=at,
            frame=0,
        )
    place = first.number
    for index, frame in enumerate(frames):
        header, size = frame.header, frame.end - frame.header.start
        if header.number != place:
            faults.error(
                "missing-frames",
                f"expected the number {place:,} at this frame, found {header.number:,}",
                offset=header.start,
                frame=index,
            )
        place = header.following
        if not frame.intact and index < len(frames) - 1:
            faults.error(
                "bad-crc",
                f"expected {size:,} bytes that end with their checksum, found that it does not hold",
                offset=header.start,
                frame=index,
            )
        elif index < len(frames) - 1 and not info.least_frame <= size <= (info.most_frame or size):
            faults.warning(
                "bad-frame-size",
                f"expected {info.least_frame:,} to {info.most_frame:,} bytes, found a frame of {size:,}",
                offset=header.start,
                frame=index,
            )


@dataclass(frozen=True)
class _Tail:
    """The last frame, which does not end where the file does."""

    index: int
    start: int
    end: int | None
    """Where its checksum holds, which may be chance; None: nowhere."""
    complete: bool
    """Whether it is the last that the stream should have, or that cannot be told."""


def _tail(content: Content, frames: list[Frame], info: StreamInfo, end: int, faults: Faults) -> _Tail | None:
    """Compare the end of the frames with the number of samples; whether there is a last frame that is damaged, or has something behind it."""
    last = frames[-1]
    first = frames[0].header
    size = first.block if not first.variable else 1
    reached = last.header.number * size + last.header.block
    if info.total and reached < info.total:
        faults.error(
            "truncated",
            f"expected {info.total:,} samples, found {reached:,}: {info.total - reached:,} missing",
            offset=end,
            frame=len(frames),
        )
    elif info.total and reached > info.total:
        faults.warning("bad-count", f"expected {info.total:,} samples, found frames for {reached:,}")
    # No frame is much longer than its samples are as they stand.
    most = last.header.block * first.channels * (-(-info.bits // 8)) + 4096
    message = bytes(content.data[last.header.start : min(end, last.header.start + most)])
    if last.intact:
        # A checksum holds too with zeros behind it. Up to two of them may be its own.
        if content.data[end - 3 : end] != bytes(3):
            return None
        length = shortest(message, len(message.rstrip(b"\0")))
        if length is None or end - last.header.start - length < 3:
            return None
    else:
        length = shortest(message, 10)
    return _Tail(
        len(frames) - 1,
        last.header.start,
        None if length is None else last.header.start + length,
        not info.total or reached >= info.total,
    )


def _judge(tail: _Tail, same: bool | None, before: bool, end: int, faults: Faults) -> None:
    """Whether the last frame is damaged, or whole with something behind it: the MD5 of all samples tells, where there is one."""
    whole = tail.complete and tail.end is not None and (same if same is not None else True)
    if whole and tail.end is not None:
        faults.warning(
            "trailing-data",
            f"expected the end of the file, found {end - tail.end:,} bytes more",
            offset=tail.end,
        )
    else:
        faults.error(
            "bad-crc",
            f"expected the last frame to end with its checksum, found none in its {end - tail.start:,} bytes: it is cut short or damaged",
            offset=tail.start,
            frame=tail.index,
        )


def _compare(
    frames: list[Frame], info: StreamInfo, samples: Samples, same: bool | None, faults: Faults
) -> None:
    """Compare what was decoded with what there should be."""
    if faults.broken:
        return
    expected = info.total or sum(frame.header.block for frame in frames)
    if samples.frames < expected:
        faults.error("lost-samples", f"expected {expected:,} samples, found {samples.frames:,} to be decoded")
    elif same is False:
        faults.error("bad-md5", f"expected samples with the MD5 {info.md5.hex()}, found others")


def _points(seek: bytes, frames: list[Frame], start: int, faults: Faults) -> None:
    """Compare the seek table with the frames."""
    if not frames:
        return
    size = 1 if frames[0].header.variable else frames[0].header.block
    places = {frame.header.start - start: frame.header.number * size for frame in frames}
    for at in range(0, len(seek) - 17, 18):
        sample, offset = (int.from_bytes(seek[at + part : at + part + 8], "big") for part in (0, 8))
        if sample != _PLACEHOLDER and places.get(offset) != sample:
            faults.warning(
                "bad-seek-table",
                f"expected sample {sample:,} at the frame of a seek point, found another or none",
            )
            return
