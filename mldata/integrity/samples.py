"""Every sample of a recording, decoded by libsndfile in blocks.

Invariant: memory is a block's, whatever a header says of the length; what is counted is what was decoded, never what was promised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from mldata.integrity.content import Content
from mldata.integrity.faults import Faults
from mldata.integrity.pieced import Pieced

__all__ = ["DECODER", "Block", "Samples", "Undecodable", "decode", "quiet", "remark"]

DECODER = f"libsndfile {soundfile.__libsndfile_version__}"

Block = npt.NDArray[Any]

_BLOCK = 1 << 17
"""Values in a block, all channels together."""

_TYPES = {"PCM_24": "int32", "PCM_32": "int32", "FLOAT": "float32", "DOUBLE": "float64"}
"""What samples of a codec are read as, so that nothing of them is lost; integers are aligned to the left."""
_SHORT = frozenset({"PCM_16", "PCM_S8", "PCM_U8", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"})


class Undecodable(Exception):
    """libsndfile does not open it. The message is its reason."""


@dataclass(frozen=True)
class Samples:
    """What decoding a recording to its end came to."""

    frames: int
    """Samples of each channel that were decoded."""
    promised: int
    """As many as libsndfile took the header to say."""
    sample_rate: int
    channels: int
    codec: str
    """libsndfile's name of the subtype, in lower case: ``pcm_16``, ``vorbis``."""
    silent: bool = False
    """Whether every sample is exactly zero."""
    not_finite: int | None = None
    """The first sample that is no number, or infinite."""
    failure: str | None = None
    """Why the decoder stopped, if not at the end."""

    @property
    def facts(self) -> dict[str, Any]:
        """As a checker tells them."""
        return {
            "duration": round(self.frames / self.sample_rate, 6),
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "samples": self.frames,
            "codec": self.codec,
        }


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from the beginning to the end. Of one that can be sought in, soundfile seeks after every block to where it is
    anyway, which some decoders take as the order to begin afresh."""

    def seekable(self) -> bool:
        return False


def decode(source: Content | BinaryIO | Pieced, each: Callable[[Block], None] | None = None) -> Samples:
    """Decode all of it. ``each`` is given every block: frames x channels, integers aligned to the left.

    Raises:
        Undecodable: libsndfile does not open it.
    """
    with quiet():
        return _decode(source, each)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing on the standard error: inside libsndfile, mpg123 writes there what it thinks of a file."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _decode(source: Content | BinaryIO | Pieced, each: Callable[[Block], None] | None) -> Samples:
    if isinstance(source, Content):
        _ = source.data  # before the descriptor is moved under the buffered file
        os.lseek(source.file.fileno(), 0, os.SEEK_SET)
    try:
        file = (
            _Forward(source.file.fileno(), closefd=False) if isinstance(source, Content) else _Forward(source)
        )
    except soundfile.LibsndfileError as error:
        raise Undecodable(_reason(error)) from None
    with file:
        return _read(file, each)


def _read(file: soundfile.SoundFile, each: Callable[[Block], None] | None) -> Samples:
    codec: str = file.subtype
    kind = _TYPES.get(codec) or ("int16" if codec in _SHORT else "float32")
    buffer = np.zeros((max(1, _BLOCK // file.channels), file.channels), kind)
    frames, silent, not_finite, failure = 0, True, None, None
    while True:
        try:
            block = file.read(out=buffer)
        except soundfile.LibsndfileError as error:
            failure = _reason(error)
            break
        if not len(block):
            break
        if silent and block.any():
            silent = False
        if codec in ("FLOAT", "DOUBLE") and not_finite is None and not np.isfinite(block).all():
            not_finite = frames + int(np.argmin(np.isfinite(block).all(axis=1)))
        if each is not None:
            each(block)
        frames += len(block)
    return Samples(
        frames,
        int(file.frames),
        max(1, int(file.samplerate)),
        int(file.channels),
        codec.lower(),
        silent and frames > 0,
        not_finite,
        failure,
    )


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).strip().rstrip(".")


def remark(samples: Samples, faults: Faults) -> None:
    """What is to be said of the samples themselves, whatever they came in."""
    if samples.failure is not None:
        faults.error(
            "undecodable",
            f"expected samples to the end, found the decoder to stop behind sample {samples.frames:,}: {samples.failure}",
        )
    if not samples.frames:
        faults.warning("no-samples", "expected sound, found a recording without a single sample")
    if samples.silent:
        faults.warning("silence", f"expected sound, found {samples.frames:,} samples that are all zero")
    if samples.not_finite is not None:
        faults.warning(
            "not-finite", f"expected finite samples, found NaN or infinity in sample {samples.not_finite:,}"
        )
