"""Which files of a source are data, and in which formats.

Hidden files and the like have been left out where they came in (:mod:`mldata.litter`). Beside images or audio, tables of certain names
(:data:`METADATA`) describe these files. Other files that are in no chosen format are *skipped*: counted, and named in a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldata.errors import DataError, SourceError, Where, brief
from mldata.formats import MEDIA, find_format, formats

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""Names, in any folder, of tables that say more of media files, a row a file: as Hugging Face's ImageFolder and AudioFolder know them."""
NAMED = 5
"""How many files a message names."""
SHOWN = 200
"""Characters of a name in a message."""


@dataclass(frozen=True)
class Choice:
    """The files of a source by what is done with them; indexes into the list of names."""

    kind: str
    """``tabular``, ``images`` or ``audio``."""
    files: tuple[tuple[int, FormatInfo], ...]
    skipped: tuple[int, ...]
    metadata: tuple[tuple[int, FormatInfo], ...] = ()
    """Of media: the tables that describe them."""


def choose(names: Sequence[str], fixed: str, head: Callable[[int], bytes], where: str) -> Choice:
    """Decide by file names, then by the first bytes of files without a suffix.

    Args:
        names: paths inside the source, in order.
        fixed: a format's name, or ``auto``. A fixed format takes the files with its suffixes or, if there are none, all files.
        head: gives the first bytes of a file.
        where: the dataset, for messages.

    Raises:
        SourceError: nothing to read, or images, audio and tables side by side with no ``format:`` to tell which is meant.
        DataError: rows of a file are in another one beside it.
    """
    seen = range(len(names))
    found = {
        i: info for i in seen if (info := find_format(names[i], b"" if "." in _base(names[i]) else head(i)))
    }
    metadata = {i: info for i, info in found.items() if names[i].rpartition("/")[2] in METADATA}
    if fixed != "auto":
        info = formats()[fixed]
        if info.kind == "tabular":
            metadata = {}
        files = [(i, info) for i in seen if found.get(i) == info]
        files = files or [(i, info) for i in seen if i not in metadata]
    else:
        bold = [(i, info) for i, info in found.items() if not info.shy]
        files = bold or list(found.items())
        if {info.kind for i, info in files if i not in metadata} & MEDIA:
            files = [(i, info) for i, info in files if i not in metadata]
        else:
            metadata = {}
        if len({info.kind for _, info in files}) > 1:
            raise _mixed(names, files, where)
    if not files:
        raise _nothing([names[i] for i in seen], names, where)
    if any(info.companions for _, info in files):
        _refuse_companions(names, files, head)
    taken = {*metadata, *(i for i, _ in files)}
    rest = tuple(i for i in seen if i not in taken)
    return Choice(files[0][1].kind, tuple(files), rest, tuple(metadata.items()))


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(brief(name, SHOWN) for name in names[:NAMED]) + more


def _refuse_companions(
    names: Sequence[str], files: Sequence[tuple[int, FormatInfo]], head: Callable[[int], bytes]
) -> None:
    """Raise ``DataError`` if some rows of a file are in one beside it, that is not read."""
    places = {name: i for i, name in enumerate(names)}
    for name, end in ((names[i], end) for i, info in files for end in info.companions):
        beside = places.get(name + end)
        if beside is not None and head(beside):
            raise DataError(
                f"expected all of the data in one file, found {name + end} beside it, which may hold rows that are not in it",
                where=Where(name),
                hint="close the program that writes it, or copy it whole: `sqlite3 OLD \"VACUUM INTO 'NEW'\"`",
            )


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1].lstrip(".")


def _mixed(names: Sequence[str], files: Sequence[tuple[int, FormatInfo]], where: str) -> SourceError:
    examples: dict[str, str] = {}
    for i, info in files:
        examples.setdefault("tables" if info.kind == "tabular" else info.kind, names[i])
    found = ", ".join(f"{kind} ({name})" for kind, name in examples.items())
    choices = " or ".join(sorted({info.name for _, info in files}))
    about = (
        f"; a table about the files beside it is called {' or '.join(METADATA)}"
        if "tables" in examples
        else ""
    )
    return SourceError(
        f"expected files of one kind, found {found}",
        where=where,
        hint=f"set `normalize: {{format: ...}}` to {choices} in mldata.yaml, or make a dataset of each{about}",
    )


def _nothing(seen: Sequence[str], names: Sequence[str], where: str) -> SourceError:
    known = "; ".join(f"{info.name} ({' '.join(info.suffixes)})" for info in formats().values())
    found = some(seen) if seen else f"none but hidden ones: {some(names)}" if names else "no files"
    return SourceError(
        f"expected at least one file of a known format, found {found}",
        where=where,
        hint=f"known formats: {known}. Set `normalize: {{format: ...}}` in mldata.yaml if the names do not say",
    )
