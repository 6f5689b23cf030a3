"""``mldata pull``: bring sources here, whole and verified; what was cut off goes on where it stopped."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, failure_code
from mldata.cli.downloads import add_download_flags, download_options
from mldata.cli.flags import FLAGS
from mldata.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mldata.project import Project

EXAMPLE = "  mldata pull penguins -o raw"
CHOICES = ("revision", "subset", "split")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata pull``."""
    parser.description = (
        "Bring the raw files of sources into the store, and with -o into a folder. What an earlier run left of a\n"
        "download is gone on with; every byte is verified. Afterwards they are there without a network, too.\n"
        "A dataset of mldata.yaml is pulled as mldata.lock pins it; a source is looked at anew."
    )
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="NAME|SOURCE",
        default=[],
        help="a dataset of mldata.yaml, or sources: hf://OWNER/NAME, https://…, a path, …",
    )
    parser.add_argument("-o", "--output", default=None, metavar="DIR", help="write the files to DIR as well")
    parser.add_argument(
        "-r", "--revision", default=None, metavar="REV", help="a branch, tag, commit or version"
    )
    parser.add_argument("--subset", default=None, metavar="S", help="one configuration of a hub dataset")
    parser.add_argument("--split", default=None, metavar="S", help="one part that the source itself has")
    parser.add_argument(
        "--max-samples",
        type=int,
        default=None,
        metavar="N",
        help="only the first N rows, as Parquet (of pictures and sound the first N files), reading no more than that takes",
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        default=False,
        help="use no network: take what was pulled before, or say what is missing",
    )
    parser.add_argument(
        "--clean",
        action="store_true",
        default=False,
        help="first throw away what unfinished downloads have left in the store; alone: do only that",
    )
    add_download_flags(parser)


def run(args: Arguments, output: Output) -> Result:
    """Pull, and say what came."""
    from pathlib import Path

    from mldata import pulls
    from mldata.build import Session
    from mldata.buildoptions import Options
    from mldata.config import load_config
    from mldata.download.signed import unsigned
    from mldata.project import surrounding
    from mldata.tasks import run_fetch

    base = surrounding(Path.cwd())
    if not args.sources and not args.clean:
        raise UsageError(
            "expected what to pull, found nothing", hint="for example: mldata pull hf://OWNER/NAME"
        )
    cleaned = _clean(base) if args.clean else None
    if not args.sources:
        assert cleaned is not None
        return Result({"cleaned": cleaned}, _cleaned_text(cleaned))
    chosen = pulls.choose(
        args.sources, base, {name: getattr(args, name) for name in CHOICES}, args.max_samples, FLAGS
    )
    name = chosen.name
    offline = args.offline or load_config().offline
    options = Options(
        offline=offline,
        anew=() if offline else chosen.anew,
        download=download_options(args),
        samples=args.max_samples,
    )
    with Session(chosen.project, options, output.reporter()) as session:
        code = run_fetch(session, [name])
        errors = list(session.failures.values())
        if code:
            return Result({}, "", failure_code(errors), errors)
        data = pulls.told(session, name)
        if cleaned is not None:
            data["cleaned"] = cleaned
        folder = None
        if args.output is not None:
            folder = pulls.write_out(chosen, session, args.output)
            data["folder"] = str(folder)
        text = _text(data, [unsigned(word) for word in args.sources], folder)
        return Result(data, text, warnings=session.warnings.get(name, []))


def _text(data: dict[str, Any], sources: list[str], folder: Path | None) -> str:
    from mldata.sizes import human_size

    files = data["files"]
    size = human_size(sum(file["size"] for file in files))
    came = data["bytes_downloaded"]
    how = f"{human_size(came)} downloaded" if came else "nothing had to be downloaded"
    lines = [f"{', '.join(sources)}  {len(files):,} file{'s'[: len(files) != 1]}, {size}; {how}"]
    lines += [f"  {pin['source']} is at {pin['revision']}" for pin in data["sources"]]
    if folder is not None:
        lines.append(f"  -> {folder}")
    return "\n".join(lines)


def _clean(base: Project | None) -> dict[str, int]:
    """Remove what unfinished downloads have left, but for those that run now; how many there were, and their bytes."""
    from mldata.into import default_store
    from store import Store

    path = base.store_path if base is not None else default_store()
    if not path.exists():
        return {"downloads": 0, "bytes": 0}
    with Store.open(path) as store:
        gone = store.partials.clean()
    return {"downloads": len(gone), "bytes": sum(kept.bytes for kept in gone)}


def _cleaned_text(cleaned: dict[str, int]) -> str:
    from mldata.sizes import human_size

    count = cleaned["downloads"]
    if not count:
        return "no unfinished download has left anything"
    return (
        f"removed what {count:,} unfinished download{'s'[: count != 1]} left, {human_size(cleaned['bytes'])}"
    )
