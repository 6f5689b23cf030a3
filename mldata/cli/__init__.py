"""The ``mldata`` command line: finds the command, runs it, and turns errors into exit codes.

Only the module of the command that is asked for is imported, so that ``--version`` and a build with nothing to do stay fast.
Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import gc as garbage  # mldata.cli.gc is a command
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from mldata.cli.base import COMMANDS, Arguments, Output, common_options, load_command, make_parser
from mldata.cli.printing import stop_printing

TERMINATED = ("terminated",)
COLLECT_AFTER = 100_000
"""Objects that are made between two looks for cyclic garbage, where Python has 700: nearly all that a command loads and makes at first stays."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see ``mldata.errors``).

    Args:
        argv: arguments without the program's name; None: those of this process.
    """
    from mldata.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

    arguments = list(sys.argv[1:] if argv is None else argv)
    output = Output.early(arguments)
    try:
        return _run(arguments, output)
    except KeyboardInterrupt as stop:
        return output.interrupted(EXIT_TERMINATED if stop.args == TERMINATED else EXIT_INTERRUPTED)
    except BrokenPipeError:
        stop_printing()
        return 0
    except Exception as error:
        return output.failed(error)


def _terminate(number: int, frame: object) -> NoReturn:
    """Ends the process as Ctrl-C does: what is under way is put away first."""
    signal.signal(number, signal.SIG_DFL)  # asked twice, it goes at once
    raise KeyboardInterrupt(*TERMINATED)


def run() -> NoReturn:
    """The process ``mldata``: :func:`main`, then exit."""
    signal.signal(signal.SIGTERM, _terminate)
    garbage.set_threshold(COLLECT_AFTER, *garbage.get_threshold()[1:])
    code = main()
    # Python collects several times on its way out: a tenth of a second after a stage has run, for memory that is given back anyway.
    garbage.disable()
    garbage.freeze()
    sys.exit(code)


def _run(arguments: list[str], output: Output) -> int:
    command, before, after = split_command(arguments)
    if command is None:
        return _without_command(before, output)
    module = load_command(command)
    parser = make_parser(command, module)
    options = common_options()
    space = Arguments()
    options.parse_args(before, namespace=space)
    parser.parse_args(after, namespace=space)
    output.configure(command, space)
    if space.directory is not None:
        from mldata.cli.base import change_directory

        change_directory(space.directory)
    return output.finish(module.run(space, output))


def split_command(arguments: list[str]) -> tuple[str | None, list[str], list[str]]:
    """The command's name, the options before it and everything after it."""
    from mldata.errors import UsageError

    index = 0
    while index < len(arguments):
        word = arguments[index]
        if word == "-C" or word == "--directory":
            index += 2
        elif word.startswith("-"):
            index += 1
        elif word in COMMANDS:
            return word, arguments[:index], arguments[index + 1 :]
        else:
            import difflib

            near = difflib.get_close_matches(word, COMMANDS, 1)
            hint = f"Did you mean: mldata {near[0]}" if near else "See all commands: mldata --help"
            raise UsageError(f"{word!r} is not a command of mldata", hint=hint)
    return None, arguments, []


def _without_command(before: list[str], output: Output) -> int:
    from mldata.cli.base import overview

    if "--version" in before:
        from mldata.version import __version__

        output.text(f"mldata {__version__}")
        return 0
    if "-h" in before or "--help" in before:
        output.text(overview())
        return 0
    if before:
        common_options().parse_args(before, namespace=Arguments())
    output.text(overview())
    return 3
