"""Rows whose pictures look alike: what is looked at, and what comes of it.

Two pictures are alike if their perceptual hashes (:mod:`mldata.checks.pixels`) differ in no more bits than the spec says, and their thumbnails go up and down
together (correlation of ``TOGETHER`` or more, whatever the brightness and contrast). Pictures of one colour are not compared.

Candidates by parts of the hash: cut into two more parts than bits may differ, at least two parts are equal, so each pair of parts is a key, and none that is alike is missed
(Norouzi, Punjani, Fleet: "Fast search in Hamming space with multi-index hashing", CVPR 2012, with pairs of parts instead of neighbours of one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    from mldata.checks.pixels import Looks

__all__ = ["MOST_BITS", "NearImages", "alike", "hash_keys"]

KIND, SEEN = "near-images", "near-images-seen"
DIGEST = "digest"
MOST_BITS = 10
"""That may differ: more is anything."""
TOGETHER = 0.99
WINDOW = 64
"""Pictures are compared with so many that share a key: few do, but of plain ones."""
_BITS = 64
_REMEMBERED = 1 << 12
"""Pictures of neighbouring rows that are decoded once."""
_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


def _cuts(bits: int) -> list[tuple[int, int]]:
    """Where the parts of a hash begin and end, of pairs that differ in no more than ``bits``."""
    count = bits + 2
    edges = [number * _BITS // count for number in range(count + 1)]
    return [*pairwise(edges)]


def _shape(bits: int) -> Shape:
    from mldata.checks.pixels import THUMBNAIL

    parts = bits + 2
    return Shape(1 + parts * (parts - 1) // 2, _BITS // 8 + THUMBNAIL**2)


def hash_keys(hashes: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """(pictures, pairs of parts): two hashes that differ in no more than ``bits`` have one of them in common."""
    parts = [hashes >> np.uint64(low) & np.uint64((1 << high - low) - 1) for low, high in _cuts(bits)]
    columns = [
        mix64(parts[one] + (parts[other] << np.uint64(32)) + np.uint64(mix64_int(number * GAMMA)))
        for number, (one, other) in enumerate(combinations(range(len(parts)), 2))
    ]
    return np.stack(columns, axis=1)


def alike(records: NDArray[np.uint8], others: NDArray[np.uint8], *, bits: int) -> NDArray[np.bool_]:
    """Which pairs of pictures look alike."""
    size = _BITS // 8
    near: NDArray[np.bool_] = _ONES[records[:, :size] ^ others[:, :size]].sum(1) <= bits
    chosen = np.flatnonzero(near)
    # Sums of whole numbers below 2**53: the same on every machine.
    x, y = (it[chosen, size:].astype(np.float64) for it in (records, others))
    count = x.shape[1]
    both = count * (x * y).sum(1) - x.sum(1) * y.sum(1)
    spread = (count * (x * x).sum(1) - x.sum(1) ** 2) * (count * (y * y).sum(1) - y.sum(1) ** 2)
    near[chosen] = both >= TOGETHER * np.sqrt(spread)
    return near


@dataclass(frozen=True)
class NearImages:
    """Pictures whose hashes differ in ``bits`` or less: a look, and how to put together what it saw."""

    bits: int
    media: Callable[[Digest], Path] = field(compare=False)

    @property
    def look(self) -> Look:
        """What has to be sketched."""
        return _ImageLook(self.bits, self.media)

    @property
    def key(self) -> Mapping[str, Any]:
        """What changes the merge beside the look."""
        return {"bits": self.bits}

    def merge(self, sketches: Sequence[Sketch], rows: Rows, shown: str) -> dict[str, Any]:
        """What was found: see :meth:`mldata.checks.clusters.Told.to_json`; how many pictures were not seen, and how many are of one colour.

        Args:
            shown: the column that names a picture.
        """
        near = NearRows(sketches, KIND, _shape(self.bits), partial(alike, bits=self.bits), window=WINDOW)
        unseen = flat = 0
        for sketch in sketches:
            for _, _, path in sketch.blocks(SEEN, base.BLOCK_ROWS):
                counts: Any = decode(path.read_bytes())
                unseen, flat = unseen + counts["unseen"], flat + counts["flat"]
        return {**near.tell(rows).to_json(rows, [shown]), "unseen": unseen, "flat": flat}


@dataclass(frozen=True)
class _ImageLook:
    bits: int
    media: Callable[[Digest], Path]

    name = KIND
    version = 1
    libraries = ("pillow",)

    @property
    def columns(self) -> Sequence[str]:
        return [DIGEST]

    @property
    def key(self) -> Mapping[str, Any]:
        return {"bits": self.bits}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        look = lru_cache(_REMEMBERED)(self._look)
        for block in blocks(batches):
            near, unseen, flat = NearBlock(_shape(self.bits)), 0, 0
            for batch in block:
                column = batch.column(DIGEST)
                found = [look(digest) for digest in plain(column).to_pylist()]
                unseen += sum(it is None for it in found)
                flat += sum(it is not None and it.flat for it in found)
                seen = [it if it is not None and not it.flat else None for it in found]
                self._add(near, column, seen)
            yield near.blob(KIND)
            yield Blob(SEEN, encode({"unseen": unseen, "flat": flat}))

    def _add(self, near: NearBlock, column: pa.Array, found: Sequence[Looks | None]) -> None:
        present = np.array([it is not None for it in found], np.bool_)
        looks = [it for it in found if it is not None]
        whole = hash_rows([column])[present]
        hashes = np.array([it.bits for it in looks], np.uint64)
        keys = np.concatenate([whole[:, None], hash_keys(hashes, self.bits)], axis=1)
        thumbnails = [it.thumbnail.ravel() for it in looks]
        size = _shape(self.bits).record - _BITS // 8
        pixels = np.stack(thumbnails) if thumbnails else np.empty((0, size), np.uint8)
        records = np.concatenate([hashes.astype("<u8").view(np.uint8).reshape(-1, 8), pixels], axis=1)
        near.add(present, keys, whole, records)

    def _look(self, digest: str | None) -> Looks | None:
        from mldata.checks.pixels import Unseen, look_at

        if digest is None:
            return None
        try:
            return look_at(self.media(Digest(digest)))
        except (Unseen, BadDigest):
            return None
