"""MP3, and the elder layers of MPEG audio: every frame from the first to the last, against the counts in its header, and every sample.

Formats: ISO/IEC 11172-3 and 13818-3; the tags of :mod:`mldata.integrity.soundtags`. Decoders look for the next frame in silence when one is damaged, and a file may end anywhere: what
is missing is known from the counts that encoders write into the first frame, and is only to be suspected where there are none.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from mldata.integrity.base import Found, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.crc import arc
from mldata.integrity.faults import Faults
from mldata.integrity.mpegframes import Shape, Walk, shape_of, walk_mpeg
from mldata.integrity.mpegheader import Counts, counted, read_counts
from mldata.integrity.mpegside import look_at_side
from mldata.integrity.pieced import Pieced
from mldata.integrity.samples import DECODER, Samples, Undecodable, decode, remark
from mldata.integrity.soundtags import leading, trailing

__all__ = ["Mp3"]

_PADDING = 4096
"""Zeros in front of the first frame that are taken for padding of a tag."""
_LATENESS = 4
"""Frames that a decoder may leave out at the ends."""


class Mp3:
    """The checker of MP3 files."""

    def check(self, content: Content) -> Found:
        """Walk its frames, compare them with the counts, decode its samples."""
        faults = Faults()
        start = leading(content)
        if start > content.size:
            faults.error(
                "truncated",
                f"expected {start:,} bytes of tags in front of the sound, found {content.size:,}",
                offset=content.size,
            )
            return Found(DECODER, faults.problems)
        end = max(start, trailing(content).start)
        walk = walk_mpeg(content, start, end)
        if not walk.starts:
            code = "truncated" if walk.partial or start == content.size else "bad-header"
            faults.error(code, "expected frames of MPEG audio, found none that is whole", offset=start)
            return Found(DECODER, faults.problems)
        shape = shape_of(walk.headers[0])
        assert shape is not None  # the walk takes no other headers
        counts = read_counts(content, walk.starts[0], walk.sizes[0], shape)
        _count(content, walk, counts, faults)
        _between(content, walk, counts, start, end, faults)
        _look_inside(content, walk, counts, faults)
        try:
            samples = _decoded(content, walk)
        except Undecodable as error:
            if not faults.broken and shape.free:
                raise Unsupported(f"MPEG audio of free format: {error}") from None
            faults.error("undecodable", f"expected sound that can be decoded, found: {error}")
            return Found(DECODER, faults.problems)
        samples = _compare(content, walk, counts, shape, samples, faults)
        remark(samples, faults)
        return Found(DECODER, faults.problems, _facts(samples, walk, shape))


def _decoded(content: Content, walk: Walk) -> Samples:
    """All samples. libsndfile does not know what it is where a file begins with something that is neither a frame nor a tag as it reads them: then
    the frames alone are given to it."""
    try:
        return decode(content)
    except Undecodable:
        return decode(Pieced(content, [(walk.starts[0], walk.end)]))


def _count(content: Content, walk: Walk, counts: Counts | None, faults: Faults) -> None:
    """Compare the frames with what the header counts."""
    partial, found = walk.partial, len(walk.starts) - (counts is not None)
    if counts is None or (counts.frames is None and counts.bytes is None):
        if partial is not None:
            at, size = partial
            there = trailing(content).start - at
            faults.warning(
                "partial-frame",
                (
                    f"expected {size:,} bytes in the last frame"
                    if size
                    else "expected the header of another frame"
                )
                + f", found {there:,}: it may have been cut short",
                offset=at,
                frame=len(walk.starts),
            )
        return
    whole = sum(walk.sizes)
    # Of the bytes, some programs count tags too.
    lacking = counts.bytes is not None and counts.bytes > max(whole, content.size - walk.starts[0])
    if counts.frames is None:
        if lacking and counts.bytes is not None:
            faults.error(
                "truncated",
                f"expected {counts.bytes:,} bytes of frames by the header, found {whole:,}",
                offset=content.size,
                frame=len(walk.starts),
            )
        return
    missing = counts.frames - found
    exact = counts.bytes is not None and counts.bytes in (whole, whole - walk.sizes[0])
    # Some programs count the frame of the header; others are wrong by a few, and then not in the bytes.
    if (missing >= 1 and (partial is not None or lacking)) or (missing >= 2 and not exact):
        within = partial is None and any(between.frame and not between.tag for between in walk.between)
        faults.error(
            "missing-frames" if within else "truncated",
            f"expected {counts.frames:,} frames by the header, found {found:,}: {missing:,} missing",
            offset=walk.end,
            frame=len(walk.starts),
        )
    elif missing >= 2 or missing < -1 or (missing == 1 and counts.bytes is None):
        faults.warning(
            "bad-count",
            f"expected {counts.frames:,} frames by the header, found {found:,}",
            offset=walk.starts[0],
        )


def _between(
    content: Content,
    walk: Walk,
    counts: Counts | None,
    start: int,
    end: int,
    faults: Faults,
) -> None:
    """Judge what stands between the frames."""
    complete = counts is not None and counts.frames is not None and len(walk.starts) - 1 >= counts.frames
    for between in walk.between:
        length, frame = between.end - between.start, between.frame
        if between.tag:
            faults.warning(
                "joined",
                f"expected one recording, found {length:,} bytes of tags behind its beginning: several may have been joined",
                offset=between.start,
                frame=frame,
            )
        elif not frame:
            if length <= _PADDING and start and not any(content.data[between.start : between.end]):
                continue
            faults.warning(
                "junk",
                f"expected a frame, found {length:,} bytes that are none in front of it",
                offset=between.start,
            )
        elif between.end == end and frame == len(walk.starts):
            faults.warning(
                "trailing-data",
                f"expected the end of the file, found {length:,} bytes more",
                offset=between.start,
            )
        else:
            text = f"expected a frame, found {length:,} bytes that are none"
            if complete:
                faults.warning("junk", text, offset=between.start, frame=frame)
            else:
                faults.error("lost-sync", text, offset=between.start, frame=frame)
    for frame in walk.changes:
        faults.warning(
            "format-change",
            "expected frames of one kind, found that version, layer or sample rate change",
            offset=walk.starts[frame],
            frame=frame,
        )


def _look_inside(content: Content, walk: Walk, counts: Counts | None, faults: Faults) -> None:
    """Compare the frames with each other, and with the checksum of the whole."""
    skipped = int(counts is not None)
    contiguous = not any(between.frame for between in walk.between)
    side = look_at_side(
        content, walk.starts[skipped:], walk.sizes[skipped:], walk.headers[skipped:], contiguous
    )
    if side is not None:
        for index in side.bad_checksums:
            faults.error(
                "bad-crc",
                "expected the checksum of a frame to hold, found that it does not",
                offset=walk.starts[index + skipped],
                frame=index + skipped,
            )
        if side.lacking:
            faults.warning(
                "missing-beginning",
                f"expected a first frame that stands for itself, found that it needs {side.lacking:,} bytes of frames before it",
                offset=walk.starts[skipped],
                frame=skipped,
            )
        for index in side.overlapping:
            faults.warning(
                "lost-frames",
                "expected the sound of a frame to end before that of the next one, found that it does not: frames may be missing, or changed",
                offset=walk.starts[index + skipped],
                frame=index + skipped,
            )
    if counts is None or counts.music is None or faults.problems or _was_adjusted(content):
        return
    size, expected = counts.music
    first = walk.starts[0]
    if size <= walk.sizes[0] or first + size > content.size:
        return
    got = arc(content.data, first + walk.sizes[0], first + size)
    if got != expected:
        faults.warning(
            "bad-checksum",
            f"expected sound with the checksum {expected:04x} that its encoder noted, found {got:04x}: it was changed since",
            offset=first,
        )


def _was_adjusted(content: Content) -> bool:
    """Whether the volume of frames was changed by a program that says so in a tag, as mp3gain does."""
    at = trailing(content).start
    return b"MP3GAIN_" in bytes(content.data[at : at + (1 << 16)]).upper() or b"MP3GAIN_" in bytes(
        content.data[: min(leading(content), 1 << 16)]
    )


def _compare(
    content: Content, walk: Walk, counts: Counts | None, shape: Shape, samples: Samples, faults: Faults
) -> Samples:
    """Compare what was decoded with the frames; where the decoder stopped early by its own count, decode all with the right one."""
    if faults.broken or walk.changes or samples.failure is not None:
        return samples
    skipped = int(counts is not None)
    frames = len(walk.starts) - skipped
    least = (frames - _LATENESS) * shape.samples - (counts.trimmed if counts else 0)
    if samples.frames >= least:
        return samples
    header = counted(walk.headers[0], frames)
    whole = samples
    if header is not None:
        with suppress(Undecodable):
            whole = decode(Pieced(content, [header, (walk.starts[skipped], walk.end)]))
    if counts is None or counts.frames is None or counts.frames < frames - _LATENESS:
        faults.warning(
            "duration-mismatch",
            f"expected about {frames * shape.samples:,} samples of {frames:,} frames, found a decoder that reads {samples.frames:,}: "
            + ("the header counts others" if counts and counts.frames else "no header counts the frames"),
        )
    return max(samples, whole, key=lambda each: each.frames)


def _facts(samples: Samples, walk: Walk, shape: Shape) -> dict[str, Any]:
    facts = {**samples.facts, "frames": len(walk.starts)}
    return facts if not walk.changes else {**facts, "sample_rate": shape.sample_rate}
