"""AIFF and AIFC: every chunk, and every sample.

Formats: Apple, "Audio Interchange File Format 1.3" and "AIFF-C" (draft of 1991); both are IFF. ``COMM`` says how many samples there are, ``SSND`` holds
them: the two, and the file, must agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from mldata.integrity.base import Found, Unsupported
from mldata.integrity.chunks import Chunk, Chunks, is_open, stands_for_unknown, walk_chunks
from mldata.integrity.content import Content
from mldata.integrity.faults import Faults
from mldata.integrity.samples import DECODER, Undecodable, decode, remark

__all__ = ["Aiff"]

_BYTES = {
    b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1, b"raw ": 1,
    b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"in24": 3, b"in32": 4, b"23ni": 4,
}  # fmt: skip
"""Bytes of one sample, where the codec alone says so."""
_PLAIN = frozenset({b"NONE", b"sowt", b"twos"})
"""Codecs whose samples have as many bytes as the bits need."""
_IMA = b"ima4"
_IMA_BYTES, _IMA_SAMPLES = 34, 64
"""A packet of one channel. ``COMM`` counts packets."""
_LEAST = {b"AIFF": 18, b"AIFC": 22}


@dataclass(frozen=True)
class _Common:
    """The ``COMM`` chunk."""

    channels: int
    frames: int
    """Samples of each channel (packets, of ``ima4``)."""
    bits: int
    codec: bytes

    @property
    def size(self) -> int | None:
        """Bytes of one frame; None where that cannot be told."""
        if self.codec == _IMA:
            return self.channels * _IMA_BYTES
        one = -(-self.bits // 8) if self.codec in _PLAIN else _BYTES.get(self.codec)
        return one * self.channels if one else None


class Aiff:
    """The checker of AIFF files."""

    def check(self, content: Content) -> Found:
        """Walk its chunks, compare their sizes with the file's, decode its samples."""
        faults = Faults()
        kind = bytes(content.data[8:12])
        if bytes(content.data[:4]) != b"FORM" or kind not in _LEAST:
            code = "truncated" if content.size < 12 else "bad-header"
            faults.error(code, "expected a FORM header of type AIFF or AIFC, found none", offset=0)
            return Found(DECODER, faults.problems)
        promised = int.from_bytes(content.data[4:8], "big")
        chunks = walk_chunks(content, 12, "big", faults, open_ended=b"SSND")
        common = _common(content, chunks, kind, faults)
        if common is None:
            return Found(DECODER, faults.problems)
        sound = chunks.first(b"SSND")
        if sound is None and common.frames:
            code = "truncated" if promised + 8 > content.size else "missing-chunk"
            faults.error(
                code,
                f"expected a chunk called SSND with {common.frames:,} samples, found none",
                offset=content.size,
            )
            return Found(DECODER, faults.problems)
        if sound is None:  # the chunk may be left out where there are no samples
            faults.warning("no-samples", "expected sound, found a recording without a single sample")
            return Found(DECODER, faults.problems)
        _sizes(content, chunks, sound, promised, common, faults)
        return _decoded(content, common, faults)


def _decoded(content: Content, common: _Common, faults: Faults) -> Found:
    try:
        samples = decode(content)
    except Undecodable as error:
        if not faults.broken and common.size is None:
            codec = common.codec.decode("ascii", "backslashreplace")
            raise Unsupported(f"the codec {codec} in an AIFC file: {error}") from None
        faults.error("undecodable", f"expected sound that can be decoded, found: {error}")
        return Found(DECODER, faults.problems)
    expected = common.frames * (_IMA_SAMPLES if common.codec == _IMA else 1)
    # Of packets, the decoder may leave out the padding of the last one.
    slack = _IMA_SAMPLES if common.codec == _IMA else 0
    if samples.frames + slack < expected and not faults.broken and not stands_for_unknown(common.frames):
        faults.error("lost-samples", f"expected {expected:,} samples, found {samples.frames:,} to be decoded")
    remark(samples, faults)
    return Found(DECODER, faults.problems, samples.facts)


def _common(content: Content, chunks: Chunks, kind: bytes, faults: Faults) -> _Common | None:
    chunk = chunks.first(b"COMM")
    if chunk is None:
        code = "truncated" if chunks.end >= content.size else "missing-chunk"
        faults.error(code, "expected a chunk called COMM, found none", offset=min(12, content.size))
        return None
    fields = bytes(content.data[chunk.start : min(chunk.end, chunk.start + 22)])
    if len(fields) < _LEAST[kind]:
        faults.error(
            "truncated" if chunk.end > content.size else "bad-header",
            f"expected at least {_LEAST[kind]} bytes in the chunk called COMM, found {len(fields)}",
            offset=chunk.start,
        )
        return None
    codec = fields[18:22] if kind == b"AIFC" else b"NONE"
    channels, frames, bits = (int.from_bytes(fields[at:end], "big") for at, end in ((0, 2), (2, 6), (6, 8)))
    common = _Common(channels, frames, bits, codec)
    if not common.channels or not any(fields[8:18]):
        faults.error(
            "bad-header",
            f"expected a number of channels and a sample rate, found {common.channels} channels"
            + ("" if any(fields[8:18]) else " at 0 Hz"),
            offset=chunk.start,
        )
        return None
    return common


def _sizes(
    content: Content, chunks: Chunks, sound: Chunk, promised: int, common: _Common, faults: Faults
) -> None:
    """Compare what the sizes say with what there is."""
    last, size = chunks.found[-1], content.size
    open_ended = is_open(content, sound, "big")
    skipped = 8 + int.from_bytes(content.data[sound.start : sound.start + 4], "big")
    there = max(0, min(size if open_ended else sound.end, size) - sound.start - skipped)
    if open_ended or stands_for_unknown(promised):
        faults.warning(
            "unknown-length",
            "expected the size of the samples, found one that says that it is not known: whether it is whole cannot be told",
            offset=4,
        )
    elif common.size and there < common.frames * common.size:
        found = there // common.size
        faults.error(
            "truncated",
            f"expected {common.frames:,} samples, found {found:,}: {common.frames - found:,} missing",
            offset=min(size, sound.end),
        )
    elif last.end > size:
        faults.error(
            "truncated",
            f"expected {last.size:,} bytes in the chunk called {last.name.decode('ascii').strip()}, found {size - last.start:,}",
            offset=size,
        )
    elif promised + 8 > size + 1:
        faults.error("truncated", f"expected a file of {promised + 8:,} bytes, found {size:,}", offset=size)
    elif chunks.end < size:
        rest = size - chunks.end
        faults.warning(
            "trailing-data", f"expected the end of the file, found {rest:,} bytes more", offset=chunks.end
        )
    elif promised + 8 < size - 1:
        faults.warning(
            "bad-size",
            f"expected the size {size - 8:,} in the FORM header, found {promised:,}: programs that trust it miss what is behind",
            offset=4,
        )
    elif common.size and there >= (common.frames + 1) * common.size:
        faults.warning(
            "bad-count",
            f"expected {there // common.size:,} samples, found a header that counts {common.frames:,}",
        )
