"""Pulling sources without a spec: ``mldata pull SOURCE [-o DIR]``.

A project is made up around one dataset that is only fetched, as :mod:`mldata.into` does for builds. Its receipt says what was pulled, so that the
files are there offline afterwards; gc keeps what such a receipt names.

State is below ``pulls/KEY`` of the project that the working folder lies in, else of the user's cache; KEY stands for the sources.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mldata.errors import UsageError
from mldata.into import FOLDERS, default_store, folder_key, from_root, make_home
from mldata.plainplace import plain_place
from mldata.project import SPEC_NAME, Project, make_dataset
from mldata.receipts import pins_of, raw_tree
from mldata.reference import is_reference
from mldata.sources import find_source, is_remote, scheme_of
from mldata.userfolders import cache_folder

if TYPE_CHECKING:
    from datetime import timedelta

    from mldata.build import Session
    from mldata.spec import Flags
    from store import Digest

__all__ = [
    "NAME",
    "PULLS",
    "Order",
    "choose",
    "forget_pull",
    "old_pulls",
    "order",
    "pull_states",
    "told",
    "with_options",
    "write_out",
]

PULLS = "pulls"
"""Where the state of pulls is, in a project's state or the user's cache."""
NAME = "pull"
"""Of the made-up dataset."""


@dataclass(frozen=True)
class Order:
    """What is to be pulled."""

    project: Project
    """Made up, or the one that has the dataset."""
    name: str
    """Of the dataset in it."""
    home: Path
    """The state of the surrounding project, or the user's cache."""
    anew: Collection[str] = ()
    """Datasets that are looked at anew, where there is a network."""


def choose(
    words: Sequence[str],
    base: Project | None,
    options: Mapping[str, str | None],
    samples: int | None = None,
    flags: Flags | None = None,
) -> Order:
    """What is meant by words: a dataset of the spec, as mldata.lock pins it, or sources, as they are now.

    Args:
        words: as typed in the working folder.
        base: the project that the working folder lies in.
        options: ``revision``, ``subset`` and ``split``, as far as they are said.
        samples: how many first rows are wanted; None: all there is.
        flags: what to call settings in messages.

    Raises:
        UsageError, InvalidSpec: a word is no source, or does not go with the others or with what is said.
    """
    if samples is not None and samples < 1:
        raise UsageError(f"expected 1 or more, found {samples}", where="--max-samples")
    for name in words:
        if base is not None and name in base.datasets:
            if len(words) > 1 or any(options.values()) or samples is not None:
                raise UsageError(
                    f"expected the dataset {name!r} alone: the spec says what it is made of",
                    hint="pull each by itself, or name the source",
                )
            return Order(base, name, base.state)
    return order([with_options(word, options) for word in words], base, flags, samples)


def order(
    words: Sequence[str], base: Project | None, flags: Flags | None = None, samples: int | None = None
) -> Order:
    """A project that fetches sources, as the build engine wants it.

    Args:
        words: sources as typed in the working folder.
        base: the project that the working folder lies in.
        flags: what to call settings in messages.
        samples: how many first rows will be pulled; None: all there is.

    Raises:
        UsageError, InvalidSpec: a word is no source, or has no rows to take the first of.
    """
    for word in words:
        if is_reference(word):
            raise UsageError(
                f"expected files, found the dataset {word}, which is a table",
                hint=f"mldata build {word} -o DIR writes it to a folder",
            )
    root = base.root if base is not None else Path.cwd()
    sources = [from_root(word, root) for word in words]
    plain = plain_place(sources, root)
    if plain is None:
        from mldata.download.signed import unsigned
        from mldata.spec import parse_dataset

        plain = parse_dataset(NAME, {"source": list(map(unsigned, sources))}, flags=flags)
    home = base.state if base is not None else cache_folder()
    spec = make_dataset(NAME, plain)
    here = [source for source in spec.sources if not is_remote(source)]
    if samples is not None and here:
        raise UsageError(
            f"expected sources elsewhere, found {here[0]}, which is here already",
            where="--max-samples",
            hint=f"To look at its first rows: mldata info {here[0]} --sample {samples}",
        )
    # Paths are relative to the root: the same words mean other files elsewhere.
    words = [*([str(root)] if here else []), *spec.sources, *([str(samples)] if samples is not None else [])]
    key = folder_key(Path("\0".join(words)))
    project = Project(
        root=root,
        spec_path=base.spec_path if base is not None else root / SPEC_NAME,
        store_path=base.store_path if base is not None else default_store(),
        state=home / PULLS / key,
        link=base.link if base is not None else "auto",
        salt="",
        datasets=MappingProxyType({NAME: spec}),
        locks=False,
    )
    make_home(project.state)
    os.utime(project.state)  # its age is that of the last pull
    return Order(project, NAME, home, {NAME})


def with_options(source: str, options: Mapping[str, str | None]) -> str:
    """A source's text with ``revision``, ``subset`` or ``split`` said by flags.

    Raises:
        UsageError: the source has no such option, or says another one itself.
        SourceError: it is not well formed.
    """
    from mldata.sources.uri import parse_uri

    said = {name: value for name, value in options.items() if value is not None}
    if not said:
        return source
    scheme = scheme_of(source)
    info = find_source(scheme)
    for name in said:
        if info is None or name not in info.options:
            what = f"{scheme}://" if scheme else "a path"
            raise UsageError(f"{what} has no {name} to choose", where=f"--{name}", hint="leave it out")
    assert info is not None
    uri = parse_uri(source, info, f"a source of {scheme}://")
    for name, value in said.items():
        if uri.options.get(name, value) != value:
            raise UsageError(
                f"expected one {name}, found {value!r} beside {uri.options[name]!r} in {source}",
                where=f"--{name}",
                hint="say it in one place",
            )
    # The path as it was written: %2F in it may mean another thing than a slash.
    query = uri.with_options(**said).query
    return f"{source.partition('?')[0]}?{query}"


class OldPull(NamedTuple):
    """A pull that is no longer kept."""

    name: str
    reason: str


def pull_states(home: Path) -> list[Path]:
    """Where the state of each pull is, below a project's state or the user's cache."""
    return sorted((home / PULLS).glob("*"))


def old_pulls(home: Path, max_age: timedelta) -> dict[Path, OldPull]:
    """The pulls of a home that were made longer ago, by their state."""
    from mldata.receipts import read_receipts

    found: dict[Path, OldPull] = {}
    for state in pull_states(home):
        age = time.time() - os.stat(state).st_mtime
        if age > max_age.total_seconds():
            sources = [source for it in read_receipts(state) for source in it.params.get("sources", ())]
            days = max_age.total_seconds() / 86400
            reason = f"pulled {age / 86400:.1f} days ago, more than {days:g}"
            found[state] = OldPull(", ".join(sources) or state.name, reason)
    return found


def forget_pull(state: Path) -> None:
    """Keep nothing of a pull any more: the next gc removes what nothing else needs."""
    shutil.rmtree(state, ignore_errors=True)


def write_out(order: Order, session: Session, to: str | os.PathLike[str]) -> Path:
    """Write what was pulled to a folder that is new, empty, or an earlier export or pull; which one.

    Raises:
        UsageError: something is there that was not made so, or was changed since; nothing of it was touched.
    """
    from mldata.claim import Claim
    from mldata.receipts import Receipt, receipt_path, write_receipt

    tree = _tree(session, order.name)
    if tree is None:
        raise UsageError(f"{order.name!r} has no files of its own: it stands on other datasets", where="-o")
    folder = Path(os.path.realpath(os.path.expanduser(to)))
    state = order.home / FOLDERS / folder_key(folder)
    make_home(state)
    claim = Claim(folder, state, NAME, "-o")
    claim.look()
    store = session.store
    store.materialize(tree, folder, link=order.project.link, previous=claim(store, tree))
    made = Receipt(
        dataset=NAME,
        stage="export",
        version=1,
        params={},
        inputs={},
        libraries={},
        salt="",
        output=tree,
        size=0,
        objects=1,
        place={"to": str(folder)},
    )
    write_receipt(receipt_path(state / "receipts", NAME, "export"), made)
    return folder


def told(session: Session, name: str) -> dict[str, Any]:
    """What became of a pull: the ``result`` of ``mldata pull --json``."""
    receipt = session.state.receipt(name, "fetch")
    assert receipt is not None
    tree = _tree(session, name)
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


def _tree(session: Session, name: str) -> Digest | None:
    receipt = session.state.receipt(name, "fetch")
    assert receipt is not None
    return raw_tree(receipt.output, receipt.facts)
