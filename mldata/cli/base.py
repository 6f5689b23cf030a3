"""What the commands share: options, output, the JSON envelope, and finding the project."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from mldata.cli.printing import encodable_text, stop_printing, takes_unicode
from mldata.errors import (
    EXIT_AUTH,
    EXIT_BUILD,
    EXIT_INTERRUPTED,
    EXIT_INVALID_DATA,
    EXIT_NETWORK,
    EXIT_OK,
    MissingExtra,
    MldataError,
    UnknownDataset,
    UsageError,
    harmless,
)
from mldata.quantities import parse_duration as parse_duration
from mldata.quantities import parse_share as parse_share
from mldata.quantities import parse_size as parse_size
from mldata.version import __version__

if TYPE_CHECKING:
    from mldata.keptbuild import KeptBuild
    from mldata.project import Project
    from mldata.reporter import Reporter

COMMANDS = {
    "init": "make a project in this folder",
    "add": "add a dataset to mldata.yaml",
    "search": "find datasets elsewhere by words",
    "info": "what files look like: format, dialect, columns, rows",
    "pull": "download sources, or go on with it, and keep them for offline use",
    "build": "build datasets; only what changed is built again",
    "update": "look at sources anew and pin what is there in mldata.lock",
    "status": "what is up to date and what is not",
    "validate": "whether the data is what it should be: schema, missing values, duplicates",
    "drift": "how far rows have moved from others: builds, splits, files",
    "profile": "what is in the data: types, distributions, what is missing, what goes together",
    "explain": "why a dataset, or a stage of it, must be built again",
    "log": "the builds of a dataset",
    "show": "what a build of a dataset is made of",
    "export": "write a kept build of a dataset to a folder",
    "lfs-agent": "git LFS without a server: keep large files of a git repository in the store",
    "diff": "what has changed from one build, export or file to another: schema, rows, drift, making",
    "rebuild": "make a kept build again and compare every byte",
    "gc": "remove from the store what nothing needs",
    "check": "look for missing and damaged objects in the store",
    "auth": "log in to data hubs, and see which credentials are used",
    "config": "show and change your settings",
    "doctor": "whether everything that mldata works with is there and works",
    "completion": "print a completion script for your shell",
}


class Command(Protocol):
    """What the module of a command provides."""

    EXAMPLE: str
    """Shown at the end of its help; can be run as it stands."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: Arguments, output: Output) -> Result: ...


@dataclass(frozen=True)
class Result:
    """What a command found or did."""

    data: dict[str, Any]
    """The ``result`` of the JSON envelope."""
    text: str = ""
    """The same for people."""
    exit_code: int = EXIT_OK
    errors: list[Exception] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Arguments(argparse.Namespace):
    """Parsed options; the common ones have defaults here because they may stand before or after the command."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    directory: str | None = None
    no_color: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"See: {self.prog} --help")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(f"mldata {__version__}\n")
        parser.exit()


def common_options() -> argparse.ArgumentParser:
    """The options that every command takes."""
    parser = _Parser(prog="mldata", add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    group = parser.add_argument_group("common options")
    group.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    group.add_argument("-q", "--quiet", action="store_true", help="print results only, no progress")
    group.add_argument("-v", "--verbose", action="store_true", help="say more; show tracebacks")
    group.add_argument("-C", "--directory", metavar="DIR", help="run as if started in DIR")
    group.add_argument("--no-color", action="store_true", help="no colours (NO_COLOR does the same)")
    group.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    return parser


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """``-j``, for commands that run actions."""
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=None,
        metavar="N",
        help="actions at a time (default: the setting jobs, or one a processor)",
    )


def check_jobs(args: Arguments) -> None:
    """Take the setting where there is no ``-j``. Raises :class:`UsageError` for one that means nothing."""
    if args.jobs is None:
        from mldata.config import load_config

        args.jobs = load_config().jobs
    elif args.jobs < 1:
        raise UsageError(f"expected -j of at least 1, found {args.jobs}")


def load_command(name: str) -> Command:
    """Import the module of a command."""
    module: Command = import_module(f"mldata.cli.{name.replace('-', '_')}")
    return module


def make_parser(name: str, module: Command) -> argparse.ArgumentParser:
    """The parser of one command, with the common options."""
    parser = _Parser(
        prog=f"mldata {name}",
        description=COMMANDS[name][0].upper() + COMMANDS[name][1:] + ".",
        epilog=f"example:\n{module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common_options()],
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,  # a script must not break when an option joins
    )
    module.add_arguments(parser)
    return parser


def overview() -> str:
    """What ``mldata --help`` prints."""
    width = max(map(len, COMMANDS))
    lines = [
        "usage: mldata COMMAND [options]",
        "",
        "Raw data to ML dataset, the way make builds programs.",
        "",
    ]
    lines += ["commands:"]
    lines += [f"  {name:<{width}}  {about}" for name, about in COMMANDS.items()]
    lines += [
        "",
        "common options:",
        "  --json  -q, --quiet  -v, --verbose  -C DIR  --no-color  --version  -h, --help",
        "",
        "example:",
        "  mldata init && mldata add penguins data/penguins.csv && mldata build",
        "",
        "Help of one command: mldata COMMAND --help",
    ]
    return "\n".join(lines)


class Output:
    """Standard output of a command: text for people, or one JSON envelope."""

    def __init__(self) -> None:
        self.command = ""
        self.arguments: list[str] = []
        self.json = False
        self.quiet = False
        self.verbose = False
        self.color = False
        self.may_color = False
        """Whether colours may be used on standard error too, where that is a terminal."""
        self._begun = time.monotonic()

    @classmethod
    def early(cls, arguments: list[str]) -> Output:
        """An output for errors that come before the arguments are parsed."""
        output = cls()
        output.arguments = arguments
        output.json = "--json" in arguments
        output.verbose = "-v" in arguments or "--verbose" in arguments
        output.command = next((word for word in arguments if word in COMMANDS), "")
        output._colors("--no-color" in arguments)
        return output

    def configure(self, command: str, args: Arguments) -> None:
        """Take the parsed options."""
        self.command = command
        self.json, self.quiet, self.verbose = args.json, args.quiet, args.verbose
        self._colors(args.no_color, _wanted_color())

    def _colors(self, off: bool, wanted: str = "auto") -> None:
        auto = not os.environ.get("NO_COLOR") and sys.stdout.isatty()
        self.color = not off and (wanted == "always" or (wanted == "auto" and auto))
        self.may_color = (
            not off and wanted != "never" and (wanted == "always" or not os.environ.get("NO_COLOR"))
        )

    def paint(self, text: str, code: str) -> str:
        """``text`` in an ANSI colour (an SGR code such as ``32``) where colours are wanted."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text

    def text(self, text: str) -> None:
        """Print a line of result."""
        print(encodable_text(text))

    def note(self, text: str) -> None:
        """Print a line that is not a result."""
        if not self.quiet and not self.json:
            print(text, file=sys.stderr)

    def reporter(self) -> Reporter:
        """Where the progress of a build is shown."""
        from mldata.reporter import pick_reporter

        wanted = not self.json and not self.quiet
        return pick_reporter(quiet=not wanted, color=self.may_color, verbose=self.verbose)

    def finish(self, result: Result) -> int:
        """Print a result and its errors; the exit code."""
        try:
            if self.json:
                self._envelope(result.data, result.warnings, result.errors, result.exit_code == EXIT_OK)
            elif result.text:
                print(encodable_text(result.text))
            sys.stdout.flush()
        except BrokenPipeError:
            stop_printing()
        if not self.json:
            for error in result.errors:
                self._print_error(error)
        return result.exit_code

    def failed(self, error: Exception) -> int:
        """Print the error that ended the command; its exit code."""
        if not self.json:
            self._print_error(error)
            return exit_code(error)
        try:
            self._envelope(None, [], [error], False)
        except BrokenPipeError:
            stop_printing()
        return exit_code(error)

    def interrupted(self, code: int) -> int:
        """Say how to go on after Ctrl-C."""
        if self.json:
            self._envelope(None, [], [UsageError("interrupted")], False)
        else:
            import shlex

            hint = f"mldata {shlex.join(self.arguments)}"
            how = "interrupted" if code == EXIT_INTERRUPTED else "terminated"
            print(f"\n{how}; what was finished is kept; to go on: {hint}", file=sys.stderr)
        return code

    def _print_error(self, error: Exception) -> None:
        if self.verbose:
            import traceback

            traceback.print_exception(error, file=sys.stderr)
        elif not _expected(error):
            place = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
            print(
                f"mldata: internal error{place}: {type(error).__name__}: {harmless(str(error))}\n"
                "  Run again with -v to see where, and please report it.",
                file=sys.stderr,
            )
            return
        label = "error"
        if sys.stderr.isatty() and self.may_color:
            label = "\x1b[31merror\x1b[0m"
        print(f"{label}: {harmless(str(error))}", file=sys.stderr)

    def _envelope(
        self, data: dict[str, Any] | None, warnings: list[str], errors: list[Exception], success: bool
    ) -> None:
        envelope = {
            "success": success,
            "command": self.command,
            "version": __version__,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "duration_seconds": round(time.monotonic() - self._begun, 3),
            "result": data,
            "warnings": warnings,
            "errors": [error_json(error) for error in errors],
        }
        print(json.dumps(envelope, indent=2, ensure_ascii=not takes_unicode()), flush=True)


def _wanted_color() -> str:
    """The setting ``color``; what is wrong with settings is said by whatever needs them."""
    from mldata.config import ConfigError, load_config

    try:
        return load_config().color
    except ConfigError:
        return "auto"


def error_json(error: Exception) -> dict[str, Any]:
    """An error as the JSON envelope holds it."""
    if isinstance(error, MldataError):
        where = None if error.where is None else str(error.where)
        return {"code": error.code, "message": error.message, "where": where, "hint": error.hint}
    where = ", ".join(getattr(error, "__notes__", ())) or None
    return {"code": type(error).__name__, "message": str(error), "where": where, "hint": None}


def exit_code(error: Exception) -> int:
    """The exit code for an error, by the table in ``mldata.errors``."""
    return error.exit_code if isinstance(error, MldataError) else EXIT_BUILD


def _expected(error: Exception) -> bool:
    if isinstance(error, MldataError | OSError):
        return True
    from store import StoreError

    return isinstance(error, StoreError)


def change_directory(directory: str) -> None:
    """For ``-C DIR``."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(f"cannot go to {directory}: {error.strerror}", hint="-C takes a folder.") from None


def store_here() -> tuple[Path, Path]:
    """The store that commands about a whole store mean, and the state that its receipts are in: of the project here, else of the user."""
    from mldata.into import default_store
    from mldata.project import surrounding
    from mldata.userfolders import cache_folder

    base = surrounding(Path.cwd())
    if base is not None:
        return base.store_path, base.state
    store = default_store()
    if not store.exists():
        open_project()  # there is neither: says so, and what to do
    return store, cache_folder()


def failure_code(errors: Iterable[Exception]) -> int:
    """The exit code of a build that failed for these reasons: where all are of one kind (data that did not pass, who asks, the network, a
    package that is not installed) the code of that, else that of any failed build."""
    failed = list(errors)
    if failed and all(isinstance(error, MissingExtra) for error in failed):
        return MissingExtra.exit_code
    codes = {error.exit_code if isinstance(error, MldataError) else EXIT_BUILD for error in failed}
    return codes.pop() if len(codes) == 1 and codes <= _TOLD else EXIT_BUILD


_TOLD = {EXIT_INVALID_DATA, EXIT_AUTH, EXIT_NETWORK}


def open_project() -> Project:
    """The project that the working folder lies in."""
    from mldata.project import find_project, load_project

    return load_project(find_project(Path.cwd()))


@contextmanager
def open_kept(project: Project, text: str) -> Iterator[KeptBuild]:
    """The build that ``NAME[@BUILD]`` names, in the project's store, kept from gc meanwhile. It may be of a dataset that the spec no longer has."""
    from mldata.keptbuild import open_build
    from mldata.records import build_numbers, parse_name
    from store import Store

    name, number = parse_name(text)
    with Store.open(project.store_path) as store:
        if not build_numbers(store, name):
            check_dataset(project, name)
        with open_build(store, name, number) as kept:
            yield kept


def pick_datasets(project: Project, names: list[str]) -> list[str]:
    """The named datasets, or all of them; an unknown name is an error with the nearest one."""
    if not names:
        return list(project.datasets)
    for name in names:
        check_dataset(project, name)
    return list(dict.fromkeys(names))


def check_dataset(project: Project, name: str) -> None:
    """Raise :class:`UnknownDataset` unless the spec has ``name``."""
    if name in project.datasets:
        return
    from mldata.nearest import nearest

    near = nearest(name, project.datasets)
    have = ", ".join(project.datasets) or "none yet"
    hint = f"Did you mean: {near}" if near else f"Add it: mldata add {name} SOURCE"
    raise UnknownDataset(f"{name!r} is not a dataset of {project.spec_path.name}; it has: {have}", hint=hint)
