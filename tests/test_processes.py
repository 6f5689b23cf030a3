"""Actions in other processes: the way there and back, and what happens when a process does not answer."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata import remote
from mldata.buildoptions import Options
from mldata.errors import BuildError, DataError, MldataError, Where
from mldata.executor import RemoteExecutor
from mldata.processes import ProcessExecutor
from mldata.remote import GROUP, GROUP_BYTES, answer, decode_answer, encode_request, groups
from mldata.stages.base import Outputs, Work
from store import Action, ObjectCorrupt, ObjectMissing, Store, StoreError, StoreFull


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    """Two processes at most."""
    executor = ProcessExecutor(2)
    yield executor
    executor.close()


def _work(run: Any, name: str = "work", size: int = 0) -> Work:
    return Work(Action("demo", 1, {"name": name}, (), {}, ""), run, name, size)


def _ask(executor: ProcessExecutor, store: Store, *runs: Any, keep_going: bool = False) -> Any:
    works = [_work(run, str(number)) for number, run in enumerate(runs)]
    return decode_answer(executor.ask(encode_request(store, works, keep_going=keep_going)))


def test_it_is_a_remote_executor(executor: ProcessExecutor) -> None:
    """The job tells executors apart by their protocol."""
    assert isinstance(executor, RemoteExecutor)


def test_actions_publish_where_they_run(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A function defined where it is used runs in another process; its objects are in the store when the answer is there."""
    with Store.open(tmp_path / "s") as store:
        made = store.put(b"input")

        def run(out: Outputs) -> Mapping[str, Any]:
            out.put("output", store.read(made).upper())
            return {"pid": os.getpid()}

        result = _ask(executor, store, run).results[0]
        assert store.read(result.outputs["output"].digest) == b"INPUT"
        assert result.facts["pid"] != os.getpid()


def test_an_error_keeps_what_was_done_before_it(executor: ProcessExecutor, tmp_path: Path) -> None:
    """Actions after an error of their group are not begun, unless the build keeps going."""
    with Store.open(tmp_path / "s") as store:

        def good(out: Outputs) -> Mapping[str, Any]:
            out.put("output", b"good")
            return {}

        def bad(out: Outputs) -> Mapping[str, Any]:
            out.writer("half").write(b"half")
            raise DataError("expected a row", where=Where("a.csv", 3, 1), hint="Mend it.")

        stopped = _ask(executor, store, good, bad, good)
        assert set(stopped.results) == {0}
        [error] = stopped.errors.values()
        assert type(error) is DataError
        assert str(error) == "a.csv:3:1: expected a row\n  Mend it."
        went_on = _ask(executor, store, good, bad, good, keep_going=True)
        assert set(went_on.results) == {0, 2} and set(went_on.errors) == {1}


def test_a_crash_takes_its_own_actions(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A process that a signal ends is an error that names the signal, and the next request has a new process."""
    with Store.open(tmp_path / "s") as store:

        def crash(out: Outputs) -> Mapping[str, Any]:
            os.kill(os.getpid(), signal.SIGSEGV)
            return {}

        with pytest.raises(BuildError, match=r"ended before it was done .*[Ss]egmentation"):
            _ask(executor, store, crash)
        assert _ask(executor, store, lambda out: {"still": "there"}).results[0].facts == {"still": "there"}


def test_stopping_ends_who_waits(executor: ProcessExecutor, tmp_path: Path) -> None:
    """Closing a run while a process works ends that process at once: nobody waits for its answer."""
    begun = tmp_path / "begun"
    with Store.open(tmp_path / "s") as store:

        def endless(out: Outputs) -> Mapping[str, Any]:
            begun.touch()
            time.sleep(3600)
            return {}

        outcomes = executor.run(
            [lambda: _ask(executor, store, lambda out: {}), lambda: _ask(executor, store, endless)],
            keep_going=False,
        )
        assert next(outcomes).index == 0
        while not begun.exists():
            time.sleep(0.01)
        closer = threading.Thread(target=outcomes.close)
        closer.start()
        closer.join(60)
        assert not closer.is_alive()


class _Odd(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ObjectMissing("0" * 64), None),
        (lambda: ObjectCorrupt("0" * 64, "/a", "/b"), None),
        (lambda: StoreFull("/a", 7, 3), None),
        (lambda: DataError("message", where="there", hint="do it"), None),
        (lambda: ValueError("plain"), None),
        (lambda: _Odd("this", "that"), "RuntimeError: _Odd: this and that"),
    ],
)
def test_errors_come_back_as_they_are(
    make: Callable[[], Exception], text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Type, message and what code looks at (``digest``, ``where``) survive; an error that cannot says the same in words."""

    def run(out: Outputs) -> Mapping[str, Any]:
        raise make()

    with Store.open(tmp_path / "s") as store:
        request = encode_request(store, [_work(run)], keep_going=False)
    here = ExitStack()  # ends what would live as long as a process
    monkeypatch.setattr(remote, "_open", here)
    with here:
        [got] = decode_answer(answer(request)).errors.values()
    if text is None:
        error = make()
        assert type(got) is type(error) and str(got) == str(error) and got.__dict__ == error.__dict__
    else:
        assert f"{type(got).__name__}: {got}" == text


def test_every_error_survives_pickling() -> None:
    """Whatever arguments an error of ours takes, it is read back without them."""

    def below(base: type[Exception]) -> list[type[Exception]]:
        return [base, *(error for child in base.__subclasses__() for error in below(child))]

    for kind in (*below(MldataError), *below(StoreError)):
        error = Exception.__new__(kind, "what was found")
        error.__dict__.update(digest="d", where=None, hint=None, message="what was found")
        back = pickle.loads(pickle.dumps(error))
        assert type(back) is kind and back.args == error.args and back.__dict__ == error.__dict__


@given(st.lists(st.integers(0, 2 * GROUP_BYTES), max_size=200), st.integers(1, 8))
def test_groups_cover_everything_once(sizes: list[int], processes: int) -> None:
    """Groups follow each other, are bounded by number and size, and leave several for each process where there is enough."""
    works = [_work(None, str(index), size) for index, size in enumerate(sizes)]
    found = groups(works, processes)
    assert [index for group in found for index in group] == list(range(len(sizes)))
    for group in found:
        assert 1 <= len(group) <= GROUP
        assert len(group) == 1 or sum(sizes[index] for index in group) <= GROUP_BYTES
    if len(sizes) >= 4 * processes:
        assert len(found) >= 4 * processes


def test_processes_that_end_leave_no_lease(tmp_path: Path) -> None:
    """A process that is no longer needed lets go of the store by itself."""
    executor = ProcessExecutor(1)
    with Store.open(tmp_path / "s") as store:
        assert _ask(executor, store, lambda out: {}).results[0].facts == {}
        assert len(list(store.layout.leases.glob("*.lease"))) == 1
        executor.close()
        assert list(store.layout.leases.glob("*.lease")) == []


def test_no_process_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that says what to do, and no hang."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with Store.open(tmp_path / "s") as store, pytest.raises(BuildError, match="no process can be started"):
        _ask(ProcessExecutor(1), store, lambda out: {})


def test_another_executor_is_no_default() -> None:
    """A name that is none is refused, also from Python."""
    with pytest.raises(MldataError, match="expected one of threads, processes; found 'process'"):
        Options(executor="process")
