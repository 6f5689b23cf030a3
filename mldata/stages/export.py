"""Export: a table and its assignment as files for others, in one tree that is the export folder.

An action a format, all in one pass over the table. A Parquet part that is one whole fragment already is that fragment, by
its digest; media files are the objects that the table names, unless all formats hold them themselves. ``manifest.yaml``
says what everything is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldata.exports import find_export
from mldata.stages.base import StageOutput
from mldata.stages.exportbeside import companions
from mldata.stages.exportfiles import write_files
from mldata.stages.exportloaders import LOADER, loaders
from mldata.stages.exportmanifest import put_manifest
from mldata.stages.exportpaths import Places, put_files
from mldata.stages.exportplan import MANIFEST, WHOLE, ExportPlan, OutputFile
from store import ObjectId

if TYPE_CHECKING:
    from mldata.stages.base import Job

__all__ = ["MANIFEST", "WHOLE", "Export"]


class Export:
    """The export stage. Parameters: see ``Export.to_plain`` of :mod:`mldata.specexport`."""

    def build(self, job: Job) -> StageOutput:
        """The export folder as a tree.

        Raises ``SpecError`` for a compression that a format lacks, ``BuildError`` for a column that a format cannot
        hold and for names that collide, or a ``store`` error. Where the job is partial, formats that fail are left out
        and told in the fact ``failed``, unless all do.
        """
        plan = ExportPlan.of(job)
        failed: dict[str, Exception] = {
            name: fault for name in plan.formats if (fault := plan.unfit(name)) is not None
        }
        _refuse(plan, failed)
        able = [name for name in plan.formats if name not in failed]
        _check_places(plan, _expected_files(plan, able))
        files, late = write_files(plan, able)
        failed |= late
        _refuse(plan, failed)
        files += companions(plan, files)
        loaded = loaders(plan, files)
        made = _publish(plan, sorted(loaded.files, key=lambda file: file.path.encode()), failed)
        wrote = job.writing().wrote
        seconds = {name: it.seconds for name, it in wrote.items() if it.seconds is not None}
        facts = {**made.facts, **({"snippets": loaded.snippets} if loaded.snippets else {})}
        return StageOutput(made.output, made.rows, facts, seconds)


def _refuse(plan: ExportPlan, failed: Mapping[str, Exception]) -> None:
    """Raise the first error, unless others may go on without."""
    first = next((failed[name] for name in plan.formats if name in failed), None)
    if first is None or (plan.job.partial and len(failed) < len(plan.formats)):
        return
    for name in plan.formats:
        if name in failed and failed[name] is not first:
            plan.job.warn(f"{plan.job.dataset}: {name}: {str(failed[name]).partition(chr(10))[0]}")
    raise first


def _expected_files(plan: ExportPlan, formats: Iterable[str]) -> Iterable[tuple[str, str, str | None]]:
    """What is known of files before they are written: of shards that there is one at least."""
    count = None if plan.shard_size is None else 1
    return [
        (find_export(name).file_path(part, 0, count), name, part) for name in formats for part in plan.parts
    ]


def _check_places(plan: ExportPlan, files: Iterable[tuple[str, str, str | None]]) -> None:
    """No two files may be in one place. ``files``: path, format and part of each, if it is of one."""
    places, dataset = Places(), plan.job.dataset
    places.add(MANIFEST, "the manifest", dataset)
    formats = set()
    for path, name, part in files:
        formats.add(name)
        places.add(path, f"part '{part}' as {name}" if part is not None else f"beside {name}", dataset)
    if (media := plan.media(formats - {LOADER})) is not None:
        places.check_media(plan.job.store, media, dataset)


def _publish(plan: ExportPlan, files: Sequence[OutputFile], failed: Mapping[str, Exception]) -> StageOutput:
    """The export tree: files, media and the manifest."""
    _check_places(plan, ((file.path, file.format, file.part) for file in files))
    media = plan.media({file.format for file in files} - {LOADER})
    manifest = put_manifest(plan, files, media)
    entries = [(file.path, ObjectId(file.digest, file.size)) for file in files]
    entries.append((MANIFEST, ObjectId(manifest.digest, manifest.size)))
    facts: dict[str, Any] = {
        "files": [
            {"path": it.path, "format": it.format, "split": it.part, "rows": it.rows, "size": it.size}
            | {"digest": it.digest}
            for it in files
        ],
        "parts": dict(plan.parts),
    }
    if failed:
        facts["failed"] = [
            {"format": name, "error": str(failed[name])} for name in plan.formats if name in failed
        ]
    return StageOutput(put_files(plan.job, entries, media), plan.table.rows, facts)
