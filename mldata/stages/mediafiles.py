"""The files of a table of media: those that its rows name, whatever became of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mldata.errors import BuildError, SpecError
from mldata.stepflow import read_fragment
from store import ObjectId

if TYPE_CHECKING:
    from mldata.stages.base import Job
    from mldata.table import Fragment
    from store import Digest, TreeEntry

__all__ = ["joined", "kept"]

HINT = "keep the column 'path' as it is: it says which file a row is"


def kept(
    job: Job, files: Mapping[str, TreeEntry], schema: pa.Schema, fragments: Sequence[Fragment], where: str
) -> ObjectId:
    """The tree of the ``files`` (by path) that rows name.

    Args:
        where: what made the table, for messages.

    Raises:
        SpecError: the table has no column ``path``. BuildError: a row names no file.
    """
    if "path" not in schema.names:
        raise SpecError(
            "expected the column 'path' in a table of media files, found none", where=where, hint=HINT
        )
    path = pa.schema([schema.field("path")])
    named: set[Any] = set()
    for fragment in fragments:
        for batch in read_fragment(str(job.store.path(fragment.digest)), path):
            named.update(batch.column(0).to_pylist())
    if lost := sorted(map(repr, named - files.keys())):
        raise BuildError(
            f"expected paths of media files in column 'path', found {', '.join(lost[:3])}",
            where=where,
            hint=HINT,
        )
    return job.store.put_paths(
        (name, ObjectId(it.digest, it.size), it.executable) for name, it in files.items() if name in named
    )


def joined(job: Job, sources: Iterable[tuple[str, Digest]]) -> dict[str, TreeEntry]:
    """The files of several media trees, by path. Raises ``BuildError`` for a path under which two sources have different files.

    Args:
        sources: what to call each in a message, and its tree.
    """
    files: dict[str, TreeEntry] = {}
    first: dict[str, str] = {}
    for source, tree in sources:
        for path, entry in job.store.walk(tree):
            if path in files and files[path].digest != entry.digest:
                raise BuildError(
                    f"{first[path]} and {source} have different files called {path!r}",
                    where=job.dataset,
                    hint="rename one of them where it comes from, or make a dataset of each",
                )
            files.setdefault(path, entry)
            first.setdefault(path, source)
    return files
