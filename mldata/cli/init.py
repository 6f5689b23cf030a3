"""``mldata init``: make a project in this folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from mldata.cli.base import Arguments, Output, Result
from mldata.errors import UsageError

EXAMPLE = "  mldata init"
DODO = '''"""Build the datasets of mldata.yaml: doit build."""

from mldata.tasks import load

globals().update(load("mldata.yaml"))
'''
IGNORED = "/.mldata/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata init``."""
    parser.add_argument(
        "--examples",
        action="store_true",
        default=False,
        help="copy the example datasets and their spec that come with mldata",
    )


def run(args: Arguments, output: Output) -> Result:
    """Write mldata.yaml and dodo.py, and keep .mldata/ out of git. Files that exist are left alone."""
    from mldata.project import SPEC_NAME

    folder = Path.cwd()
    spec = folder / SPEC_NAME
    if spec.exists():
        raise UsageError(
            f"{SPEC_NAME} exists already in {folder}", hint="Add a dataset: mldata add NAME SOURCE"
        )
    written = []
    if args.examples:
        written += _copy_examples(folder)
    else:
        from mldata.specedit import TEMPLATE

        _write(spec, TEMPLATE)
        written.append(SPEC_NAME)
    if not (folder / "dodo.py").exists():
        _write(folder / "dodo.py", DODO)
        written.append("dodo.py")
    if _ignore(folder / ".gitignore"):
        written.append(".gitignore")
    next_step = "mldata build" if args.examples else "mldata add NAME SOURCE"
    text = "\n".join([f"wrote {name}" for name in written] + [f"Next: {next_step}"])
    return Result({"root": str(folder), "written": written}, text)


def _copy_examples(folder: Path) -> list[str]:
    from importlib.resources import as_file, files

    from store import publish_bytes

    written = []
    with as_file(files("mldata") / "examples") as examples:
        found = [
            path
            for path in sorted(examples.rglob("*"))
            if path.is_file()
            and path.suffix not in {".py", ".pyc"}
            and not {".mldata", "artifacts", "__pycache__"} & set(path.relative_to(examples).parts)
            and path.name != "mldata.lock"
        ]
        for path in found:
            target = folder / path.relative_to(examples)
            if target.exists():
                raise UsageError(
                    f"{target} exists already", hint="Run mldata init --examples in an empty folder."
                )
        for path in found:
            target = folder / path.relative_to(examples)
            target.parent.mkdir(parents=True, exist_ok=True)
            publish_bytes(target, path.read_bytes())
            written.append(str(path.relative_to(examples)))
    return written


def _write(path: Path, text: str) -> None:
    from store import publish_bytes

    publish_bytes(path, text.encode())


def _ignore(path: Path) -> bool:
    """Add ``/.mldata/`` to .gitignore unless it is there; True if the file was written."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    if any(line.strip().strip("/") == ".mldata" for line in text.splitlines()):
        return False
    if text and not text.endswith("\n"):
        text += "\n"
    _write(path, f"{text}{IGNORED}\n")
    return True
