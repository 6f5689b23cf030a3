"""A build that the store keeps, opened: its outputs, how it was made, and jobs that make stages of it again.

Invariant: while it is open, gc takes nothing that its record names, also when the record itself is dropped. What is made of it depends on its
record alone, never on what the spec says now; only versions are those of now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.context import Made, manifest_context
from mldata.errors import BuildError
from mldata.libraries import library_version
from mldata.recipe import Recipe
from mldata.records import RECIPE, BuildRecord, find_record, load_record
from mldata.stages import STAGES, needs
from mldata.version import __version__

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.job import StageJob
    from mldata.reporter import StageProgress
    from mldata.stages.base import Stage
    from mldata.usercode import Code
    from store import Digest, Store

__all__ = ["KeptBuild", "open_build"]


@contextmanager
def open_build(store: Store, dataset: str, number: int | None = None) -> Iterator[KeptBuild]:
    """A build of a dataset (the newest when ``number`` is None), kept from gc until this ends.

    Raises:
        UnknownDataset: the dataset has no such build, or gc has removed it.
    """
    with ExitStack() as stack:
        if store.read_only:  # nothing can be said to a gc by somebody else
            found, root = find_record(store, dataset, number)
        else:
            lease = stack.enter_context(store.lease(f"use of a build of {dataset}"))
            with store.leases.gate():
                found, root = find_record(store, dataset, number)
                lease.need([root], "tree")
        yield KeptBuild(store, root, load_record(store, root, dataset, found))


@dataclass(frozen=True)
class KeptBuild:
    """See :func:`open_build`."""

    store: Store
    root: Digest
    record: BuildRecord

    @property
    def name(self) -> str:
        """``penguins@3``."""
        return f"{self.record.dataset}@{self.record.number}"

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that it went through, in order."""
        return tuple(self.record.outputs)

    @cached_property
    def recipe(self) -> Recipe:
        """How it was made. Raises ``BuildError`` for a record that does not have it."""
        entry = self.store.tree(self.root).get(RECIPE)
        unknown = [stage for stage in self.stages if stage not in STAGES]
        if entry is None or unknown:
            found = f"the unknown stage {unknown[0]!r}" if unknown else "none"
            raise BuildError(
                f"expected a recipe in the build's record that mldata {__version__} can follow, found {found} (recorded by mldata "
                f"{self.record.mldata})",
                where=self.name,
                hint=f"Its export can be written out all the same: mldata export {self.name} -o DIR",
            )
        return Recipe.from_text(self.store.read(entry.digest), self.name)

    def params(self, stage: str) -> dict[str, Any]:
        """Parameters of a stage."""
        return dict(self.recipe.params[stage])

    def inputs(self, stage: str, outputs: Mapping[str, Digest]) -> dict[str, Digest]:
        """Of ``outputs`` by stage, those that a stage reads."""
        return {need: outputs[need] for need in needs(stage, tuple(outputs))}

    def context(self, made: Mapping[str, Made], export: Mapping[str, Any]) -> dict[str, Any]:
        """What a manifest of now tells beside the files.

        Args:
            made: how each stage but the export was made.
            export: parameters of the export.
        """
        params = {stage: self.params(stage) for stage in made} | {"export": dict(export)}
        return manifest_context(self.recipe.sources, params, made)

    def as_made(self) -> dict[str, Made]:
        """How each stage but the export was made in this build."""
        told = self.record.stages
        return {
            stage: Made(told[stage]["version"], told[stage]["libraries"])
            for stage in self.stages
            if stage != "export"
        }

    def job(
        self,
        stage: str,
        store: Store,
        inputs: Mapping[str, Digest],
        *,
        executor: Executor,
        progress: StageProgress,
        params: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        salt: str = "",
        force: bool = False,
    ) -> StageJob:
        """A job that runs a stage of this build in ``store``; ``params`` are its own unless given."""
        from mldata.job import StageJob

        info = STAGES[stage]
        return StageJob(
            dataset=self.record.dataset,
            stage=stage,
            version=info.version,
            params=self.params(stage) if params is None else params,
            inputs=inputs,
            context=context or {},
            libraries=library_version,
            stage_libraries=info.libraries,
            salt=salt,
            store=store,
            executor=executor,
            progress=progress,
            force=force,
        )

    def stage(self, name: str, project: Path, scratch: Path) -> Stage:
        """The stage ``name`` (not fetch), with the code and limits of this build. ``scratch`` is a folder of its own for it."""
        from mldata.stages import load_stage

        if name != "transform":
            return load_stage(name)
        from mldata.stages.transform import Transform
        from mldata.userrequest import Limits

        limits = [Limits(*pair) for pair in self.recipe.limits]
        return Transform(self.code(project, scratch / "code"), limits, scratch / "transform", project)

    def code(self, project: Path, folder: Path) -> Code:
        """The code of the transform's functions, from the store; written below ``folder``, where nothing may be.

        A file that the store has lost is taken from ``project`` if it is still the same there.

        Raises:
            BuildError: a file is neither here nor there.
        """
        from mldata.usercode import functions, read_code
        from store import split_path

        folder.mkdir(parents=True)
        for path, digest in self.recipe.code.items():
            target = folder.joinpath(*split_path(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self._code_file(project, path, digest))
        return read_code(folder, functions(self.params("transform")))

    def _code_file(self, project: Path, path: str, digest: str) -> bytes:
        from store import Digest, ObjectCorrupt, ObjectMissing, digest_bytes

        try:
            return self.store.read(Digest(digest))
        except (ObjectMissing, ObjectCorrupt):
            pass
        try:
            data = (project / path).read_bytes()
            found = f"another one in {project}"
        except OSError as error:
            data, found = b"", f"{error.strerror or error} in {project}"
        if digest_bytes(data) != digest:
            raise BuildError(
                f"expected the code that ran then (digest {digest[:12]}), found none in the store and {found}",
                where=f"{self.name}: {path}",
                hint="Bring the file back as it was (git), and try again.",
            )
        return data
