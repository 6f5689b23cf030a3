"""Actions, their keys, and the cache of what they made.

An *action* is one fully resolved run of a stage on one input; its key is the digest of its canonical encoding. An *action result*
names what the action made. The cache maps key to result.

Invariants: a result is published after every object it names is durable; a hit counts only if the file is whole and every object it
names is present, for a tree with all below it; of two builders that make the same action the first result stays.

Format of ``actions/ab/abcdef…``: a body, then the 32 bytes of the BLAKE3 of the body. The body is the canonical encoding of
``{"facts": {…}, "key": 32 bytes, "outputs": {name: [digest (32 bytes), size, "file" or "tree"]}, "version": 1}``. The key inside makes
a result that was copied under another name show.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from store import atomic, canonical
from store.digest import Digest, as_digest, digest_bytes
from store.errors import BadEncoding, ObjectMissing, StoreError
from store.layout import Layout, action_name
from store.leases import Leases, Need
from store.reach import UNREADABLE, scan
from store.trees import KIND_FILE, KIND_TREE, Tree

__all__ = [
    "Action",
    "ActionCache",
    "ActionResult",
    "Contents",
    "Json",
    "Output",
    "Recorded",
    "action_keys",
    "decode_result",
    "encode_result",
]

GROUP = 256
"""Results looked up in one pass of the gate: some tens of milliseconds that a gc may have to wait."""

Json = Any
"""None, bool, int, float, str, or lists and string-keyed mappings of these."""

RESULT_VERSION = 1
_TRAILER = 32
_READ = os.O_RDONLY | os.O_CLOEXEC
_READ_BYTES = 1 << 14
"""Most results are smaller."""


@dataclass(frozen=True)
class Action:
    """One fully resolved run of a stage. Everything that can change the bytes is in it, and nothing else (no path, time or host)."""

    stage: str
    version: int
    """``Stage.version``: grows when the stage's output changes for equal inputs."""
    params: Mapping[str, Json]
    """The stage's parameters with every default filled in."""
    inputs: tuple[tuple[str, Digest], ...]
    """Input name and digest, in the order the stage gives them a meaning."""
    runtime: Mapping[str, str]
    """Versions of the libraries that write the output."""
    salt: str = ""
    """``salt:`` of the spec: another one disowns every earlier result."""

    @property
    def key(self) -> Digest:
        """Digest of the canonical encoding. Raises ``BadEncoding`` for a parameter that has none (a set, a lone surrogate)."""
        return action_keys([self])[0]


def action_keys(actions: Iterable[Action]) -> list[Digest]:
    """:attr:`Action.key` of each. What several share, as the very same ``params`` and ``runtime``, is encoded once.

    Raises ``BadEncoding`` as the key does.
    """
    rests: dict[tuple[object, ...], tuple[Action, bytes]] = {}
    keys = []
    for action in actions:
        shared = (action.stage, action.version, action.salt, id(action.params), id(action.runtime))
        if shared not in rests:
            rests[shared] = action, _encoded_rest(action)  # with the action, so that the two ids stay its own
        inputs = [[name, bytes.fromhex(digest)] for name, digest in action.inputs]
        keys.append(digest_bytes(_KEY_START + canonical.encode(inputs) + rests[shared][1]))
    return keys


_KEY_START = b"\x87" + canonical.encode("inputs")
"""A canonical map of seven fields up to the value of the first: ``inputs`` comes before the names in :func:`_encoded_rest`."""


def _encoded_rest(action: Action) -> bytes:
    """An action without its inputs: canonical fields of a map, without the map's header of one byte."""
    rest = {
        "kind": "mldata-action",
        "params": dict(action.params),
        "runtime": dict(action.runtime),
        "salt": action.salt,
        "stage": action.stage,
        "version": action.version,
    }
    return canonical.encode(rest)[1:]


class Output(NamedTuple):
    """One thing an action made."""

    digest: Digest
    size: int
    kind: str = KIND_FILE
    """``KIND_FILE`` or ``KIND_TREE``."""


@dataclass(frozen=True)
class ActionResult:
    """What an action made."""

    outputs: Mapping[str, Output]
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Small things worth keeping (rows, seconds). They take no part in comparing two results of one action."""


class Recorded(NamedTuple):
    """What became of a result that was put."""

    result: ActionResult
    """The one the cache has now: go on with this."""
    status: Literal["new", "same", "differs"]
    """``differs``: the action was run before and gave other outputs, so it is not deterministic. The first result stays."""


class Contents(Protocol):
    """What the cache asks of the objects it refers to; ``Store`` has it."""

    def intact(self, digest: Digest, size: int | None = None) -> bool:
        """Present, and untouched since it was published."""
        ...

    def path(self, digest: Digest) -> Path:
        """Where it is, verified. Raises ``ObjectMissing``, ``ObjectCorrupt``."""
        ...

    def tree(self, digest: Digest) -> Tree:
        """The tree of that digest, verified."""
        ...


def encode_result(key: Digest, result: ActionResult) -> bytes:
    """The bytes of a result file. Raises ``BadEncoding`` when a fact cannot be encoded."""
    body = canonical.encode(
        {
            "facts": dict(result.facts),
            "key": bytes.fromhex(key),
            "outputs": {
                name: [bytes.fromhex(o.digest), o.size, o.kind] for name, o in result.outputs.items()
            },
            "version": RESULT_VERSION,
        }
    )
    return body + bytes.fromhex(digest_bytes(body))


def decode_result(key: Digest, data: bytes, where: str = "action result") -> ActionResult:
    """The result in the bytes of a file.

    Raises:
        BadEncoding: truncated, altered, or the result of another action; the message begins with ``where``.
    """
    body, trailer = data[:-_TRAILER], data[-_TRAILER:]
    if len(data) <= _TRAILER or bytes.fromhex(digest_bytes(body)) != trailer:
        raise BadEncoding(
            f"{where}: expected a body and its BLAKE3, found {len(data)} bytes that do not agree with their digest"
        )
    fields = canonical.decode_own(body)
    if not isinstance(fields, dict) or set(fields) != {"facts", "key", "outputs", "version"}:
        raise BadEncoding(f"{where}: expected the fields of an action result, found {str(fields)[:80]}")
    if fields["version"] != RESULT_VERSION or fields["key"] != bytes.fromhex(key):
        raise BadEncoding(
            f"{where}: expected version {RESULT_VERSION} and key {key}, found {fields['version']!r} and another key"
        )
    try:
        outputs = {name: _output(*values) for name, values in fields["outputs"].items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise BadEncoding(f"{where}: expected outputs of [digest, size, kind]: {error}") from error
    return ActionResult(outputs, fields["facts"])


def _output(digest: bytes, size: int, kind: str) -> Output:
    if (
        not isinstance(digest, bytes)
        or len(digest) != 32
        or not isinstance(size, int)
        or size < 0
        or kind not in (KIND_FILE, KIND_TREE)
    ):
        raise ValueError(f"found {[digest, size, kind]!r:.80}")
    return Output(Digest(digest.hex()), size, kind)


def _needs(key: Digest, result: ActionResult) -> list[Need]:
    outputs = [Need("tree" if o.kind == KIND_TREE else "file", o.digest) for o in result.outputs.values()]
    return [Need("result", key), *outputs]


class ActionCache:
    """Key → result, on disk. Threads and processes may share it."""

    def __init__(
        self, layout: Layout, contents: Contents, leases: Leases, *, read_only: bool = False
    ) -> None:
        self._layout = layout
        self._root = os.path.join(layout.root, "")
        self._contents = contents
        self._leases = leases
        self._read_only = read_only

    def get(self, key: Digest) -> ActionResult | None:
        """The result of an action, or None when it has none that can be used.

        What it names is in the current lease on return, so gc leaves it alone until the lease ends. A damaged file counts as absent and is
        moved to ``quarantine/`` unless the store is read-only.
        """
        with self._leases.gate():
            result = self._load(key)
            if result is None or not self._whole(result):
                return None
            self.need(key, result)
        return result

    def get_many(self, keys: Sequence[Digest]) -> dict[Digest, ActionResult]:
        """:meth:`get` for many keys: the usable results by key. The gate is passed once for every few hundred."""
        found: dict[Digest, ActionResult] = {}
        for start in range(0, len(keys), GROUP):
            needs: list[Need] = []
            with self._leases.gate():
                for key in keys[start : start + GROUP]:
                    result = self._load(key)
                    if result is not None and self._whole(result):
                        found[key] = result
                        needs += _needs(key, result)
                lease = self._leases.current
                if lease is not None and needs:
                    lease.add(needs)
        return found

    def put(self, key: Digest, result: ActionResult) -> Recorded:
        """Record what an action made; durable on return. Every output must be published already.

        Two builders that made the same action both succeed: the first usable result stays.
        """
        data = encode_result(key, result)
        with self._leases.gate():
            recorded = self.first(key, result)
            if recorded.status == "new":
                atomic.publish_bytes(self._layout.action(key), data, tmp=self._layout.tmp, mode=0o444)
            self.need(key, recorded.result)
        return recorded

    def first(self, key: Digest, result: ActionResult) -> Recorded:
        """What :meth:`put` would record, without writing. For a group commit, which publishes those that are new itself; inside the gate."""
        kept = self._load(key)
        if kept is None or not self._whole(kept):
            return Recorded(result, "new")
        return Recorded(kept, "same" if dict(kept.outputs) == dict(result.outputs) else "differs")

    def load(self, key: Digest) -> ActionResult:
        """The result as it is on disk, whether or not what it names is present.

        Raises:
            ObjectMissing: there is none.
            BadEncoding: the file is damaged.
        """
        path = f"{self._root}{action_name(as_digest(key))}"
        try:
            fd = os.open(path, _READ)  # a file object would take twice as long, for each of thousands
            try:
                data = os.read(fd, _READ_BYTES)
                while more := os.read(fd, _READ_BYTES):
                    data += more
            finally:
                os.close(fd)
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectMissing(key) from None
        except OSError as error:
            raise StoreError(
                f"{path}: expected to read an action result, found: {error.strerror}; check the disk and permissions"
            ) from error
        return decode_result(key, data, path)

    def delete(self, key: Digest) -> bool:
        """Forget a result; its objects stay until gc. Returns whether there was one."""
        try:
            self._layout.action(key).unlink()
        except FileNotFoundError:
            return False
        return True

    def keys(self) -> Iterator[Digest]:
        """Every key that has a file, damaged or not, in no particular order."""
        for entry in scan(self._layout.actions):
            if entry.digest is not None:
                yield entry.digest

    def _load(self, key: Digest) -> ActionResult | None:
        try:
            return self.load(key)
        except ObjectMissing:
            return None
        except BadEncoding:
            if not self._read_only:
                self._move_aside(key)
            return None

    def need(self, key: Digest, result: ActionResult) -> None:
        """Put a result and what it names into the current lease, if there is one; inside the gate."""
        lease = self._leases.current
        if lease is not None:
            lease.add(_needs(key, result))

    def _whole(self, result: ActionResult) -> bool:
        """Whether everything that the result names is present: one stat an object, each tree once a lease."""
        lease = self._leases.current
        seen = lease.whole if lease is not None else set()
        return all(self._present(o.digest, o.size, o.kind, seen) for o in result.outputs.values())

    def _present(self, digest: Digest, size: int, kind: str, seen: set[Digest]) -> bool:
        if kind == KIND_TREE and digest in seen:
            return True
        try:
            # A broken seal says nothing yet: the path is asked for, which reads and compares.
            if (
                not self._contents.intact(digest, size)
                and os.stat(self._contents.path(digest)).st_size != size
            ):
                return False
            if kind == KIND_TREE:
                if not all(
                    self._present(e.digest, e.size, e.kind, seen) for e in self._contents.tree(digest)
                ):
                    return False
                seen.add(digest)
        except UNREADABLE:
            return False
        return True

    def _move_aside(self, key: Digest) -> None:
        target = self._layout.quarantine / f"{key}.{atomic.unique_name()}"
        with suppress(OSError):  # gone, or put aside by another
            target.parent.mkdir(exist_ok=True)
            os.rename(self._layout.action(key), target)
