"""One stage of one dataset while it runs: takes hits from the action cache, runs misses, publishes results in groups.

Invariant: a result is added to the cache only after every object that it names is durable (the store's batch sees to the
order), and a failed or interrupted action adds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, BinaryIO

from mldata.errors import BuildError, MldataError

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.folder import StagedFolder
    from mldata.reporter import StageProgress
    from mldata.stages.base import Previous, Work
    from store import Action, ActionResult, Batch, Digest, ObjectId, ObjectWriter, Store, TreeEntry

COMMIT_SECONDS = 0.5
"""At most this much finished work is lost when the process is killed."""
COMMIT_RESULTS = 512
COMMIT_BYTES = 256 << 20


class Cancelled(Exception):
    """An action noticed that the build is being stopped."""


class StageJob:
    """The :class:`mldata.stages.base.Job` that the build hands to a stage."""

    def __init__(
        self,
        *,
        dataset: str,
        stage: str,
        version: int,
        params: Mapping[str, Any],
        inputs: Mapping[str, Digest],
        context: Mapping[str, Any],
        libraries: Callable[[str], str],
        stage_libraries: Sequence[str],
        salt: str,
        store: Store,
        executor: Executor,
        progress: StageProgress,
        force: bool = False,
        keep_going: bool = False,
        previous: Previous | None = None,
    ) -> None:
        self.dataset = dataset
        self.stage = stage
        self.params = params
        self.inputs = inputs
        self.context = context
        self.previous = previous
        self.store = store
        self.jobs = executor.jobs
        self.hits = 0
        self.runs = 0
        self.warnings: list[str] = []
        self.used_libraries: dict[str, str] = {}
        self._version = version
        self._library_version = libraries
        self._stage_libraries = stage_libraries
        self._runtimes: dict[tuple[str, ...], dict[str, str]] = {}
        self._salt = salt
        self._executor = executor
        self._progress = progress
        self._force = force
        self._keep_going = keep_going
        self._cancel = Event()

    def action(
        self,
        params: Mapping[str, Any],
        inputs: Sequence[tuple[str, Digest]],
        *,
        libraries: Sequence[str] | None = None,
    ) -> Action:
        """See :meth:`mldata.stages.base.Job.action`."""
        from store import Action

        names = tuple(self._stage_libraries if libraries is None else libraries)
        runtime = self._runtimes.get(names)
        if runtime is None:
            runtime = self._runtimes[names] = {name: self._library_version(name) for name in names}
            self.used_libraries.update(runtime)
        return Action(
            stage=self.stage,
            version=self._version,
            params=params,
            inputs=tuple(inputs),
            runtime=runtime,
            salt=self._salt,
        )

    def run(self, works: Sequence[Work]) -> list[ActionResult]:
        """See :meth:`mldata.stages.base.Job.run`."""
        from store import action_keys

        keys = action_keys(work.action for work in works)
        first = dict(zip(reversed(keys), reversed(works), strict=True))  # equal actions run once
        wanted = list(dict.fromkeys(keys))
        results = {} if self._force else self.store.actions.get_many(wanted)
        misses = {key: first[key] for key in wanted if key not in results}
        self.hits += len(keys) - len(misses)
        if misses:
            self._progress.plan(len(misses), sum(work.size for work in misses.values()))
            self._run_misses(misses, results)
        return [results[key] for key in keys]

    def _run_misses(self, misses: Mapping[Digest, Work], results: dict[Digest, ActionResult]) -> None:
        keys = list(misses)
        errors: dict[int, Exception] = {}
        with self.store.batch() as batch:
            calls = [self._call(batch, work) for work in misses.values()]
            outcomes = self._executor.run(calls, keep_going=self._keep_going, stop=self._cancel.set)
            last, pending, pending_bytes = time.monotonic(), 0, 0
            try:
                for outcome in outcomes:
                    if outcome.error is not None or outcome.value is None:
                        errors[outcome.index] = outcome.error or RuntimeError("no result")
                        continue
                    key = keys[outcome.index]
                    batch.add_result(key, outcome.value)
                    results[key] = outcome.value
                    self.runs += 1
                    self._progress.advance(misses[key].label, misses[key].size)
                    pending += 1
                    pending_bytes += sum(output.size for output in outcome.value.outputs.values())
                    if (
                        pending >= COMMIT_RESULTS
                        or pending_bytes >= COMMIT_BYTES
                        or time.monotonic() - last >= COMMIT_SECONDS
                    ):
                        batch.commit()
                        last, pending, pending_bytes = time.monotonic(), 0, 0
            except BaseException:
                self._cancel.set()  # the running actions stop at their next write
                outcomes.close()
                batch.commit()  # what is finished is kept, so that the next run goes on from here
                raise
            batch.commit()
        if errors:
            raise self._explain(errors, list(misses.values()))

    def _call(self, batch: Batch, work: Work) -> Callable[[], ActionResult]:
        def call() -> ActionResult:
            from store import ActionResult

            outputs = StagedOutputs(batch, self._cancel)
            try:
                facts = work.run(outputs)
            except BaseException:
                outputs.discard()
                raise
            return ActionResult(outputs=outputs.finished(), facts=dict(facts))

        return call

    def _explain(self, errors: Mapping[int, Exception], works: Sequence[Work]) -> Exception:
        """The error of the first action in plan order, so that the message does not depend on timing."""
        from store import StoreError

        first = min(errors)
        error = errors[first]
        if not isinstance(error, MldataError | StoreError):
            wrapped = BuildError(
                f"{type(error).__name__}: {error}",
                where=works[first].label,
                hint="This is not an error that mldata expects: -v shows where it comes from; please report it.",
            )
            wrapped.__cause__ = error
            error = wrapped
        for index in sorted(errors)[1:]:
            self.warn(f"{works[index].label}: {str(errors[index]).partition(chr(10))[0]}")
        return error

    def count(self, *, hits: int, runs: int) -> None:
        """See :meth:`mldata.stages.base.Job.count`."""
        self.hits += hits
        self.runs += runs

    def put(self, data: bytes) -> ObjectId:
        """See :meth:`mldata.stages.base.Job.put`."""
        return self.store.put(data)

    def put_tree(self, entries: Sequence[TreeEntry]) -> ObjectId:
        """See :meth:`mldata.stages.base.Job.put_tree`."""
        return self.store.put_tree(entries)

    def warn(self, message: str) -> None:
        """See :meth:`mldata.stages.base.Job.warn`."""
        self.warnings.append(message)
        self._progress.warn(message)

    def note(self, message: str) -> None:
        """See :meth:`mldata.stages.base.Job.note`."""
        self._progress.note(message)


class StagedOutputs:
    """The :class:`mldata.stages.base.Outputs` of one running action, staged in the job's batch."""

    def __init__(self, batch: Batch, cancel: Event) -> None:
        self._batch = batch
        self._cancel = cancel
        self._lock = Lock()
        self._made: dict[str, tuple[ObjectId, str]] = {}
        self._writers: dict[str, ObjectWriter] = {}

    def put(self, name: str, data: bytes) -> ObjectId:
        """See :meth:`mldata.stages.base.Outputs.put`."""
        from store import KIND_FILE

        made = self._batch.put(data)
        self._add(name, made, KIND_FILE)
        return made

    def writer(self, name: str, *, hashes: Sequence[str] = ()) -> BinaryIO:
        """See :meth:`mldata.stages.base.Outputs.writer`."""
        self.checkpoint()
        writer = self._batch.writer(hashes=hashes)
        with self._lock:
            if name in self._writers or name in self._made:
                raise ValueError(f"output {name!r} was made twice")
            self._writers[name] = writer
        return writer

    def tree(self, name: str, entries: Sequence[TreeEntry]) -> ObjectId:
        """See :meth:`mldata.stages.base.Outputs.tree`."""
        from store import KIND_TREE

        made = self._batch.put_tree(entries)
        self._add(name, made, KIND_TREE)
        return made

    def checkpoint(self) -> None:
        """See :meth:`mldata.stages.base.Outputs.checkpoint`."""
        if self._cancel.is_set():
            raise Cancelled

    def folder(self, name: str) -> StagedFolder:
        """See :meth:`mldata.stages.base.Outputs.folder`."""
        from mldata.folder import StagedFolder
        from store import KIND_TREE

        return StagedFolder(self._batch, self.checkpoint, lambda made: self._add(name, made, KIND_TREE))

    def finished(self) -> dict[str, Any]:
        """Every output by name, as the action result holds them. A writer left open is a mistake of the stage."""
        from store import KIND_FILE, Output

        for name, writer in self._writers.items():
            if not writer.closed:
                raise ValueError(f"output {name!r} was not closed")
            self._made[name] = (writer.id, KIND_FILE)
        return {
            name: Output(made.digest, made.size, kind) for name, (made, kind) in sorted(self._made.items())
        }

    def clear(self) -> None:
        """See :meth:`mldata.stages.base.Outputs.clear`. What was staged is left to gc, since others may have made it too."""
        self.discard()
        with self._lock:
            self._made.clear()
            self._writers.clear()

    def discard(self) -> None:
        """Drop what a failed action has half written."""
        for writer in self._writers.values():
            if not writer.closed:
                writer.discard()

    def _add(self, name: str, made: ObjectId, kind: str) -> None:
        self.checkpoint()
        with self._lock:
            if name in self._made or name in self._writers:
                raise ValueError(f"output {name!r} was made twice")
            self._made[name] = (made, kind)
