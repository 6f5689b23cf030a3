"""Video: the structure of the container, then every packet demuxed and every frame of every picture and sound decoded by FFmpeg, through PyAV.

Frames are decoded one at a time by one thread. A decoder that conceals damage is told not to. What FFmpeg logs is
kept among the facts and decides nothing, but for checksums.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mldata.integrity.avi import chunks_of
from mldata.integrity.base import ERROR, WARNING, Found, Problem, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.ebml import elements_of
from mldata.integrity.isobmff import boxes_of

__all__ = ["Video"]

MOST_PIXELS = 8192 * 8192
"""Of a frame: four times 8K."""
TOLD = 5
SLACK = 0.02
"""Part of the frames or of the duration that may be missing: containers round, and edit lists leave out."""
LOGGED = 3
"""Lines of FFmpeg's log that are kept."""
_CHECKSUM = re.compile(r"CRC mismatch|checksum", re.IGNORECASE)
"""Some decoders (FFV1) say of a wrong checksum in the log alone."""
ZEROS = bytes(512)
_DENSE = ("h264", "hevc", "vp8", "vp9", "av1", "mjpeg")
"""Codecs whose bits are never so many zeros."""
_OPTIONS = {"err_detect": "crccheck+bitstream+buffer+explode", "max_pixels": str(MOST_PIXELS)}


class Video:
    """Checks MP4, AVI, Matroska and WebM."""

    def check(self, content: Content) -> Found:
        """See :class:`~mldata.integrity.base.Checker`."""
        container, structure = _container(content.head)
        problems = structure(content)
        broken = any(problem.severity == ERROR for problem in problems)
        try:
            import av
        except ImportError:
            if broken:
                return Found("mldata", problems)
            raise Unsupported(
                "expected a decoder of video, found none: install it with `pip install 'mldata-cli[video]'`"
            ) from None
        decoder = f"PyAV {av.__version__}"
        if broken:  # a decoder would say the same in other words
            return Found(decoder, problems)
        decoding = _Decoding(problems)
        decoding.all(content, container)
        return Found(decoder, decoding.problems, decoding.facts)


def _container(head: bytes) -> tuple[str, Callable[[Content], list[Problem]]]:
    """FFmpeg's name of a container, and what looks at its structure."""
    if head.startswith(b"RIFF"):
        return "avi", chunks_of
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska", elements_of
    return "mov", boxes_of


@dataclass
class _Decoding:
    """What is found while one file is decoded."""

    problems: list[Problem]
    facts: dict[str, Any] = field(default_factory=dict)
    frames: Counter[int] = field(default_factory=Counter)
    """By stream."""
    ends: dict[int, float] = field(default_factory=dict)
    """Seconds at which the last frame of a stream ends."""
    keys: dict[int, int] = field(default_factory=dict)
    """The time of the first key frame of a stream."""
    failed: int = 0

    def all(self, content: Content, container: str) -> None:
        """Decode everything."""
        import av

        content.file.seek(0)
        before = av.logging.get_level()
        av.logging.set_level(av.logging.ERROR)
        with av.logging.Capture(local=True) as logs:
            try:
                with av.open(
                    content.file, format=container, options=dict(_OPTIONS), metadata_errors="replace"
                ) as opened:
                    self._opened(opened)
            except av.error.FFmpegError as error:
                self._tell("bad-container", f"expected a sound container, found damage: {_said(error)}")
        av.logging.set_level(before)
        said = [f"{name}: {message.strip()}" for _, name, message in logs]
        if said:
            self.facts["log"] = said[:LOGGED]
        sums = [line for line in said if _CHECKSUM.search(line)]
        if sums and not self.failed:
            self._tell(
                "bad-crc", f"expected the checksum of the data, found another {len(sums):,} times ({sums[0]})"
            )

    def _opened(self, opened: Any) -> None:
        streams = [stream for stream in opened.streams if stream.type in ("video", "audio")]
        if not any(stream.type == "video" for stream in streams):
            self._tell("no-video", "expected a stream of pictures, found none", WARNING)
        if not streams:
            return
        for stream in streams:
            if not self._prepare(stream):
                return
        self._decode(opened, streams)
        self._compare(opened, streams)

    def _prepare(self, stream: Any) -> bool:
        """Set up the decoder of a stream; whether it may be used."""
        context = stream.codec_context
        if context is None:
            raise Unsupported(
                f"expected a stream that FFmpeg decodes, found one of {stream.type} that it does not"
            )
        context.thread_count = 1
        if stream.type == "video":
            pixels = context.width * context.height
            self.facts |= {"width": context.width, "height": context.height}
            if pixels > MOST_PIXELS:
                said = f"expected frames of at most {MOST_PIXELS:,} pixels, found {context.width:,} x {context.height:,}"
                self._tell("too-large", said)
                return False
            if not pixels:
                self._tell(
                    "bad-dimensions", f"expected pictures, found a size of {context.width} x {context.height}"
                )
        return True

    def _decode(self, opened: Any, streams: list[Any]) -> None:
        import av

        packets = opened.demux(streams)
        while self.failed < TOLD:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                self._tell("bad-packet", f"expected a sound packet, found damage: {_said(error)}")
                return
            if packet is None:
                return
            index, pts = packet.stream.index, packet.pts
            if packet.is_keyframe and pts is not None:
                self.keys.setdefault(index, pts)
            if packet.stream.codec_context.name in _DENSE and ZEROS in bytes(packet):
                self._zeros(packet.stream, pts)
            try:
                for frame in packet.decode():
                    self._frame(frame, packet.stream)
            except av.error.FFmpegError as error:
                # Pictures that come before the first key frame are not shown: a cut without encoding anew leaves them behind.
                if index in self.keys and (pts is None or pts >= self.keys[index]):
                    self._damaged(packet.stream, pts, error)

    def _frame(self, frame: Any, stream: Any) -> None:
        index = stream.index
        if (
            getattr(frame, "is_corrupt", False)
            and frame.pts is not None
            and frame.pts >= self.keys.get(index, 0)
        ):
            self._damaged(stream, frame.pts, None)
        self.frames[index] += 1
        if frame.time is not None:
            long = 1 / float(stream.average_rate) if stream.type == "video" and stream.average_rate else 0.0
            if stream.type == "audio" and frame.sample_rate:
                long = frame.samples / frame.sample_rate
            self.ends[index] = max(self.ends.get(index, 0.0), frame.time + long)

    def _zeros(self, stream: Any, pts: int | None) -> None:
        """Tell once of a block that was never written; decoders make something of it."""
        if not any(problem.code == "zero-filled" for problem in self.problems):
            said = f"expected a picture{_when(stream, pts)}, found {len(ZEROS)} zero bytes or more in a row in it"
            self._tell("zero-filled", said, WARNING, frame=self.frames[stream.index])

    def _damaged(self, stream: Any, pts: int | None, error: Exception | None) -> None:
        self.failed += 1
        said = f": {_said(error)}" if error is not None else ", and the decoder hid it"
        what = "picture" if stream.type == "video" else "sound"
        self._tell(
            "bad-frame",
            f"expected a sound {what}{_when(stream, pts)}, found damage{said}",
            frame=self.frames[stream.index],
        )

    def _compare(self, opened: Any, streams: list[Any]) -> None:
        """The header against what was decoded."""
        pictures = [stream for stream in streams if stream.type == "video"]
        self.facts["codecs"] = [stream.codec_context.name for stream in streams]
        if pictures:
            self.facts["frames"] = self.frames[pictures[0].index]
        found = max(self.ends.values(), default=0.0)
        self.facts["duration"] = round(found, 3)
        if self.failed:
            return
        for stream in streams:
            many, wanted = self.frames[stream.index], stream.frames
            if not many:
                self._tell(
                    "no-frames", f"expected frames in the stream {stream.index} ({stream.type}), found none"
                )
            elif stream.type == "video" and wanted - many > max(2, wanted * SLACK):
                said = f"expected {wanted:,} frames as the header says, found {many:,}"
                self._tell("frame-count", said, WARNING)
        said_to_be = (opened.duration or 0) / 1_000_000
        alone = len(opened.streams) == len(streams)  # subtitles may go on behind the last picture
        if alone and found and said_to_be - found > max(1.0, said_to_be * SLACK):
            said = f"expected {said_to_be:.1f} s as the header says, found {found:.1f} s"
            self._tell("duration", said, WARNING)

    def _tell(self, code: str, message: str, severity: str = ERROR, frame: int | None = None) -> None:
        self.problems.append(Problem(code, message, severity, frame=frame))


def _when(stream: Any, pts: int | None) -> str:
    return f" at {float(pts * stream.time_base):.3f} s" if pts is not None and stream.time_base else ""


def _said(error: BaseException) -> str:
    """What FFmpeg calls an error, without the place that PyAV adds."""
    return str(getattr(error, "strerror", None) or type(error).__name__)
