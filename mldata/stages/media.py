"""Tables of media files: one row a file, with the files themselves beside the table.

Files are read in groups, one action a group. A group ends before a path whose CRC-32 says so, which depends on that path alone: adding or
removing a file changes one group. What metadata files say is joined afterwards (:mod:`mldata.stages.describe`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pyarrow as pa

from mldata.formats import load_format
from mldata.formats.base import SourceFile
from mldata.formats.choose import some
from mldata.formats.encode import encode
from mldata.stages.base import Work
from mldata.stages.describe import describe
from mldata.stages.folders import Folders
from mldata.table import Fragment
from store import ObjectId

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo, MediaFormat
    from mldata.stages.base import Job, Outputs
    from mldata.stages.metadata import Metadata
    from store import TreeEntry

GROUP_MEAN = 256
"""Mean number of files a group."""
GROUP_MOST = 4096
"""A group ends here at the latest."""
LABELS_NAMED = 20
"""How many labels the facts name."""

Entry = tuple[str, "TreeEntry"]


@dataclass(frozen=True)
class MediaTable:
    """A table of media files, but for its own tree."""

    schema: pa.Schema
    fragments: list[Fragment]
    media: ObjectId
    """The tree of files."""
    facts: dict[str, Any]


def build_media(
    job: Job,
    entries: Sequence[Entry],
    info: FormatInfo,
    archives: Collection[str] = (),
    metadata: Metadata | None = None,
    excluded: Sequence[str] = (),
) -> MediaTable:
    """The table of ``entries`` (sorted by path).

    Args:
        archives: the folders among them that stand for archives (``a.zip``, ``a.zip/b.tar``).
        metadata: what else is known of them.
        excluded: files that were taken out, of which there may be metadata all the same (sorted).

    Raises:
        DataError: naming a file that cannot be decoded, or a row of metadata that fits no file.
    """
    media: MediaFormat = load_format(info.name)
    names = [name for name, _ in entries]
    folders = Folders(names, archives)
    schema = media_schema(media, split=folders.split)
    groups = grouped(entries)
    works = []
    for group in groups:
        action = job.action(
            {"format": info.name, **folders.params(name for name, _ in group)},
            [(name, entry.digest) for name, entry in group],
            libraries=["pyarrow", media.library],
        )
        run = _Read(job, media, schema, group, folders)
        works.append(Work(action, run, group[0][0], sum(entry.size for _, entry in group)))
    results = job.run(works)
    fragments = []
    for group, result in zip(groups, results, strict=True):
        made = result.outputs["fragment"]
        fragments.append(Fragment(made.digest, made.size, len(group), group[0][0]))
    facts: dict[str, Any] = {}
    told: list[Any] = [result.facts for result in results]
    if turned := sum(fact["turned"] for fact in told):
        facts["turned"] = turned
    if metadata is None or "label" not in metadata.schema.names:
        facts |= _labels(job, names, folders)
    if metadata is not None:
        described = describe(job, metadata, names, fragments, schema, archives, excluded)
        schema, fragments, facts["metadata"] = described.schema, described.fragments, described.facts
    tree = job.store.put_paths(
        (name, ObjectId(entry.digest, entry.size), entry.executable) for name, entry in entries
    )
    return MediaTable(schema, fragments, tree, facts)


def media_schema(media: MediaFormat, *, split: bool = False) -> pa.Schema:
    """The columns of every media table, then those of the format. ``split``: folders say the part of each file."""
    text, said = pa.string(), ["path", "label", *(["split"] if split else []), "digest"]
    fields = [*((name, text) for name in said), ("size", pa.int64())]
    return pa.schema(fields + [(name, pa.type_for_alias(kind)) for name, kind in media.fields])


def grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Cut sorted entries where the CRC-32 of a path is a multiple of :data:`GROUP_MEAN`."""
    groups: list[list[Entry]] = []
    for entry in entries:
        if not groups or crc32(entry[0].encode()) % GROUP_MEAN == 0 or len(groups[-1]) >= GROUP_MOST:
            groups.append([])
        groups[-1].append(entry)
    return groups


def _labels(job: Job, names: Sequence[str], folders: Folders) -> dict[str, Any]:
    """How many labels the folders give, and files without one: these are told if others have one."""
    labels: set[str] = set()
    bare: list[str] = []
    for name in names:
        label = folders.of(name).label
        if label is None:
            bare.append(name)
        else:
            labels.add(label)
    if not labels:
        return {}
    if bare:
        job.warn(
            f"{len(bare):,} of {len(names):,} files have no label, since they are in no folder that gives one: {some(bare)}"
        )
    facts = {"count": len(labels), "names": sorted(labels)[:LABELS_NAMED], "without": len(bare)}
    return {"labels": facts}


class _Read:
    """Reads the headers of a group of files into one fragment."""

    def __init__(
        self, job: Job, media: MediaFormat, schema: pa.Schema, group: Sequence[Entry], folders: Folders
    ) -> None:
        self.job, self.media, self.schema, self.group, self.folders = job, media, schema, group, folders

    def __call__(self, out: Outputs) -> Mapping[str, Any]:
        store = self.job.store
        rows = []
        for name, entry in self.group:
            file = SourceFile(name, store.path(entry.digest), entry.digest, entry.size)
            said = self.folders.of(name)
            parts = (said.split,) if self.folders.split else ()
            rows.append((name, said.label, *parts, entry.digest, entry.size, *self.media.read(file)))
        columns = [
            pa.array(values, field.type)
            for values, field in zip(zip(*rows, strict=True), self.schema, strict=True)
        ]
        table = pa.Table.from_arrays(columns, schema=self.schema)
        with out.writer("fragment") as file_out:
            file_out.write(encode(table))
        return {"rows": len(rows), "turned": _turned(table)}


def _turned(table: pa.Table) -> int:
    """How many pictures are to be turned or mirrored before they are looked at."""
    if "orientation" not in table.schema.names:
        return 0
    return sum(1 for value in table.column("orientation").to_pylist() if value not in (None, 1))
