"""``mldata pull``: bring sources here, whole and verified; what was cut off goes on where it stopped."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, failure_code, open_project
from mldata.cli.downloads import add_download_flags, download_options
from mldata.cli.flags import FLAGS
from mldata.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mldata.build import Session
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
    from mldata.build import Options, Session
    from mldata.config import load_config
    from mldata.download.signed import unsigned
    from mldata.into import surrounding
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
    if args.max_samples is not None and args.max_samples < 1:
        raise UsageError(f"expected 1 or more, found {args.max_samples}", where="--max-samples")
    names = [word for word in args.sources if base is not None and word in base.datasets]
    choices = {name: getattr(args, name) for name in CHOICES}
    if names:
        if len(args.sources) > 1 or any(choices.values()) or args.max_samples is not None:
            raise UsageError(
                f"expected the dataset {names[0]!r} alone: the spec says what it is made of",
                hint="pull each by itself, or name the source",
            )
        project, name = open_project(), names[0]
        order = None
        anew: frozenset[str] = frozenset()
    else:
        words = [pulls.with_options(word, choices) for word in args.sources]
        order = pulls.order(words, base, FLAGS, args.max_samples)
        project, name = order.project, pulls.NAME
        anew = frozenset({name})
    offline = args.offline or load_config().offline
    options = Options(
        offline=offline,
        anew=() if offline else anew,
        download=download_options(args),
        samples=args.max_samples,
    )
    with Session(project, options, output.reporter()) as session:
        code = run_fetch(session, [name])
        errors = list(session.failures.values())
        if code:
            return Result({}, "", failure_code(errors), errors)
        data = _data(session, name)
        if cleaned is not None:
            data["cleaned"] = cleaned
        folder = None
        if args.output is not None:
            folder = _write(session, name, order, args.output)
            data["folder"] = str(folder)
        text = _text(data, [unsigned(word) for word in args.sources], folder)
        return Result(data, text, warnings=session.warnings.get(name, []))


def _write(session: Session, name: str, order: Any, to: str) -> Path:
    """Write the raw files of a dataset to a folder."""
    from mldata import pulls
    from mldata.receipts import raw_tree

    receipt = session.state.receipt(name, "fetch")
    assert receipt is not None
    tree = raw_tree(receipt.output, receipt.facts)
    if tree is None:
        raise UsageError(f"{name!r} has no files of its own: it stands on other datasets", where="-o")
    order = order or pulls.Order(session.project, session.project.state)
    return pulls.write_out(order, session.store, tree, to)


def _data(session: Session, name: str) -> dict[str, Any]:
    from mldata.receipts import pins_of, raw_tree

    receipt = session.state.receipt(name, "fetch")
    assert receipt is not None
    tree = raw_tree(receipt.output, receipt.facts)
    pulled = session.pulled.get(name, [])
    came = [file for it in pulled for file in it.files]
    by_digest = {file.id.digest: file for file in came}
    files = []
    for path, entry in sorted(session.store.walk(tree)) if tree is not None else ():
        file = by_digest.get(entry.digest)
        resumed = file.resumed_from if file is not None else 0
        files.append({"path": path, "size": entry.size, "digest": entry.digest, "resumed_from": resumed})
    pins = pins_of(receipt.facts)
    return {
        "files": files,
        "bytes_downloaded": sum(it.received for it in pulled),
        "files_downloaded": sum(file.new for file in came),
        "revision": pins[0].revision if len(pins) == 1 else None,
        "sources": [pin.to_json() for pin in pins],
        "tree": tree,
    }


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
