"""Small films of any container and codec, made by FFmpeg."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

__all__ = ["film"]


@cache
def film(
    container: str,
    codec: str,
    sound: str | None = None,
    *,
    muxing: tuple[tuple[str, str], ...] = (),
    coding: tuple[tuple[str, str], ...] = (),
    times: Sequence[int] | None = None,
) -> bytes:
    """A film of 20 pictures, 64 x 48, 10 a second.

    Args:
        sound: the codec of a stream of sound beside.
        times: when each picture is shown, in tenths of a second.
    """
    import av

    handle, path = tempfile.mkstemp(suffix=".film")
    os.close(handle)
    try:
        with av.open(path, "w", format=container, options=dict(muxing)) as out:
            pictures: Any = out.add_stream(codec, rate=10, options={"threads": "1", **dict(coding)})
            pictures.width, pictures.height = 64, 48
            pictures.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            heard: Any = out.add_stream(sound, rate=48000 if sound == "libopus" else 16000) if sound else None
            noise = np.random.default_rng(1)
            for number in range(20):
                pixels = noise.integers(0, 40, (48, 64, 3), np.uint8)
                pixels[:, number * 3 :, :] += number * 9
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                if times is not None:
                    frame.pts = times[number]
                out.mux(pictures.encode(frame))
            if heard is not None:
                _sing(out, heard)
            out.mux(pictures.encode(None))
        with open(path, "rb") as file:
            return file.read()
    finally:
        os.unlink(path)


def _sing(out: Any, heard: Any) -> None:
    """Two seconds of a tone."""
    import av

    rate = heard.rate
    tone = (np.sin(np.arange(rate * 2) / 20) * 8000).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
    frame.sample_rate = rate
    size = heard.codec_context.frame_size or None
    fit = av.AudioResampler(format=heard.format, layout=heard.layout, rate=rate, frame_size=size)
    for part in [*fit.resample(frame), *fit.resample(None)]:
        out.mux(heard.encode(part))
    out.mux(heard.encode(None))
