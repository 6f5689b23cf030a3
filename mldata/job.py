"""One stage of one dataset while it runs: takes hits from the action cache, runs misses, publishes results in groups.

Invariant: a result is added to the cache only after every object that it names is durable (the store's batch sees to the
order), and a failed or interrupted action adds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Event
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, MldataError
from mldata.outputs import StagedOutputs, run_together
from mldata.remote import Answer
from mldata.stages import STAGES

if TYPE_CHECKING:
    from mldata.executor import Executor, Outcome, RemoteExecutor
    from mldata.reporter import StageProgress
    from mldata.reporter.downloads import DownloadView
    from mldata.reporter.writing import WritingView
    from mldata.stages.base import Previous, Together, Work
    from store import Action, ActionResult, Batch, Digest, ObjectId, Store, TreeEntry

COMMIT_SECONDS = 0.5
"""At most this much finished work is lost when the process is killed."""
COMMIT_RESULTS = 512
COMMIT_BYTES = 256 << 20


@dataclass
class _Tally:
    hits: int = 0
    runs: int = 0


class PartlyDone(Exception):
    """Of the actions that were done elsewhere together, some failed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


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
        self._tally = _Tally()
        self.warnings: list[str] = []
        self.unsteady: list[str] = []
        """Actions that made something else than they did before."""
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
        self._writing: WritingView | None = None
        self.partial = False
        """See :attr:`mldata.stages.base.Job.partial`."""

    @property
    def hits(self) -> int:
        """Actions that the cache had."""
        return self._tally.hits

    @property
    def runs(self) -> int:
        """Actions that were done."""
        return self._tally.runs

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, the stand-in that actions need there."""
        from mldata.remote import RemoteJob

        return RemoteJob, (
            self.dataset,
            self.params,
            self.inputs,
            self.context,
            self.previous,
            self.jobs,
            self.store,
        )

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

    def for_stage(self, stage: str, params: Mapping[str, Any], inputs: Mapping[str, Digest]) -> StageJob:
        """See :meth:`mldata.stages.base.Job.for_stage`."""
        info, other = STAGES[stage], object.__new__(StageJob)
        vars(other).update(
            vars(self)
        )  # what is counted and warned of is shared; copy() would go by __reduce__
        other.stage, other.params, other.inputs = stage, params, inputs
        other.context, other.previous = {}, None
        other._version, other._stage_libraries = info.version, info.libraries
        return other

    def run(self, works: Sequence[Work]) -> list[ActionResult]:
        """See :meth:`mldata.stages.base.Job.run`."""
        keys, results, errors = self._results(works, keep_going=self._keep_going)
        if errors:
            first, *others = errors.items()
            for work, error in (other for _, other in others):
                self.warn(f"{work.label}: {str(error).partition(chr(10))[0]}")
            raise _expected(first[1][1], first[1][0].label)
        return [results[key] for key in keys]

    def attempt(self, works: Sequence[Work]) -> list[ActionResult | Exception]:
        """See :meth:`mldata.stages.base.Job.attempt`."""
        keys, results, errors = self._results(works, keep_going=True)
        return [
            results[key] if key in results else _expected(errors[key][1], errors[key][0].label)
            for key in keys
        ]

    def _results(
        self, works: Sequence[Work], *, keep_going: bool
    ) -> tuple[list[Digest], dict[Digest, ActionResult], dict[Digest, tuple[Work, Exception]]]:
        """Keys of the actions; results by key; errors by key, in plan order, so that messages do not depend on timing."""
        from store import action_keys

        keys = action_keys(work.action for work in works)
        first = dict(zip(reversed(keys), reversed(works), strict=True))  # equal actions run once
        wanted = list(dict.fromkeys(keys))
        results = {} if self._force else self.store.actions.get_many(wanted)
        misses = {key: first[key] for key in wanted if key not in results}
        self._tally.hits += len(keys) - len(misses)
        errors: dict[int, Exception] = {}
        if misses:
            self._progress.plan(len(misses), sum(work.size for work in misses.values()))
            errors = self._run_misses(misses, results, keep_going=keep_going)
        missed = list(misses.items())
        return keys, results, {missed[at][0]: (missed[at][1], errors[at]) for at in sorted(errors)}

    def _run_misses(
        self, misses: Mapping[Digest, Work], results: dict[Digest, ActionResult], *, keep_going: bool
    ) -> dict[int, Exception]:
        keys = list(misses)
        errors: dict[int, Exception] = {}
        with self.store.batch() as batch:
            calls = list(self._calls(batch, list(misses.values()), keep_going=keep_going))
            outcomes = self._executor.run(
                [call for _, call in calls], keep_going=keep_going, stop=self._cancel.set
            )
            last, pending, pending_bytes = time.monotonic(), 0, 0
            try:
                for outcome in outcomes:
                    members = calls[outcome.index][0]
                    made = self._made(members, outcome, errors)
                    for key, result in ((keys[index], result) for index, result in made.items()):
                        batch.add_result(key, result)
                        results[key] = result
                        self._tally.runs += 1
                        self._progress.advance(misses[key].label, misses[key].size)
                        pending += 1
                        pending_bytes += sum(output.size for output in result.outputs.values())
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
            self._settle(batch, misses, results)
        return errors

    def _settle(
        self, batch: Batch, misses: Mapping[Digest, Work], results: dict[Digest, ActionResult]
    ) -> None:
        """Go on with what the cache has, and tell of actions that made something else before."""
        for key, recorded in batch.recorded.items():
            if recorded.status == "differs":
                results[key] = recorded.result
                self.unsteady.append(misses[key].label)
                self.warn(
                    f"{misses[key].label}: it made something else than it did before with the same inputs, and the first result stays; "
                    f"`mldata rebuild {self.dataset} --verify` shows what differs, another `salt:` disowns it"
                )

    def _calls(
        self, batch: Batch, works: Sequence[Work], *, keep_going: bool
    ) -> Iterator[tuple[Sequence[int], Callable[[], ActionResult | Answer]]]:
        """What the executor is to call, each with the positions of its actions."""
        from mldata.executor import RemoteExecutor
        from mldata.remote import groups

        executor, order = self._executor, _side_by_side(works)
        remote = isinstance(executor, RemoteExecutor)
        sent = {index: works[index] for index in order if remote and not works[index].here}
        for group in groups(list(sent.values()), executor.jobs):
            members = [list(sent)[at] for at in group]
            assert isinstance(executor, RemoteExecutor)
            yield members, self._request(executor, [works[index] for index in members], keep_going=keep_going)
        here = [index for index in order if index not in sent]
        for _, found in groupby(
            here, lambda at: at if works[at].together is None else -id(works[at].together)
        ):
            members = list(found)
            work = works[members[0]]
            if work.together is None:
                yield members, self._call(batch, work)
            else:
                names = [works[index].member for index in members]
                yield members, self._in_one_go(batch, work.together, names, keep_going=keep_going)

    def _in_one_go(
        self, batch: Batch, together: Together, members: Sequence[str], *, keep_going: bool
    ) -> Callable[[], Answer]:
        def call() -> Answer:
            answer = Answer(*run_together(together, members, batch, self._cancel), notes=())
            if answer.errors and not keep_going:
                raise PartlyDone(answer)  # an executor stops when a call raises
            return answer

        return call

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

    def _request(
        self, executor: RemoteExecutor, works: Sequence[Work], *, keep_going: bool
    ) -> Callable[[], Answer]:
        def call() -> Answer:
            from mldata.remote import decode_answer, encode_request

            request = encode_request(self.store, works, keep_going=keep_going)
            answer = decode_answer(executor.ask(request))
            if answer.errors and not keep_going:
                raise PartlyDone(answer)  # an executor stops when a call raises
            return answer

        return call

    def _made(
        self,
        members: Sequence[int],
        outcome: Outcome[ActionResult | Answer],
        errors: dict[int, Exception],
    ) -> dict[int, ActionResult]:
        """Results by position of the action; what went wrong is added to ``errors``."""
        answer = outcome.error.answer if isinstance(outcome.error, PartlyDone) else outcome.value
        if isinstance(answer, Answer):
            for note in answer.notes:
                self.note(note)
            errors.update({members[at]: error for at, error in answer.errors.items()})
            return {members[at]: result for at, result in answer.results.items()}
        if outcome.error is not None or answer is None:
            errors.update(dict.fromkeys(members, outcome.error or RuntimeError("no result")))
            return {}
        return {members[0]: answer}

    def count(self, *, hits: int, runs: int) -> None:
        """See :meth:`mldata.stages.base.Job.count`."""
        self._tally.hits += hits
        self._tally.runs += runs

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

    def downloads(self) -> DownloadView:
        """What is told how downloads go that are made for the stage."""
        return self._progress.downloads(self.warn)

    def writing(self) -> WritingView:
        """See :meth:`mldata.stages.base.Job.writing`."""
        if self._writing is None:
            self._writing = self._progress.writing()
        return self._writing

    def note(self, message: str) -> None:
        """See :meth:`mldata.stages.base.Job.note`."""
        self._progress.note(message)


def _side_by_side(works: Sequence[Work]) -> list[int]:
    """Positions in order, but those of actions that are done in one go one after the other, where the first of them is."""
    first: dict[int, int] = {}
    for index, work in enumerate(works):
        if work.together is not None:
            first.setdefault(id(work.together), index)
    return sorted(range(len(works)), key=lambda at: first.get(id(works[at].together), at))


def _expected(error: Exception, label: str) -> Exception:
    """The error, or for one that mldata does not expect, one that says so."""
    from store import StoreError

    if isinstance(error, MldataError | StoreError):
        return error
    wrapped = BuildError(
        f"{type(error).__name__}: {error}",
        where=label,
        hint="This is not an error that mldata expects: -v shows where it comes from; please report it.",
    )
    wrapped.__cause__ = error
    return wrapped
