"""mldata: a Make-style, content-addressed build system for ML datasets."""

from __future__ import annotations

__version__ = "0.1.0"
