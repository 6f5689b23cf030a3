"""`doit build` builds the example datasets; `doit check` runs everything that CI runs."""

import sys

from mldata.tasks import load

globals().update(load("mldata/examples/mldata.yaml"))


def task_check():
    """lint, format, types, then every test (the README's examples among them) with its coverage"""
    for name, command in {
        "lint": "ruff check .",
        "format": "ruff format --check .",
        "types": "mypy",
        "tests": "pytest -n auto --dist worksteal --cov --cov-report=term",
    }.items():
        yield {"name": name, "actions": [f'"{sys.executable}" -m {command}'], "verbosity": 2}
