"""Split as the source itself is divided: every file's part is the folder that it stands in, as hubs have it.

The part of a file is the first of its folders that not all files share, or the shared one that is called like a part; a file without a folder is
called like its part (``train.csv``, ``test-00000.parquet``). Media have a column that says it (:mod:`mldata.stages.folders`).

Invariant: the part of a row depends on the name of the file that it came from, and on the names of the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.errors import BuildError
from mldata.partnames import MAX_PARTS, part_order
from mldata.stages.base import Work
from mldata.stages.folders import PARTS
from mldata.stages.parting import SEGMENT, Parting, segments, write
from mldata.stages.predefined import by_column, part_names

if TYPE_CHECKING:
    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table

__all__ = ["by_folder", "own_parts", "part_words"]

COLUMN = "split"
_WORD = re.compile(r"[A-Za-z0-9]+")


def by_folder(job: Job, table: Table) -> Parting:
    """A part for each folder. Raises ``BuildError`` for a file that is in none, or a folder that cannot name a part."""
    if table.kind != "tabular":
        return by_column(job, table, COLUMN)
    files = list(dict.fromkeys(fragment.source for fragment in table.fragments))
    words = part_words(files, skip=int("sources" in job.params))
    for file, word in words.items():
        if word is None:
            raise BuildError(
                f"split: expected every file in a folder named as its part, such as train/ and test/, found {file!r}",
                where=job.dataset,
                hint="Split by shares, or by a column that says the part: split: {column: NAME}.",
            )
    rows: dict[str, int] = {}
    for fragment in table.fragments:
        word = str(words[fragment.source])
        rows[word] = rows.get(word, 0) + fragment.rows
    if not rows:
        raise BuildError("split: the table has no rows, so that no folder names a part", where=job.dataset)
    if len(rows) > MAX_PARTS:
        raise BuildError(
            f"split: 'method: predefined' takes at most {MAX_PARTS} folders, the parts; the source has {len(rows):,}",
            where=job.dataset,
            hint="Split by shares, or name fewer folders as the source.",
        )
    part_of = part_names(job, "the folders of the source", rows, "method: predefined")
    parts = sorted(set(part_of.values()), key=part_order)
    numbers = {file: parts.index(part_of[str(word)]) for file, word in words.items()}
    counts = [sum(rows[word] for word in rows if part_of[word] == part) for part in parts]

    def work(fragment: Fragment) -> Work:
        number = numbers[fragment.source]

        def run(out: Outputs) -> Mapping[str, Any]:
            write(out.writer(SEGMENT), [np.full(fragment.rows, number, np.uint8)])
            return {}

        # The rows themselves are no input: an edit that keeps their number keeps the assignment.
        action = job.action({"method": "folder", "rows": fragment.rows, "part": number}, ())
        return Work(action, run, fragment.source, fragment.size)

    results = job.run([work(fragment) for fragment in table.fragments])
    made = segments(results, [fragment.rows for fragment in table.fragments])
    return Parting(parts, [None] * len(parts), counts, made)


def own_parts(job: Job, table: Table) -> list[str]:
    """The parts that the names of a table's files say, where all of them say one that is called as parts usually are."""
    if table.kind != "tabular":
        return []
    files = list(dict.fromkeys(fragment.source for fragment in table.fragments))
    words = set(part_words(files, skip=int("sources" in job.params)).values())
    return (
        sorted((word for word in words if word), key=part_order)
        if all(w and w.lower() in PARTS for w in words)
        else []
    )


def part_words(files: Sequence[str], skip: int = 0) -> dict[str, str | None]:
    """What says the part of each file; None where nothing does.

    Args:
        files: paths with ``/``.
        skip: folders at the beginning that only number the sources.
    """
    paths = {file: file.split("/")[skip:] for file in files}
    folders = [path[:-1] for path in paths.values()]
    shared = 0
    while all(len(path) > shared for path in folders):
        first = folders[0][shared]
        if first.lower() in PARTS or any(path[shared] != first for path in folders):
            break
        shared += 1
    return {file: _word(path[shared:]) for file, path in paths.items()}


def _word(path: Sequence[str]) -> str | None:
    if len(path) > 1:
        return path[0]
    word = _WORD.match(path[0]) if path else None
    return word[0] if word is not None and word[0].lower() in PARTS else None
