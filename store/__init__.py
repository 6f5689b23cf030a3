"""store: an object store for bytes that must not change.

The words:

- *object*: immutable bytes, named by their *digest*, BLAKE3-256 of the content. ``ObjectId`` is a digest with a size.
- *secondary digest*: MD5 or SHA-256 of the same bytes, remembered beside the digest for tools that want those.
- *tree*: an object that lists names, each with kind, digest, size and whether it is a program; folders nest.
- *action*: one fully resolved run of something; its *key* is a digest; the *action result* names what it made.
- *ref*: a mutable name for a digest. A *root* is what garbage collection starts from: a ref, or the lease of a running build.
- *publish*: make visible atomically and durably. *Materialize*: make a folder from a tree.
- *partial*: what came of something large before it was cut off; no object yet.
- *seal*: a modification time that says that nobody wrote to a file since it was published.

How they meet::

    from store import Store

    with Store.open("s") as store:
        tree = store.ingest("folder")                  # ObjectId(digest, size) of a tree
        store.refs.set("data/1", tree.digest)          # a root: gc keeps it
        store.materialize(tree, "out")                 # by reflink, hardlink or copy
        id = store.put(b"some bytes")
        assert store.read(id) == b"some bytes"  # verified
        plan = store.plan_gc()                         # shows what nothing reaches; execute_gc removes it

Everything that goes wrong is a :class:`StoreError`. The format on disk is written down in ``store/FORMAT.md``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from store.actions import Action, ActionCache, ActionResult, Output, Recorded, action_keys
from store.atomic import publish_bytes, publish_text
from store.batch import Batch, ObjectWriter
from store.canonical import decode, decode_own, encode
from store.collecting import seldom_collecting
from store.digest import (
    HASH_NAMES,
    Digest,
    Hashes,
    MultiHasher,
    ObjectId,
    as_digest,
    digest_bytes,
    hash_bytes,
    hash_file,
)
from store.disposable import Disposable
from store.errors import (
    BadDigest,
    BadEncoding,
    BadRef,
    NameCollision,
    ObjectCorrupt,
    ObjectMissing,
    RefConflict,
    SourceChanged,
    SourceUnreadable,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreVersionError,
    UnsafeName,
)
from store.index import Index
from store.layout import Layout
from store.leases import Lease
from store.names import check_name, check_names, split_path
from store.refs import ANY, Ref, Refs
from store.seal import is_sealed, reseal
from store.source import FileStat, Ingested, scan
from store.store import Store
from store.trees import KIND_FILE, KIND_TREE, Tree, TreeEntry

if TYPE_CHECKING:
    from store.filesystem import Abilities, abilities
    from store.handing import HandedOver
    from store.materialize import Difference
    from store.partial import Partial
    from store.partials import Kept, Partials
    from store.partialstate import PartialState, Piece, piece_size
    from store.placing import Materialized
    from store.workers import Worker, WorkerLost, serve
else:
    _MODULES = {
        "Abilities": "store.filesystem",
        "abilities": "store.filesystem",
        "HandedOver": "store.handing",
        "Difference": "store.materialize",
        "Partial": "store.partial",
        "Kept": "store.partials",
        "Partials": "store.partials",
        "PartialState": "store.partialstate",
        "Piece": "store.partialstate",
        "piece_size": "store.partialstate",
        "Materialized": "store.placing",
        "Worker": "store.workers",
        "WorkerLost": "store.workers",
        "serve": "store.workers",
    }

    def __getattr__(name: str) -> object:
        """What few commands need, loaded when it is first asked for."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)


__all__ = [
    "ANY",
    "HASH_NAMES",
    "KIND_FILE",
    "KIND_TREE",
    "Abilities",
    "Action",
    "ActionCache",
    "ActionResult",
    "BadDigest",
    "BadEncoding",
    "BadRef",
    "Batch",
    "Difference",
    "Digest",
    "Disposable",
    "FileStat",
    "HandedOver",
    "Hashes",
    "Index",
    "Ingested",
    "Kept",
    "Layout",
    "Lease",
    "Materialized",
    "MultiHasher",
    "NameCollision",
    "ObjectCorrupt",
    "ObjectId",
    "ObjectMissing",
    "ObjectWriter",
    "Output",
    "Partial",
    "PartialState",
    "Partials",
    "Piece",
    "Recorded",
    "Ref",
    "RefConflict",
    "Refs",
    "SourceChanged",
    "SourceUnreadable",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreVersionError",
    "Tree",
    "TreeEntry",
    "UnsafeName",
    "Worker",
    "WorkerLost",
    "abilities",
    "action_keys",
    "as_digest",
    "check_name",
    "check_names",
    "decode",
    "decode_own",
    "digest_bytes",
    "encode",
    "hash_bytes",
    "hash_file",
    "is_sealed",
    "piece_size",
    "publish_bytes",
    "publish_text",
    "reseal",
    "scan",
    "seldom_collecting",
    "serve",
    "split_path",
]
