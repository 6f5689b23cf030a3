"""A search for datasets over all sources that can be searched, each with its own backend.

Invariant: what is found depends on what the sources answer, not on which of them is quicker. A filter that a source's own search does not
know is held against what its hits state; what they do not state is not guessed, but counted (:attr:`Found.unstated`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from importlib import import_module
from itertools import zip_longest
from threading import Thread
from typing import TYPE_CHECKING

from mldata.errors import AuthError, MldataError, NetworkError, UsageError

if TYPE_CHECKING:
    from mldata.sources.base import Hit, Query, SourceInfo

__all__ = ["Found", "check_query", "same_license", "search", "searchable"]

DEADLINE = 40.0
"""Seconds after which the sources that have not answered are left out."""


@dataclass
class Found:
    """What a search found."""

    hits: list[Hit] = field(default_factory=list)
    """Best first, the sources taking turns."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many of them each source that answered has."""
    failed: dict[str, MldataError] = field(default_factory=dict)
    """The sources that did not."""
    unstated: dict[tuple[str, str], int] = field(default_factory=dict)
    """By source and filter: hits that do not state what the filter is about, and are in :attr:`hits` all the same."""


def searchable(infos: Mapping[str, SourceInfo]) -> dict[str, SourceInfo]:
    """The sources that can be searched, by scheme; of several schemes for one thing the first."""
    first: dict[tuple[str, str | None], str] = {}
    for scheme, info in infos.items():
        if info.search is not None:
            first.setdefault((info.module, info.search), scheme)
    return {scheme: infos[scheme] for scheme in first.values()}


def search(query: Query, infos: Sequence[SourceInfo]) -> Found:
    """Ask each of ``infos`` at the same time.

    Raises:
        AuthError, NetworkError: none of them answered.
    """
    found = Found()
    lists: list[list[Hit]] = []
    answers = [(info, _asked(info, query)) for info in infos]
    wait([answer for _, answer in answers], DEADLINE)
    for info, answer in answers:
        try:
            lists.append([hit for hit in _answered(answer) if _fits(hit, query)])
        except MldataError as error:
            found.failed[info.scheme] = error
            lists.append([])
    if infos and len(found.failed) == len(infos):
        raise _nobody(found.failed)
    named: dict[str, str] = {}
    for turn in zip_longest(*lists):
        for info, hit in zip(infos, turn, strict=True):
            if hit is not None and hit.source not in named and len(named) < query.limit:
                named[hit.source] = info.scheme
                found.hits.append(hit)
    found.counts = {
        info.scheme: list(named.values()).count(info.scheme)
        for info in infos
        if info.scheme not in found.failed
    }
    _count_unstated(query, found, named)
    return found


def _asked(info: SourceInfo, query: Query) -> Future[Sequence[Hit]]:
    """The answer of a source, to come. Its thread holds nothing up: not the other sources, and not the end of the program."""
    answer: Future[Sequence[Hit]] = Future()

    def ask() -> None:
        assert info.search is not None  # only those that can be searched are asked
        try:
            backend: Callable[[Query], Iterable[Hit]] = getattr(import_module(info.module), info.search)
            answer.set_result(list(backend(query)))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, name=f"search-{info.scheme}", daemon=True).start()
    return answer


def _answered(answer: Future[Sequence[Hit]]) -> Sequence[Hit]:
    """The hits, or an error of this program."""
    if not answer.done():
        raise NetworkError(f"no answer within {DEADLINE:g} seconds", hint="Try again later.")
    try:
        return answer.result()
    except MldataError:
        raise
    except Exception as error:  # what a place sends may be anything, and the others have answered
        raise NetworkError(
            f"expected an answer that can be read, found one that cannot ({type(error).__name__}: {error})",
            hint="Try again later; if it stays so, please report it.",
        ) from error


def _nobody(failed: Mapping[str, MldataError]) -> MldataError:
    """The error when no source answered."""
    errors = list(failed.values())
    if len(errors) == 1:
        return errors[0]
    kind = AuthError if all(isinstance(error, AuthError) for error in errors) else NetworkError
    said = "; ".join(f"{scheme}: {error.message}" for scheme, error in failed.items())
    return kind(
        f"expected an answer from at least one of {', '.join(failed)}; found none ({said})",
        hint="Look at the connection and the tokens; -s asks one source alone.",
    )


# -- filters ---------------------------------------------------------------------------------------------------------


def _fits(hit: Hit, query: Query) -> bool:
    """False for a hit that states something else than is wanted."""
    return all(says is not False for _, says in _judged(hit, query))


def _count_unstated(query: Query, found: Found, named: Mapping[str, str]) -> None:
    for hit in found.hits:
        for name, says in _judged(hit, query):
            if says is None:
                key = (named[hit.source], name)
                found.unstated[key] = found.unstated.get(key, 0) + 1


def _judged(hit: Hit, query: Query) -> Iterator[tuple[str, bool | None]]:
    """Each filter, and whether the hit passes it; None: the hit does not say."""
    if query.modality is not None:
        yield "modality", _tagged(hit, ("modality",), query.modality)
    if query.task is not None:
        yield "task", _tagged(hit, ("task_categories", "task_ids", "task"), query.task)
    if query.license is not None:
        yield "license", _licensed(hit, query.license)
    if query.min_size is not None or query.max_size is not None:
        low, high = query.min_size or 0, query.max_size
        size = hit.size
        yield "size", None if size is None else low <= size and (high is None or size <= high)


def _tagged(hit: Hit, kinds: Sequence[str], wanted: str) -> bool | None:
    """Whether a tag says ``wanted``; None if there is no tag ``KIND:VALUE`` of these kinds, and none without a kind that says it."""
    values, plain = [], []
    for tag in hit.tags:
        kind, mark, value = tag.partition(":")
        if not mark:
            plain.append(f" {' '.join(_words(tag))} ")
        elif kind in kinds:
            values.append(_words(value))
    if values:
        return _words(wanted) in values
    return True if any(f" {' '.join(_words(wanted))} " in tag for tag in plain) else None


def _licensed(hit: Hit, wanted: str) -> bool | None:
    """Whether one of the licences that are stated, also as tags, is ``wanted``."""
    stated = re.split(r"[,;/]| or ", hit.license or "")
    stated += [tag.removeprefix("license:") for tag in hit.tags if tag.startswith("license:")]
    names = [name for name in stated if name.strip()]
    return any(same_license(wanted, name) for name in names) if names else None


def same_license(wanted: str, found: str) -> bool:
    """Whether ``found`` (``CC BY 4.0``) is the licence that ``wanted`` (``cc-by-4.0``, or ``cc-by`` of any version) names."""
    want, have = _words(wanted), _words(found)
    return have[: len(want)] == want and all(word[0].isdigit() for word in have[len(want) :])


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+(?:\.[0-9]+)*", text.lower())


def check_query(query: Query) -> None:
    """Raise ``UsageError`` for a query that can find nothing."""
    if not query.text.strip():
        raise UsageError(
            "expected words to search for, found none", hint="For example: mldata search penguins"
        )
    if query.limit < 1:
        raise UsageError(f"expected -n of at least 1, found {query.limit}")
    if query.min_size is not None and query.max_size is not None and query.min_size > query.max_size:
        raise UsageError(
            f"expected --min-size of at most --max-size, found {query.min_size:,} and {query.max_size:,} bytes"
        )
