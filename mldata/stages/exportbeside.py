"""What goes with the files of rows: the media files inside formats that hold them, and the small files that formats have beside theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mldata.exports import find_export, load_export
from mldata.exports.base import Accompanied, Exported, Written
from mldata.stages.base import Work
from mldata.stages.exportplan import OutputFile

if TYPE_CHECKING:
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan
    from store import Digest, Store

__all__ = ["StoredMedia", "companions"]


@dataclass(frozen=True)
class StoredMedia:
    """See :class:`mldata.exports.base.Media`: the files of a tree."""

    store: Store
    tree: Digest

    @cached_property
    def _digests(self) -> dict[str, Digest]:
        return {path: entry.digest for path, entry in self.store.walk(self.tree)}

    def read(self, path: str) -> bytes:
        """See :class:`mldata.exports.base.Media`."""
        return self.store.read(self._digests[path])


def companions(plan: ExportPlan, files: Sequence[OutputFile]) -> Iterator[OutputFile]:
    """The small files that formats have beside ``files``, which are theirs, made by one action a format."""
    names = [name for name in dict.fromkeys(file.format for file in files) if find_export(name).companions]
    works = [_work(plan, name, [file for file in files if file.format == name]) for name in names]
    for name, result in zip(names, plan.job.run(works) if works else [], strict=True):
        for path, made in result.outputs.items():
            yield OutputFile(path, name, None, None, made.digest, made.size)


def _work(plan: ExportPlan, name: str, files: Sequence[OutputFile]) -> Work:
    job = plan.job
    places = {part: place for place, part in enumerate(plan.parts)}
    # Shards have numbers of one width, so that paths are in their order.
    ordered = sorted(files, key=lambda file: (places[str(file.part)], file.path))
    written = [Written(it.path, str(it.part), it.rows or 0, it.size, it.digest) for it in ordered]
    info = find_export(name)
    classes = plan.classes if info.wants_classes else {}
    exported = Exported(
        job.dataset, plan.table.kind, plan.schema, dict(plan.parts), written, classes, plan.options(name)
    )
    params = {
        "companions": name,
        "dataset": job.dataset,
        "kind": plan.table.kind,
        "schema": plan.schema.serialize().to_pybytes().hex(),
        "parts": [[part, rows] for part, rows in plan.parts.items()],
        "files": [[it.path, it.part, it.rows, it.size, it.digest] for it in written],
        **plan.told(name),
    }

    def run(out: Outputs) -> Mapping[str, Any]:
        export = load_export(name)
        assert isinstance(export, Accompanied)
        for path, data in export.companions(exported).items():
            out.put(path, data)
        return {}

    action = job.action(params, [("file", it.digest) for it in ordered], libraries=info.libraries)
    return Work(action, run, f"{job.dataset}: {name}, beside its files")
