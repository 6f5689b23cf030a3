"""What all tests share: no project, store or setting of the machine may leak into them."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden anew instead of comparing"
    )


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> None:
    for name in [n for n in os.environ if n.startswith(("MLDATA_", "DOIT_"))]:
        del os.environ[name]
