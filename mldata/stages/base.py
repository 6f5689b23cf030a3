"""What a stage is, and what it may ask of the build.

A stage turns the outputs of earlier stages into one tree. It never decides *whether* to run (``mldata.stale`` does) and
never touches the project folder (``mldata.build`` does): it plans :class:`Work`, hands it to the :class:`Job`, and
assembles the results. All bytes go in and out through the object store, so a stage cannot depend on a path, a clock or
a worker count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from mldata.reporter.writing import WritingView
    from store import Action, ActionResult, Digest, ObjectId, Store, TreeEntry

Json = Any
"""None, bool, int, float, str, or lists and string-keyed dicts of these."""


class Outputs(Protocol):
    """Where a running action puts what it makes. Names are unique within the action."""

    def put(self, name: str, data: bytes) -> ObjectId:
        """Add a small object."""
        ...

    def writer(self, name: str, *, hashes: Sequence[str] = (), threads: int = 1) -> BinaryIO:
        """A file-like object, hashed while it is written; closing it adds it under ``name``.

        ``hashes`` names secondary digests (``md5``, ``sha256``) to compute in the same pass; so many ``threads`` may hash large pieces.
        """
        ...

    def reuse(self, name: str, made: ObjectId) -> bool:
        """Add an object that the store has already. False if it has not, or no longer."""
        ...

    def tree(self, name: str, entries: Sequence[TreeEntry]) -> ObjectId:
        """Add a tree of objects that exist already or were made by this action."""
        ...

    def folder(self, name: str) -> OutputFolder:
        """Any number of files that become one output, a tree; closing it adds that under ``name``."""
        ...

    def clear(self) -> None:
        """Take back everything made so far, to begin anew."""
        ...

    def checkpoint(self) -> None:
        """Raise if the build is being stopped; for an action that waits for something. Writing does it by itself."""
        ...


class OutputFolder(Protocol):
    """A tree that a running action fills, for far more files than an action has outputs."""

    def add(self, path: str, data: Iterable[bytes], *, hashes: Sequence[str] = ()) -> None:
        """Add a file ``a/b/c``, as a stream. ``hashes`` as in :meth:`Outputs.writer`."""
        ...

    def alias(self, path: str, target: str) -> None:
        """Add a file with the content of another one, added before."""
        ...

    def close(self) -> ObjectId:
        """Make the tree. Raises a ``store`` error for paths that cannot be side by side."""
        ...


class Together(Protocol):
    """Performs several actions in one go, such as all that read one table, each as if it were alone."""

    def run(self, outputs: Mapping[str, Outputs]) -> Mapping[str, Mapping[str, Json] | Exception]:
        """Write the outputs of each action; its facts, or why it failed, by the same names.

        Raises what no action can go on after.
        """
        ...


@dataclass(frozen=True)
class Work:
    """An action together with the function that performs it when the cache has no result."""

    action: Action
    run: Callable[[Outputs], Mapping[str, Json]]
    """Writes the outputs and returns the facts. May run in a worker thread, several at a time."""
    label: str
    """What a person sees while it runs: most often the source file's name."""
    size: int = 0
    """Bytes of input, for the progress display."""
    here: bool = False
    """It must run in the process of the build, since it refers to more of that than the job and the store."""
    together: Together | None = None
    """Performs all actions that have this same object, those of them that the cache lacks, in one go: ``run`` is for one alone."""
    member: str = ""
    """What the action is called there; no two have one name."""


@dataclass(frozen=True)
class Previous:
    """What a stage made of a dataset last, with the code, parameters, libraries and salt of now.

    It may save time and never change what is made. Its objects may be gone: they are no longer needed by anything else.
    """

    output: Digest
    inputs: Mapping[str, Digest]


class Job(Protocol):
    """One stage of one dataset, as the build hands it to the stage."""

    @property
    def dataset(self) -> str: ...

    @property
    def params(self) -> Mapping[str, Json]:
        """The stage's section of the spec, every default filled in."""
        ...

    @property
    def inputs(self) -> Mapping[str, Digest]:
        """Output tree of each earlier stage, by stage name."""
        ...

    @property
    def context(self) -> Mapping[str, Json]:
        """Facts about the dataset that only the manifest needs (source text, parameters of all stages, versions)."""
        ...

    @property
    def previous(self) -> Previous | None:
        """The stage's last output, if it may serve to make the next one faster."""
        ...

    @property
    def store(self) -> Store: ...

    @property
    def jobs(self) -> int:
        """Worker threads the user allows (-j); never changes what is made."""
        ...

    def action(
        self,
        params: Mapping[str, Json],
        inputs: Sequence[tuple[str, Digest]],
        *,
        libraries: Sequence[str] | None = None,
    ) -> Action:
        """An action of this stage: fills in its name, version, library versions and the spec's salt.

        ``libraries`` narrows the stage's list to the distributions that this action really writes with, so that an
        upgrade of an image library does not rebuild a CSV.
        """
        ...

    def for_stage(self, stage: str, params: Mapping[str, Json], inputs: Mapping[str, Digest]) -> Job:
        """A job of another stage whose output this one needs: its actions are those of that stage, cached as such, and count here."""
        ...

    def run(self, works: Sequence[Work]) -> list[ActionResult]:
        """Results in the order of ``works``: hits from the action cache, misses from the executor.

        Returns when every result is published. The first failure stops what has not started and is raised.
        """
        ...

    def attempt(self, works: Sequence[Work]) -> list[ActionResult | Exception]:
        """As :meth:`run`, but all are tried, and an error stands in the place of its result. An interrupt is raised."""
        ...

    @property
    def partial(self) -> bool:
        """Whether the stage may leave out what cannot be made and say so, where it makes several things."""
        ...

    def writing(self) -> WritingView:
        """What is told how far the stage's files are. The same one each time; may be told from any thread."""
        ...

    def count(self, *, hits: int, runs: int) -> None:
        """Count work that is remembered elsewhere than in the action cache (fetch: in the stat cache)."""
        ...

    def put_tree(self, entries: Sequence[TreeEntry]) -> ObjectId:
        """Publish one tree level made of existing objects."""
        ...

    def put(self, data: bytes) -> ObjectId:
        """Publish a small object that belongs to the stage's output tree."""
        ...

    def warn(self, message: str) -> None:
        """Show a warning, and keep it in the build record."""
        ...

    def note(self, message: str) -> None:
        """Show something to those who asked for more (``-v``). May be called from the thread of an action."""
        ...


@dataclass(frozen=True)
class StageOutput:
    """What a stage made."""

    output: ObjectId
    """The output tree."""
    rows: int | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Small deterministic facts for the receipt and ``mldata show`` (parts, kind, files, skipped files...)."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long parts of the work took, by their names, as far as it was done here and now. For showing; it is kept nowhere."""


class Stage(Protocol):
    """One step from raw bytes to a dataset.

    Its name, version, libraries and needs stand in ``mldata.stages.STAGES``, so that deciding what is stale imports no stage.
    """

    def build(self, job: Job) -> StageOutput:
        """Make the output tree from ``job.inputs``. Raises ``mldata.errors.BuildError`` or a ``store`` error."""
        ...
