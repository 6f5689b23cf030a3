"""Exports that the tests of frameworks share."""

from __future__ import annotations

import pytest

from tests.frameworks.examples import Exported, build


@pytest.fixture(scope="session")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The examples, for the frameworks that read Parquet."""
    return build(tmp_path_factory.mktemp("arrays"), ["jax", "sklearn"], ["parquet"])
