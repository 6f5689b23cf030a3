"""Every frame of a picture decoded by Pillow, within bounded memory, and what is off in its pixels.

A checker reads the structure of its container first and tells what is broken there with its offset; this is for the pixels. Pillow stays strict: a file that ends
early is an error. What it only warns of is a problem of severity ``warning``.

Limits: a frame of more than :data:`FRAME_PIXELS` is refused before it is decoded, as Pillow and the loaders built on it refuse it (decompression bombs). All
frames together may have :data:`ALL_PIXELS`; what has more is not decoded here.
"""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import PIL
from PIL import Image, UnidentifiedImageError

from mldata.integrity.base import WARNING, Found, Problem, Unsupported

if TYPE_CHECKING:
    from mldata.integrity.content import Content

__all__ = [
    "ALL_PIXELS",
    "DECODER",
    "FRAME_PIXELS",
    "NO_MEMORY",
    "UNKNOWN_PICTURE",
    "Decoded",
    "decode",
    "found",
    "one_colour",
    "one_colour_problem",
    "size_problem",
    "warning_problem",
]

FRAME_PIXELS = 178_956_970
"""Twice ``PIL.Image.MAX_IMAGE_PIXELS`` as Pillow ships it: 1 GiB / 4 / 3, doubled. From there on its ``open`` raises."""
ALL_PIXELS = 1 << 32
"""Of all frames together; at four bytes a pixel, 16 GiB pass through memory, one frame at a time."""
DECODER = f"Pillow {PIL.__version__}"
KEPT_PROBLEMS = 10
KEPT_WARNINGS = 5
"""Different warnings of Pillow that are told of one file."""
NO_MEMORY = "there is not enough memory to decode it"
UNKNOWN_PICTURE = "no picture that the decoder knows"
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>|\s+at 0x[0-9a-fA-F]+")


@dataclass
class Decoded:
    """What decoding has found."""

    problems: list[Problem] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """``width``, ``height``, ``mode`` of the first frame; ``frames``."""

    def found(self, problems: list[Problem]) -> Found:
        """With what the structure has."""
        return found([*problems, *self.problems], self.facts)


def found(problems: Sequence[Problem], facts: Mapping[str, Any], decoder: str = DECODER) -> Found:
    """What is told of a file: of each kind of problem the first :data:`KEPT_PROBLEMS`, for a bad file may have millions."""
    counts: Counter[tuple[str, str]] = Counter()
    told = []
    for problem in problems:
        counts[problem.code, problem.severity] += 1
        if counts[problem.code, problem.severity] <= KEPT_PROBLEMS:
            told.append(problem)
    return Found(decoder, told, facts)


def size_problem(
    width: int, height: int, *, offset: int | None = None, frame: int | None = None
) -> Problem | None:
    """What is wrong with a frame of this size, if anything."""
    if width <= 0 or height <= 0:
        message = f"expected a picture of at least 1 x 1 pixels, found {width} x {height}"
        return Problem("bad-dimensions", message, offset=offset, frame=frame)
    if width * height > FRAME_PIXELS:
        message = f"expected at most {FRAME_PIXELS:,} pixels in a frame, found {width} x {height} = {width * height:,}"
        return Problem("too-large", message, offset=offset, frame=frame)
    return None


class _Refused(Exception):
    """A frame that is not decoded."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def decode(content: Content, name: str, *, unsupported: str | re.Pattern[str] | None = None) -> Decoded:
    """Decode all frames.

    Args:
        content: a file whose structure has been found sound, and whose frames have been found small enough as far as the structure tells.
        name: of the format, as Pillow has it.
        unsupported: matches Pillow's message for what it has no decoder for.

    Raises:
        Unsupported: Pillow cannot decode it, or not in the memory there is.
    """
    done = Decoded()
    frame = 0
    with _heard(done.problems):
        try:
            for frame, image in _frames(content, name):
                if not done.facts:
                    done.facts = {"width": image.width, "height": image.height, "mode": image.mode}
                    flat = True
                flat = flat and one_colour(image)
                done.facts["frames"] = frame + 1
            if flat:
                done.problems.append(one_colour_problem(done.facts["frames"]))
        except Unsupported:
            raise
        except _Refused as error:
            done.problems.append(error.problem)
        except MemoryError:
            raise Unsupported(NO_MEMORY) from None
        except Exception as error:  # a decoder may raise anything for bad bytes
            text = _words(error)
            if unsupported is not None and re.search(unsupported, text):
                raise Unsupported(f"{DECODER} does not decode it: {text}") from None
            done.problems.append(_undecodable(text, frame if done.facts else None))
    return done


def one_colour(image: Image.Image) -> bool:
    """Whether all pixels are the same. A few of them are looked at first: in most pictures those differ."""
    width, height = image.size
    first = image.getpixel((0, 0))
    for x, y in (
        (width // 2, height // 2),
        (width - 1, height - 1),
        (width // 3, height // 5),
        (0, height - 1),
    ):
        if image.getpixel((x, y)) != first:
            return False
    try:
        extremes: Any = image.getextrema()
    except ValueError:  # a mode whose extremes Pillow does not tell
        return False
    bands = extremes if isinstance(extremes[0], tuple) else (extremes,)
    return all(low == high for low, high in bands)


def one_colour_problem(frames: int = 1) -> Problem:
    """All pixels are the same, in every one of the frames."""
    found = "all pixels of one colour" if frames == 1 else f"{frames:,} frames, each of one colour"
    return Problem("one-colour", f"expected a picture, found {found}", WARNING)


def _frames(content: Content, name: str) -> Iterator[tuple[int, Image.Image]]:
    """Each frame, loaded."""
    data = content.data
    file = io.BytesIO(data) if isinstance(data, bytes) else content.file
    file.seek(0)
    pixels = 0
    with Image.open(file, formats=[name]) as image:
        number = 0
        while True:
            if (problem := size_problem(*image.size, frame=number)) is not None:
                raise _Refused(problem)
            pixels += image.width * image.height
            if pixels > ALL_PIXELS:
                raise Unsupported(f"its frames have more than {ALL_PIXELS:,} pixels altogether")
            image.load()
            yield number, image
            number += 1
            try:
                image.seek(number)
            except EOFError:
                return


@contextmanager
def _heard(problems: list[Problem]) -> Iterator[None]:
    """What Pillow warns of, as problems; the same text once."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield
    texts = (
        str(it.message)
        for it in heard
        if issubclass(it.category, UserWarning | RuntimeWarning)
        and not issubclass(it.category, Image.DecompressionBombWarning)
    )
    for text in list(dict.fromkeys(_clean(text) for text in texts))[:KEPT_WARNINGS]:
        problems.append(warning_problem(text))


def warning_problem(text: str) -> Problem:
    """What a decoder warns of."""
    return Problem("decoder-warning", f"expected no warning of the decoder, found: {text}", WARNING)


def _undecodable(text: str, frame: int | None) -> Problem:
    return Problem("undecodable", f"expected pixels that can be decoded, found: {text}", frame=frame)


def _words(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return UNKNOWN_PICTURE
    return _clean(str(error)) or type(error).__name__


def _clean(text: str) -> str:
    """One line, without the addresses of objects."""
    return " ".join(_ADDRESS.sub("", text).split()).rstrip(".")
