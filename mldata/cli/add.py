"""``mldata add``: add a dataset to mldata.yaml, keeping the user's comments and order."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, open_project
from mldata.cli.flags import (
    DEFAULT_SEED,
    DEFAULT_SPLIT,
    add_export_flags,
    add_split_flags,
    export_section,
    split_section,
)
from mldata.errors import EXIT_AUTH, EXIT_NETWORK, MldataError, UsageError, from_elsewhere
from mldata.into import from_root
from mldata.partnames import part_order
from mldata.reference import is_reference

if TYPE_CHECKING:
    from mldata.sources.base import RemoteSource

EXAMPLE = "  mldata add penguins 'data/penguins/*.csv' --stratify species"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata add``."""
    parser.add_argument("name", metavar="NAME", help="what to call the dataset")
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+",
        help="a file, a folder, a quoted glob pattern, dataset://NAME[#PART] for another dataset, or something elsewhere: hf://OWNER/NAME, https://...",
    )
    parser.add_argument(
        "--to", default=None, metavar="DIR", help="where to export it (default: artifacts/NAME)"
    )
    add_export_flags(parser, formats="parquet")
    add_split_flags(parser, DEFAULT_SEED, f"{DEFAULT_SPLIT}; the parts that a source of a hub has of its own")
    parser.add_argument(
        "--offline",
        action="store_true",
        default=False,
        help="do not look whether sources elsewhere are there",
    )


def run(args: Arguments, output: Output) -> Result:
    """Edit the spec, and say what to do next."""
    from mldata.config import load_config
    from mldata.sources import STDIN, is_remote, open_local, open_remote
    from mldata.specedit import add_dataset
    from store import publish_bytes

    project = open_project()
    if STDIN in args.source:
        raise UsageError("expected a source that can be read again, found standard input", where=STDIN,
                         hint="save it as a file, or build it without a spec: mldata build - -o DIR")  # fmt: skip
    sources = [from_root(text, project.root) for text in args.source]
    files = 0
    told: list[str] = []
    own: set[str] = set()
    for source in sources:
        if is_reference(source):
            told.append(source)
            continue
        try:
            if is_remote(source):
                said, parts = _look(open_remote(source, project.root), args.offline or load_config().offline)
                told.append(said)
                own |= parts
            else:
                files += len(open_local(source, project.root).listing())
        except MldataError as error:
            if error.exit_code in (EXIT_AUTH, EXIT_NETWORK):
                raise
            raise UsageError(error.message, where=error.where, hint=error.hint) from None
    if args.split is None:
        # Rows that a hub keeps for a test must not end up in training because nobody said so.
        alone = args.method is None and args.stratify is None and args.group is None
        args.method, args.split = (
            ("predefined", None) if alone and len(own) > 1 else (args.method, DEFAULT_SPLIT)
        )
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
    if args.method == "predefined" and own:
        told.append(f"parts {', '.join(sorted(own, key=part_order))}")
    what = ", ".join([*found, *told])
    return Result(
        data, f"added {args.name} ({what}) to {project.spec_path.name}\nNext: mldata build {args.name}"
    )


def _look(source: RemoteSource, offline: bool) -> tuple[str, set[str]]:
    """What is told of a source elsewhere, and the parts that it has of its own. Raises as :meth:`RemoteSource.resolve`."""
    if offline:
        return source.text, set()
    with from_elsewhere():
        found = source.resolve()
    files = len(found.files)
    return f"{source.text}: {files:,} file{'s'[: files != 1]}", set(found.facts.get("splits", ()))
