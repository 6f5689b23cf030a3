"""``mldata search``: datasets elsewhere, by words."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, parse_size
from mldata.cli.online import need_network
from mldata.cli.text import one_line, table
from mldata.errors import UsageError

if TYPE_CHECKING:
    from mldata.searching import Found
    from mldata.sources.base import Hit, SourceInfo

EXAMPLE = "  mldata search penguins -n 5"
LIMIT = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata search``."""
    parser.add_argument("query", nargs="+", metavar="QUERY", help="words that the dataset is about")
    parser.add_argument(
        "-s",
        "--source",
        action="append",
        default=[],
        metavar="SOURCE",
        help="search this one alone, such as hf, kaggle or openml; may be given several times",
    )
    parser.add_argument(
        "-m",
        "--modality",
        default=None,
        metavar="MODALITY",
        help="such as tabular, text, image, audio, video",
    )
    parser.add_argument("-t", "--task", default=None, metavar="TASK", help="such as text-classification")
    parser.add_argument("-l", "--license", default=None, metavar="LICENSE", help="such as cc-by-4.0 or mit")
    parser.add_argument("--min-size", default=None, metavar="SIZE", help="at least so large, such as 10MB")
    parser.add_argument("--max-size", default=None, metavar="SIZE", help="at most so large, such as 2GB")
    parser.add_argument(
        "-n", "--limit", type=int, default=LIMIT, metavar="N", help=f"show at most N (default: {LIMIT})"
    )


def run(args: Arguments, output: Output) -> Result:
    """Ask the sources and show what they have."""
    from mldata.searching import check_query, search, searchable
    from mldata.sources import known_sources
    from mldata.sources.base import Query

    size = {
        name: None if (text := getattr(args, name)) is None else parse_size(text)
        for name in ("min_size", "max_size")
    }
    query = Query(" ".join(args.query), args.modality, args.task, args.license, **size, limit=args.limit)
    check_query(query)
    known = known_sources()
    chosen = _chosen(args.source, known, searchable(known))
    need_network("a search")
    found = search(query, chosen)
    if found.hits:
        output.note(f"To use one: mldata info {one_line(found.hits[0].source)}, or mldata add NAME SOURCE.")
    data = {
        "query": asdict(query),
        "hits": [{**asdict(hit), "tags": list(hit.tags)} for hit in found.hits],
        "sources": {
            **{scheme: {"hits": count, "error": None} for scheme, count in found.counts.items()},
            **{scheme: {"hits": 0, "error": error.message} for scheme, error in found.failed.items()},
        },
    }
    warnings = _warnings(found)
    for warning in warnings:
        output.note(f"warning: {one_line(warning)}")
    return Result(data, _text(found.hits, query.text), warnings=warnings)


def _chosen(
    names: Sequence[str], known: Mapping[str, SourceInfo], can: Mapping[str, SourceInfo]
) -> list[SourceInfo]:
    """The sources to ask: those that are named, by any of their schemes, or all."""
    chosen: dict[str, SourceInfo] = {}
    for name in names or can:
        asked = known.get(name.lower().removesuffix("://"))
        info = next((it for it in can.values() if asked is not None and _same(it, asked)), None)
        if info is None:
            raise UsageError(
                f"expected one of {', '.join(can) or 'the sources that can be searched (none is installed)'}; found {name!r}",
                where="--source",
            )
        chosen[info.scheme] = info
    return list(chosen.values())


def _same(one: SourceInfo, other: SourceInfo) -> bool:
    """Whether two schemes are of one source."""
    return (one.module, one.factory) == (other.module, other.factory)


def _warnings(found: Found) -> list[str]:
    failed = [f"{scheme} was not searched: {error}" for scheme, error in found.failed.items()]
    return failed + [
        f"{scheme} does not state the {name} of {count:,} of these; they are shown all the same"
        for (scheme, name), count in found.unstated.items()
    ]


def _text(hits: Sequence[Hit], words: str) -> str:
    if not hits:
        return f"nothing found for {one_line(words)!r}"
    from mldata.sizes import human_size

    def cells(hit: Hit) -> list[str]:
        rows, downloads = (f"{n:,}" if n is not None else "" for n in (hit.rows, hit.downloads))
        size = human_size(hit.size) if hit.size is not None else ""
        told: list[Any] = [rows, size, hit.license or "", downloads, hit.updated or ""]
        return [one_line(hit.source), *told]

    head = ["source", "rows", "size", "license", "downloads", "updated"]
    return table([head, *map(cells, hits)], right={1, 2, 4})
