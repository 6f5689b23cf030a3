"""Images: one row a file, from its header alone (Pillow decodes no pixels).

``orientation`` is that of the EXIF data, 1 to 8; null where there is none or it is damaged. It is looked for where a header has it: in JPEG, WebP
and TIFF, and in PNG in front of the pixels. Width, height and the file stay as they are stored: whoever shows or trains on the picture turns it.
"""

from __future__ import annotations

import warnings
from threading import Lock

from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.exif import ORIENTATION, known, orientation

# Pillow warns of pictures with many pixels, since decoding them takes memory; nothing is decoded here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# And of damaged metadata, which counts as none.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")
_limit = Lock()

Facts = tuple[int, int, str, int | None]


class Images:
    """The ``images`` format. ``mode`` is Pillow's: ``L``, ``RGB``, ``RGBA``, ``P``, ``I;16``..."""

    fields = (("width", "int32"), ("height", "int32"), ("mode", "string"), ("orientation", "int8"))
    library = "pillow"

    def read(self, file: SourceFile) -> tuple[int | float | str | None, ...]:
        """Width and height in pixels as stored (before any EXIF rotation), mode, and EXIF orientation."""
        try:
            return _header(file)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise DataError(
                f"expected an image, found something Pillow cannot open ({type(error).__name__}); its digest is {file.digest}",
                where=Where(file.name),
                hint="remove the file or replace it with a sound one",
            ) from error


def _header(file: SourceFile) -> Facts:
    try:
        with Image.open(file.path) as image:
            return _facts(image)
    except Image.DecompressionBombError:
        # Past twice the limit open() refuses. The limit is a global of Pillow's, so it is lifted for this one call only.
        with _limit:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                with Image.open(file.path) as image:
                    return _facts(image)
            finally:
                Image.MAX_IMAGE_PIXELS = limit


def _facts(image: Image.Image) -> Facts:
    # Not by Pillow's getexif(): it raises for damaged data, and decodes a PNG to look behind the pixels.
    if isinstance(
        image, TiffImageFile
    ):  # has the tag in its own directory, and Pillow gives its size as turned
        tags = image.tag_v2
        return tags[IMAGEWIDTH], tags[IMAGELENGTH], image.mode, known(tags.get(ORIENTATION))
    exif = image.info.get("exif")
    return *image.size, image.mode, orientation(exif) if isinstance(exif, bytes) else None
