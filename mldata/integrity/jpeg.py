"""JPEG (ITU-T T.81): every picture of the file by its structure, then decoded to the last pixel.

Pixels are decoded by libjpeg-turbo (simplejpeg), which tells what libjpeg warns of; Pillow keeps that to itself. What it has no way of showing goes to Pillow.
Behind the picture, phones put further pictures (CIPA DC-007), films and trailers of their own, and say so inside; that is no fault. Anything else there is a warning.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mldata.integrity.base import ERROR, WARNING, Found, Problem, Unsupported
from mldata.integrity.jpegwalk import Picture, walk
from mldata.integrity.pixels import DECODER as PILLOW
from mldata.integrity.pixels import (
    NO_MEMORY,
    decode,
    found,
    one_colour_problem,
    size_problem,
    warning_problem,
)

if TYPE_CHECKING:
    from mldata.integrity.content import Content
    from mldata.integrity.jpegwalk import Data

__all__ = ["Jpeg"]

DECODER = f"libjpeg-turbo (simplejpeg {version('simplejpeg')})"
SOI = b"\xff\xd8"
PADDING = 3
"""Bytes of zero behind a picture that are no more than rounding up."""
LEFT_OVER = 16
"""Bytes between the last pixel and the end marker that may be filling; more are pixels of which the decoder has lost track."""
PICTURES = 64
"""Pictures in one file that are looked at."""
ARITHMETIC = frozenset({0xC9, 0xCA})
MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_EXTRA = re.compile(r"(\d+) extraneous bytes before marker 0x(..)")
_MEMORY = re.compile("insufficient memory|memory allocation", re.IGNORECASE)
_BENIGN = re.compile(
    "ICC marker|JFIF revision|Adobe color|Invalid SOS parameters|Inconsistent progression", re.IGNORECASE
)
_OTHER = re.compile(
    "subsampling|color conversion|colorspace|precision|rithmetic|SOF type|not supported", re.IGNORECASE
)
"""What simplejpeg says of a picture that it cannot show."""


class Jpeg:
    """Checks JPEG files."""

    def check(self, content: Content) -> Found:
        """Structure, pixels, and what stands behind them."""
        data = content.data
        picture = walk(data)
        problems = list(picture.problems)
        facts: dict[str, Any] = {}
        frame = picture.frame
        if frame is not None:
            count = len(frame.components)
            facts = {
                "width": frame.width,
                "height": frame.height,
                "mode": MODES.get(count, f"{count} components"),
                "frames": 1,
            }
            if not (picture.later_height and not frame.height):
                problems += filter(None, [size_problem(frame.width, frame.height)])
        if _broken(problems):
            return found(problems, facts, DECODER)
        decoder, of_pixels = _pixels(content, picture)
        problems += of_pixels
        if not _broken(problems):
            behind, pictures = _behind(data, picture)
            problems += behind
            facts["frames"] += pictures
        return found(problems, facts, decoder)


def _broken(problems: list[Problem]) -> bool:
    return any(it.severity == ERROR for it in problems)


def _pixels(content: Content, picture: Picture) -> tuple[str, list[Problem]]:
    """Decode a whole picture; which decoder did it, and what is wrong."""
    frame = picture.frame
    assert frame is not None
    if picture.later_height and not frame.height:
        raise Unsupported("the height stands behind the pixels (DNL), which libjpeg does not read")
    if picture.lossless or frame.precision != 8:
        what = "lossless or hierarchical" if picture.lossless else f"of {frame.precision} bits"
        raise Unsupported(f"it is {what}; only JPEG by DCT with 8 bits is decoded here")
    if len(frame.components) not in MODES:
        raise Unsupported(f"it has {len(frame.components)} components; 1, 3 and 4 are decoded here")
    problems = _turbo(content.data, picture, len(frame.components))
    if problems is not None:
        return DECODER, problems
    # libjpeg can be built without arithmetic coding; Pillow does not say so.
    decoded = decode(content, "JPEG", unsupported="" if frame.marker in ARITHMETIC else _OTHER)
    return PILLOW, decoded.problems


def _turbo(data: Data, picture: Picture, components: int) -> list[Problem] | None:
    """What simplejpeg finds; None if it has no way to show such a picture."""
    import simplejpeg

    with memoryview(data) as whole, whole[picture.start : picture.end] as view:
        # What stands between segments is left out, else the decoder would tell of nothing but that.
        coded = _joined(view, picture) if picture.gaps else view
        try:
            # Coded pixels of all components are decoded in any case; colours matter only where all is of one brightness.
            pixels = simplejpeg.decode_jpeg(coded, "CMYK" if components == 4 else "GRAY")
            if components == 3 and pixels.min() == pixels.max():
                pixels = simplejpeg.decode_jpeg(coded, "RGB")
        except MemoryError:
            raise Unsupported(NO_MEMORY) from None
        except ValueError as error:
            text = str(error)
            if _MEMORY.search(text):
                raise Unsupported(NO_MEMORY) from None
            return None if _OTHER.search(text) else [_warned(text, data, picture)]
    flat = pixels[0, 0].tolist() == pixels[-1, -1].tolist() and bool((pixels == pixels[0, 0]).all())
    return [one_colour_problem()] if flat else []


def _joined(view: memoryview, picture: Picture) -> bytes:
    kept, at = [], 0
    for start, end in picture.gaps:
        kept.append(view[at : start - picture.start])
        at = end - picture.start
    return b"".join([*kept, view[at:]])


def _warned(text: str, data: Data, picture: Picture) -> Problem:
    """What libjpeg said, as a problem."""
    text = text.removeprefix("Corrupt JPEG data: ").rstrip(".")
    if (extra := _EXTRA.search(text)) is not None:
        count = int(extra[1])
        at = picture.end - 2 - count if extra[2] == "d9" else None
        filling = at is not None and not data[at : picture.end - 2].strip(b"\0\xff")
        message = f"expected the marker behind the last pixel, found {text}"
        severity = WARNING if filling or count <= LEFT_OVER else ERROR
        return Problem("left-over-data", message, severity, at)
    if "premature end of data" in text:
        frame = picture.frame
        assert frame is not None
        message = (
            f"expected coded pixels of {frame.width} x {frame.height}, found a marker before the last of them"
        )
        return Problem("premature-end", message, offset=None)
    if _BENIGN.search(text):
        return warning_problem(text)
    return Problem("undecodable", f"expected pixels that can be decoded, found: {text}")


def _behind(data: Data, picture: Picture) -> tuple[list[Problem], int]:
    """What is off behind the end of the picture, and how many pictures belong to it."""
    at, pictures = picture.end, 0
    problems: list[Problem] = []
    while at < len(data) and pictures < PICTURES and picture.more:
        start = data.find(SOI + b"\xff", at)
        if start < 0:
            return problems, pictures
        following = walk(data, start)
        if following.broken and following.frame is None:
            return problems, pictures  # by chance, in a film or a trailer
        pictures += 1
        inside = list(following.problems)
        if not _broken(inside) and following.frame is not None:
            size = size_problem(following.frame.width, following.frame.height)
            inside += [size] if size else _turbo(data, following, len(following.frame.components)) or []
        problems += [
            replace(it, severity=WARNING, frame=pictures) for it in inside if it.code != "one-colour"
        ]
        if following.broken:
            return problems, pictures
        at = following.end
    if at >= len(data) or picture.more:
        return problems, pictures
    rest = len(data) - at
    if not data[at : at + (1 << 20)].strip(b"\0") and not any(
        data[n : n + (1 << 20)].strip(b"\0") for n in range(at, len(data), 1 << 20)
    ):
        if rest > PADDING:
            problems.append(
                Problem("padding", f"expected the end of the file, found {rest:,} bytes of zero", WARNING, at)
            )
        return problems, pictures
    if data[len(data) - 4 :] != b"SEFT":  # Samsung's trailer
        what = "another picture" if data[at : at + 2] == SOI else "other data"
        message = f"expected the end of the file, found {rest:,} bytes of {what}"
        problems.append(Problem("trailing-data", message, WARNING, at))
    return problems, pictures
