"""Exports that the tests of frameworks share."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.frameworks.examples import Exported, build


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The examples and the table of every kind, for four frameworks at once; TFRecords where their library is there."""
    frameworks, formats = ["jax", "huggingface", "sklearn"], ["parquet", "huggingface"]
    if find_spec("google_crc32c") is not None:
        frameworks, formats = [*frameworks, "tensorflow"], [*formats, "tfrecord"]
    return build(tmp_path_factory.mktemp("exported"), frameworks, formats)
