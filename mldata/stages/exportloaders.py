"""The files of frameworks in an export: a module each, and for all of them together one README and the labels.

One framework's module is ``dataset.py``; several have ``dataset_FRAMEWORK.py`` each. A README that a format has put there (the dataset card of the
Hugging Face Hub, with YAML at its start) stays, and what frameworks say follows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError
from mldata.frameworks import find_framework, load_framework
from mldata.stages.base import Work
from mldata.stages.exportplan import OutputFile

if TYPE_CHECKING:
    from mldata.frameworks.base import Described
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan

__all__ = ["LOADER", "Loaders", "loaders"]

LOADER = "loader"
"""Format of these files in the manifest."""
VERSION = 1
"""Of what all frameworks share; raised whenever the same dataset would give another README, labels, or reader of rows."""


@dataclass(frozen=True)
class Loaders:
    """What frameworks add to an export."""

    files: Sequence[OutputFile]
    """All files of the export: what was there, but for a README that was taken over, and those of the frameworks."""
    snippets: Mapping[str, str]
    """The lines that load the data, by framework."""


def loaders(plan: ExportPlan, files: Sequence[OutputFile]) -> Loaders:
    """Add the files of the frameworks that are asked for to those of an export.

    Raises ``BuildError`` for a framework none of whose formats is among the files. Where the job is partial it is left out with a warning: that
    the format failed is told already.
    """
    from mldata.stages.exportdescribe import described

    written = {file.format for file in files}
    names = []
    for name in plan.job.params.get("framework", ()):
        able = find_framework(name).formats
        if written & set(able):
            names.append(name)
            continue
        said = f"the framework {name} reads {' or '.join(able)}, which could not be written"
        if not plan.job.partial:
            hint = "Leave it out, or drop the columns that the format cannot hold (normalize: {drop: [...]})."
            raise BuildError(said, where=plan.job.dataset, hint=hint)
        plan.job.warn(f"{plan.job.dataset}: {said}")
    if not names:
        return Loaders(files, {})
    whole = described(plan, files)
    return _written(plan, files, whole, names)


def _written(
    plan: ExportPlan, files: Sequence[OutputFile], whole: Described, names: Sequence[str]
) -> Loaders:
    from mldata.frameworks.readme import README

    job = plan.job
    of = {
        name: whole if len(names) == 1 else replace(whole, module=f"{whole.module}_{_identifier(name)}")
        for name in names
    }
    head = next((file for file in files if file.path == README), None)
    # All that the files depend on; the columns are told by the rows' digests in the key of what described them.
    params = {
        "loaders": VERSION,
        "frameworks": [[name, find_framework(name).version] for name in names],
        "described": _plain(whole),
    }
    inputs = [("head", head.digest)] if head is not None else []

    def run(out: Outputs) -> Mapping[str, Any]:
        for path, text in _texts(of, job.store.read(head.digest).decode() if head else None).items():
            out.put(path, text.encode())
        return {"snippets": {name: load_framework(name).snippet(of[name]) for name in names}}

    [result] = job.run([Work(job.action(params, inputs, libraries=()), run, f"{job.dataset}: loaders")])
    made = [OutputFile(path, LOADER, None, None, it.digest, it.size) for path, it in result.outputs.items()]
    kept = [file for file in files if head is None or file.path != README]
    return Loaders([*kept, *made], {name: result.facts["snippets"][name] for name in names})


def _identifier(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)


def _texts(of: Mapping[str, Described], head: str | None) -> dict[str, str]:
    from mldata.frameworks.readme import LABELS, README, labels_text, readme_text

    whole = next(iter(of.values()))
    texts: dict[str, str] = {}
    sections = {}
    for name, each in of.items():
        framework = load_framework(name)
        for path, text in framework.files(each).items():
            if texts.setdefault(path, text) != text:
                raise BuildError(
                    f"two frameworks write '{path}'", where=whole.dataset, hint=f"Leave {name} out."
                )
        sections[name] = framework.snippet(each), framework.notes(each)
    labels = labels_text(whole)
    return texts | ({LABELS: labels} if labels else {}) | {README: readme_text(whole, sections, head)}


def _plain(whole: Described) -> dict[str, Any]:
    """Everything of a :class:`Described`, as parameters of an action."""
    import pyarrow as pa

    columns = [
        {
            "name": it.name,
            "role": it.role,
            "nulls": it.nulls,
            "classes": list(it.classes),
            "counts": {part: list(counts) for part, counts in it.counts.items()},
            "span": list(it.span) if it.span else None,
        }
        for it in whole.columns
    ]
    schema = pa.schema([(it.name, it.type) for it in whole.columns])
    return {
        "dataset": whole.dataset,
        "kind": whole.kind,
        "schema": schema.serialize().to_pybytes().hex(),
        "columns": columns,
        "parts": [[part, rows] for part, rows in whole.parts.items()],
        "files": [[it.path, it.format, it.part, it.rows, it.size] for it in whole.files],
        "label": whole.label,
        "size": whole.size,
    }
