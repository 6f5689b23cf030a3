"""What is no data in any source: hidden files, and what file managers, editors and archivers leave behind.

The one list of such names. It is applied where files come in, to local folders and to archives alike, so nothing behind that point needs to
know it. What is left out is counted by kind (a folder once, whatever is in it), never silently. A pattern that itself names such a file
(``.*.csv``, ``@eaDir/*.jpg``), or a source that is one, is taken at its word. README.md has the list for users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["HIDDEN", "NAMES", "litter", "litter_among", "litter_text"]

NAMES = (
    "Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information",
    "Icon\r", "__MACOSX", "@eaDir", "#recycle", "lost+found",
)  # fmt: skip
"""Files and folders of Windows, macOS, Synology's and Linux' file systems; upper and lower case do not matter."""
HIDDEN = ".*"
"""The kind of a name that begins with a dot; ``._*`` and ``.DS_Store``, which macOS strews, are told apart."""
_KINDS = {name.lower(): name for name in NAMES}
_ENDS = frozenset(name[-1] for known in NAMES for name in (known.lower(), known.upper())) | {"~"}


def litter_among(names: Sequence[str]) -> dict[str, str]:
    """Those of the names in one folder that are litter, with their kinds. Quick where there is none, which is most often."""
    text = "\0" + "\0".join(names).lower()
    if "\0." not in text and "~" not in text and not any(known in text for known in _KINDS):
        return {}
    likely = [name for name in names if name[-1] in _ENDS or name[0] in ".~"]
    return {name: kind for name in likely if (kind := litter(name)) is not None}


def litter(name: str) -> str | None:
    """The kind of litter that a file or folder of this name (not a path) is, for counting; None if it may be data."""
    if name[0] == ".":
        return "._*" if name.startswith("._") else name if name == ".DS_Store" else HIDDEN
    if name[-1] == "~":  # what an editor keeps of a file before a change
        return "*~"
    if name.startswith("~$"):  # what an office program keeps beside an open document
        return "~$*"
    return _KINDS.get(name.lower())


def litter_text(counts: Mapping[str, int]) -> str:
    """``.DS_Store 3, Thumbs.db 1``: kinds and how many, for people."""
    return ", ".join(f"{kind.strip()} {count:,}" for kind, count in sorted(counts.items()))
