"""Tables of media files: one row a file, with the files themselves beside the table.

Files are read in groups, one action a group. A group ends before a path whose CRC-32 says so, which depends on that path alone: adding or
removing a file changes one group.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pyarrow as pa

from mldata.formats import load_format
from mldata.formats.base import SourceFile
from mldata.formats.encode import encode
from mldata.stages.base import Work
from mldata.table import Fragment
from store import ObjectId

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo, MediaFormat
    from mldata.stages.base import Job, Outputs
    from store import TreeEntry

GROUP_MEAN = 256
"""Mean number of files a group."""
GROUP_MOST = 4096
"""A group ends here at the latest."""

Entry = tuple[str, "TreeEntry"]


def build_media(
    job: Job, entries: Sequence[Entry], info: FormatInfo, archives: Collection[str] = ()
) -> tuple[pa.Schema, list[Fragment], ObjectId]:
    """Schema, fragments and media tree of ``entries`` (sorted by path).

    Args:
        archives: the folders among them that stand for archives (``a.zip``, ``a.zip/b.tar``).

    Raises:
        DataError: naming a file that cannot be decoded.
    """
    media: MediaFormat = load_format(info.name)
    schema = media_schema(media)
    groups = grouped(entries)
    works = []
    for group in groups:
        inside = {
            name: label for name, _ in group if (label := _label_inside(name, archives)) != label_of(name)
        }
        action = job.action(
            {"format": info.name, **({"labels": inside} if inside else {})},
            [(name, entry.digest) for name, entry in group],
            libraries=["pyarrow", media.library],
        )
        run = _Read(job, media, schema, group, inside)
        works.append(Work(action, run, group[0][0], sum(entry.size for _, entry in group)))
    fragments = []
    for group, result in zip(groups, job.run(works), strict=True):
        made = result.outputs["fragment"]
        fragments.append(Fragment(made.digest, made.size, len(group), group[0][0]))
    tree = job.store.put_paths(
        (name, ObjectId(entry.digest, entry.size), entry.executable) for name, entry in entries
    )
    return schema, fragments, tree


def media_schema(media: MediaFormat) -> pa.Schema:
    """The columns of every media table, then those of the format."""
    fields = [("path", pa.string()), ("label", pa.string()), ("digest", pa.string()), ("size", pa.int64())]
    return pa.schema(fields + [(name, pa.type_for_alias(kind)) for name, kind in media.fields])


def grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Cut sorted entries where the CRC-32 of a path is a multiple of :data:`GROUP_MEAN`."""
    groups: list[list[Entry]] = []
    for entry in entries:
        if not groups or crc32(entry[0].encode()) % GROUP_MEAN == 0 or len(groups[-1]) >= GROUP_MOST:
            groups.append([])
        groups[-1].append(entry)
    return groups


def label_of(path: str) -> str | None:
    """The folder a file is in (``a/b/x.png`` → ``a/b``); None at the top."""
    return path.rpartition("/")[0] or None


def _label_inside(path: str, archives: Collection[str]) -> str | None:
    """The label as if each archive had been unpacked where it is: ``a/b.zip/c/x.png`` → ``a/c``."""
    if not archives:
        return label_of(path)
    folders = path.split("/")[:-1]
    kept = (folder for i, folder in enumerate(folders, 1) if "/".join(folders[:i]) not in archives)
    return "/".join(kept) or None


class _Read:
    """Reads the headers of a group of files into one fragment."""

    def __init__(
        self,
        job: Job,
        media: MediaFormat,
        schema: pa.Schema,
        group: Sequence[Entry],
        labels: Mapping[str, str | None],
    ) -> None:
        self.job, self.media, self.schema, self.group, self.labels = job, media, schema, group, labels

    def __call__(self, out: Outputs) -> Mapping[str, Any]:
        store = self.job.store
        rows = []
        for name, entry in self.group:
            file = SourceFile(name, store.path(entry.digest), entry.digest, entry.size)
            label = self.labels[name] if name in self.labels else label_of(name)
            rows.append((name, label, entry.digest, entry.size, *self.media.read(file)))
        columns = [
            pa.array(values, field.type)
            for values, field in zip(zip(*rows, strict=True), self.schema, strict=True)
        ]
        with out.writer("fragment") as file_out:
            file_out.write(encode(pa.Table.from_arrays(columns, schema=self.schema)))
        return {"rows": len(rows)}
