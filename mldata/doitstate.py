"""The file in which doit's state is kept between runs (see :mod:`mldata.tasks` for why doit does not keep it itself)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["StateCodec"]


class StateCodec:
    """doit's database: JSON with every file's path once, behind a line with the BLAKE3 of the rest.

    doit reads and writes the null device; this class keeps the file. One that does not verify counts as empty: every task
    then runs, finds its receipts in order, and does nothing. One that cannot be written is done without.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: _Records | None = None

    def encode(self, data: dict[str, Any]) -> str:
        """Publish the database unless nothing was written to it since it was read."""
        from store import StoreError, publish_bytes

        if data is self._records and not self._records.dirty:
            return ""
        body = json.dumps({task: _pack(record) for task, record in data.items()}, separators=(",", ":"))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            publish_bytes(self._path, f"{_checksum(body)}\n{body}".encode())
        except (OSError, StoreError):
            pass  # a full or read-only disk costs the next run some looking up
        return ""

    def decode(self, _: str) -> dict[str, Any]:
        """The database; empty when it is absent or damaged."""
        records = self._records = _Records()
        try:
            checksum, _, body = self._path.read_bytes().decode("utf-8", "replace").partition("\n")
        except OSError:
            checksum, body = "", ""
        if checksum == _checksum(body):
            for task, (paths, states, rest) in json.loads(body).items():
                record = _Record(records, rest)
                if paths is not None:
                    dict.__setitem__(record, "deps:", paths)
                    record.update(zip(paths, states or (), strict=states is not None))
                records[task] = record
        records.dirty = False
        return records


def _pack(record: dict[str, Any]) -> list[Any]:
    """A task's record with each path once: [paths, states in the same order, the rest]."""
    paths = record.get("deps:")
    if paths is None:
        return [None, None, record]
    rest = {key: value for key, value in record.items() if key != "deps:"}
    try:
        states = [rest[path] for path in paths]
    except KeyError:  # a run that was cut off saved the list but not every state
        return [list(paths), None, rest]
    for path in paths:
        del rest[path]
    return [list(paths), states, rest]


class _Records(dict[str, Any]):
    """The decoded database; knows whether anything was written to it, so that a run that did nothing encodes nothing."""

    dirty = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.dirty = True
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.dirty = True
        super().__delitem__(key)


class _Record(dict[str, Any]):
    def __init__(self, owner: _Records, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._owner = owner

    def __setitem__(self, key: str, value: Any) -> None:
        self._owner.dirty = True
        super().__setitem__(key, value)


def _checksum(text: str) -> str:
    from blake3 import blake3

    return blake3(text.encode()).hexdigest()
