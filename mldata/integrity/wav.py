"""WAV: RIFF, RIFX (big-endian), RF64 and BW64; every chunk, and every sample.

Formats: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"; "Multiple Channel Audio Data and WAVE Files" (WAVE_FORMAT_EXTENSIBLE); EBU Tech 3306
(RF64), ITU-R BS.2088 (BW64). A file is cut short where its sizes promise more than there is; one with sizes that stand for "not known", as programs write into a pipe,
cannot be told to be whole, and is suspect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mldata.integrity.base import Found, Unsupported
from mldata.integrity.chunks import Chunk, Chunks, is_open, stands_for_unknown, walk_chunks
from mldata.integrity.content import Content
from mldata.integrity.faults import Faults
from mldata.integrity.pieced import Pieced
from mldata.integrity.samples import DECODER, Samples, Undecodable, decode, remark

__all__ = ["Wav"]

_ORDERS: dict[bytes, Literal["little", "big"]] = {
    b"RIFF": "little",
    b"RIFX": "big",
    b"RF64": "little",
    b"BW64": "little",
}
_PLAIN = {0x0001: "PCM", 0x0003: "IEEE float", 0x0006: "A-law", 0x0007: "mu-law"}
"""Codecs that have a fixed number of bytes for a sample."""
_KNOWN = {0x0002, 0x0011, 0x0031}
"""Other codecs that libsndfile decodes whenever they are sound: two forms of ADPCM, and GSM."""
_WIDTHS = {0x0001: range(1, 33), 0x0003: (32, 64), 0x0006: (8,), 0x0007: (8,)}
"""Bits of a sample that it decodes."""
_MOST_CHANNELS = 1024
"""That it takes."""
_EXTENSIBLE = 0xFFFE


@dataclass(frozen=True)
class _Format:
    """The ``fmt `` chunk."""

    codec: int
    channels: int
    sample_rate: int
    byte_rate: int
    block: int
    """Bytes of one sample of all channels, or of one compressed block."""
    bits: int

    @property
    def least(self) -> int:
        """Bytes that one sample of all channels needs."""
        return self.channels * -(-self.bits // 8)

    @property
    def is_consistent(self) -> bool:
        """Whether :attr:`block` can be true."""
        return self.block >= self.least and not self.block % self.channels

    @property
    def step(self) -> int:
        """Bytes from one sample to the next."""
        return self.block if self.is_consistent else self.least


class Wav:
    """The checker of WAV files."""

    def check(self, content: Content) -> Found:
        """Walk its chunks, compare their sizes with the file's, decode its samples."""
        faults = Faults()
        magic = bytes(content.data[:4])
        if magic not in _ORDERS or bytes(content.data[8:12]) != b"WAVE":
            code = "truncated" if content.size < 12 else "bad-header"
            faults.error(code, "expected a RIFF header of type WAVE, found none", offset=0)
            return Found(DECODER, faults.problems)
        order = _ORDERS[magic]
        large, promised = _large_sizes(content)
        if promised is None:
            promised = int.from_bytes(content.data[4:8], order)
        chunks = walk_chunks(content, 12, order, faults, large, open_ended=b"data")
        form = _format(content, chunks, order, promised + 8 > content.size + 1, faults)
        sound = chunks.first(b"data")
        if sound is None:
            code = "truncated" if promised + 8 > content.size + 1 else "missing-chunk"
            faults.error(code, "expected a chunk called data, found none", offset=content.size)
        if form is None or sound is None:
            return Found(DECODER, faults.problems)
        _sizes(content, chunks, sound, promised, order, form, faults)
        return self._decoded(content, chunks, sound, order, form, faults)

    def _decoded(
        self,
        content: Content,
        chunks: Chunks,
        sound: Chunk,
        order: Literal["little", "big"],
        form: _Format,
        faults: Faults,
    ) -> Found:
        try:
            samples = decode(_sized(content, sound, order))
        except Undecodable as error:
            if not faults.broken and not _is_known(form):
                raise Unsupported(
                    f"the codec 0x{form.codec:04X} of {form.bits} bits and {form.channels} channels in a WAV file: {error}"
                ) from None
            faults.error("undecodable", f"expected sound that can be decoded, found: {error}")
            return Found(DECODER, faults.problems)
        end = content.size if is_open(content, sound, order) else min(sound.end, content.size)
        if form.codec in _PLAIN:
            _count(form, end - sound.start, samples, faults)
        else:
            _compare_fact(content, chunks, order, samples, faults)
        remark(samples, faults)
        return Found(DECODER, faults.problems, samples.facts)


def _is_known(form: _Format) -> bool:
    """Whether libsndfile decodes it whenever it is sound."""
    if form.codec in _PLAIN:
        return form.bits in _WIDTHS[form.codec] and form.channels <= _MOST_CHANNELS
    return form.codec in _KNOWN


def _sized(content: Content, sound: Chunk, order: Literal["little", "big"]) -> Content | Pieced:
    """The content for the decoder, which takes a size of 0 for what it says."""
    if sound.size or not is_open(content, sound, order):
        return content
    size = (content.size - sound.start).to_bytes(4, order)
    return Pieced(content, [(0, sound.start - 4), size, (sound.start, content.size)])


def _large_sizes(content: Content) -> tuple[dict[bytes, int], int | None]:
    """The sizes in the ``ds64`` chunk of RF64: by chunk, and of the whole."""
    data = content.data
    if bytes(data[:4]) not in (b"RF64", b"BW64") or bytes(data[12:16]) != b"ds64" or content.size < 36:
        return {}, None
    whole, sound = (int.from_bytes(data[at : at + 8], "little") for at in (20, 28))
    return {b"data": sound}, whole


def _format(
    content: Content, chunks: Chunks, order: Literal["little", "big"], short: bool, faults: Faults
) -> _Format | None:
    chunk = chunks.first(b"fmt ")
    if chunk is None:
        code = "truncated" if short else "missing-chunk"
        faults.error(code, "expected a chunk called fmt, found none", offset=min(12, content.size))
        return None
    fields = bytes(content.data[chunk.start : min(chunk.end, chunk.start + 40)])
    if len(fields) < 16:
        faults.error(
            "truncated" if chunk.end > content.size else "bad-header",
            f"expected at least 16 bytes in the chunk called fmt, found {len(fields)}",
            offset=chunk.start,
        )
        return None
    sizes = ((0, 2), (2, 2), (4, 4), (8, 4), (12, 2), (14, 2))
    form = _Format(*(int.from_bytes(fields[at : at + size], order) for at, size in sizes))
    if form.codec == _EXTENSIBLE and len(fields) >= 26:
        form = _Format(int.from_bytes(fields[24:26], order), *list(vars(form).values())[1:])
    if not form.channels or not form.sample_rate:
        faults.error(
            "bad-header",
            f"expected a number of channels and a sample rate, found {form.channels} channels at {form.sample_rate} Hz",
            offset=chunk.start,
        )
        return None
    if form.codec in _PLAIN:
        _consistent(form, chunk, faults)
    return form


def _consistent(form: _Format, chunk: Chunk, faults: Faults) -> None:
    if not form.is_consistent or not form.block:
        faults.warning(
            "bad-block",
            f"expected {form.least} bytes a sample ({form.channels} channels of {form.bits} bits), found {form.block}",
            offset=chunk.start + 12,
        )
    elif form.byte_rate != form.sample_rate * form.block:
        faults.warning(
            "bad-byte-rate",
            f"expected {form.sample_rate * form.block:,} bytes a second, found {form.byte_rate:,}",
            offset=chunk.start + 8,
        )


def _sizes(
    content: Content,
    chunks: Chunks,
    sound: Chunk,
    promised: int,
    order: Literal["little", "big"],
    form: _Format,
    faults: Faults,
) -> None:
    """Compare what the sizes say with what there is."""
    last, size = chunks.found[-1], content.size
    short = promised + 8 - size
    """Bytes that the RIFF header promises beyond the end of the file; negative if there are more."""
    if is_open(content, sound, order):
        faults.warning(
            "unknown-length",
            f"expected the size of the samples, found {sound.size:#x}, which says that it is not known: whether it is whole cannot be told",
            offset=sound.start - 4,
        )
    elif sound.end > size:
        faults.error("truncated", _missing(sound, size, form), offset=size)
    elif last.end > size and short > 0:
        faults.error(
            "truncated",
            f"expected {last.size:,} bytes in the chunk called {_name(last)}, found {max(0, size - last.start):,}",
            offset=size,
        )
    elif last.end > size:
        faults.warning(
            "bad-size",
            f"expected the chunk called {_name(last)} to end with the file, found its size {last.end - size:,} bytes too large",
            offset=last.start - 4,
        )
    elif short > 8:
        if not stands_for_unknown(promised):
            faults.error(
                "truncated", f"expected a file of {promised + 8:,} bytes, found {size:,}", offset=size
            )
        else:
            faults.warning(
                "unknown-length",
                f"expected the size of the file, found {promised:#x}, which says that it is not known",
                offset=4,
            )
    elif chunks.end < size:
        rest = size - chunks.end
        faults.warning(
            "trailing-data", f"expected the end of the file, found {rest:,} bytes more", offset=chunks.end
        )
    elif short < -1:
        faults.warning(
            "bad-size",
            f"expected the size {size - 8:,} in the RIFF header, found {promised:,}: programs that trust it miss what is behind",
            offset=4,
        )


def _missing(sound: Chunk, size: int, form: _Format) -> str:
    there = max(0, size - sound.start)
    if form.codec in _PLAIN and form.step:
        expected, found = sound.size // form.step, there // form.step
        return f"expected {expected:,} samples, found {found:,}: {expected - found:,} missing"
    return f"expected {sound.size:,} bytes of sound, found {there:,}: {sound.size - there:,} missing"


def _count(form: _Format, size: int, samples: Samples, faults: Faults) -> None:
    """Compare the bytes of sound with the samples that they were decoded to."""
    if not form.step:
        return
    expected, rest = divmod(size, form.step)
    if rest and "truncated" not in faults:
        faults.warning(
            "partial-sample",
            f"expected whole samples of {form.step} bytes, found {rest} bytes of another one at the end",
        )
    if samples.frames < expected:
        faults.error("lost-samples", f"expected {expected:,} samples, found {samples.frames:,} to be decoded")


def _compare_fact(
    content: Content, chunks: Chunks, order: Literal["little", "big"], samples: Samples, faults: Faults
) -> None:
    """Compare the number of samples that a compressed file says to have with those that were decoded; blocks are filled up, so that there may be more."""
    chunk = chunks.first(b"fact")
    if chunk is None or chunk.size < 4 or faults.broken:
        return
    expected = int.from_bytes(content.data[chunk.start : chunk.start + 4], order)
    if samples.frames < expected and not stands_for_unknown(expected):
        faults.warning(
            "duration-mismatch",
            f"expected {expected:,} samples by the chunk called fact, found {samples.frames:,} to be decoded",
            offset=chunk.start,
        )


def _name(chunk: Chunk) -> str:
    return chunk.name.decode("ascii").strip()
