"""A project folder and the ``mldata`` command on it, in this process (quick) or one of its own (faithful)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.measuring import OF_CHILDREN

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "mldata" / "examples"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Project:
    """A folder with a spec in it, or one to be."""

    root: Path

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str) -> Path:
        """Write a file below the project, folders included."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file: ``old`` has to be there."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def copy(self, root: Path) -> Project:
        """The whole folder elsewhere, with its store, receipts and time stamps."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)

    def run(self, *args: str, expect: int | None = 0) -> Done:
        """Run ``mldata -C ROOT ARGS`` in this process; ``expect`` is the exit code (None: any)."""
        from mldata.cli import main

        out, err = io.StringIO(), io.StringIO()
        here = contextlib.chdir(self.root)  # -C changes the folder of the whole process
        with here, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(["-C", str(self.root), *args])
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        done = Done(code or 0, out.getvalue(), err.getvalue())
        assert expect is None or done.code == expect, (
            f"mldata {' '.join(args)}: exit {done.code}\n{done.text}"
        )
        return done

    def spawn(
        self, *args: str, env: Mapping[str, str] | None = None, expect: int | None = 0, timeout: float = 600
    ) -> Done:
        """Run ``mldata ARGS`` in a process of its own, with the project as its working folder."""
        got = subprocess.run(
            [sys.executable, "-m", "mldata", *args],
            cwd=self.root,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        done = Done(got.returncode, got.stdout, got.stderr)
        assert expect is None or done.code == expect, (
            f"mldata {' '.join(args)}: exit {done.code}\n{done.text}"
        )
        return done

    def json(self, *args: str, expect: int | None = 0) -> dict[str, Any]:
        """The envelope that ``--json`` prints: the only thing on standard output."""
        envelope = json.loads(self.run(*args, "--json", expect=expect).out)
        assert isinstance(envelope, dict)
        return envelope

    def build(self, *args: str) -> dict[str, Any]:
        """Build, and return ``result.datasets`` of the envelope."""
        datasets: dict[str, Any] = self.json("build", *args)["result"]["datasets"]
        return datasets

    def stages(self, name: str, *args: str) -> dict[str, str]:
        """Build one dataset; the status of each stage."""
        return {stage: told["status"] for stage, told in self.build(name, *args)[name]["stages"].items()}

    def files(self, folder: str = "artifacts") -> dict[str, bytes]:
        """Every file below a folder, by relative path."""
        return tree_bytes(self.root / folder)


def environment(extra: Mapping[str, str] | None = None, *, measured: bool = False) -> dict[str, str]:
    """A child's environment: this one's, with the package under test importable.

    A child that is ``measured`` for coverage starts slower, and loads some modules for that.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLDATA_", "DOIT_", "COV"))}
    return {**kept, **(OF_CHILDREN if measured else {}), "PYTHONPATH": str(ROOT), **(extra or {})}


def tree_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, by relative path."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def copy_examples(root: Path, *, backwards: bool = False) -> Path:
    """The example spec and data as they ship, without what a build has made; ``backwards`` creates the files in reverse."""
    sources = [
        path
        for path in sorted(EXAMPLES.rglob("*"), reverse=backwards)
        if path.is_file() and not {"artifacts", ".mldata"} & set(path.relative_to(EXAMPLES).parts)
    ]
    for path in sources:
        target = root / path.relative_to(EXAMPLES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root
