"""Worker processes of PyTorch's DataLoader for tests.

They come from a server process that has no threads: the process of the tests may have loaded JAX or TensorFlow, which start threads, and
a fork of it could wait for ever for a lock that one of them held.
"""

from __future__ import annotations

import multiprocessing
from typing import Any

__all__ = ["worker_options"]


def worker_options(workers: int) -> dict[str, Any]:
    """Arguments of a DataLoader for so many worker processes."""
    if not workers:
        return {"num_workers": 0}
    multiprocessing.set_forkserver_preload(["torch", "numpy", "pyarrow.parquet"])
    return {"num_workers": workers, "multiprocessing_context": "forkserver"}
