"""Receipts: what a stage last produced for a dataset, as a small deterministic file.

Format of ``.mldata/receipts/DATASET/STAGE.json``: one JSON object, keys sorted, two-space indent, ending with a newline; its
``digest`` is the BLAKE3 of the same text without that key. A receipt holds no clock time and no path outside the project.

Invariant: a receipt that does not verify is treated as absent, never trusted and never an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.pin import Pin

if TYPE_CHECKING:
    from store import Digest

FORMAT = 1


@dataclass(frozen=True)
class Receipt:
    """What one stage of one dataset was built from, and what came out."""

    dataset: str
    stage: str
    version: int
    """Of the stage's code."""
    params: Mapping[str, Any]
    inputs: Mapping[str, Digest]
    """Output tree of each stage that was read."""
    libraries: Mapping[str, str]
    """Versions of the distributions that wrote the bytes."""
    salt: str
    output: Digest
    size: int
    """Bytes of the output's own tree object."""
    objects: int
    """How many objects the output tree reaches, itself included."""
    rows: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    """Where outputs were put in the project (an export's folder and link mode). Never part of an action key."""

    def to_text(self) -> str:
        """The file's text."""
        body = {"receipt": FORMAT, **asdict(self)}
        body["digest"] = _digest(body)
        return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Damaged:
    """A receipt that is there but does not verify."""

    path: Path
    why: str


def raw_tree(output: Digest, facts: Mapping[str, Any]) -> Digest | None:
    """Of what fetch made, the tree of the raw files: what the lock pins. None if all sources are datasets."""
    raw: Digest | None = facts.get("raw", output)
    return raw


def pins_of(facts: Mapping[str, Any]) -> list[Pin]:
    """Of what fetch found: the sources that are elsewhere, in the order of the spec."""
    remote = facts.get("remote", {})
    return [Pin.from_json(remote[number]) for number in sorted(remote, key=int)]


def receipt_path(receipts: Path, dataset: str, stage: str) -> Path:
    """Where the receipt of a stage lies below the project's receipts folder."""
    return receipts / dataset / f"{stage}.json"


def read_receipt(path: Path) -> Receipt | Damaged | None:
    """The receipt at ``path``; None when there is none, :class:`Damaged` when it cannot be trusted."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Damaged(path, error.strerror or str(error))
    try:
        body = json.loads(data)
        if not isinstance(body, dict):
            return Damaged(path, "not a JSON object")
        claimed = body.pop("digest", None)
        if claimed != _digest(body):
            return Damaged(path, "its digest does not match its text")
        if body.pop("receipt") != FORMAT:
            return Damaged(path, "written by another version")
        return Receipt(**body)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return Damaged(path, str(error))


def read_receipts(state: Path) -> list[Receipt]:
    """All receipts below a project's state that can be trusted, by path."""
    found = (read_receipt(path) for path in sorted((state / "receipts").glob("*/*.json")))
    return [receipt for receipt in found if isinstance(receipt, Receipt)]


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Publish a receipt; a file that already says the same is left alone, with its time stamp."""
    from store import publish_bytes

    data = receipt.to_text().encode()
    try:
        if path.read_bytes() == data:
            return
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    publish_bytes(path, data)


def _digest(body: Mapping[str, Any]) -> str:
    from blake3 import blake3

    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()
