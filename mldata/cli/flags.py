"""Flags that stand for settings of a dataset; the spec's own code judges what they say, and names them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from mldata.cli.base import Arguments
from mldata.errors import UsageError

__all__ = [
    "DEFAULT_SEED",
    "DEFAULT_SPLIT",
    "EXPORT_FLAGS",
    "FLAGS",
    "TRACKER_FLAGS",
    "add_export_flags",
    "add_split_flags",
    "export_section",
    "split_section",
]

DEFAULT_SPLIT = "0.8,0.1,0.1"
DEFAULT_SEED = 42
NONE = "none"
METHODS = ("random", "hash", "stratify", "group", "predefined")
"""Those that these flags are enough for."""

FLAGS: Mapping[tuple[str, ...], str] = {
    ("source",): "SOURCE",
    ("normalize", "format"): "--format",
    ("split", "method"): "--method",
    ("split", "seed"): "--seed",
    ("split", "stratify"): "--stratify",
    ("split", "group"): "--group",
    ("split",): "--split",
    ("export", "formats"): "--formats",
    ("export", "compression"): "--compression",
    ("export", "shard_size"): "--shard-size",
    ("export", "escape_formulas"): "--escape-formulas",
    ("export", "exact_floats"): "--exact-floats",
    ("export", "framework"): "--framework",
    ("export", "dvc"): "--dvc",
    ("export", "dvc", "require"): "--no-require-dvc",
    ("export", "dvc", "each"): "--dvc-each",
    ("export", "git_lfs"): "--git-lfs",
    ("export", "git_lfs", "pointers"): "--pointers",
    ("export", "to"): "-o",
}
"""The flag that a setting is said by."""


EXPORT_FLAGS = (
    *("formats", "compression", "shard_size", "escape_formulas", "exact_floats"),
    *("framework", "dvc", "git_lfs"),
)
"""Their names, as they are below ``export:``."""
TRACKER_FLAGS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "no_require_dvc": ("dvc", {"require": False}),
    "dvc_each": ("dvc", {"each": True}),
    "pointers": ("git_lfs", {"pointers": True}),
}
"""Flags that say how a tracker is to do its work: which one, and its section of ``export:``."""


def add_split_flags(parser: argparse._ActionsContainer, seed: int | None, default: str | None = None) -> None:
    """``--split`` and what goes with it; ``default`` is what the help says that there is without it."""
    shown = default or f"no split; with the flags below {DEFAULT_SPLIT}"
    parser.add_argument(
        "--split",
        default=None,
        metavar="A,B[,C]",
        help=f"shares of train, test or train, val, test; or NAME=SHARE,...; or 'none' (default: {shown})",
    )
    parser.add_argument(
        "--method",
        default=None,
        metavar="M",
        help=f"how rows are split: {', '.join(METHODS)} (as the source's own folders are; default: random)",
    )
    parser.add_argument("--seed", type=int, default=seed, metavar="N", help="of the split (default: 42)")
    parser.add_argument(
        "--stratify",
        default=None,
        metavar="COL",
        help="keep the shares of this column's values in every part",
    )
    parser.add_argument(
        "--group", default=None, metavar="COL", help="keep rows with equal values of this column in one part"
    )


def add_export_flags(
    parser: argparse._ActionsContainer, formats: str | None = None, said: str = "parquet"
) -> None:
    """What ``export:`` may say; ``said`` is what the help says that the formats are without the flag."""
    from mldata.exports import EXPORTS
    from mldata.frameworks import FRAMEWORKS

    parser.add_argument(
        "--formats", default=formats, metavar="F[,F]", help=f"{', '.join(EXPORTS)} (default: {said})"
    )
    parser.add_argument(
        "--compression",
        default=None,
        metavar="C|F=C,...",
        help="none, zstd, zstd:1 to zstd:22, snappy, ... for all formats that compress inside; or by format, parquet=zstd:19 (default: zstd)",
    )
    parser.add_argument(
        "--shard-size",
        default=None,
        metavar="SIZE",
        help="cut each part into files of about this size, such as 500MB",
    )
    parser.add_argument(
        "--escape-formulas",
        action="store_true",
        default=None,
        help="in CSV and TSV, keep spreadsheets from running cells as formulas (a ' in front of them)",
    )
    parser.add_argument(
        "--exact-floats",
        action="store_true",
        default=None,
        help="in TFRecords, keep all bits of doubles, as bytes (float32 is all that they have for numbers)",
    )
    parser.add_argument(
        "--framework", default=None, metavar="F[,F]", help=f"add code that loads it: {', '.join(FRAMEWORKS)}"
    )
    parser.add_argument(
        "--dvc",
        action="store_true",
        default=None,
        help="write the .dvc file, and fill DVC's cache from the store",
    )
    parser.add_argument(
        "--no-require-dvc",
        action="store_true",
        default=None,
        help="with --dvc: do it even where DVC itself is not installed",
    )
    parser.add_argument(
        "--dvc-each",
        action="store_true",
        default=None,
        help="with --dvc: a .dvc file for each file of rows, instead of one for the folder",
    )
    parser.add_argument(
        "--git-lfs",
        action="store_true",
        default=None,
        help="have Git LFS track the files, and fill its objects from the store",
    )
    parser.add_argument(
        "--pointers",
        action="store_true",
        default=None,
        help="with --git-lfs: stage the pointers in git's index too, without reading the files",
    )


def split_section(args: Arguments) -> dict[str, Any]:
    """``split`` and its settings as the flags say it, or None for no split; nothing if they say nothing."""
    given = {
        name: value
        for name in ("method", "seed", "stratify", "group")
        if (value := getattr(args, name)) is not None
    }
    if args.split == NONE:
        said = next((name for name in ("method", "stratify", "group") if name in given), None)
        if said is not None:
            raise UsageError(f"--{said} needs a split, found --split none")
        return {"split": None}
    if args.split is None and not given:
        return {}
    if given.get("method") not in (None, *METHODS):
        raise UsageError(
            f"expected one of {', '.join(METHODS)}; found {given['method']!r}",
            where="--method",
            hint="Other methods need more settings, which a spec has: mldata init, then mldata add",
        )
    if given.get("method") == "predefined" and args.split in (None, DEFAULT_SPLIT):
        return {
            "split": {name: value for name, value in given.items() if (name, value) != ("seed", DEFAULT_SEED)}
        }
    from mldata.spec import parse_split

    try:
        shares = parse_split(args.split or DEFAULT_SPLIT)
    except UsageError as error:
        raise UsageError(error.message, where="--split", hint=error.hint) from None
    return {"split": {**shares, **given}}


def export_section(args: Arguments) -> dict[str, Any]:
    """``export:`` without ``to``, as the flags say it."""
    section: dict[str, Any] = {
        name: value for name in EXPORT_FLAGS if (value := getattr(args, name)) is not None
    }
    for name, (tracker, how) in TRACKER_FLAGS.items():
        if getattr(args, name):
            if tracker not in section:
                to_add = FLAGS["export", tracker]
                raise UsageError(
                    f"it says how {to_add} is to be done", where=_flag(name), hint=f"add {to_add}"
                )
            said = section[tracker]
            section[tracker] = {**(said if isinstance(said, dict) else {}), **how}
    for name in ("formats", "framework"):
        if name in section:
            section[name] = [word.strip() for word in section[name].split(",")]
    if "=" in section.get("compression", ""):
        pairs = [word.partition("=") for word in section["compression"].split(",")]
        section["compression"] = {name.strip(): codec.strip() for name, _, codec in pairs}
    return section


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
