"""`doit build` builds the example datasets; `doit check` runs everything that CI runs."""

import sys

from mldata.tasks import load

globals().update(load("mldata/examples/mldata.yaml"))


def task_check():
    """lint, types, tests and docs"""
    run = f'"{sys.executable}" -m'
    tests = f"{run} pytest -n auto --cov --cov-report=term --ignore=tests/test_docs.py"
    for name, command in {
        "lint": f"{run} ruff check .",
        "format": f"{run} ruff format --check .",
        "types": f"{run} mypy",
        "tests": tests,
        "docs": f"{run} pytest tests/test_docs.py",
    }.items():
        yield {"name": name, "actions": [command], "verbosity": 2, "uptodate": [False]}
