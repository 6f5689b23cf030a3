"""What people write where a value is missing. A module of its own: a profile, which reads no rows, knows it too."""

from __future__ import annotations

__all__ = ["BLANK", "NUMBERS", "TEXTS"]

BLANK = ""
TEXTS = (BLANK, "#N/A", "-", "--", "<NA>", "?", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
NUMBERS = ("-1", "-9", "-99", "-999", "-9999", "-99999", "99", "999", "9999", "99999", "999999")
