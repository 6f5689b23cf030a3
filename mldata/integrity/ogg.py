"""Ogg: every page's checksum and place in its sequence, and every sample of every stream in every link of a chain.

Formats: RFC 3533 (Ogg), Vorbis I, RFC 7845 (Opus), RFC 9639 section 10.1 (FLAC in Ogg). Decoders of Ogg leave out damaged pages in silence; libsndfile decodes the first stream of a
file, so that each one is given to it alone.
"""

from __future__ import annotations

from typing import Any

from mldata.integrity.base import Found, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.faults import Faults
from mldata.integrity.flacinfo import UNSET, Hasher, StreamInfo, read_stream_info
from mldata.integrity.oggstreams import Stream, read_streams
from mldata.integrity.pieced import Pieced
from mldata.integrity.samples import DECODER, Samples, Undecodable, decode, remark

__all__ = ["Ogg"]

_DECODED = frozenset({"Vorbis", "Opus", "FLAC"})
_SILENT = frozenset({"Skeleton", "Kate", "CMML"})
"""Streams of text and of indexes, in which there is nothing to decode."""
_FLAC_MARK = 9
"""Bytes of the first packet of FLAC in Ogg in front of where a FLAC file begins."""
_FLAC_INFO = _FLAC_MARK + 8
"""Where STREAMINFO is in that packet: behind the mark fLaC and the block's header."""
_OPUS_RATE = 48000
"""Positions in Opus are always at this rate (RFC 7845, 4)."""


class Ogg:
    """The checker of Ogg files."""

    def check(self, content: Content) -> Found:
        """Walk its pages, decode its streams."""
        faults = Faults()
        streams = read_streams(content, faults)
        if not streams:
            if not faults.broken:
                faults.error(
                    "truncated" if content.size < 4 else "bad-header",
                    "expected a page of Ogg, found none",
                    offset=0,
                )
            return Found(DECODER, faults.problems)
        alone = _covers(streams, content)
        unsupported: str | None = None
        decoded: list[Samples] = []
        for stream in streams:
            if stream.codec in _SILENT:
                continue
            source = content if alone and stream.codec != "FLAC" else _source(content, stream)
            info = _flac_info(stream)
            md5 = Hasher(info.bits) if info else None
            try:
                samples = decode(source, md5)
            except Undecodable as error:
                if stream.codec in _DECODED and not _is_ambisonic(stream):
                    if not faults.broken:
                        faults.error(
                            "undecodable", f"expected {stream.codec} that can be decoded, found: {error}"
                        )
                else:
                    unsupported = unsupported or f"{stream.codec} in Ogg: {error}"
                continue
            decoded.append(samples)
            _compare(stream, samples, faults)
            if info and md5 and info.md5 != UNSET and not faults.broken and md5.digest() != info.md5:
                faults.error("bad-md5", f"expected samples with the MD5 {info.md5.hex()}, found others")
            remark(samples, faults)
        if unsupported and not faults.broken:
            raise Unsupported(unsupported)
        return Found(DECODER, faults.problems, _facts(decoded, streams))


def _covers(streams: list[Stream], content: Content) -> bool:
    """Whether the file is one stream and nothing else."""
    return len(streams) == 1 and sum(end - start for start, end in streams[0].pages) == content.size


def _source(content: Content, stream: Stream) -> Pieced:
    """A stream alone. FLAC out of its pages is a FLAC file: libsndfile opens none in Ogg that another program wrote."""
    if stream.codec != "FLAC" or not stream.bodies:
        return Pieced(content, stream.pages)
    (start, end), *rest = stream.bodies
    return Pieced(content, [(min(start + _FLAC_MARK, end), end), *rest])


def _flac_info(stream: Stream) -> StreamInfo | None:
    block = stream.first[_FLAC_INFO : _FLAC_INFO + 34]
    return read_stream_info(block) if stream.codec == "FLAC" and len(block) == 34 else None


def _is_ambisonic(stream: Stream) -> bool:
    """Whether the channels of Opus are mapped in a way (RFC 8486) that libsndfile does not know."""
    return stream.codec == "Opus" and len(stream.first) > 18 and stream.first[18] not in (0, 1)


def _compare(stream: Stream, samples: Samples, faults: Faults) -> None:
    """Compare what was decoded with the positions on the pages."""
    if faults.broken or samples.failure is not None or not stream.last_granule:
        return
    # Where a stream begins is only known to be in front of its first position.
    expected = stream.last_granule - (stream.first_granule or 0)
    if stream.codec == "Opus":
        expected = expected * samples.sample_rate // _OPUS_RATE
    if samples.frames < expected:
        faults.warning(
            "duration-mismatch",
            f"expected at least {expected:,} samples by the positions on the pages, found {samples.frames:,} to be decoded",
        )


def _facts(decoded: list[Samples], streams: list[Stream]) -> dict[str, Any]:
    if not decoded:
        return {}
    duration = round(sum(samples.frames / samples.sample_rate for samples in decoded), 6)
    facts = {**decoded[0].facts, "duration": duration, "samples": sum(samples.frames for samples in decoded)}
    links = streams[-1].link + 1
    return {**facts, "links": links} if links > 1 else facts
