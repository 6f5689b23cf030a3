"""``python -m mldata`` is the ``mldata`` command."""

from __future__ import annotations

import sys

from mldata.cli import main

if __name__ == "__main__":
    sys.exit(main())
