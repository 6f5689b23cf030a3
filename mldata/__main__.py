"""``python -m mldata`` is the ``mldata`` command."""

from __future__ import annotations

from mldata.cli import run

if __name__ == "__main__":
    run()
