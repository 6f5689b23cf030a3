"""Hashing many objects."""

from __future__ import annotations

import time
from pathlib import Path

from store import Store
from store.inspection import GROUP, inspect_all


def test_verdicts_come_in_order(tmp_path: Path) -> None:
    """One for each object that was asked for, over many groups; None for one that is gone."""
    with Store.open(tmp_path / "s") as store:
        ids = [store.put(b"%d" % number) for number in range(3 * GROUP)]
        store.layout.object(ids[5].digest).unlink()
        keys = [bytes.fromhex(id.digest) for id in ids]
        sizes = {key: id.size for key, id in zip(keys, ids, strict=True)}
        found = list(inspect_all(store.objects, keys, sizes))
        assert [key for key, _ in found] == keys
        assert [number for number, (_, verdict) in enumerate(found) if verdict is None] == [5]
        assert all(verdict.good for _, verdict in found if verdict is not None)
        assert list(inspect_all(store.objects, keys, sizes, time.monotonic() - 1)) == []
