"""Datasets of OpenML: ``openml://ID``, ``openml://NAME`` (the oldest version that is active), ``openml://NAME@VERSION``, ``?files=arff``.

A dataset is one table, in two files: Parquet, which is taken where it is, and ARFF, against the MD5 that is stated of it. The revision pins which
dataset, which of its files, and what it was: OpenML keeps no earlier states of a file, and numbers a new version of a dataset anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import SourceError, shown
from mldata.sources import SOURCES
from mldata.sources.base import About, Hit, Query, RemoteFile, Resolved
from mldata.sources.openmlapi import NO_RESULTS, UNKNOWN, OpenmlApi, Refused
from mldata.sources.openmldata import Description, Feature, read_description, read_features
from mldata.sources.uri import parse_uri

if TYPE_CHECKING:
    from mldata.download.base import Origin

__all__ = ["OpenmlSource", "search"]

FORM = "openml://ID, openml://NAME or openml://NAME@VERSION"
ARFF, PARQUET = "arff", "parquet"
MOST_FEATURES = 200
"""Columns of which the manifest tells each."""
PAGE = 5000
"""Datasets in one answer of a search."""
MOST_LISTED = 1_000_000
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_PINNED = re.compile(r"([1-9][0-9]{0,11})-(arff|parquet)-([0-9a-f]+)")
_ETAG = re.compile(r'"([0-9a-f]{32}(?:-[0-9]+)?)"')


class OpenmlSource:
    """A dataset of OpenML; see :class:`mldata.sources.base.RemoteSource`."""

    def __init__(self, text: str, root: Path) -> None:
        uri = parse_uri(text, SOURCES["openml"], FORM)
        self.text = text
        self._name, at, version = uri.path.rpartition("@") if "@" in uri.path else (uri.path, "", "")
        if at and version != uri.options.get("revision", version):
            raise self._odd("one version", f"{version} and {uri.options['revision']}")
        if at:
            uri = uri.with_options(revision=version)
        self._wanted = uri.options.get("revision")
        if not self._name or "/" in self._name or not self._name.isprintable():
            raise self._odd(FORM, shown(self._name))
        if self._wanted and not (_NUMBER.fullmatch(self._wanted) or _PINNED.fullmatch(self._wanted)):
            raise self._odd("the number of a version", shown(self._wanted))
        self._format = uri.options.get("files")
        if self._format not in (None, ARFF, PARQUET):
            raise self._odd("files=arff or files=parquet", f"files={self._format}")
        self.key = str(replace(uri, path=self._name))
        self._api = OpenmlApi(text)

    def resolve(self, revision: str | None = None) -> Resolved:
        """See :meth:`mldata.sources.base.RemoteSource.resolve`."""
        found, only, warnings = self._look(revision)
        file, others = self._file(found, only)
        features, more = self._features(found)
        facts = {
            "id": found.id, "name": found.name, "version": found.version, "license": found.license,
            "homepage": self._page(found.id), "format": file.name.rpartition(".")[2], "target": found.target,
            "row_id": found.row_id, "ignore": list(found.ignore),
            "features": [feature.fact() for feature in features] if len(features) <= MOST_FEATURES else [],
        }  # fmt: skip
        kept = {key: value for key, value in facts.items() if value not in (None, [])}
        unsafe = [self._api.warning] if self._api.warning else []
        return Resolved(_revision(found.id, file), [file], kept, [*unsafe, *warnings, *others, *more])

    def origin(self, file: RemoteFile) -> Origin:
        """See :meth:`mldata.sources.base.RemoteSource.origin`."""
        return self._api.origin(file.place)

    def about(self) -> About:
        """See :meth:`mldata.sources.base.RemoteSource.about`."""
        found, only, _ = self._look(None)
        features, _ = self._features(found)
        return About(
            title=found.name,
            description=found.description,
            homepage=self._page(found.id),
            license=found.license,
            size=self._file(found, only)[0].size,
            rows=self._rows(found.id),
            features=[(feature.name, feature.type) for feature in features],
            target=found.target,
            tags=found.tags,
        )

    def _look(self, revision: str | None) -> tuple[Description, str | None, list[str]]:
        """What the dataset is, the one of its files that is wanted, and what to warn of."""
        pinned = _PINNED.fullmatch(revision or self._wanted or "")
        if revision and pinned is None:
            raise self._odd("a revision such as 61-parquet-…", shown(revision))
        only = pinned[2] if pinned else self._format
        warnings: list[str] = []
        if pinned:
            number = pinned[1]
        elif _NUMBER.fullmatch(self._name):
            number = self._name
        else:
            number, warnings = self._named()
        try:
            said = self._api.get("data_set_description", "data", number)
        except Refused as error:
            raise self._missing(error, f"no dataset {number}") from None
        found = read_description(said, self._api)
        wanted = None if pinned else self._wanted
        if str(found.id) != number or (wanted is not None and str(found.version) != wanted):
            what = f"the dataset {found.id}, version {found.version}"
            raise self._odd(f"dataset {number}" + (f", version {wanted}" if wanted else ""), what)
        if pinned and _NUMBER.fullmatch(self._name) and self._name != number:
            raise self._odd(f"a revision of dataset {self._name}", f"one of {number}")
        if found.status != "active":
            how = "deactivated: it is thought to be wrong" if found.status == "deactivated" else found.status
            warnings.append(
                f"{self.text} is {how.replace('_', ' ')}, says OpenML; see {self._page(found.id)}"
            )
        return found, only, warnings

    def _named(self) -> tuple[str, list[str]]:
        """The number of the dataset that has this name, and what to warn of."""
        version = ["data_version", self._wanted, "status", "all"] if self._wanted else ["status", "active"]
        try:
            said = self._api.get("data", "data", "list", "data_name", self._name, *version)
        except Refused as error:
            which = f"version {self._wanted} of a dataset" if self._wanted else "active dataset"
            raise self._missing(error, f"no {which} called {self._name}") from None
        numbers = sorted(
            number
            for one in self._listed(said)
            if str(one.get("name")).lower() == self._name.lower() and (number := _whole(one.get("did")))
        )
        if not numbers:
            raise self._api.odd(f"datasets called {self._name}", said)
        if len(numbers) == 1:
            return str(numbers[0]), []
        others = ", ".join(f"openml://{number}" for number in numbers[1:6])
        more = " and more" if len(numbers) > 6 else ""
        return str(numbers[0]), [
            f"{self.text} may mean {len(numbers)} datasets: the oldest is taken, openml://{numbers[0]}; others are {others}{more}"
        ]

    def _missing(self, error: Refused, what: str) -> SourceError:
        """The error for what is not there; the API's own one where it is about something else."""
        if error.number not in (UNKNOWN, NO_RESULTS):
            return error
        words = self._name if not self._name.isdecimal() else "WORDS"
        return SourceError(
            f"OpenML has {what}", where=self.text, hint=f"Look for it: mldata search {words} -s openml"
        )

    def _listed(self, said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        found = said.get("dataset")
        found = [found] if isinstance(found, dict) else found
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._api.odd("a list of datasets", found)
        return found

    def _file(self, found: Description, only: str | None) -> tuple[RemoteFile, list[str]]:
        """The file to take, and what to warn of."""
        warnings = []
        if only != ARFF:
            parquet, why = self._parquet(found)
            if parquet is not None:
                return parquet, []
            if only == PARQUET:
                hint = f"Take the other one: openml://{found.id}?files=arff"
                raise SourceError(f"expected a Parquet file, found {why}", where=self.text, hint=hint)
            warnings = [f"{self.text} comes as ARFF: OpenML has {why}"]
        if found.arff is None:
            raise SourceError("OpenML names no file of this dataset", where=self.text, hint=f"See {self._page(found.id)}")  # fmt: skip
        digests = {"md5": found.md5} if found.md5 else {}
        name = f"{found.file_name}.{ARFF}"
        return RemoteFile(name, found.arff, digests=digests, version=found.md5 or ""), warnings

    def _parquet(self, found: Description) -> tuple[RemoteFile | None, str]:
        """The Parquet file; or why there is none."""
        from mldata.download.base import Denied, HttpError

        if found.parquet is None:
            return None, "no Parquet file of it"
        try:
            head = self._api.head(found.parquet)
        except (Denied, HttpError) as error:
            if error.status not in (401, 403, 404, 410):
                raise
            return None, f"a Parquet file of it that it does not give out ({error.status})"
        state, size = head.validator, head.validator.size
        version = state.etag or (f"{state.modified} {size}" if state.modified else "")
        return RemoteFile(f"{found.file_name}.{PARQUET}", found.parquet, size, version=version), ""

    def _features(self, found: Description) -> tuple[list[Feature], list[str]]:
        """The columns, as far as OpenML has looked at them, and what to warn of."""
        try:
            return read_features(self._api.get("data_features", "data", "features", str(found.id))), []
        except Refused:
            return [], [f"{self.text}: OpenML says nothing about its columns (yet)"]

    def _rows(self, number: int) -> int | None:
        try:
            said = self._api.get("data_qualities", "data", "qualities", str(number))
        except Refused:
            return None
        return _quality(said.get("quality"), "NumberOfInstances")

    def _page(self, number: int) -> str:
        return f"{self._api.site}/d/{number}"

    def _odd(self, expected: str, found: str) -> SourceError:
        return SourceError(f"expected {expected}; found {found}", where=self.text, hint=f"Such as {FORM}")


def search(query: Query) -> Iterator[Hit]:
    """Active datasets with all words of the query in their names, the nearest name first. OpenML can be asked for whole names only, so its list is read."""
    if query.modality not in (None, "tabular"):
        return
    api = OpenmlApi("openml://")
    words = _words(query.text)
    found: list[tuple[int, Hit]] = []
    for said in _all(api):
        number, name = _whole(said.get("did")), said.get("name")
        if number is None or not isinstance(name, str) or not all(word in _words(name) for word in words):
            continue
        hit = _hit(number, name, said)
        if query.task is None or f"task:{query.task}" in hit.tags:
            found.append((abs(len(_words(name)) - len(words)), hit))
    for _, hit in sorted(found, key=lambda one: one[0])[: query.limit]:
        yield hit


def _all(api: OpenmlApi) -> Iterator[Mapping[str, Any]]:
    """All active datasets, in the order of their numbers."""
    last = 0
    for offset in range(0, MOST_LISTED, PAGE):
        try:
            said = api.get(
                "data", "data", "list", "status", "active", "limit", str(PAGE), "offset", str(offset)
            )
        except Refused as error:
            if error.number == NO_RESULTS:
                return
            raise
        page = said.get("dataset")
        if not isinstance(page, list) or not page:
            return
        yield from (one for one in page if isinstance(one, dict))
        before, last = last, _whole(page[0].get("did") if isinstance(page[0], dict) else None) or 0
        if len(page) < PAGE or before == last:
            return


def _hit(number: int, name: str, said: Mapping[str, Any]) -> Hit:
    classes = _quality(said.get("quality"), "NumberOfClasses")
    tags = ["modality:tabular"]
    if classes is not None and classes >= 0:
        tags.append("task:tabular-classification" if classes else "task:tabular-regression")
    version = said.get("version")
    return Hit(
        f"openml://{number}",
        title=f"{name}, version {version}" if _whole(version) else name,
        rows=_quality(said.get("quality"), "NumberOfInstances"),
        tags=tags,
    )


def _revision(number: int, file: RemoteFile) -> str:
    plain = _ETAG.fullmatch(file.version)
    state = plain[1] if plain and "-" not in plain[1] else file.version
    if not re.fullmatch("[0-9a-f]{32}", state):
        state = sha256(state.encode()).hexdigest()[:32]
    return f"{number}-{file.name.rpartition('.')[2]}-{state}"


def _quality(said: object, name: str) -> int | None:
    """A whole number among the qualities."""
    for one in said if isinstance(said, list) else ():
        if isinstance(one, dict) and one.get("name") == name:
            try:
                return int(float(one["value"]))
            except (TypeError, ValueError, OverflowError, KeyError):
                return None
    return None


def _whole(value: object) -> int | None:
    return int(str(value)) if _NUMBER.fullmatch(str(value)) else None


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+", text.lower())
