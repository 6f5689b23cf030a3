"""Archives among fetched files give way to the files in them: ``data.zip`` to ``data.zip/a.csv``, ``data.zip/b/c.csv``.

One action an archive, keyed by its content, by what extracts it and by the limits, never by its name; its output is the tree of its members.
The name of the archive stays as the folder that they are in: so two archives never clash, and a row says where it came from. An archive
inside an archive is opened in the same way, one inside that is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata import archives
from mldata.errors import DataError, Where
from mldata.formats import HEAD_BYTES, find_format
from mldata.formats.base import SourceFile
from mldata.stages.base import Work

if TYPE_CHECKING:
    from mldata.stages.base import Job, Outputs
    from store import TreeEntry

MEMBERS = "members"
"""The output of an action that expands."""

Entry = tuple[str, "TreeEntry"]


@dataclass
class Opened:
    """Files, with archives opened."""

    entries: list[Entry]
    """In no order."""
    archives: dict[str, int] = field(default_factory=dict)
    """Number of members taken from each archive, by its path: ``a.zip``, ``a.zip/b.tar``."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Members left out, by kind (see ``mldata.litter``)."""

    def facts(self) -> dict[str, int]:
        """For the receipt. Members that are archives themselves count as well."""
        return {"count": len(self.archives), "members": sum(self.archives.values())}


def open_archives(job: Job, entries: Sequence[Entry]) -> Opened:
    """Open every archive in ``entries``.

    Raises:
        DataError: naming archive and member.
    """
    made = Opened([])
    outputs: dict[str, int] = {}
    outermost = {entry[0]: entry for entry in entries}
    todo, depth = list(entries), 0
    while todo:
        found = [(entry, kind) for entry in todo if (kind := _kind(job, entry)) is not None]
        if found and depth > archives.MOST_NESTED:
            raise archives.too_deep(found[0][0][0])
        packed = {entry[0] for entry, _ in found}
        made.entries += [entry for entry in todo if entry[0] not in packed]
        todo, outer = [], outermost
        outermost = {}
        results = job.run([_work(job, entry, kind) for entry, kind in found]) if found else []
        for (entry, _), result in zip(found, results, strict=True):
            inside = [
                (f"{entry[0]}/{path}", member)
                for path, member in job.store.walk(result.outputs[MEMBERS].digest)
            ]
            made.archives[entry[0]] = len(inside)
            facts: Any = result.facts
            made.ignored.update(facts["ignored"])
            if not inside:
                job.warn(f"{entry[0]}: the archive has no files in it")
            first = outer[entry[0]]
            outputs[first[0]] = outputs.get(first[0], 0) + sum(member.size for _, member in inside)
            _check_total(first, outputs[first[0]])
            outermost.update((name, first) for name, _ in inside)
            todo += inside
        depth += 1
    if not made.entries and made.archives:
        raise DataError(
            "expected files in the archive, found none",
            where=Where(min(made.archives)),
            hint="fetch it again if it should hold some, or leave it out of the source",
        )
    return made


def _check_total(first: Entry, out: int) -> None:
    """An archive in an archive has a ratio of its own; both together are held to the same one."""
    name, entry = first
    if archives.LIMITS.blown(out, entry.size):
        raise DataError(
            f"expected at most {archives.LIMITS.ratio} bytes out of each byte, "
            f"found {out:,} bytes out of {entry.size:,}, through the archives in it",
            where=Where(name),
            hint="if you trust the archive, unpack it by hand and name the folder as the source",
        )


def _kind(job: Job, entry: Entry) -> str | None:
    def head() -> bytes:
        with job.store.open_object(entry[1].digest) as file:
            return bytes(file.read(HEAD_BYTES))

    return archives.archive_kind(_source(job, entry)) if archives.may_be_archive(entry[0], head) else None


def _work(job: Job, entry: Entry, kind: str) -> Work:
    limits = archives.LIMITS
    params = {"archive": kind, "extractor": archives.EXTRACTOR, "limits": limits.to_params()}

    def run(out: Outputs) -> Mapping[str, Any]:
        folder, ignored = out.folder(MEMBERS), Counter[str]()
        for member in archives.members(_source(job, entry), kind, limits, ignored):
            if member.target is not None:
                folder.alias(member.path, member.target)
            else:
                folder.add(member.path, member.data, hashes=("sha256",) if _is_media(member.path) else ())
        folder.close()
        return {"ignored": dict(sorted(ignored.items()))}

    return Work(
        job.action(params, [("archive", entry[1].digest)], libraries=[]), run, entry[0], entry[1].size
    )


def _source(job: Job, entry: Entry) -> SourceFile:
    return SourceFile(entry[0], job.store.path(entry[1].digest), entry[1].digest, entry[1].size)


def _is_media(path: str) -> bool:
    """Media files are exported as they are, so the manifest will want their SHA-256 too."""
    info = find_format(path, b"")
    return info is not None and info.kind != "tabular"
