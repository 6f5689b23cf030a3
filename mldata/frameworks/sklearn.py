"""scikit-learn: ``dataset.py`` with ``load`` (X and y), ``make_preprocessor`` and weights of classes.

X of a table is a pandas data frame, so that scikit-learn's steps find columns by name; of pictures and recordings it is one
array with a row a file. Names follow https://scikit-learn.org/stable/glossary.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.placeholders import filled
from mldata.frameworks.reading import media_of
from mldata.frameworks.skeleton import CACHE, constants, media_constants, module, module_doc, reader
from mldata.frameworks.sklearncode import (
    LOAD_MEDIA,
    LOAD_TABLE,
    PICTURE_VECTOR,
    PREPROCESS_MEDIA,
    PREPROCESS_TABLE,
    SOUND_VECTOR,
    WEIGHTS,
)

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["Sklearn"]

_SCALES = {"uint8": 255, "uint16": 65535}
"""What a pixel is divided by."""


class Sklearn:
    """The framework ``sklearn``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        blocks, imports = _media(described) if media_of(described) else _table(described)
        label = described.column(described.label)
        weights = [WEIGHTS] if label is not None and label.classes else []
        doc = module_doc(described, "scikit-learn", self.snippet(described))
        whole = [*constants(described), *media_constants(described), *blocks, *weights]
        return {f"{described.module}.py": module(doc, whole, imports)}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        first, last = next(iter(described.parts)), list(described.parts)[-1]
        label = described.column(described.label)
        imports = f"from {described.module} import load, make_preprocessor"
        if label is None:
            known = [*described.of_role("category"), *described.of_role("number")]
            said = f", label={literal(known[0].name)}" if known else ""
            return (
                f"{imports}\n\nX, y = load({literal(first)}{said})  # name the column to be learnt\n"
                "values = make_preprocessor().fit_transform(X)"
            )
        module, model = ("linear_model", "LogisticRegression(max_iter=1000)")
        if not label.classes:
            module, model = ("ensemble", "RandomForestRegressor()")
        return (
            f"from sklearn.{module} import {model.partition('(')[0]}\n"
            "from sklearn.pipeline import make_pipeline\n\n"
            f"{imports}\n\n"
            f"model = make_pipeline(make_preprocessor(), {model})\n"
            f"model.fit(*load({literal(first)}))\n"
            f"print(model.score(*load({literal(last)})))"
        )

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        media = media_of(described)
        weighted = described.column(described.label)
        lines = [_NOTES[media.kind if media else "tabular"]]
        if weighted is not None and weighted.classes:
            lines.append(
                "For classes that are not alike in number: `class_weight=class_weights(PART)` of a classifier, or "
                "`fit(..., sample_weight=sample_weights(PART))`."
            )
        if weighted is not None and weighted.nulls:
            lines.append("A row without label has y = -1, as `sklearn.semi_supervised` wants it, or NaN.")
        lines.append(f"`batches(PART, rows={_BATCH_ROWS[media is None]:,})` gives pieces for `partial_fit`.")
        return "\n\n".join(lines)


_BATCH_ROWS = {True: 65_536, False: 256}
_NOTES = {
    "tabular": "`X` is a data frame: numbers and times as float64 (missing: NaN), categories as pandas' categories, text (missing: empty). "
    "Bytes are left out, and so are nested columns unless `hooks={COLUMN: FUNCTION}` makes a number of each value. "
    "`make_preprocessor()` puts the median for missing numbers and scales them, encodes categories one-hot (missing: all zero; "
    "`ordinal=True`: by number, missing: -1) and hashes words of text.",
    "images": "`X` is float32 of the shape (rows, height * width * channels), from 0 to 1. Pictures of several sizes are an error "
    "unless `size=(HEIGHT, WIDTH)` is given; `transform=` makes another vector of a picture.",
    "audio": "`X` has 80 numbers a recording, whatever its length and rate: mean and deviation over time of the log energy in 40 bands "
    "up to 8 kHz. `transform=` makes another vector of samples and rate.",
}


def _table(described: Described) -> tuple[list[str], list[str]]:
    """Blocks and imports for a table."""
    text = [column.name for column in described.of_role("text")]
    nested = [column.name for column in described.of_role("nested")]
    flags = [column.name for column in described.of_role("boolean") if column.nulls]
    blocks = [
        assignment("FLAGS", "list[str]", flags, "Booleans of which some are missing (-1)."),
        assignment("TEXTS", "list[str]", text, "Columns of text. Missing: empty."),
        assignment(
            "NESTED", "list[str]", nested, "Columns of lists, structs and maps: left out but for `hooks`."
        ),
        CACHE,
        *reader(described),
        LOAD_TABLE,
        PREPROCESS_TABLE,
    ]
    imports = [
        "import pandas as pd",
        "from sklearn.compose import ColumnTransformer",
        "from sklearn.feature_extraction.text import HashingVectorizer",
        "from sklearn.impute import SimpleImputer",
        "from sklearn.pipeline import make_pipeline",
        "from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler",
    ]
    return blocks, imports


def _media(described: Described) -> tuple[list[str], list[str]]:
    """Blocks and imports for pictures and recordings."""
    media = media_of(described)
    assert media is not None
    if media.kind == "images":
        scale = f'SCALE = {_SCALES.get(media.dtype, 1)}\n"""What pixels are divided by."""'
        size = f'SIZE: tuple[int, int] | None = {media.size}\n"""Height and width of all pictures; None: they differ."""'
        own = [scale, size, CACHE, *reader(described), PICTURE_VECTOR]
    else:
        own = [_BANDS, CACHE, *reader(described), SOUND_VECTOR]
    load = filled(LOAD_MEDIA, _GIVEN[media.kind])
    return [*own, load, PREPROCESS_MEDIA], [
        "from sklearn.pipeline import Pipeline, make_pipeline",
        "from sklearn.preprocessing import StandardScaler",
    ]


_BANDS = '''BANDS = 40
"""Bands of a spectrum, equally wide on the mel scale from 0 Hz to TOP."""

TOP = 8000.0
"""Hz; bands above half of a recording's rate have no energy."""'''

_GIVEN = {
    "images": {
        "SIZE": "    size: tuple[int, int] | None = None,\n",
        "SIZE_DOC": "        size: height and width that every picture is brought to.\n",
        "KIND": "Callable[[np.ndarray], Any]",
        "DEFAULT": "flat",
        "DOC": "makes a vector of the pixels (height, width, channels).",
        "CALL": "vector(path, transform, size)",
        "PASS": "label=label, size=size, transform=transform",
    },
    "audio": {
        "SIZE": "",
        "SIZE_DOC": "",
        "KIND": "Callable[[np.ndarray, int], Any]",
        "DEFAULT": "spectrum",
        "DOC": "makes a vector of samples (frames, channels) and rate (Hz).",
        "CALL": "vector(path, transform)",
        "PASS": "label=label, transform=transform",
    },
}
"""What differs between pictures and recordings where they are loaded."""
