"""A conversation with an agent, in this process."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

from mldata.lfsagent.agent import Agent
from mldata.lfsagent.place import StorePlace


def oid_of(data: bytes) -> str:
    """The LFS id of a content."""
    return hashlib.sha256(data).hexdigest()


def talk(store: Path, *requests: dict[str, Any] | bytes, replies: io.RawIOBase | None = None) -> list[Any]:
    """What an agent of the store answers to these lines."""
    lines = [it if isinstance(it, bytes) else json.dumps(it).encode() + b"\n" for it in requests]
    out = io.BytesIO()
    agent = Agent(
        io.BytesIO(b"".join(lines)), replies or out, lambda writing: StorePlace(store, writing=writing)
    )  # type: ignore[arg-type]
    agent.run()
    text = out.getvalue()
    assert text.endswith(b"\n") or not text
    return [json.loads(line) for line in text.splitlines()]


def init(operation: str) -> dict[str, Any]:
    """The first line of git lfs."""
    return {"event": "init", "operation": operation, "remote": "origin", "concurrent": True}


def upload(path: Path, data: bytes | None = None) -> dict[str, Any]:
    """A request to take ``path`` in, as what holds ``data`` (None: what it holds)."""
    data = path.read_bytes() if data is None else data
    return {"event": "upload", "oid": oid_of(data), "size": len(data), "path": str(path), "action": None}


def download(data: bytes) -> dict[str, Any]:
    """A request for the object that holds ``data``."""
    return {"event": "download", "oid": oid_of(data), "size": len(data), "action": None}


def repository(folder: Path) -> Path:
    """An empty git repository."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder
