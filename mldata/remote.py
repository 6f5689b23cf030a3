"""Actions in another process: what is sent there, what is done there, and what comes back.

An action's function is sent with what it refers to; the store and the job become stand-ins: the store is opened anew at the same
place, the job can do what an action may ask of it and nothing more. The other process publishes the objects itself and answers
with digests and facts, so no data goes through the pipe. Actions go in groups, which share one commit.

Invariant: an answer names only objects that are durable; the lease of the other process keeps them until it ends, which is after
their results are published.

Both ends are this program on this machine, in one version: requests and answers are pickled, by cloudpickle since most functions
of actions are defined where they are used.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from threading import Event
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, MldataError

if TYPE_CHECKING:
    from mldata.reporter.writing import WritingView
    from mldata.stages.base import Previous, Together, Work
    from store import ActionResult, Digest, Store

GROUP = 16
"""Actions that go together at most: a killed build loses no more finished work than that, a process."""
GROUPS_EACH = 4
"""Groups that each process gets at least, where there is enough to do: the last ones to end then keep nobody waiting for long."""
GROUP_BYTES = 64 << 20


@dataclass(frozen=True)
class Answer:
    """How the actions of one group ended."""

    results: Mapping[int, ActionResult]
    """By position in the group."""
    errors: Mapping[int, Exception]
    """Neither here nor in ``results`` is what was not begun after an error."""
    notes: Sequence[str]


@dataclass(frozen=True)
class RemoteJob:
    """The :class:`mldata.stages.base.Job` that an action sees in another process: it has no use for the rest of one."""

    dataset: str
    params: Mapping[str, Any]
    inputs: Mapping[str, Digest]
    context: Mapping[str, Any]
    previous: Previous | None
    jobs: int
    store: Store

    def note(self, message: str) -> None:
        """See :meth:`mldata.stages.base.Job.note`."""
        _notes.append(message)

    def writing(self) -> WritingView:
        """See :meth:`mldata.stages.base.Job.writing`: nobody sees it here."""
        from mldata.reporter.writing import WritingView

        return WritingView()


_notes: list[str] = []
"""Of the group that this process works on."""


def groups(works: Sequence[Work], processes: int) -> list[range]:
    """Cut a list of actions into groups, by number and by size of their input; those to be done in one go stand side by side."""
    most = max(1, min(GROUP, len(works) // (GROUPS_EACH * processes)))
    found, begin, size = [], 0, 0
    for index, work in enumerate(works):
        # What is done in one go has a group of its own.
        apart = work.together is not works[begin].together
        full = index - begin >= most or size + work.size > GROUP_BYTES
        if index > begin and (apart or (full and work.together is None)):
            found.append(range(begin, index))
            begin, size = index, 0
        size += work.size
    if begin < len(works):
        found.append(range(begin, len(works)))
    return found


def encode_request(store: Store, works: Sequence[Work], *, keep_going: bool) -> bytes:
    """What to send for a group. Raises ``TypeError`` or ``pickle.PicklingError`` for a function that cannot be sent: a mistake of the stage."""
    file = io.BytesIO()
    together = works[0].together
    todo = (
        [work.run for work in works] if together is None else _InOneGo(together, [it.member for it in works])
    )
    _pickler(file).dump((store, todo, keep_going))
    return file.getvalue()


@dataclass(frozen=True)
class _InOneGo:
    together: Together
    members: Sequence[str]


def decode_answer(answer: bytes) -> Answer:
    """What came back."""
    found: Answer = pickle.loads(answer)
    return found


def _pickler(file: io.BytesIO) -> pickle.Pickler:
    import cloudpickle

    from store import Store

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Puts a way to open it again in the place of the store."""

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, Store):
                return _store, (str(value.root),)
            return super().reducer_override(value)

    pickler: pickle.Pickler = Pickler(file)
    return pickler


# -- in the other process --------------------------------------------------------------------------------------------------


def main() -> None:  # pragma: no cover  # runs in the other process, which coverage does not follow
    """Answer requests until there are no more, then let go of the store."""
    from store import serve

    with _open:
        serve(answer)


def answer(request: bytes) -> bytes:
    """Run a group of actions, publish what they made, and say how they ended."""
    from mldata.outputs import StagedOutputs, run_together
    from store import ActionResult

    store, todo, keep_going = pickle.loads(request)
    results: dict[int, ActionResult] = {}
    errors: dict[int, Exception] = {}
    runs = [] if isinstance(todo, _InOneGo) else todo
    count = len(todo.members) if isinstance(todo, _InOneGo) else len(runs)
    _notes.clear()
    try:
        with store.batch() as batch:
            if isinstance(todo, _InOneGo):
                results, found = run_together(todo.together, todo.members, batch, Event())
                errors = {index: _portable(error) for index, error in found.items()}
            for index, run in enumerate(runs):
                outputs = StagedOutputs(batch, Event())
                try:
                    facts = run(outputs)
                    results[index] = ActionResult(outputs=outputs.finished(), facts=dict(facts))
                except Exception as error:
                    outputs.discard()
                    errors[index] = _portable(error)
                    if not keep_going:
                        break
    except Exception as error:  # nothing of the group was published
        results, errors = {}, dict.fromkeys(range(count), _portable(error))
    return pickle.dumps(Answer(results, errors, list(_notes)))


_open = ExitStack()


@cache
def _store(root: str) -> Store:
    """The store, opened once a process, with a lease for as long as that lives."""
    from store import Store

    store = _open.enter_context(Store.open(root))
    _open.enter_context(store.lease("actions of a build"))
    return store


def _portable(error: Exception) -> Exception:
    """The error itself if it survives the way back, else one that says the same."""
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return error
    except Exception:  # whatever a foreign class does when it is pickled
        pass
    from store import StoreError

    if isinstance(error, MldataError | StoreError):
        return BuildError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
