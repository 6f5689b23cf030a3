"""What a recording sounds like, as a small picture: how loud each band of frequencies is over time.

The level does not matter, nor silence at the ends, nor what is above ``TOP``: a recording at half the volume, with another rate, or put through a lossy encoder, which
shifts it by some milliseconds, gives nearly the same picture. Powers are by the Fourier transform of overlapping windows (Hann) in triangular bands, evenly spaced on the mel
scale (O'Shaughnessy, "Speech Communication", 1987). They are in floating point, and rounded to steps of half a decibel: what is told apart are steps, not last bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soundfile

from mldata.checks.coshash import SIDE, perceptual_hash
from mldata.integrity.samples import Undecodable, decode, quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Powers = NDArray[np.float64]

__all__ = ["LENGTH", "MOST_SECONDS", "RECORD", "STEP", "Looks", "Unseen", "look_at"]

BOTTOM, TOP = 100.0, 3500.0
"""Hertz: what recordings of all usual rates have, from 8,000 samples a second on."""
WINDOW, HOP = 64, 8
"""Milliseconds."""
MOST_SECONDS = 300
"""That are listened to, from the beginning; the length of all counts."""
MOST_RATE = 1 << 20
"""Samples a second. No recorder has more, and a window of it is kept."""
DEEP = 40.0
"""Decibels below the loudest moment of which a moment, and below the loudest band's of which a band, is silent."""
EDGE = 0.01
"""Share of all that is heard that is left out at each end: nothing hangs on when silence begins."""
STEP = 0.5
"""Decibels."""
FLAT = 1.0
"""Standard deviation, in decibels, of a band over time, below which a recording has no course: a tone, or even noise."""
LEAST_SECONDS = 0.1
"""Of sound. A click is like any other."""
LENGTH = 4
"""Bytes of the length, in milliseconds."""
RECORD = LENGTH + SIDE * SIDE
_LONGEST = (1 << 8 * LENGTH) - 1
_VALUES = 1 << 20
"""Of windows that are transformed at a time."""


class Unseen(Exception):
    """A recording that cannot be decoded here. Whether it is damaged is for the check ``files`` to say."""


class Looks(NamedTuple):
    """What a recording sounds like."""

    bits: int
    record: NDArray[np.uint8]
    """Its length, and then times x bands in steps below the loudest."""
    flat: bool
    """Whether there is nothing to tell it by."""


def look_at(path: Path) -> Looks:
    """What the recording in a file sounds like. Raises :class:`Unseen`."""
    try:
        with quiet():
            info = soundfile.info(str(path))
        rate = int(info.samplerate)
        if not 0 < rate <= MOST_RATE:
            raise Unseen(f"it has {rate:,} samples a second")
        powers = _Powers(rate)
        beyond, failure = 0.0, None
        with path.open("rb") as file:
            try:
                failure = decode(file, powers.add).failure
            except _Enough:
                beyond = max(0.0, int(info.frames) / rate - MOST_SECONDS)
    except (Undecodable, RuntimeError, TypeError, ValueError, OSError) as error:
        raise Unseen(f"it cannot be decoded: {type(error).__name__}") from error
    if failure is not None:
        raise Unseen(f"it cannot be decoded: {failure}")
    return _looks(powers.end(), max(1, rate * HOP // 1000) / rate, beyond)


class _Enough(Exception):
    """As much as is listened to was decoded."""


class _Powers:
    """Powers of bands, of blocks of samples as they come."""

    def __init__(self, rate: int) -> None:
        self._hop, self._window = max(1, rate * HOP // 1000), max(2, rate * WINDOW // 1000)
        self._shape = np.hanning(self._window + 1)[:-1]
        self._bands = _bands(rate, self._window)
        # So that whatever is heard is heard by as many windows at the ends as in the middle.
        self._rest = np.zeros(self._window - self._hop)
        self._left = rate * MOST_SECONDS
        self._found: list[Powers] = []

    def add(self, block: NDArray[Any]) -> None:
        """Take the next samples: frames x channels."""
        values = block[: self._left].astype(np.float64)
        if block.dtype.kind == "i":
            values /= -float(np.iinfo(block.dtype).min)
        else:
            values = np.clip(np.nan_to_num(values, posinf=0, neginf=0), -1e3, 1e3)
        self._take(values.mean(axis=1))
        self._left -= len(values)
        if self._left <= 0:
            raise _Enough

    def end(self) -> Powers:
        """(times, bands), of all that was added."""
        self._take(np.zeros(self._window))
        return np.concatenate(self._found) if self._found else np.zeros((0, SIDE))

    def _take(self, values: NDArray[np.float64]) -> None:
        values = np.concatenate([self._rest, values])
        if len(values) < self._window:
            self._rest = values
            return
        windows = np.lib.stride_tricks.sliding_window_view(values, self._window)[:: self._hop]
        size = max(1, _VALUES // self._window)
        for start in range(0, len(windows), size):
            spectra = np.fft.rfft(windows[start : start + size] * self._shape)
            self._found.append((spectra.real**2 + spectra.imag**2) @ self._bands)
        self._rest = values[len(windows) * self._hop :]


def _bands(rate: int, window: int) -> Powers:
    """(frequencies, bands): triangles that overlap by half. A band above half the rate is empty."""
    edges = _hertz(np.linspace(_mel(BOTTOM), _mel(TOP), SIDE + 2))
    found = np.fft.rfftfreq(window, 1 / rate)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    return np.clip(np.minimum((found - low) / (middle - low), (high - found) / (high - middle)), 0, None)


def _mel(hertz: float) -> float:
    return 2595 * float(np.log10(1 + hertz / 700))


def _hertz(mel: Powers) -> Powers:
    return 700 * (10 ** (mel / 2595) - 1)


def _looks(powers: Powers, hop: float, beyond: float) -> Looks:
    """
    Args:
        powers: times x bands.
        hop: seconds from one time to the next.
        beyond: seconds that were not listened to.
    """
    start, stop = _heard(powers.sum(axis=1))
    seconds = (stop - start) * hop
    silent = Looks(0, np.zeros(RECORD, np.uint8), True)
    if seconds < LEAST_SECONDS:
        return silent
    # Means of stretches of equal length, by differences of what is summed up from the beginning.
    summed = np.concatenate([np.zeros((1, SIDE)), np.cumsum(powers, axis=0)])
    places = np.linspace(start, stop, SIDE + 1)
    whole = np.minimum(places.astype(np.int64), len(powers) - 1)
    cells = np.diff(summed[whole] + (places - whole)[:, None] * powers[whole], axis=0)
    peak = float(cells.max())
    decibels = np.maximum(10 * np.log10(np.maximum(cells / peak, 1e-30)), -DEEP)
    steps = np.rint((decibels + DEEP) / STEP).astype(np.uint8)
    # What a header promises may be anything.
    milliseconds = np.array([min(round(1000 * (seconds + beyond)), _LONGEST)], "<u4").view(np.uint8)
    moves = float(steps[2:-2].std(axis=0).max()) * STEP
    return Looks(perceptual_hash(steps, 1), np.concatenate([milliseconds, steps.ravel()]), moves < FLAT)


def _heard(powers: Powers) -> tuple[float, float]:
    """From where to where there is sound, in times."""
    peak = float(powers.max(initial=0))
    if peak < 1e-12:  # what rounding leaves of silence
        return 0.0, 0.0
    heard = np.maximum(10 * np.log10(np.maximum(powers / peak, 1e-30)) + DEEP, 0)
    summed = np.concatenate([[0.0], np.cumsum(heard)])
    ends = np.interp([EDGE * summed[-1], (1 - EDGE) * summed[-1]], summed, np.arange(len(summed)))
    return float(ends[0]), float(ends[1])
