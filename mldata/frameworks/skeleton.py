"""The part of a generated ``dataset.py`` that is the same for every framework: what the dataset is, and reading its rows with Arrow.

A module is its docstring, imports, constants and blocks of code, joined by :func:`module`. Blocks are fixed text without any name of the
dataset: those are in the constants, as literals. What a dataset does not have (pictures, times, …) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from mldata.frameworks.literal import WIDTH, assignment
from mldata.frameworks.naming import in_docstring
from mldata.frameworks.reading import media_of, readings, unit_of
from mldata.frameworks.rowscode import (
    BLOCKS,
    CACHE,
    DECODE,
    PICTURES,
    READER,
    SOUNDS,
    TIMES,
    TIMES_CALL,
    WEIGHTS,
)
from mldata.plural import counted

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = [
    "CACHE",
    "constants",
    "counts_text",
    "media_constants",
    "module",
    "module_doc",
    "read_format",
    "reader",
    "summary",
]

_IMPORTS = {
    "annotations": "from __future__ import annotations",
    "bisect_right": "from bisect import bisect_right",
    "OrderedDict": "from collections import OrderedDict",
    "Callable": "from collections.abc import Callable",
    "Iterator": "from collections.abc import Iterator",
    "Mapping": "from collections.abc import Mapping",
    "Sequence": "from collections.abc import Sequence",
    "pairwise": "from itertools import pairwise",
    "Path": "from pathlib import Path",
    "Any": "from typing import Any",
    "np": "import numpy as np",
    "pa": "import pyarrow as pa",
    "pc": "import pyarrow.compute as pc",
    "pq": "import pyarrow.parquet as pq",
    "soundfile": "import soundfile",
    "Image": "from PIL import Image",
    "ImageOps": "from PIL import ImageOps",
}
"""What blocks may use of others, by name: the import is made where the name is used."""
_STANDARD = ("bisect", "collections", "functools", "io", "itertools", "pathlib", "typing")


def module(doc: str, blocks: Sequence[str], imports: Sequence[str] = ()) -> str:
    """The text of a module.

    Args:
        doc: its docstring, without quotes.
        blocks: in order; two empty lines are put between definitions, one between constants.
        imports: beside those of :data:`_IMPORTS`: ``import torch``, ``from torch.utils.data import Dataset``.
    """
    blocks = [block.strip("\n") for block in blocks if block.strip()]
    body = ""
    for before, block in zip(["", *blocks], blocks, strict=False):
        apart = "\n\n\n" if _defines(before) or _defines(block) else "\n\n" if "\n" in block else "\n"
        body += (apart if body else "") + block
    used = [line for name, line in _IMPORTS.items() if re.search(rf"(?<![\w.]){name}\b", body)]
    apart = "\n\n\n" if _defines(body) else "\n\n"
    return f'"""{doc.strip()}\n"""\n\n{_joined_imports([*used, *imports])}{apart}{body}\n'


def _defines(block: str) -> bool:
    return block.startswith(("def ", "class ", "@"))


def _joined_imports(lines: Sequence[str]) -> str:
    """In isort's order: future, standard library, others; ``import x`` before ``from x import y``; one line a module."""
    named: dict[str, set[str]] = {}
    plain: set[str] = set()
    for line in lines:
        if line.startswith("from "):
            source, _, names = line.removeprefix("from ").partition(" import ")
            named.setdefault(source, set()).update(names.split(", "))
        else:
            plain.add(line)
    groups: list[list[str]] = [["from __future__ import annotations"], [], []]
    for line in sorted(plain, key=str.casefold):
        groups[_group(line.split()[1])].append(line)
    for source in sorted(named, key=str.casefold):
        text = f"from {source} import {', '.join(sorted(named[source]))}"
        if len(text) > WIDTH:
            text = f"from {source} import (\n" + "".join(f"    {it},\n" for it in sorted(named[source])) + ")"
        groups[_group(source)].append(text)
    return "\n\n".join("\n".join(group) for group in groups if group)


def _group(source: str) -> int:
    return 1 if source.split(".")[0] in _STANDARD else 2


def summary(described: Described) -> str:
    """``penguins: 344 rows in 3 parts, 8 columns``."""
    name = in_docstring(described.dataset, "The dataset")
    return f"{name}: {counts_text(described)}"


def module_doc(described: Described, framework: str, snippet: str) -> str:
    """The docstring of a module that is for ``framework``."""
    return (
        f"{summary(described)}, for {framework}.\n\n{indent(snippet, '    ')}\n\n"
        "What a missing value is read as stands at NUMBERS, CATEGORIES and TIMES; text, bytes\n"
        "and nested values are None. Written by mldata for the files in this folder."
    )


def counts_text(described: Described) -> str:
    """``344 rows in 3 parts, 8 columns``."""

    return (
        f"{counted(sum(described.parts.values()), 'row')} in {counted(len(described.parts), 'part')}, "
        f"{counted(len(described.columns), 'column')}"
    )


def read_format(described: Described, formats: Sequence[str]) -> str:
    """The first of ``formats`` that the folder has files of."""
    there = {file.format for file in described.files}
    return next(name for name in formats if name in there)


def constants(described: Described, formats: Sequence[str] = ("parquet", "arrow")) -> list[str]:
    """What the dataset is: the files of each part, columns, dtypes and classes."""
    chosen = read_format(described, formats)
    files = {
        part: [it.path for it in described.files if it.format == chosen and it.part == part]
        for part in described.parts
    }
    read = readings(described)

    def dtypes(kind: str) -> dict[str, str]:
        return {it.column.name: it.dtype for it in read if it.kind == kind}

    categories = {it.column.name: list(it.column.classes) for it in read if it.kind == "category"}
    label = described.column(described.label)
    blocks = [
        'FOLDER = Path(__file__).resolve().parent\n"""Files are read from beside this module."""',
        assignment(
            "FILES", "dict[str, list[str]]", files, "The files of each part, in the order of their rows."
        ),
        assignment("ROWS", "dict[str, int]", dict(described.parts), "Rows of each part."),
        assignment(
            "COLUMNS", "list[str]", [it.column.name for it in read], "The columns of the files, in order."
        ),
        assignment(
            "NUMBERS",
            "dict[str, str]",
            dtypes("number"),
            "Dtypes of numeric columns. Missing: NaN, or -1 of a boolean.",
        ),
        assignment(
            "CATEGORIES",
            "dict[str, list[Any]]",
            categories,
            "Classes of each category. It is read as the place of its class here; missing: -1.",
        ),
        assignment(
            "TIMES",
            "dict[str, str]",
            {it.column.name: unit_of(it.column.type) for it in read if it.kind == "time"},
            "Units of dates and times: int64, since 1970 (UTC) or midnight. Missing: -2**63.",
        ),
        assignment(
            "LABEL",
            "str" if described.label else "str | None",
            described.label,
            "The column to be learnt, if there is one for sure.",
        ),
    ]
    if label is not None and label.classes:
        counts = {part: list(label.counts.get(part, (0,) * len(label.classes))) for part in described.parts}
        blocks.append(
            assignment("COUNTS", "dict[str, list[int]]", counts, "Rows of each class of the label, by part.")
        )
    return blocks


def reader(described: Described, formats: Sequence[str] = ("parquet", "arrow")) -> list[str]:
    """Blocks that read rows: ``Rows``, ``decode_column``, ``read_media``, ``balanced_weights``, as far as the dataset needs them."""
    label = described.column(described.label)
    times = bool(described.of_role("time"))
    return [
        *([TIMES] if times else []),
        DECODE if times else DECODE.replace(TIMES_CALL, ""),
        BLOCKS[read_format(described, formats)],
        *media_block(described),
        READER,
        *([WEIGHTS] if label is not None and label.classes else []),
    ]


def media_constants(described: Described) -> list[str]:
    """Where a row's file is, and what it becomes."""
    media = media_of(described)
    if media is None:
        return []
    blocks = [
        assignment("PATH", "str", media.path, "The column that names the file of a row."),
        assignment("MEDIA", "str", media.key, "Under which a row has the decoded file."),
    ]
    if media.mode is not None:
        blocks.append(
            assignment("MODE", "str", media.mode, "What pictures are converted to, in Pillow's words.")
        )
    return blocks


def media_block(described: Described) -> list[str]:
    """The function ``read_media``, for datasets of media."""
    return {"images": [PICTURES], "audio": [SOUNDS]}.get(described.kind, []) if media_of(described) else []
