"""The manifest of an export: an action, keyed by all that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldata.stages.base import Work
from mldata.stages.exportplan import MANIFEST

if TYPE_CHECKING:
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan, OutputFile
    from store import Digest, TreeEntry

__all__ = ["put_manifest"]


def put_manifest(plan: ExportPlan, files: Sequence[OutputFile], beside: Digest | None) -> Any:
    """The manifest of ``files`` and the media tree ``beside``, as an output of its action."""
    from mldata.manifest import Manifest, ManifestField, ManifestFile, ManifestPart, manifest_text

    job, table = plan.job, plan.table
    ratios: Sequence[float | None] = plan.assignment.ratios if plan.assignment else [None]
    said = {
        "dataset": job.dataset,
        "context": job.context,
        "kind": table.kind,
        "files": [[file.path, file.format, file.part, file.rows] for file in files],
        "ratios": list(ratios),
        "schema": plan.schema.serialize().to_pybytes().hex(),
        **({"md5": True} if "md5" in plan.hashes else {}),
    }
    inputs = [("file", file.digest) for file in files]
    if beside is not None:
        inputs.append(("media", beside))

    def run(out: Outputs) -> Mapping[str, Any]:
        media = list(job.store.walk(beside)) if beside is not None else []
        digests = [file.digest for file in files] + [entry.digest for _, entry in media]
        hashes = job.store.hashes(digests, plan.hashes)

        def listing(
            path: str,
            it: OutputFile | TreeEntry,
            format: str,
            part: str | None = None,
            rows: int | None = None,
        ) -> ManifestFile:
            known = hashes[it.digest]
            assert known.sha256 is not None
            md5 = known.md5 if "md5" in plan.hashes else None
            return ManifestFile(path, it.digest, known.sha256, it.size, format, part, rows, md5)

        listed = [listing(it.path, it, it.format, it.part, it.rows) for it in files]
        listed += [listing(path, entry, "media") for path, entry in media]
        manifest = Manifest(
            mldata=job.context["mldata"],
            dataset=job.dataset,
            kind=table.kind,
            sources=tuple(job.context["sources"]),
            rows=table.rows,
            schema=tuple(ManifestField(it.name, str(it.type), it.nullable) for it in plan.schema),
            parts=tuple(
                ManifestPart(name, rows, ratio)
                for (name, rows), ratio in zip(plan.parts.items(), ratios, strict=True)
            ),
            params=job.context["params"],
            versions=job.context["versions"],
            files=tuple(listed),
        )
        out.put(MANIFEST, manifest_text(manifest).encode())
        return {}

    [result] = job.run([Work(job.action(said, inputs, libraries=()), run, f"{job.dataset}: {MANIFEST}")])
    return result.outputs[MANIFEST]
