"""``mldata add``: add a dataset to mldata.yaml, keeping the user's comments and order."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from mldata.cli.base import Arguments, Output, Result, open_project
from mldata.errors import MldataError, UsageError
from mldata.reference import is_reference
from mldata.sources import LOCAL, scheme_of

EXAMPLE = "  mldata add penguins 'data/penguins/*.csv' --stratify species"
DEFAULT_SPLIT = "0.8,0.1,0.1"
DEFAULT_SEED = 42


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
    parser.add_argument(
        "--formats", default="parquet", metavar="F[,F]", help="parquet, csv, jsonl, arrow (default: parquet)"
    )
    parser.add_argument(
        "--split",
        default=DEFAULT_SPLIT,
        metavar="A,B[,C]",
        help=f"shares of train, test or train, val, test, or 'none' (default: {DEFAULT_SPLIT})",
    )
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, help=f"of the split (default: {DEFAULT_SEED})"
    )
    parser.add_argument(
        "--stratify",
        default=None,
        metavar="COL",
        help="keep the shares of this column's values in every part",
    )


def run(args: Arguments, output: Output) -> Result:
    """Edit the spec, and say what to do next."""
    from mldata.sources import open_source
    from mldata.specedit import add_dataset
    from store import publish_bytes

    project = open_project()
    sources = [_from_root(text, project.root) for text in args.source]
    files = 0
    below = [source for source in sources if is_reference(source)]
    for source in (source for source in sources if source not in below):
        try:
            files += len(open_source(source, project.root).listing())
        except MldataError as error:
            raise UsageError(error.message, where=error.where, hint=error.hint) from None
    section: dict[str, Any] = {"source": sources if len(sources) > 1 else sources[0]}
    if args.split != "none":
        from mldata.spec import parse_split

        section["split"] = {**parse_split(args.split), "seed": args.seed}
        if args.stratify:
            section["split"]["stratify"] = args.stratify
    elif args.stratify:
        raise UsageError("--stratify needs a split, found --split none")
    section["export"] = {
        "to": args.to or f"artifacts/{args.name}",
        "formats": [word.strip() for word in args.formats.split(",")],
    }
    try:
        text = project.spec_path.read_bytes().decode("utf-8")  # keeps the line ends as they are
    except UnicodeDecodeError:
        raise UsageError("expected UTF-8 text", where=str(project.spec_path)) from None
    publish_bytes(project.spec_path, add_dataset(text, args.name, section, project.spec_path.name).encode())
    data = {"dataset": args.name, "spec": str(project.spec_path), "section": section, "files": files}
    found = [f"{files} file{'s'[: files != 1]}"] if files else []
    told = ", ".join([*found, *below])
    return Result(
        data, f"added {args.name} ({told}) to {project.spec_path.name}\nNext: mldata build {args.name}"
    )


def _from_root(text: str, root: Path) -> str:
    """A source as typed in the working folder, as the spec must have it: relative to the spec's folder."""
    if os.path.isabs(text) or text.startswith("~") or scheme_of(text) != LOCAL:
        return text
    here = Path.cwd()
    if here == root:
        return text
    return Path(os.path.relpath(here / text, root)).as_posix()
