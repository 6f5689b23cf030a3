"""Rows whose pictures or recordings are alike: what is looked at, and what comes of it.

What two of them are alike in is for others to say (:mod:`mldata.checks.nearimages`, :mod:`mldata.checks.nearsounds`): a hash of 64 bits, of which no more than the spec says
may differ, and a record that confirms it. Those that have nothing to tell them by are not compared.

Candidates by parts of the hash: cut into two more parts than bits may differ, at least two parts are equal, so each pair of parts is a key, and none that is alike is missed
(Norouzi, Punjani, Fleet: "Fast search in Hamming space with multi-index hashing", CVPR 2012, with pairs of parts instead of neighbours of one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mldata.checks import base
from mldata.checks.base import Blob, Look, Rows, Sketch
from mldata.checks.blocks import blocks
from mldata.checks.columns import plain
from mldata.checks.near import NearBlock, NearRows, Shape
from mldata.rowhash import hash_rows
from mldata.splitmix import GAMMA, mix64, mix64_int
from store import BadDigest, Digest, decode, encode

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["HASH", "Looks", "Medium", "NearMedia", "hash_keys", "near_hashes"]

DIGEST = "digest"
WINDOW = 64
"""Files are compared with so many that share a key: few do, but of plain ones."""
HASH = 8
"""Bytes with which a record begins: those of the hash."""
_BITS = 8 * HASH
_REMEMBERED = 1 << 12
"""Files of neighbouring rows that are decoded once."""
_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


def _cuts(bits: int) -> list[tuple[int, int]]:
    """Where the parts of a hash begin and end, of pairs that differ in no more than ``bits``."""
    count = bits + 2
    edges = [number * _BITS // count for number in range(count + 1)]
    return [*pairwise(edges)]


def hash_keys(hashes: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """(hashes, pairs of parts): two hashes that differ in no more than ``bits`` have one of them in common."""
    parts = [hashes >> np.uint64(low) & np.uint64((1 << high - low) - 1) for low, high in _cuts(bits)]
    columns = [
        mix64(parts[one] + (parts[other] << np.uint64(32)) + np.uint64(mix64_int(number * GAMMA)))
        for number, (one, other) in enumerate(combinations(range(len(parts)), 2))
    ]
    return np.stack(columns, axis=1)


def near_hashes(records: NDArray[np.uint8], others: NDArray[np.uint8], bits: int) -> NDArray[np.bool_]:
    """Which pairs of records have hashes that differ in no more than ``bits``."""
    near: NDArray[np.bool_] = _ONES[records[:, :HASH] ^ others[:, :HASH]].sum(1) <= bits
    return near


class Looks(Protocol):
    """What a file looks or sounds like."""

    @property
    def bits(self) -> int:
        """The hash."""
        ...

    @property
    def record(self) -> NDArray[np.uint8]:
        """What confirms what the hash says: :attr:`Medium.record` bytes."""
        ...

    @property
    def flat(self) -> bool:
        """Whether there is nothing to tell it by."""
        ...


class _Alike(Protocol):
    def __call__(
        self, records: NDArray[np.uint8], others: NDArray[np.uint8], *, bits: int
    ) -> NDArray[np.bool_]: ...


@dataclass(frozen=True)
class Medium:
    """A kind of files, and how they are compared."""

    name: str
    """Of the look."""
    libraries: tuple[str, ...]
    """On which it depends what files look like."""
    record: int
    """Bytes that are kept of a file, beside the hash."""
    look: Callable[[Path], Looks | None]
    """What the file looks like; None: it cannot be decoded here."""
    alike: _Alike
    """Which pairs are alike, by hashes and records."""
    version: int = 1
    """Of the look."""

    def shape(self, bits: int) -> Shape:
        """What is stored of a row."""
        parts = bits + 2
        return Shape(1 + parts * (parts - 1) // 2, HASH + self.record)


@dataclass(frozen=True)
class NearMedia:
    """Files whose hashes differ in ``bits`` or less: a look, and how to put together what it saw."""

    medium: Medium
    bits: int
    media: Callable[[Digest], Path] = field(compare=False)

    @property
    def look(self) -> Look:
        """What has to be sketched."""
        return _MediaLook(self.medium, self.bits, self.media)

    def merge(self, sketches: Sequence[Sketch], rows: Rows, shown: str) -> dict[str, Any]:
        """What was found: see :meth:`mldata.checks.clusters.Told.to_json`; how many files were not seen, and how many have nothing to tell them by.

        Args:
            shown: the column that names a file.
        """
        medium, bits = self.medium, self.bits
        near = NearRows(
            sketches, medium.name, medium.shape(bits), partial(medium.alike, bits=bits), window=WINDOW
        )
        unseen = flat = 0
        for sketch in sketches:
            for _, _, path in sketch.blocks(_seen(medium), base.BLOCK_ROWS):
                counts: Any = decode(path.read_bytes())
                unseen, flat = unseen + counts["unseen"], flat + counts["flat"]
        return {**near.tell(rows).to_json(rows, [shown]), "unseen": unseen, "flat": flat}


def _seen(medium: Medium) -> str:
    return f"{medium.name}-seen"


@dataclass(frozen=True)
class _MediaLook:
    medium: Medium
    bits: int
    media: Callable[[Digest], Path]

    @property
    def name(self) -> str:
        return self.medium.name

    @property
    def version(self) -> int:
        return self.medium.version

    @property
    def libraries(self) -> tuple[str, ...]:
        return self.medium.libraries

    @property
    def columns(self) -> Sequence[str]:
        return [DIGEST]

    @property
    def key(self) -> Mapping[str, Any]:
        return {"bits": self.bits}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        look = lru_cache(_REMEMBERED)(self._look)
        for block in blocks(batches):
            near, unseen, flat = NearBlock(self.medium.shape(self.bits)), 0, 0
            for batch in block:
                column = batch.column(DIGEST)
                found = [look(digest) for digest in plain(column).to_pylist()]
                unseen += sum(it is None for it in found)
                flat += sum(it is not None and it.flat for it in found)
                seen = [it if it is not None and not it.flat else None for it in found]
                self._add(near, column, seen)
            yield near.blob(self.medium.name)
            yield Blob(_seen(self.medium), encode({"unseen": unseen, "flat": flat}))

    def _add(self, near: NearBlock, column: pa.Array, found: Sequence[Looks | None]) -> None:
        present = np.array([it is not None for it in found], np.bool_)
        looks = [it for it in found if it is not None]
        whole = hash_rows([column])[present]
        hashes = np.array([it.bits for it in looks], np.uint64)
        keys = np.concatenate([whole[:, None], hash_keys(hashes, self.bits)], axis=1)
        kept = np.stack([it.record for it in looks]) if looks else np.empty((0, self.medium.record), np.uint8)
        records = np.concatenate([hashes.astype("<u8").view(np.uint8).reshape(-1, HASH), kept], axis=1)
        near.add(present, keys, whole, records)

    def _look(self, digest: str | None) -> Looks | None:
        if digest is None:
            return None
        try:
            return self.medium.look(self.media(Digest(digest)))
        except BadDigest:
            return None
