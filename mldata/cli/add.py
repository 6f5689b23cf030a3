"""``mldata add``: add a dataset to mldata.yaml, keeping the user's comments and order."""

from __future__ import annotations

import argparse
from typing import Any

from mldata.cli.base import Arguments, Output, Result, open_project
from mldata.cli.flags import (
    DEFAULT_SEED,
    DEFAULT_SPLIT,
    add_export_flags,
    add_split_flags,
    export_section,
    split_section,
)
from mldata.errors import MldataError, UsageError
from mldata.into import from_root
from mldata.reference import is_reference

EXAMPLE = "  mldata add penguins 'data/penguins/*.csv' --stratify species"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata add``."""
    parser.add_argument("name", metavar="NAME", help="what to call the dataset")
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+",
        help="a file, a folder, a quoted glob pattern, or dataset://NAME[#PART] for another dataset",
    )
    parser.add_argument(
        "--to", default=None, metavar="DIR", help="where to export it (default: artifacts/NAME)"
    )
    add_export_flags(parser, formats="parquet")
    add_split_flags(parser, DEFAULT_SPLIT, DEFAULT_SEED)


def run(args: Arguments, output: Output) -> Result:
    """Edit the spec, and say what to do next."""
    from mldata.sources import STDIN, is_remote, open_local, open_remote
    from mldata.specedit import add_dataset
    from store import publish_bytes

    project = open_project()
    if STDIN in args.source:
        raise UsageError("expected a source that can be read again, found standard input", where=STDIN,
                         hint="save it as a file, or build it without a spec: mldata build - -o DIR")  # fmt: skip
    sources = [from_root(text, project.root) for text in args.source]
    files = 0
    told = []
    for source in sources:
        if is_reference(source):
            told.append(source)
            continue
        try:
            if is_remote(source):
                told.append(
                    open_remote(source, project.root).text
                )  # well formed; the first build looks at it
            else:
                files += len(open_local(source, project.root).listing())
        except MldataError as error:
            raise UsageError(error.message, where=error.where, hint=error.hint) from None
    section: dict[str, Any] = {"source": sources if len(sources) > 1 else sources[0]}
    section |= {name: split for name, split in split_section(args).items() if split is not None}
    section["export"] = {"to": args.to or f"artifacts/{args.name}", **export_section(args)}
    try:
        text = project.spec_path.read_bytes().decode("utf-8")  # keeps the line ends as they are
    except UnicodeDecodeError:
        raise UsageError("expected UTF-8 text", where=str(project.spec_path)) from None
    publish_bytes(project.spec_path, add_dataset(text, args.name, section, project.spec_path.name).encode())
    data = {"dataset": args.name, "spec": str(project.spec_path), "section": section, "files": files}
    found = [f"{files} file{'s'[: files != 1]}"] if files else []
    what = ", ".join([*found, *told])
    return Result(
        data, f"added {args.name} ({what}) to {project.spec_path.name}\nNext: mldata build {args.name}"
    )
