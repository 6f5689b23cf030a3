"""Normalize files given as bytes, over a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mldata.stages.base import StageOutput
from mldata.stages.normalize import Normalize
from store import Digest, Store
from tests.stages.jobs import PlainJob


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def fetched(store: Store, files: Mapping[str, bytes]) -> Digest:
    """A fetch tree of ``files``."""
    return store.put_paths((name, store.put(data), False) for name, data in files.items()).digest


def normalize_params(**more: Any) -> dict[str, Any]:
    """Parameters of the normalize stage with defaults filled in."""
    return {
        "format": "auto",
        "columns": "keep",
        "types": {},
        "nulls": ["", "NA"],
        "drop": [],
        "rename": {},
    } | more


Normalizer = Callable[..., tuple[PlainJob, StageOutput]]


@pytest.fixture
def normalize(store: Store) -> Normalizer:
    """``normalize(files, jobs=1, **params)`` → the job (what ran, what was warned of) and what the stage made."""

    def run(files: Mapping[str, bytes], jobs: int = 1, **params: Any) -> tuple[PlainJob, StageOutput]:
        job = PlainJob(store, "normalize", normalize_params(**params), {"fetch": fetched(store, files)})
        job.jobs = jobs
        return job, Normalize().build(job)

    return run
