"""``mldata lfs-agent``: what git lfs runs to bring files from the store and take them there."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from mldata.cli.base import Arguments, Output, Result, store_here
from mldata.errors import UsageError

EXAMPLE = "  mldata lfs-agent --setup --store /tmp/team-store --dry-run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata lfs-agent``."""
    parser.description = (
        "Git LFS without an LFS server: large files of a git repository are kept in an object store, which may be any folder that all "
        "who work on it reach. `mldata lfs-agent --setup` tells the repository here; from then on `git push`, `git lfs pull` and all "
        "others work as they are used to. Without --setup this is the program that git lfs then runs; it is not for people. What was "
        "uploaded is kept from `mldata gc` by refs that start with lfs/."
    )
    parser.add_argument(
        "--store",
        default=None,
        metavar="DIR",
        help="the folder of the store (default: that of the project here, else MLDATA_STORE)",
    )
    parser.add_argument(
        "--setup",
        action="store_true",
        default=False,
        help="make the repository here use the store, by git's settings of this repository only",
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", default=False, help="with --setup: show the settings only"
    )


def run(args: Arguments, output: Output) -> Result:
    """Serve git lfs, or set a repository up."""
    if args.setup:
        return _setup(args)
    if args.dry_run:
        raise UsageError("--dry-run goes with --setup", hint="See: mldata lfs-agent --help")
    if args.json:
        raise UsageError(
            "--json goes with --setup: git lfs reads other lines", hint="See: mldata lfs-agent --help"
        )
    if sys.stdin.isatty():
        raise UsageError(
            "this program is run by git lfs, not by hand",
            hint="Make the repository here use it: mldata lfs-agent --setup",
        )
    from mldata.lfsagent.agent import Agent
    from mldata.lfsagent.place import Place, StorePlace

    def opener(writing: bool) -> AbstractContextManager[Place]:
        return StorePlace(_store(args), writing=writing)

    Agent(sys.stdin.buffer, sys.stdout.buffer, opener).run()
    return Result({})


def _setup(args: Arguments) -> Result:
    from mldata.lfsagent.setup import plan
    from store import Store

    store = _store(args)
    setup = plan(store)
    if not args.dry_run:
        Store.open(store).close()  # made where there is none: a folder that cannot hold one shows now
        setup.apply()
    data = {
        "repository": str(setup.repository),
        "store": str(store),
        "settings": setup.settings,
        "dry_run": args.dry_run,
    }
    if args.dry_run:
        return Result(data, "\n".join(setup.commands))
    lines = [
        *(f"{name} = {value}" for name, value in setup.settings.items()),
        f"git lfs of {setup.repository} now keeps its files in the store {store}",
        "Send what is there already:  git lfs push --all REMOTE",
        "Who clones the repository:   GIT_LFS_SKIP_SMUDGE=1 git clone URL DIR, then in DIR: "
        "mldata lfs-agent --setup --store STORE && git lfs pull",
    ]
    return Result(data, "\n".join(lines))


def _store(args: Arguments) -> Path:
    """Absolute: git lfs may run the agent in any folder of the repository."""
    return Path(os.path.abspath(os.path.expanduser(args.store))) if args.store else store_here()[0]
