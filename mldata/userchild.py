"""The inside of the process that runs a user's functions: reads a request, runs the steps, leaves outputs and an answer.

It is a fresh interpreter that :mod:`mldata.userprocess` starts, which says what is in the folder that both know. What the user's code sees:

- ``sys.path``: the copy of the project's code that was hashed (the project's folder, then that of the function's file), then what the
  builder's interpreter has. Installed packages are there; the project's own folder is not.
- the working folder: an empty one, which is deleted afterwards, as is ``TMPDIR`` (unless its path is too long for
  sockets). Standard input is empty, output is kept for messages.
- ``PYTHONHASHSEED`` is 0. Nothing else is done to make code deterministic: it must be a function of its input and parameters.

Everything that is needed here is imported before the user's code, so that a local module may have any name but those of
:data:`mldata.usercode.RESERVED`.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import os
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pyarrow as pa
import pyarrow.parquet as pq

from mldata.errors import MldataError
from mldata.formats.typed import Widths, bare
from mldata.rowsteps import Batches
from mldata.stepflow import bind_steps, read_fragment, write_cut, write_whole
from mldata.usercode import RESERVED
from mldata.userresult import UserError, WrongResult, result

__all__ = ["main"]

Answer = dict[str, Any]


def main(folder: str) -> None:
    """Answer the request in ``folder``, and end the process."""
    threading.Thread(target=_end_with_builder, args=(os.dup(0),), daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    scratch = Path(folder)
    request = msgpack.unpackb((scratch / "request").read_bytes())
    restore = _prepare(request)
    failed: BaseException | None = None
    try:
        answer = _Run(request, scratch).answer()
    except (MldataError, MemoryError) as error:
        failed = error
    except UserError as error:
        failed = error.__cause__
    restore()
    if isinstance(failed, MldataError):
        where = None if failed.where is None else str(failed.where)
        answer = {"error": "step", "message": failed.message, "where": where, "hint": failed.hint}
    elif failed is not None:
        answer = _told(failed, request["code"])
    (scratch / "answer.new").write_bytes(msgpack.packb(answer, unicode_errors="replace"))
    os.replace(scratch / "answer.new", scratch / "answer")
    atexit._run_exitfuncs()
    os._exit(0)  # threads that the code has left behind must not hold it up


def _end_with_builder(pipe: int) -> None:
    """Standard input was a pipe that the builder writes nothing to: its end is the builder's."""
    while os.read(pipe, 1):
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _prepare(request: dict[str, Any]) -> Callable[[], None]:
    """Set up what the code will see; what is returned lifts the memory limit."""
    code = request["code"]
    bases = [os.path.join(code, base) if base else code for base in request["bases"]]
    sys.path[:] = [*bases, *request["path"]]
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    local = set(request["local"])
    for name in [name for name in sys.modules if name.partition(".")[0] in local]:
        del sys.modules[name]
    for base in bases:
        _claim_folders(base)
    return _limit_memory(request["memory"])


def _claim_folders(base: str) -> None:
    """Folders without ``__init__.py`` are packages too, also where an installed package has the name."""
    for entry in os.scandir(base):
        if entry.is_dir() and not os.path.exists(os.path.join(entry.path, "__init__.py")):
            module = types.ModuleType(entry.name)
            module.__path__ = [entry.path]
            if entry.name.partition(".")[0] not in RESERVED | sys.stdlib_module_names:
                sys.modules.setdefault(entry.name, module)


def _limit_memory(most: int | None) -> Callable[[], None]:
    """Let the address space grow by ``most`` bytes from here."""
    if most is None or sys.platform == "win32":
        return lambda: None
    import resource

    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        now = 0
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (now + most, before[1]))
    except (OSError, ValueError):  # a system without such a limit, or with a lower one
        return lambda: None
    return lambda: resource.setrlimit(resource.RLIMIT_AS, before)


class _Run:
    """The steps of a request on their way."""

    def __init__(self, request: dict[str, Any], scratch: Path) -> None:
        self.request, self.scratch = request, scratch
        self.rows: list[int] = []

    def answer(self) -> Answer:
        request = self.request
        schema = pa.ipc.read_schema(pa.py_buffer(request["schema"]))
        batches = self._input(schema)
        for number, step in enumerate(request["steps"], request["first"]):
            (self.scratch / "step").write_text(str(number))
            if step["step"] == "function":
                table = pa.Table.from_batches(self._counted(batches), schema)
                schema, batches = self._call(step, table)
            else:
                flow = bind_steps([step], schema, number)
                schema, batches = flow.schema, flow.run(self._counted(batches))
        return self._write(schema, self._counted(batches))

    def _input(self, schema: pa.Schema) -> Batches:
        for path in self.request["fragments"]:
            yield from read_fragment(path, schema)

    def _counted(self, batches: Batches) -> Batches:
        place = len(self.rows)
        self.rows.append(0)

        def counted() -> Batches:
            for batch in batches:
                self.rows[place] += batch.num_rows
                yield batch

        return counted()

    def _call(self, step: dict[str, Any], table: pa.Table) -> tuple[pa.Schema, Batches]:
        function = step["function"]
        try:
            found = _load(function, self.request["code"])(table, **step["params"])
        except BaseException as error:
            raise UserError from error
        return result(found, function.rpartition(":")[2])

    def _write(self, schema: pa.Schema, batches: Batches) -> Answer:
        widths = Widths()

        def looked() -> Batches:
            for batch in batches:
                widths.look(pa.Table.from_batches([batch]))
                yield batch

        def create(index: int) -> Any:
            return open(self.scratch / "out" / f"{index:08d}", "wb")

        try:
            if self.request["whole"]:
                fragments = write_cut(create, schema, looked())
            else:
                write_whole(create(0), schema, looked())
                fragments = [self.rows[-1]]
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            hint = (
                "have the function give columns of types that Parquet has; cast the column, or leave it out"
            )
            raise WrongResult(f"expected a table that can be stored: {error}", hint=hint) from None
        made = bare(pq.read_schema(self.scratch / "out" / f"{0:08d}"))
        return {
            "rows": self.rows,
            "fragments": fragments,
            "schema": made.serialize().to_pybytes(),
            "wide": sorted(widths.wide),
        }


def _load(function: str, code: str) -> Callable[..., Any]:
    path, _, name = function.rpartition(":")
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    if all(part.isidentifier() for part in parts) and parts[0] not in RESERVED | sys.stdlib_module_names:
        module = importlib.import_module(".".join(parts))
    else:
        own = f"transform code {path}"
        spec = importlib.util.spec_from_file_location(own, os.path.join(code, path))
        assert spec is not None and spec.loader is not None
        module = sys.modules.get(own) or importlib.util.module_from_spec(spec)
        if own not in sys.modules:
            sys.modules[own] = module
            spec.loader.exec_module(module)
    found: Callable[..., Any] = getattr(module, name)
    return found


def _told(error: BaseException, code: str) -> Answer:
    """An exception in the user's code, with its own frames only."""
    told = traceback.TracebackException.from_exception(error)
    prefix = code.rstrip(os.sep) + os.sep
    place = None
    todo = [told]
    while todo:
        each = todo.pop()
        frames = [frame for frame in each.stack if frame.filename.startswith(prefix)]
        for frame in frames:
            frame.filename = frame.filename.removeprefix(prefix)
        each.stack = traceback.StackSummary.from_list(frames)
        if each is told and frames:
            place = [frames[-1].filename, frames[-1].lineno]
        todo += [other for other in (each.__cause__, each.__context__) if other is not None]
    text = "".join(told.format()).replace(prefix, "") if place or told.__cause__ or told.__context__ else ""
    summary = "".join(told.format_exception_only()).strip().replace(prefix, "")
    memory = isinstance(error, MemoryError)
    return {"error": "raised", "summary": summary, "trace": text, "place": place, "memory": memory}
