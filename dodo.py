"""`doit build` builds the example datasets; `doit check` runs everything that CI runs."""

import os
import sys

from mldata.tasks import load

globals().update(load("mldata/examples/mldata.yaml"))


def task_check():
    """lint, format, types, then every test (the README's examples among them) with its coverage"""
    workers = (
        os.cpu_count() or 1
    ) + 1  # one more than processors: tests wait for children, servers and clocks
    for name, command in {
        "lint": "ruff check .",
        "format": "ruff format --check .",
        "types": "mypy",
        "tests": f"pytest -n {workers} --dist worksteal --cov --cov-report=term",
    }.items():
        yield {"name": name, "actions": [f'"{sys.executable}" -m {command}'], "verbosity": 2}
