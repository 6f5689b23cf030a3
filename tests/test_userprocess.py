"""User code runs in a process of its own, and whatever it does ends in rows or in an error that says what it did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.usercode import read_code
from mldata.userfailure import UserCodeError
from mldata.userprocess import run_request
from mldata.userrequest import Limits, Request

pytestmark = pytest.mark.usefixtures("measured_children")

TABLE = pa.table({"a": [1, 2, 3]})
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(code, ...)`` runs its function ``f`` over :data:`TABLE`."""
    pq.write_table(TABLE, tmp_path / "in.parquet")
    root = tmp_path / "project"
    root.mkdir()

    def run(
        code: str,
        *,
        files: dict[str, str] | None = None,
        seconds: float | None = 60,
        memory: int | None = None,
        whole: bool = False,
        name: str = "clean.py",
        steps: list[dict[str, Any]] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
        **params: Any,
    ) -> dict[str, Any]:
        for path, text in {name: code, **(files or {})}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        function = {"step": "function", "function": f"{name}:f", "params": params}
        found = read_code(root, [f"{name}:f"])
        request = Request(
            steps=[function, *(steps or [])],
            first=1,
            fragments=[str(tmp_path / "in.parquet")],
            schema=TABLE.schema.serialize().to_pybytes(),
            whole=whole,
            code=found.files,
            source="in.csv",
        )
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        printed: list[str] = []
        made = run_request(request, Limits(seconds, memory), folder, root, checkpoint, printed.append)
        tables = [pq.read_table(path) for path in sorted((folder / "out").iterdir())]
        return {**made, "table": pa.concat_tables(tables), "printed": printed, "folder": folder}

    return run


def failure(run: Run, code: str, **more: Any) -> UserCodeError:
    with pytest.raises(UserCodeError) as caught:
        run(code, **more)
    assert "userchild" not in str(caught.value)
    return caught.value


def test_a_function_and_what_it_sees(run: Run) -> None:
    """It gets a table and its parameters; local imports, an empty working folder and no input; what it prints is kept."""
    code = """
import os, sys, pathlib
import pyarrow as pa
from store import factor
import steps.inner
def f(table, *, add):
    print("hello"); print("there", file=sys.stderr)
    assert os.listdir(".") == [] and sys.stdin.read() == "" and os.environ["PYTHONHASHSEED"] == "0"
    assert not any(os.path.exists(os.path.join(p, "secret.py")) for p in sys.path)
    pathlib.Path("left").write_text("x"); os.mkdir("d"); os.chdir("d")
    assert steps.inner.near() == "near"
    for value in table["a"].to_pylist():
        yield pa.record_batch({"b": pa.array([value * factor + add, None])})
"""
    files = {"store.py": "factor = 10", "secret.py": "", "steps/inner.py": "def near(): return 'near'"}
    made = run(code, files=files, add=5, steps=[{"step": "filter", "expression": "b > 15"}])
    assert made["table"].to_pylist() == [{"b": 25}, {"b": 35}]
    assert made["rows"] == [3, 6, 2]
    assert made["fragments"] == [2]
    assert made["printed"] == ["hello\nthere"]
    assert not made["folder"].parent.joinpath("project", "left").exists()


def test_an_odd_name_and_threads_left_behind(run: Run) -> None:
    """A file may have the name of a standard module or none that Python could import; nothing waits for forgotten threads."""
    code = """
import threading, time
def f(table):
    threading.Thread(target=time.sleep, args=(600,)).start()
    return table
"""
    begun = time.monotonic()
    assert run(code, name="my steps/random.py", whole=True)["table"].equals(TABLE)
    assert time.monotonic() - begun < 600


def test_an_exception_is_told_with_the_users_frames(run: Run) -> None:
    """Type, message, file and line, the lines of the code, its cause, and what it printed before; nothing of mldata."""
    code = """
from helper import half
def f(table):
    print("so far so good")
    try:
        return half(table)
    except KeyError as error:
        raise SystemExit("no {half}") from error
"""
    error = failure(run, code, files={"helper.py": "def half(table):\n    return table['nothing']\n"})
    text = str(error)
    assert text.startswith("clean.py:8: SystemExit: no {half}")
    for part in (
        "in.csv",
        'File "helper.py", line 2, in half',
        "return table['nothing']",
        "direct cause",
        "so far so good",
    ):
        assert part in text, text
    assert "pyarrow/table" not in text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import os\ndef f(t):\n    print('last words', flush=False)\n    os._exit(3)",
            "ended with exit code 3 and no result",
        ),
        ("import os, signal\ndef f(t): os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11 (SIGSEGV)"),
        (
            "def f(t): pass",
            "expected f to return a pyarrow.Table or an iterator of pyarrow.RecordBatch, found None",
        ),
    ],
)
def test_other_ends(run: Run, code: str, message: str) -> None:
    """A crash, an exit and a missing result are each named, with the file."""
    text = str(failure(run, code))
    assert text.startswith("clean.py")
    assert message in text
    assert "in.csv" in text
    assert ("last words" in text) == ("last words" in code)


def test_a_hang_is_ended_with_all_its_processes(run: Run, tmp_path: Path) -> None:
    """After its time the process and those that it started are gone, and the message says how to give more."""
    pid = tmp_path / "pid"
    code = f"""
import os, subprocess, time
def f(table):
    print("waiting")
    child = subprocess.Popen(["sleep", "600"])
    open({str(pid) + "-"!r}, "w").write(str(child.pid))
    os.rename({str(pid) + "-"!r}, {str(pid)!r})
    time.sleep(600)
"""
    for seconds in (2.0, 10.0, 50.0):  # a busy machine may need more to come as far as the hang
        error = failure(run, code, seconds=seconds)
        assert f"clean.py:f failed on in.csv: it did not end within {seconds:g} s" in str(error)
        if pid.exists():
            break
    assert "waiting" in str(error)
    assert "timeout" in (error.hint or "")
    assert _gone(int(pid.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the limit")
def test_memory_is_limited(run: Run) -> None:
    """More than the limit is a MemoryError at the line that asked for it; within it, Arrow works."""
    code = "import pyarrow as pa\ndef f(table):\n    held = pa.nulls(10_000_000, pa.int64())\n    return table, bytearray(2 << 30)"
    error = failure(run, code, memory=500_000_000)
    assert str(error).startswith("clean.py:4: MemoryError")
    assert "500,000,000 bytes" in (error.hint or "")


def test_a_build_that_stops_ends_the_process(run: Run) -> None:
    """The process is ended when the build is."""

    class Stopped(Exception):
        pass

    begun = time.monotonic()

    def checkpoint() -> None:
        if time.monotonic() - begun > 1:
            raise Stopped

    with pytest.raises(Stopped):
        run("import time\ndef f(t): time.sleep(600)", checkpoint=checkpoint)
    assert time.monotonic() - begun < 600


def test_a_builder_that_is_killed_takes_the_process_along(tmp_path: Path) -> None:
    """No process is left behind when the builder dies without a word."""
    pid = tmp_path / "pid"
    (tmp_path / "clean.py").write_text(
        f"import os, time\ndef f(t):\n    open({str(pid)!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)"
    )
    pq.write_table(TABLE, tmp_path / "in.parquet")
    program = f"""
from pathlib import Path
import pyarrow.parquet as pq
from mldata.userprocess import run_request
from mldata.userrequest import Limits, Request
root = Path({str(tmp_path)!r})
schema = pq.read_schema(root / "in.parquet").serialize().to_pybytes()
step = {{"step": "function", "function": "clean.py:f", "params": {{}}}}
code = {{"clean.py": (root / "clean.py").read_bytes()}}
request = Request([step], 1, [str(root / "in.parquet")], schema, False, code, "in")
run_request(request, Limits(None, None), root / "run", root, lambda: None, print)
"""
    builder = subprocess.Popen([sys.executable, "-c", program])
    try:
        deadline = time.monotonic() + 600
        while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        builder.send_signal(signal.SIGKILL)
        builder.wait()
    assert _gone(int(pid.read_text()))


def _gone(pid: int) -> bool:
    """Whether a process ends soon, or is only waited for by nobody."""
    for _ in range(2400):  # two minutes, for a busy machine
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False
