"""Datasets of Kaggle: ``kaggle://OWNER/NAME``, ``kaggle://OWNER/NAME/FILE`` (a file, a folder or a pattern), ``?revision=VERSION``, ``?files=archive``.

A version of a dataset never changes, and its number is what is pinned. Files come one by one, each verified by its size and what the storage
host states of it; a file that Kaggle sends zipped is unpacked on the way (:mod:`mldata.download.unzip`). Datasets of more than
:data:`MOST_FILES` files, and others on demand, come as the one archive that Kaggle makes of them: each file costs a request that Kaggle counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import SourceError, shown
from mldata.searching import same_license
from mldata.sources import SOURCES
from mldata.sources.base import About, Hit, Query, RemoteFile, Resolved
from mldata.sources.kaggleapi import PAGE, KaggleApi
from mldata.sources.patterns import EVERYTHING, split_pattern, take
from mldata.sources.uri import Uri, parse_uri

if TYPE_CHECKING:
    from mldata.download.base import Origin

__all__ = ["KaggleSource", "search"]

FORM = "kaggle://OWNER/NAME, kaggle://OWNER/NAME/FILE or kaggle://OWNER/NAME?revision=VERSION"
MOST_FILES = 10_000
"""Of a dataset, that come one by one."""
MOST_LISTED = 1_000_000
"""What is known of files is in memory."""
MOST_PAGES = 10
"""Pages of hits that a search looks through for those that fit."""
MODALITIES = frozenset({"tabular", "text", "image", "audio", "video", "time-series", "geospatial"})
TASKS = (
    "classification", "regression", "clustering", "detection", "segmentation", "recognition", "generation", "translation",
)  # fmt: skip
"""How tags end that are about what is to be done."""
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


class KaggleSource:
    """A dataset of Kaggle, or some of its files; see :class:`mldata.sources.base.RemoteSource`."""

    def __init__(self, text: str, root: Path) -> None:
        uri = parse_uri(text, SOURCES["kaggle"], FORM)
        self.text = text
        self._owner, _, rest = uri.path.partition("/")
        name, _, self._path = rest.partition("/")
        self._name, at, version = name.partition("@")
        if at and version != uri.options.get("revision", version):
            raise self._odd("one version", f"{version} and {uri.options['revision']}")
        if at:
            uri = uri.with_options(revision=version)
        for what, slug in (("owner", self._owner), ("name", self._name)):
            if not _SLUG.fullmatch(slug):
                raise self._odd(FORM, f"the {what} {shown(slug)}")
        self._wanted = uri.options.get("revision")
        if self._wanted is not None:
            self._number(self._wanted)
        self._archive = "files" in uri.options
        if self._archive and (uri.options["files"] != "archive" or self._path):
            raise self._odd(
                "files=archive for all files", f"files={uri.options['files']} {self._path}".rstrip()
            )
        path = f"{self._owner}/{self._name}" + (f"/{self._path}" if self._path else "")
        self.key = str(Uri("kaggle", path, uri.options))
        self._api = KaggleApi(text, f"datasets/{self._owner}/{self._name}")

    def resolve(self, revision: str | None = None) -> Resolved:
        """See :meth:`mldata.sources.base.RemoteSource.resolve`."""
        found = self._look(revision or self._wanted)
        files, ignored = self._files(found.version)
        facts = {
            "name": found.title, "homepage": self._api.page, "version": found.version, "license": found.license,
            "ignored": ignored or None,
        }  # fmt: skip
        warnings = [self._api.warning] if self._api.warning else []
        if found.ref is not None:
            warnings.append(f"{self.text} is called kaggle://{found.ref} now")
        if not files[0].place and not self._archive:
            warnings.append(
                f"{self.text} has more than {MOST_FILES:,} files, which come as one archive; "
                "name some of them to have these one by one, or say ?files=archive"
            )
        return Resolved(
            str(found.version), files, {k: v for k, v in facts.items() if v is not None}, warnings
        )

    def origin(self, file: RemoteFile) -> Origin:
        """See :meth:`mldata.sources.base.RemoteSource.origin`."""
        from mldata.download.unzip import Unzipped

        origin = self._api.origin(self._owner, self._name, int(file.version), file.place)
        return Unzipped(origin, file.name.rpartition("/")[2], file.size) if file.place else origin

    def about(self) -> About:
        """See :meth:`mldata.sources.base.RemoteSource.about`."""
        found = self._look(self._wanted)
        files = {
            str(file.get("name")): file
            for file in next(self._api.files(self._owner, self._name, found.version))
        }
        chosen = [files[place] for place in self._choose(files)[0].values()]
        if len(files) < PAGE:
            size: int | None = sum(_size(file) or 0 for file in chosen)
        else:
            size = None if self._path else _size(found.said)
        return About(
            title=found.title,
            description=_text(found.said, "description") or _text(found.said, "subtitle"),
            homepage=self._api.page,
            license=found.license,
            size=size,
            features=next(filter(None, map(_features, chosen)), ()),
            tags=_tags(found.said),
        )

    def _look(self, version: str | None) -> _Found:
        said = self._api.record("datasets", "view", self._owner, self._name)
        newest = said.get("currentVersionNumber")
        if not isinstance(newest, int) or newest < 1:
            raise SourceError(
                "expected a dataset with a version, found none: Kaggle may still be reading it",
                where=self.text,
                hint=f"Look at {self._api.page}",
            )
        number = newest if version is None else self._number(version)
        if number > newest:
            raise SourceError(
                f"expected a version from 1 to {newest}, found {version}",
                where=self.text,
                hint=f"See {self._api.page}",
            )
        ref = _text(said, "ref")
        renamed = ref is not None and ref.lower() != f"{self._owner}/{self._name}".lower()
        return _Found(number, said, _text(said, "title"), _license(said), ref if renamed else None)

    def _number(self, version: str) -> int:
        if not _VERSION.fullmatch(version):
            raise self._odd("the number of a version", shown(version))
        return int(version)

    def _odd(self, expected: str, found: str) -> SourceError:
        return SourceError(f"expected {expected}; found {found}", where=self.text)

    def _files(self, version: int) -> tuple[list[RemoteFile], dict[str, int]]:
        """All files that are meant, sorted, and what is left out by kind; or the archive of all files, whose place is empty."""
        archive = RemoteFile(f"{self._name}.zip", "", version=str(version))
        sizes: dict[str, int | None] = {}
        for page in self._api.files(self._owner, self._name, version):
            for file in page:
                name = _text(file, "name")
                if name is None or name in sizes:
                    raise self._api.odd("a name for each file, and another for each", file.get("name"))
                sizes[name] = _size(file)
            if sizes and (self._archive or (len(sizes) > MOST_FILES and not self._path)):
                return [archive], {}
            if len(sizes) > MOST_LISTED:
                raise SourceError(
                    f"expected at most {MOST_LISTED:,} files to choose from, found more",
                    where=self.text,
                    hint=f"Take them all in one archive: kaggle://{self._owner}/{self._name}?files=archive",
                )
        chosen, ignored = self._choose(sizes)
        if not chosen:
            what = f"none of its {len(sizes):,} is {self._path or 'data'}" if sizes else "none"
            raise SourceError(
                f"expected at least one file in version {version}, found {what}",
                where=self.text,
                hint=f"See what there is: {self._api.page}/data",
            )
        files = [
            RemoteFile(name, place, sizes[place], version=str(version)) for name, place in chosen.items()
        ]
        return files, ignored

    def _choose(self, places: Collection[str]) -> tuple[dict[str, str], dict[str, int]]:
        """The files that are meant, by their names in the tree in sorting order, and what is left out by kind."""
        if self._path in places:
            return {self._path.rpartition("/")[2]: self._path}, {}
        folder, pattern = split_pattern(self._path)
        start = f"{folder}/" if folder else ""
        inside = sorted(place[len(start) :] for place in places if place.startswith(start))
        taken = take(inside, pattern or EVERYTHING)
        return {name: start + name for name in taken.names}, taken.ignored


@dataclass(frozen=True)
class _Found:
    """What there is to say of a dataset."""

    version: int
    said: Mapping[str, Any]
    title: str | None
    license: str | None
    ref: str | None
    """Its name now, if that is another one."""


def search(query: Query) -> Iterator[Hit]:
    """Datasets that fit, in Kaggle's order. Kaggle itself looks for the text and the size; its tags say the modality and the task."""
    api = KaggleApi("kaggle://", "datasets")
    params: dict[str, str | int] = {"search": query.text}
    if query.min_size is not None:
        params["minSize"] = query.min_size
    if query.max_size is not None:
        params["maxSize"] = query.max_size
    left = query.limit
    for page in range(1, MOST_PAGES + 1):
        said = api.get("datasets", "list", page=page, **params)
        found = said.get("datasets") if isinstance(said, dict) else said
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise api.odd("a list of datasets", said)
        for one in found:
            if left and (hit := _hit(one)) is not None and _fits(hit, query):
                left -= 1
                yield hit
        if not found or not left:
            return


def _hit(said: Mapping[str, Any]) -> Hit | None:
    ref = _text(said, "ref") or ""
    if not all(map(_SLUG.fullmatch, ref.split("/", 1))) or "/" not in ref:
        return None
    downloads, updated = said.get("downloadCount"), _text(said, "lastUpdated")
    return Hit(
        f"kaggle://{ref}",
        title=_text(said, "title"),
        license=_license(said),
        size=_size(said),
        downloads=downloads if isinstance(downloads, int) else None,
        updated=updated[:10] if updated else None,
        tags=_tags(said),
    )


def _fits(hit: Hit, query: Query) -> bool:
    """Whether its tags and its licence say what is wanted."""
    wanted = [(kind, text) for kind, text in (("modality", query.modality), ("task", query.task)) if text]
    licensed = query.license is None or (hit.license is not None and same_license(query.license, hit.license))
    return licensed and all(f"{kind}:{_plain(text)}" in hit.tags for kind, text in wanted)


def _marked(tag: str) -> str:
    """A tag with what it is about, as other sources have it: Kaggle's are words."""
    plain = _plain(tag)
    kind = "modality" if plain in MODALITIES else "task" if plain.endswith(TASKS) else ""
    return f"{kind}:{plain}" if kind else tag


def _plain(tag: str) -> str:
    return tag.strip().lower().replace(" ", "-")


def _license(said: Mapping[str, Any]) -> str | None:
    """The licence by its short name, where the long one has that behind it."""
    name = _text(said, "licenseName")
    short = re.search(r"\((CC [^()]+)\)", name or "")
    return short[1] if short else name


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) and value else None


def _size(said: Mapping[str, Any]) -> int | None:
    """Bytes; Kaggle says 0 of what it has not measured."""
    value = said.get("totalBytes")
    return value if isinstance(value, int) and value > 0 else None


def _tags(said: Mapping[str, Any]) -> tuple[str, ...]:
    tags = said.get("tags")
    names = [_text(tag, "name") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return tuple(map(_marked, filter(None, names)))


def _features(file: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The columns of a file as the site found them; none of what is no table."""
    columns = file.get("columns")
    found = [c for c in columns if isinstance(c, dict)] if isinstance(columns, list) else []
    return tuple((_text(c, "name") or "", _text(c, "type") or "") for c in found)
