"""Trees: objects that list names.

Format of a tree object: the canonical encoding of the list ``["tree", 1, names, kinds, sizes, digests]``, where entry
*i* of the tree is ``names[i]`` (str), byte *i* of ``kinds`` (0 a file, 1 an executable file, 2 a tree), ``sizes[i]`` (int:
bytes of the object itself, also for a tree) and bytes *32 i* to *32 i + 31* of ``digests``. Columns, because a folder of
50,000 images is read back in milliseconds. Names are sorted by their UTF-8 bytes and safe (see ``store.names``).

Invariant: two trees with the same entries are the same bytes; a tree is published after all that it lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from store import canonical
from store.digest import Digest, ObjectId, as_digests
from store.errors import BadEncoding, NameCollision, UnsafeName
from store.names import check_names, split_path

KIND_FILE = "file"
KIND_TREE = "tree"

TREE_VERSION = 1
_FILE, _EXECUTABLE, _TREE = 0, 1, 2
_KINDS = {_FILE: (KIND_FILE, False), _EXECUTABLE: (KIND_FILE, True), _TREE: (KIND_TREE, False)}
MAX_SIZE = 2**63 - 1


class TreeEntry(NamedTuple):
    """One line of a tree."""

    name: str
    kind: str
    """:data:`KIND_FILE` or :data:`KIND_TREE`."""
    digest: Digest
    size: int
    """Bytes of the object (for a tree: of the tree object, not of what is below it)."""
    executable: bool = False
    """Whether a file is run as a program; never set for a tree."""


class Tree:
    """What a tree object lists, sorted by the UTF-8 bytes of the names. Immutable."""

    __slots__ = ("_by_name", "entries")

    def __init__(self, entries: Iterable[TreeEntry]) -> None:
        """Raises :class:`UnsafeName` or :class:`NameCollision`."""
        self.entries: tuple[TreeEntry, ...] = tuple(sorted(entries, key=itemgetter(0)))
        check_names([entry.name for entry in self.entries])
        self._by_name: dict[str, TreeEntry] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(entry.name for entry in self.entries)

    def get(self, name: str) -> TreeEntry | None:
        """The entry with this name."""
        if self._by_name is None:
            self._by_name = {entry.name: entry for entry in self.entries}
        return self._by_name.get(name)

    def __iter__(self) -> Iterator[TreeEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"Tree({list(self.entries)!r})"

    def encode(self) -> bytes:
        """The bytes of the tree object. Raises :class:`BadDigest` or :class:`BadEncoding` for an impossible entry."""
        kinds = bytearray()
        for entry in self.entries:
            if entry.kind == KIND_FILE:
                kinds.append(_EXECUTABLE if entry.executable else _FILE)
            elif entry.kind == KIND_TREE and not entry.executable:
                kinds.append(_TREE)
            else:
                raise BadEncoding(f"expected a file or a tree that is not executable, found {entry!r}")
            if not (type(entry.size) is int and 0 <= entry.size <= MAX_SIZE):
                raise BadEncoding(f"expected a size in bytes, found {entry!r}")
        digests = bytes.fromhex("".join(as_digests([entry.digest for entry in self.entries])))
        sizes = [entry.size for entry in self.entries]
        return canonical.encode(["tree", TREE_VERSION, list(self.names), bytes(kinds), sizes, digests])

    @classmethod
    def decode(cls, data: bytes) -> Tree:
        """The tree that a tree object holds. :class:`BadEncoding`, :class:`UnsafeName` or :class:`NameCollision`."""
        names, kinds, sizes, digests = _columns(canonical.decode(data))
        text = digests.hex()
        entries = []
        for number, name in enumerate(names):
            kind, executable = _KINDS[kinds[number]]
            digest = Digest(text[64 * number : 64 * number + 64])
            entries.append(TreeEntry(name, kind, digest, sizes[number], executable))
        tree = cls(entries)
        if tree.names != tuple(names):
            raise BadEncoding("expected a tree sorted by name, found another order")
        return tree


def _columns(value: Any) -> tuple[list[str], bytes, list[int], bytes]:
    """The columns of a decoded tree object, each of the right type and length."""
    if not (isinstance(value, list) and len(value) == 6 and value[0] == "tree" and value[1] == TREE_VERSION):
        raise BadEncoding("expected a tree object of version 1, found something else")
    names, kinds, sizes, digests = value[2:]
    if not (
        isinstance(names, list)
        and isinstance(kinds, bytes)
        and isinstance(sizes, list)
        and isinstance(digests, bytes)
    ):
        raise BadEncoding("expected the four columns of a tree, found other types")
    count = len(names)
    if not (len(kinds) == len(sizes) == count and len(digests) == 32 * count):
        raise BadEncoding("expected columns of equal length in a tree, found different lengths")
    if not (
        set(map(type, names)) <= {str} and set(map(type, sizes)) <= {int} and set(kinds) <= _KINDS.keys()
    ):
        raise BadEncoding("expected names, sizes and known kinds in a tree, found something else")
    if count and (min(sizes) < 0 or max(sizes) > MAX_SIZE):
        raise BadEncoding("expected sizes that are not negative in a tree, found another number")
    return names, kinds, sizes, digests


def nest(
    files: Iterable[tuple[str, ObjectId, bool]], put_tree: Callable[[Iterable[TreeEntry]], ObjectId]
) -> ObjectId:
    """Put the trees that a list of paths needs, inner ones first, and return the outermost.

    Args:
        files: (path ``a/b/c``, object, executable), in any order. No file makes an empty tree.
        put_tree: takes one level, returns its object.

    Raises:
        UnsafeName, NameCollision: naming the path.
    """
    root: dict[str, Any] = {}
    folders: dict[str, dict[str, Any]] = {"": root}
    for path, id, executable in files:
        head, _, name = path.rpartition("/")
        folder = folders.get(head) if head or path == name else None
        if folder is None:
            folder = _folder(folders, head, path)
        if name in folder:
            why = (
                "one is a file and the other a folder"
                if isinstance(folder[name], dict)
                else "they are the same name"
            )
            raise NameCollision(path, path, why)
        folder[name] = TreeEntry(name, KIND_FILE, id.digest, id.size, executable)
    return _put_level(root, "", put_tree)


def _folder(folders: dict[str, dict[str, Any]], head: str, path: str) -> dict[str, Any]:
    """The level for the folder ``head``, made with those above it where missing."""
    parts = split_path(path)[:-1]
    level = folders[""]
    for depth, part in enumerate(parts, 1):
        below = level.setdefault(part, {})
        if not isinstance(below, dict):
            raise NameCollision("/".join(parts[:depth]), path, "one is a file and the other a folder")
        level = below
    folders[head] = level
    return level


def _put_level(
    level: dict[str, Any], where: str, put_tree: Callable[[Iterable[TreeEntry]], ObjectId]
) -> ObjectId:
    entries = []
    for name, item in level.items():
        if isinstance(item, dict):
            id = _put_level(item, f"{where}/{name}" if where else name, put_tree)
            item = TreeEntry(name, KIND_TREE, id.digest, id.size)
        entries.append(item)
    try:
        return put_tree(entries)
    except (UnsafeName, NameCollision):
        check_names(list(level), where or None)  # says where
        raise


def walk(root: Digest, read: Callable[[Digest], Tree]) -> Iterator[tuple[str, TreeEntry]]:
    """Every file below a tree, depth first in order of name, as (path, entry)."""
    stack = [("", iter(read(root)))]
    while stack:
        prefix, entries = stack[-1]
        for entry in entries:
            if entry.kind == KIND_TREE:
                stack.append((f"{prefix}{entry.name}/", iter(read(entry.digest))))
                break
            yield prefix + entry.name, entry
        else:
            stack.pop()
