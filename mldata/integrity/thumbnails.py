"""Small pictures of files that are not whole, as much of each as can be decoded.

Bytes are hostile: a worker process decodes them, with a bound on pixels, memory and time, and a picture that takes more than these is told instead of shown.
Invariant: what comes back is a JPEG or PNG that was written here, of at most :data:`EDGE` pixels a side, and never the bytes of the file.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["EDGE", "MOST_PIXELS", "Thumbnail", "thumbnails"]

EDGE = 256
"""Pixels; shown at half of that, for screens that have two to one."""
MOST_PIXELS = 40_000_000
"""A larger picture is not decoded: four bytes each, and a copy."""
MOST_BYTES = 256 << 20
"""Of a file."""
MEMORY = 1 << 30
"""Bytes of address space beyond what the worker has when it starts."""
SECONDS = 10.0

Thumbnail = tuple[str, bytes] | str
"""The type (``image/png``) and bytes, or why there is none."""


def thumbnails(files: Iterable[Path]) -> Iterator[Thumbnail]:
    """A small picture of each file, in order; a file that ends the worker is told, and takes none of the others with it."""
    from store import Worker, WorkerLost

    worker: Worker | None = None
    try:
        for file in files:
            late: list[bool] = []
            try:
                if worker is None:
                    worker = Worker("mldata.integrity.thumbnails", "main")
                    worker.ask(b"")  # it is up: its start takes none of the first file's time
                timer = Timer(SECONDS, _end, (worker, late))
                timer.daemon = True
                timer.start()
                try:
                    kind, data = worker.ask(os.fsencode(file))
                finally:
                    timer.cancel()
                yield (kind, data) if kind else str(data)
            except WorkerLost:
                if worker is not None:
                    worker.close()
                    worker = None
                yield "the decoder took too long" if late else "the decoder crashed"
    finally:
        if worker is not None:
            worker.close()


def _end(worker: Any, late: list[bool]) -> None:
    late.append(True)
    worker.kill()


def main() -> None:  # pragma: no cover  # runs in the worker
    """Answer with pictures until there is nobody to answer."""
    import PIL.Image  # before memory is bounded  # noqa: F401

    from store import serve

    _bound_memory()
    serve(lambda path: answer(os.fsdecode(path)) if path else None)


def _bound_memory() -> None:  # pragma: no cover  # runs in the worker
    if sys.platform == "win32":
        return
    import resource

    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (OSError, ValueError):  # a system without such a limit, or with a lower one
        return


def answer(path: str) -> tuple[str, bytes | str]:
    """The type and bytes of a small picture of a file; or no type, and why."""
    import warnings

    from PIL import Image, UnidentifiedImageError

    try:
        if os.path.getsize(path) > MOST_BYTES:
            return "", "too large to be shown"
        with warnings.catch_warnings(), _lenient():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                image.draft(
                    "RGB", (EDGE, EDGE)
                )  # a JPEG is decoded at an eighth of its size, if that is enough
                width, height = image.size
                if width * height > MOST_PIXELS:
                    return "", f"{width:,} x {height:,} pixels are too many to be shown"
                return _small(image)
    except UnidentifiedImageError:
        return "", "nothing of it can be decoded"
    except MemoryError:
        return "", "it takes too much memory to be shown"
    except FileNotFoundError:
        return "", "it is not there any more"
    except Exception:
        # Decoders raise whatever they like (SyntaxError, struct.error, IndexError...) for bytes that are none of theirs.
        return "", "nothing of it can be decoded"


@contextmanager
def _lenient() -> Iterator[None]:
    """Pillow's settings for a picture that need not be whole: they are of the process, so they are put back."""
    from PIL import Image, ImageFile

    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # what is there of it tells more than nothing
    Image.MAX_IMAGE_PIXELS = None  # looked at by size
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


def _small(image: Image) -> tuple[str, bytes | str]:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _scaled(image)
    clear = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    image = image.convert("RGBA" if clear else "RGB")
    image.thumbnail((EDGE, EDGE))
    out = io.BytesIO()
    if clear:
        image.save(out, "PNG")
        return "image/png", out.getvalue()
    image.save(out, "JPEG", quality=75)
    return "image/jpeg", out.getvalue()


def _scaled(image: Image) -> Image:
    """Values of more than eight bits, from the least to the most of the picture."""
    image = image.convert("F")
    low, high = image.getextrema()
    assert isinstance(low, float) and isinstance(high, float)
    scale = 255 / (high - low) if high > low else 0.0
    return image.point(lambda value: value * scale - low * scale).convert("L")
