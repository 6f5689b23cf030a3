"""Datasets of the Hugging Face Hub: ``hf://OWNER/NAME[@REVISION][/PATH]``, see :mod:`mldata.hub`.

A revision is looked up once and pinned as a commit. Which files are taken:

- a path names a file, a folder, or by a pattern any number of files;
- else what the repository itself says is the data of a subset (``?subset=``), or what names say where it says nothing;
- with ``?files=parquet`` what the Hub has made of it, on its branch ``refs/convert/parquet``.

``?split=`` takes one split; of several the tree has a folder each (:mod:`mldata.hub.layout`). Files about the data, such as README.md, are left out
unless the path names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.hub.card import license_of
from mldata.hub.place import CONVERTED, FORM, parse_place
from mldata.sources import SOURCES
from mldata.sources.base import About, Hit, Query, RemoteFile, Resolved
from mldata.sources.uri import parse_uri

if TYPE_CHECKING:
    from mldata.download.base import Origin
    from mldata.hub.api import Hub, Repo

__all__ = ["HubSource", "search"]


class HubSource:
    """A dataset of the Hub; see :class:`mldata.sources.base.RemoteSource`.

    Args:
        text: ``hf://OWNER/NAME…`` or ``huggingface://OWNER/NAME…``.
        root: not used: no part of it is a path on this machine.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = text
        self.place = parse_place(text, parse_uri(text, SOURCES["hf"], FORM).options)
        self.key = str(self.place)
        self._states: dict[tuple[str, str], Repo] = {}
        """A commit that has a file, by its path and what names its content: any that has it will do."""

    @cached_property
    def _hub(self) -> Hub:
        from mldata.hub.api import Hub

        return Hub(self.text)

    def resolve(self, revision: str | None = None) -> Resolved:
        """See :meth:`mldata.sources.base.RemoteSource.resolve`."""
        from mldata.hub.choice import choose
        from mldata.hub.layout import laid_out

        repo, warnings = self._repo(revision)
        choice = choose(self._hub, repo, self.place)
        files = []
        for name, path in laid_out(choice.files, choice.base):
            entry = choice.entries[path]
            self._states[path, entry.content] = repo
            files.append(RemoteFile(name, path, entry.size, entry.digests, entry.content))
        facts: dict[str, Any] = {"license": license_of(repo.card), "subset": choice.subset}
        facts = {key: value for key, value in facts.items() if value is not None}
        if len(choice.splits) > 1:
            facts["splits"] = choice.splits
        return Resolved(repo.commit, files, facts, [*warnings, *choice.warnings])

    def origin(self, file: RemoteFile) -> Origin:
        """See :meth:`mldata.sources.base.RemoteSource.origin`. A file that no look has found is taken from the newest state."""
        from mldata.hub.cache import HubFile, cached_blob

        hub = self._hub
        repo = self._states.get((file.place, file.version)) or self._repo(None)[0]
        return HubFile(
            hub,
            hub.web.origin(hub.file_url(repo, file.place), auth=hub.auth),
            repo=repo.id,
            identity=f"hf://{repo.id}/{file.place}@{file.version}",
            blob=cached_blob(repo.id, file.version),
            size=file.size,
            digests=file.digests,
        )

    def about(self) -> About:
        """See :meth:`mldata.sources.base.RemoteSource.about`."""
        from mldata.hub.about import tell

        return tell(self._hub, self._repo(None)[0], self.place)

    def _repo(self, revision: str | None) -> tuple[Repo, list[str]]:
        """The repository at the state that is wanted, readable by this user, and warnings."""
        place, hub = self.place, self._hub
        repo = hub.repo(place.repo, revision or (CONVERTED if place.converted else place.revision))
        if repo.gated:
            hub.check_access(repo)
        warnings = [hub.warning] if hub.warning is not None else []
        if repo.id.lower() != place.repo.lower():
            warnings.append(f"{place.repo} is called {repo.id} on the Hub now: write hf://{repo.id}")
        return repo, warnings


def search(query: Query) -> Sequence[Hit]:
    """Datasets of the Hub that a query finds, most downloaded first."""
    from mldata.hub.find import find

    return find(query)
