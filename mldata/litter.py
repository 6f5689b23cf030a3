"""What is no data in any source: hidden files, and what file managers, editors and archivers leave behind.

The one list of such names. It is applied where files come in, to local folders and to archives alike, so nothing behind that point needs to
know it. What is left out is counted by kind (a folder once, whatever is in it), never silently. A pattern that itself names such a file
(``.*.csv``, ``@eaDir/*.jpg``), or a source that is one, is taken at its word. README.md has the list for users.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HIDDEN", "NAMES", "litter", "litter_text", "may_be_litter"]

NAMES = (
    "Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information",
    "Icon\r", "__MACOSX", "@eaDir", "#recycle", "lost+found",
)  # fmt: skip
"""Files and folders of Windows, macOS, Synology's and Linux' file systems; upper and lower case do not matter."""
HIDDEN = ".*"
"""The kind of a name that begins with a dot; ``._*`` and ``.DS_Store``, which macOS strews, are told apart."""
_KINDS = {name.lower(): name for name in NAMES}
_STARTS = ".~"
_ENDS = "".join(sorted({end for name in NAMES for end in (name[-1].lower(), name[-1].upper())} | {"~"}))


def may_be_litter(name: str) -> bool:
    """False for most names that are none, by two of their characters: for whoever looks at very many names."""
    return name[-1] in _ENDS or name[0] in _STARTS


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
