"""A source elsewhere for tests of everything that stands above sources: a folder, on a network that can be down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mldata.download.base import Origin, Validator
from mldata.errors import NetworkError
from mldata.sources.base import About, RemoteFile, Resolved, SourceInfo
from mldata.sources.local import LocalSource
from mldata.sources.uri import parse_uri
from store import hash_bytes

INFO = SourceInfo("far", __name__, "Far", remote=True, options=frozenset({"revision"}))


class Far:
    """``far://FOLDER``: a folder of the project. The network is down while the project has a file ``down``."""

    def __init__(self, text: str, root: Path) -> None:
        self.text = self.key = text
        self._root = root
        self._folder = parse_uri(text, INFO, "far://FOLDER").path

    def resolve(self, revision: str | None = None) -> Resolved:
        if (self._root / "down").exists():
            raise NetworkError("cannot be reached", where=self.text)
        listing = LocalSource(self._folder, self._root).listing()
        files = [RemoteFile(name, path, stat.size, version=str(stat)) for name, path, stat in listing]
        content = [Path(file.place).read_bytes() for file in files]
        names = [file.name for file in files]
        tops = sorted({name.split("/")[0] for name in names if "/" in name})
        facts = {"license": "CC0-1.0", **({"splits": tops} if len(tops) > 1 else {})}
        return Resolved(hash_bytes(repr([names, content]).encode()).digest[:12], files, facts)

    def origin(self, file: RemoteFile) -> Origin:
        log = self._root / "asked"
        with open(log, "a", encoding="utf-8") as asked:
            asked.write(f"{file.name}\n")
        return DiskOrigin(file.place)

    def about(self) -> About:
        return About(license="CC0-1.0")


class DiskOrigin:
    """A file of that folder."""

    def __init__(self, path: str) -> None:
        self.name = self.identity = path

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> DiskBody:
        return DiskBody(self.name, start, stop)


class DiskBody:
    """Its bytes."""

    ranges = False
    reason = None
    digests: Mapping[str, str] = {}

    def __init__(self, path: str, start: int, stop: int | None) -> None:
        self.start = start
        data = Path(path).read_bytes()
        self.validator = Validator(size=len(data))
        self._part = data[start:stop]

    def __iter__(self) -> Iterator[bytes]:
        yield self._part

    def close(self) -> None: ...

    def __enter__(self) -> DiskBody:
        return self

    def __exit__(self, *_: object) -> None: ...
