"""TensorFlow: ``dataset.py`` with ``make_dataset``, a ``tf.data`` pipeline over TFRecords.

Parsing, shuffling, sharding and batching are ``tf.data``'s own: https://www.tensorflow.org/guide/data. PNG and JPEG are decoded
by TensorFlow where that gives the very pixels that Pillow gives; other pictures, and recordings, by Pillow and soundfile in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow.types as pt

from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.naming import in_markdown
from mldata.frameworks.placeholders import filled
from mldata.frameworks.reading import media_of
from mldata.frameworks.rowscode import WEIGHTS as COUNTED
from mldata.frameworks.skeleton import constants, media_constants, module, read_format, summary
from mldata.frameworks.tensorflowcode import DATASET, DECODE, PARSE, PICTURE, PIXELS, SOUND, WEIGHTS
from mldata.frameworks.tffeatures import as_parsed, parsed, plain

if TYPE_CHECKING:
    from mldata.frameworks.base import Described
    from mldata.frameworks.reading import Media

__all__ = ["TensorFlow"]

FORMATS = ("tfrecord", "tfrecord.gz")
_SAME = {"1", "L", "P", "RGB", "RGBA"}
"""Modes whose PNG and JPEG files TensorFlow and Pillow read alike."""


class TensorFlow:
    """The framework ``tensorflow``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        seen = as_parsed(described)
        media, weighted = media_of(described), _weighted(described)
        code: list[str] = []
        imports = ["import numpy as np", "import tensorflow as tf", "from functools import cache"]
        if media is not None:
            imports.append("from io import BytesIO")
            code.append(filled(PICTURE, _picture_lines(described)) if media.kind == "images" else SOUND)
        blocks = [
            *constants(seen, FORMATS),
            *media_constants(described),
            *_feature_constants(described),
            *(_media_constants(media) if media else []),
            PARSE,
            DECODE,
            *code,
            filled(DATASET, _lines(media, weighted)),
            *([COUNTED, WEIGHTS] if weighted else []),
        ]
        return {f"{described.module}.py": module(_doc(described, self.snippet(described)), blocks, imports)}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        part = next(iter(described.parts))
        return (
            f"from {described.module} import make_dataset\n\n"
            f"for batch in make_dataset({literal(part)}, batch_size=32, shuffle=True):\n"
            "    ..."
        )

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        media = media_of(described)
        said = [
            "A batch is a dict of tensors of the shape (rows,). Otherwise than the table below says, doubles are float32, as TFRecords have them, "
            "dates and times are text (durations int64), lists are ragged, other nested values are JSON text, and missing text is empty."
        ]
        if media is not None:
            said.append(_MEDIA[media.kind].format(key=in_markdown(media.key)))
        said.append(
            "`transform=lambda row: (row[...], row[...])` makes the pairs that Keras wants. `worker_index=` and `worker_count=` read a share, "
            "as `tf.distribute.InputContext` has them."
        )
        if _weighted(described):
            said.append(
                "`class_weights(PART)` is for `Model.fit(class_weight=...)`; `balanced=True` draws each class as often."
            )
        return "\n\n".join(said)


_MEDIA = {
    "images": "{key} is (rows, height, width, channels): ragged where pictures have several sizes, unless `transform=` brings them to one.",
    "audio": "{key} is (rows, frames, channels), float32 and ragged; `frames=` cuts or pads every recording to one length.",
}


def _doc(described: Described, snippet: str) -> str:
    lines = "".join(f"    {line}\n" if line else "\n" for line in snippet.splitlines())
    return (
        f"{summary(described)}, for TensorFlow.\n\n{lines}\n"
        "What a missing value is read as stands at NUMBERS and CATEGORIES; missing text is\n"
        "empty. Written by mldata for the files in this folder."
    )


def _weighted(described: Described) -> bool:
    label = described.column(described.label)
    return label is not None and bool(label.classes)


def _feature_constants(described: Described) -> list[str]:
    """What :data:`mldata.frameworks.tensorflowcode.PARSE` reads, and how the files are compressed."""
    read = parsed(described)
    wide = [it.column.name for it in read if not it.many and pt.is_uint64(plain(it.column.type))]
    compression = "GZIP" if read_format(described, FORMATS) == "tfrecord.gz" else ""
    return [
        assignment(
            "FEATURES",
            "dict[str, str]",
            {it.column.name: it.dtype for it in read if not it.many},
            "Dtypes of the features, which are called as their columns.",
        ),
        assignment(
            "LISTS",
            "dict[str, str]",
            {it.column.name: it.dtype for it in read if it.many},
            "Dtypes of features with any number of values. Missing: none.",
        ),
        assignment(
            "ABSENT",
            "dict[str, Any]",
            {it.column.name: it.absent for it in read if it.absent is not None},
            "What a missing feature is parsed as. Features that are not here are never missing.",
        ),
        assignment("UNSIGNED", "list[str]", wide, "Columns of uint64, of which features have the bits."),
        assignment("COMPRESSION", "str", compression, "Of the files; empty: none."),
    ]


def _media_constants(media: Media) -> list[str]:
    kind = {"images": "image", "audio": "audio"}[media.kind]
    blocks = [assignment("ENCODED", "str", f"{kind}/encoded", "The feature with the bytes of a file.")]
    if media.kind == "audio":
        shape = [None, media.channels]
        return [*blocks, assignment("SHAPE", "list[int | None]", shape, "Of a recording: frames, channels.")]
    height, width = media.size or (None, None)
    return [
        *blocks,
        assignment("ENDING", "str", f"{kind}/format", "The feature with the end of a file's name."),
        assignment("PIXEL", "str", media.dtype, "Dtype of pixels."),
        assignment("CHANNELS", "int", media.channels, "Channels of a picture."),
        assignment(
            "SHAPE",
            "list[int | None]",
            [height, width, media.channels],
            "Of a picture: height, width, channels.",
        ),
    ]


def _picture_lines(described: Described) -> dict[str, str]:
    """Whether TensorFlow may decode pictures: of simple modes, and none to be turned."""
    media = media_of(described)
    modes, turned = described.column("mode"), described.column("orientation")
    found = set(modes.classes) if modes is not None and not modes.nulls else set()
    upright = turned is None or turned.span in (None, (1, 1))
    if media is not None and media.dtype == "uint8" and found and found <= _SAME and upright:
        pixels = "tf.case(cases, default=other)"
        return {"NATIVE": f"{PIXELS}", "PIXELS": pixels, "WHEN": ", neither PNG nor JPEG"}
    return {"NATIVE": "", "PIXELS": "tf.numpy_function(pillow_pixels, [data], dtype)", "WHEN": ""}


def _lines(media: Media | None, weighted: bool) -> dict[str, str]:
    """What stands for the words in angle brackets of :data:`mldata.frameworks.tensorflowcode.DATASET`."""
    lines = {
        "BALANCED": "    balanced: bool = False,\n" if weighted else "",
        "BALANCED_DOC": _BALANCED_DOC if weighted else "",
        "BALANCED_USE": _BALANCED_USE if weighted else "",
        "FRAMES": "",
        "FRAMES_DOC": "",
    }
    if media is None:
        return lines | {"SPEC": "", "DECODE": _VALUES, "WHOLE": _WHOLE}
    given = ", row[ENDING]" if media.kind == "images" else ", frames"
    lines |= {"SPEC": _SPEC[media.kind], "DECODE": _FILES.replace("GIVEN", given), "WHOLE": ""}
    if media.kind == "audio":
        lines |= {
            "FRAMES": "    frames: int | None = None,\n",
            "FRAMES_DOC": "        frames: cut or pad every recording to it.\n",
        }
    return lines


_BALANCED_DOC = """        balanced: repeat and leave out rows at random so that each class of the label
            comes as often; for ``shuffle=True``, since copies follow each other.
"""
_BALANCED_USE = """    if balanced:
        data = balanced_records(data, part, seed)
"""
_VALUES = "        return {name: decode_value(name, row[name]) for name in columns}"
_FILES = """        made = {name: decode_value(name, row[name]) for name in columns}
        if PATH in columns:
            made[MEDIA] = decode_media(row[ENCODED]GIVEN)
        return made"""
_SPEC = {
    "images": """    if PATH in columns:
        spec[ENCODED] = spec[ENDING] = tf.io.FixedLenFeature([], tf.string)
""",
    "audio": """    if PATH in columns:
        spec[ENCODED] = tf.io.FixedLenFeature([], tf.string)
""",
}
_WHOLE = """    if batch_size is not None and transform is None:
        data = data.batch(batch_size, drop_remainder=drop_remainder)
        data = data.map(lambda it: decode(tf.io.parse_example(it, spec)), parallel)
        return data.prefetch(parallel)
"""
