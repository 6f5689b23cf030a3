"""Images: one row a file, from its header alone (Pillow decodes no pixels)."""

from __future__ import annotations

import warnings
from threading import Lock

from PIL import Image, UnidentifiedImageError

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile

# Pillow warns of pictures with many pixels, since decoding them takes memory; nothing is decoded here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
_limit = Lock()


class Images:
    """The ``images`` format. ``mode`` is Pillow's: ``L``, ``RGB``, ``RGBA``, ``P``, ``I;16``..."""

    fields = (("width", "int32"), ("height", "int32"), ("mode", "string"))
    library = "pillow"

    def read(self, file: SourceFile) -> tuple[int | float | str, ...]:
        """Width and height in pixels as stored (before any EXIF rotation), and mode."""
        try:
            return _header(file)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise DataError(
                f"expected an image, found something Pillow cannot open ({type(error).__name__}); its digest is {file.digest}",
                where=Where(file.name),
                hint="remove the file or replace it with a sound one",
            ) from error


def _header(file: SourceFile) -> tuple[int, int, str]:
    try:
        with Image.open(file.path) as image:
            return (*image.size, image.mode)
    except Image.DecompressionBombError:
        # Past twice the limit open() refuses. The limit is a global of Pillow's, so it is lifted for this one call only.
        with _limit:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                with Image.open(file.path) as image:
                    return (*image.size, image.mode)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
