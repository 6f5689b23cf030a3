"""What a command is about that looks at data: a dataset, a build of it, an export folder, a file, a folder or a source elsewhere; or a part of one.

    penguins            the dataset of mldata.yaml as it is now; brought up to date as far as its split
    penguins@3          a build of it that the store keeps
    penguins@3#train    a part of that; of a path ``data/#train``, of a dataset also ``dataset://penguins#train``
    out/penguins        an export folder, read from its files
    data/*.csv          files here, or a source elsewhere: a project is made up around them, and the one build engine makes their table

However it is named, its table and split are outputs of stages in a store, and other stages can be made of them, each action of which is cached as those of
any build. Nothing is recorded: what is made here goes with the next gc where no build has it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mldata.errors import MldataError, UnknownDataset, UsageError
from mldata.placename import NAME, PlaceReporter, errors_of
from mldata.reference import is_reference, parse_reference
from mldata.sources import LOCAL, local_path, scheme_of
from mldata.stages import STAGES, load_stage, needs, table_of

if TYPE_CHECKING:
    from mldata.assignment import Assignment
    from mldata.build import Session
    from mldata.keptbuild import KeptBuild
    from mldata.manifest import Manifest
    from mldata.project import Project
    from mldata.records import BuildRecord
    from mldata.reporter import Reporter
    from mldata.stages.base import StageOutput
    from mldata.table import Table
    from store import Digest, Store

__all__ = ["Subject", "divided", "is_place", "manifest_of", "only_part", "open_subject", "require_part"]

STATE = "subjects"
"""Where its receipts are. They are no roots: the next gc removes what was stored."""
LOOK = "profile"
"""The stage whose needs a subject has: a table, and a split where there is one. What builds have of it is not made again."""


@dataclass
class Subject(ABC):
    """See the module. Good until the context that it comes from ends."""

    title: str
    """As it was written."""
    store: Store
    outputs: Mapping[str, Digest]
    """Output trees of the stages that made it, those of its table and its split at least (of a build: of all its stages)."""
    part: str | None = None
    """The only part that is meant; None: all rows."""
    record: BuildRecord | None = None
    """Of a build that the store keeps."""
    manifest: Manifest | None = None
    """Of an export folder."""
    salt: str = ""
    """Of its project's spec."""
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def table(self) -> Table:
        """Its table, all parts of it."""
        from mldata.table import Table

        return Table.open(self.store, table_of(self.outputs))

    @cached_property
    def assignment(self) -> Assignment | None:
        """Which part each row is in; None: it is not split."""
        from mldata.assignment import Assignment

        return Assignment.open(self.store, self.outputs["split"]) if "split" in self.outputs else None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its parts in order; none where it is not split."""
        return self.assignment.parts if self.assignment is not None else ()

    @abstractmethod
    def make(self, stage: str, params: Mapping[str, Any]) -> StageOutput:
        """What a stage makes of it; each action that is cached is taken from there. Raises ``MldataError`` or a ``store`` error."""


@dataclass
class _Current(Subject):
    """A dataset of a project, as it is now."""

    session: Session | None = None
    name: str = NAME

    def make(self, stage: str, params: Mapping[str, Any]) -> StageOutput:
        assert self.session is not None
        if (found := self._built(stage, params)) is not None:
            return found
        known = len(self.session.warnings.get(self.name, ()))
        made = self.session.make(self.name, stage, params)
        self.warnings += self.session.warnings.get(self.name, ())[known:]
        return made

    def _built(self, stage: str, params: Mapping[str, Any]) -> StageOutput | None:
        """What the last build has made, if it is up to date and all that is asked for."""
        assert self.session is not None
        state = self.session.state
        known = stage == LOOK and stage in state.stages(self.name)
        receipt = state.receipt(self.name, stage) if known else None
        if receipt is None or not _covers(receipt.params, params) or not state.is_current(self.name, stage):
            return None
        return _output(self.store, receipt.output, receipt.rows, receipt.facts)


@dataclass
class _Kept(Subject):
    """A build that the store keeps."""

    kept: KeptBuild | None = None
    jobs: int | None = None
    reporter: Reporter | None = None

    def make(self, stage: str, params: Mapping[str, Any]) -> StageOutput:
        from mldata.executor import ThreadExecutor

        assert self.kept is not None and self.reporter is not None
        if (found := self._recorded(stage, params)) is not None:
            return found
        progress = self.reporter.stage(self.kept.record.dataset, stage)
        inputs = {need: self.outputs[need] for need in needs(stage, tuple(self.outputs))}
        job = self.kept.job(
            stage,
            self.store,
            inputs,
            executor=ThreadExecutor(self.jobs),
            progress=progress,
            params=params,
            salt=self.salt,
        )
        try:
            made = load_stage(stage).build(job)
        except BaseException:
            progress.finish(None)
            raise
        progress.finish(f"{job.runs} run, {job.hits} from cache")
        self.warnings += job.warnings
        return made

    def _recorded(self, stage: str, params: Mapping[str, Any]) -> StageOutput | None:
        """What the build has made, if it is all that is asked for, in the form of now, and still there."""
        assert self.kept is not None
        told = self.kept.record.stages.get(stage) if stage == LOOK else None
        if told is None or told["version"] != STAGES[stage].version or not _covers(told["params"], params):
            return None
        output = self.outputs[stage]
        if self.store.missing(output, 1):
            return None
        return _output(self.store, output, told.get("rows"), told["facts"])


def _covers(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether what the profile stage of a build made with some parameters has in it what it would make with others."""
    parts = wanted.get("parts") or wanted.get("only")
    return "sample" not in wanted and (not parts or bool(made.get("parts")))


def _output(store: Store, digest: Digest, rows: int | None, facts: Mapping[str, Any]) -> StageOutput:
    from mldata.stages.base import StageOutput
    from store import ObjectId

    return StageOutput(ObjectId(digest, store.path(digest).stat().st_size), rows, facts)


@contextmanager
def open_subject(
    word: str, base: Project | None, reporter: Reporter, *, jobs: int | None = None
) -> Iterator[Subject]:
    """What ``word`` names, brought up to date as far as its split.

    Args:
        word: see the module; as typed in the working folder.
        base: the project that the working folder lies in.
        jobs: actions at a time; None: one a processor.

    Raises:
        UsageError, UnknownDataset, InvalidSpec: it is nothing, or has no such part.
        MldataError, store.StoreError: a stage failed.
    """
    plain, part = divided(word, base)
    if not plain:
        raise UsageError(f"expected a dataset, a file, a folder or a source elsewhere; found {word!r}")
    if is_place(plain, base) or (base is None and "@" not in plain):
        found = _place(plain, base, jobs, reporter)
    elif base is not None and plain in base.datasets:
        found = _dataset(plain, base, jobs, reporter)
    else:
        found = _build(plain, base, jobs, reporter)
    with found as subject:
        subject.title, subject.part = word, part
        if part is not None:
            require_part(subject, word, part)
        yield subject


def is_place(word: str, base: Project | None) -> bool:
    """Whether a word names a path or a source rather than a dataset of the surrounding project, or one that it had."""
    if base is not None and word.partition("@")[0] in base.datasets:
        return False
    return scheme_of(word) != LOCAL or "/" in word or os.path.lexists(word) or any(it in word for it in "*?[")


def require_part(subject: Subject, word: str, part: str) -> None:
    """Raises :class:`UsageError` where a subject does not have the part that ``word`` names."""
    if part not in subject.parts:
        have = f" ({', '.join(subject.parts)})" if subject.parts else ", which is not split"
        raise UsageError(
            f"expected a part of {word.removesuffix(f'#{part}')}{have}; found {part!r}",
            where=word,
            hint=f"leave '#{part}' out for all rows",
        )


def only_part(subject: Subject, part: str) -> None:
    """Have a subject mean one of its parts, as if its name had ended with that. Raises :class:`UsageError` where it has no such part, or means one already."""
    if subject.part is not None:
        raise UsageError(
            f"expected no other part beside {part!r}, found {subject.title!r}", hint="leave one of them out"
        )
    word = f"{subject.title}#{part}"
    require_part(subject, word, part)
    subject.title, subject.part = word, part


def divided(word: str, base: Project | None) -> tuple[str, str | None]:
    """The word without its part, and the part."""
    if is_reference(word):
        reference = parse_reference(word)
        if reference is None:
            raise UsageError("expected dataset://NAME or dataset://NAME#PART", where=word)
        return reference.dataset, reference.part
    plain, mark, part = word.rpartition("#")
    if not mark or scheme_of(word) != LOCAL or os.path.lexists(os.path.expanduser(local_path(word))):
        return word, None
    return plain, part


@contextmanager
def _dataset(name: str, base: Project, jobs: int | None, reporter: Reporter) -> Iterator[Subject]:
    from mldata.build import Session
    from mldata.buildoptions import Options

    with Session(base, Options(jobs=jobs), reporter) as session:
        stages = needs(LOOK, session.state.spec(name).stages)
        if not _current(session, name, stages):
            from mldata.tasks import require_tasks

            require_tasks(session, [f"{stage}:{name}" for stage in stages])
        outputs = _outputs(session, name)
        yield _Current(name, session.store, outputs, salt=base.salt, session=session, name=name)


def _current(session: Session, name: str, stages: Sequence[str]) -> bool:
    """Whether nothing has to run for some stages of a dataset: that is found out before doit is loaded, which takes longer."""
    from mldata.graph import Step, steps
    from store import StoreError

    try:
        wanted = [Step(name, stage) for stage in stages]
        return all(session.current(*step) for step in steps(session.project.datasets, wanted))
    except (MldataError, StoreError, OSError):
        return False  # the stage itself tells what is wrong


@contextmanager
def _build(text: str, base: Project | None, jobs: int | None, reporter: Reporter) -> Iterator[Subject]:
    from mldata.keptbuild import open_build
    from mldata.project import NoProject
    from mldata.records import build_numbers, parse_name
    from store import Store

    if base is None:
        raise NoProject(
            f"{text!r} is no file or folder here, and for a build of a dataset there is no mldata.yaml here or above",
            hint="a relative path starts at the working folder; '-C DIR' works in the folder of a project",
        )
    name, number = parse_name(text)
    with Store.open(base.store_path) as store:
        if name not in base.datasets and not build_numbers(store, name):
            raise _unknown(name, base)
        with open_build(store, name, number) as kept:
            yield _Kept(
                text,
                store,
                dict(kept.record.outputs),
                record=kept.record,
                kept=kept,
                salt=base.salt,
                jobs=jobs,
                reporter=reporter,
            )


def _unknown(name: str, base: Project) -> UnknownDataset:
    from mldata.nearest import nearest

    near = nearest(name, base.datasets)
    have = ", ".join(list(base.datasets)[:20]) or "none yet"
    return UnknownDataset(
        f"{name!r} is no file or folder here, and not a dataset of {base.spec_path.name}; it has: {have}",
        hint=f"Did you mean: {near}" if near else f"Add it: mldata add {name} SOURCE",
    )


def manifest_of(word: str, base: Project | None) -> Manifest | None:
    """The manifest of the export folder that a word names, of whatever kind; None if it names anything else, or a part.

    Raises ``BadManifest`` for one that cannot be read.
    """
    from mldata.exportfolder import MANIFEST

    if not is_place(word, base) or scheme_of(word) != LOCAL:
        return None
    path = Path(os.path.expanduser(local_path(word))) / MANIFEST
    if not path.is_file():
        return None
    from mldata.manifest import read_manifest

    return read_manifest(path)


@contextmanager
def _place(place: str, base: Project | None, jobs: int | None, reporter: Reporter) -> Iterator[Subject]:
    from mldata import pulls
    from mldata.build import Session
    from mldata.buildoptions import Options
    from mldata.into import make_home
    from mldata.ownparts import has_parts, own_split
    from mldata.placeexports import sources_of
    from mldata.tasks import require_tasks

    manifest = manifest_of(place, base)
    made = pulls.order(sources_of(place), base)
    state = made.home / STATE / made.project.state.name
    make_home(state)
    project = replace(made.project, state=state)
    spec = replace(made.project.datasets[made.name], name=NAME)
    for split in (own_split(), None):
        datasets = MappingProxyType({NAME: replace(spec, split=split)})
        with (
            errors_of(place),
            Session(
                replace(project, datasets=datasets), Options(jobs=jobs), PlaceReporter(reporter, place)
            ) as session,
        ):
            if split is not None and not has_parts(session, NAME):
                continue
            require_tasks(session, [f"normalize:{NAME}"])
            outputs, salt = _outputs(session, NAME), project.salt
            yield _Current(place, session.store, outputs, manifest=manifest, salt=salt, session=session)
            return


def _outputs(session: Session, name: str) -> dict[str, Digest]:
    found = {}
    for stage in session.state.spec(name).stages:
        receipt = session.state.receipt(name, stage)
        if receipt is not None and stage in ("fetch", *needs(LOOK, session.state.spec(name).stages)):
            found[stage] = receipt.output
    return found
