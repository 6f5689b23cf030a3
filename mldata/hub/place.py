"""``hf://OWNER/NAME[@REVISION][/PATH]``: what a source text of the Hub means.

Also ``hf://datasets/OWNER/NAME…``, as the Hub's own filesystem writes it, and ``hf://NAME`` for the few that once had no owner. A slash in a
revision is written ``%2F``, but in ``refs/pr/1`` and ``refs/convert/parquet``. Invariant: what is accepted here makes a URL with no other meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from mldata.errors import SourceError
from mldata.hub.pattern import has_magic

__all__ = ["CONVERTED", "FORM", "Place", "parse_place"]

FORM = "hf://OWNER/NAME, with @REVISION and /PATH behind it where needed"
CONVERTED = "refs/convert/parquet"
"""The branch that the Hub keeps its own conversions to Parquet on."""
LONGEST_ID = 96
_ID_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_REVISION = re.compile(r"(?!/)[^\x00-\x20\x7f~^:?*\[\\]{1,250}(?<!/)")
_OTHER_KINDS = {"models": "a model", "spaces": "a space", "buckets": "a bucket", "kernels": "a kernel"}
FILES = "parquet"
"""The only value of the option ``files``."""


@dataclass(frozen=True)
class Place:
    """A parsed source text. ``str()`` gives it in its one normal form."""

    repo: str
    revision: str | None = None
    path: str = ""
    """A file, folder or pattern in the repository; empty: what the repository itself says is its data."""
    subset: str | None = None
    split: str | None = None
    converted: bool = False
    """Whether the Hub's own conversion to Parquet is wanted instead of the repository's files."""

    @property
    def pattern(self) -> bool:
        """Whether the path is a pattern."""
        return has_magic(self.path)

    def __str__(self) -> str:
        text = f"hf://{self.repo}"
        if self.revision is not None:
            kept = "/" if _special(self.revision.split("/")) else ""
            text += f"@{quote(self.revision, safe=kept)}"
        if self.path:
            text += f"/{quote(self.path, safe='/*[],!+=')}"
        said = {"files": FILES if self.converted else None, "split": self.split, "subset": self.subset}
        query = "&".join(f"{name}={quote(value, safe='/')}" for name, value in said.items() if value)
        return f"{text}?{query}" if query else text


def parse_place(text: str, options: Mapping[str, str]) -> Place:
    """Take a source text apart.

    Args:
        text: as the user wrote it.
        options: what stands behind its ``?``, known and not empty.

    Raises:
        SourceError: it names no repository of the Hub, or contradicts itself.
    """

    def refuse(found: str, hint: str | None = None) -> SourceError:
        return SourceError(f"expected {FORM}; found {found}", where=text, hint=hint)

    rest = text.partition("://")[2].partition("?")[0]
    parts = rest.strip("/").split("/")
    if len(parts) > 1 and parts[0] in _OTHER_KINDS:
        raise refuse(f"the address of {_OTHER_KINDS[parts[0]]}", "Only datasets can be sources.")
    if len(parts) > 1 and parts[0] == "datasets":
        parts = parts[1:]
    count = 1 if "@" in parts[0] or len(parts) == 1 else 2
    name, mark, revision = "/".join(parts[:count]).partition("@")
    behind = parts[count:]
    if mark:
        special = _special([revision, *behind[:2]])
        if special:
            revision, behind = "/".join([revision, *behind[:2]]), behind[2:]
        revision = unquote(revision)
    repo = unquote(name)
    if fault := _id_fault(repo):
        raise refuse(fault)
    if mark and "revision" in options:
        raise refuse("a revision twice", "Give it behind the @, or as an option.")
    said = revision if mark else options.get("revision")
    if said is not None and (not _REVISION.fullmatch(said) or ".." in said or "//" in said):
        raise refuse(f"the revision {said!r}", "A branch, a tag or a commit is meant.")
    path = unquote("/".join(behind))
    if path and any(step in ("", ".", "..") or not step.isprintable() for step in path.split("/")):
        raise refuse(f"the path {path!r}")
    if options.get("files", FILES) != FILES:
        raise SourceError(
            f"expected files={FILES}, found files={options['files']}",
            where=text,
            hint="Leave it out for the repository's own files.",
        )
    place = Place(repo, said, path, options.get("subset"), options.get("split"), converted="files" in options)
    if place.converted and (said is not None or path):
        raise SourceError(
            f"expected a subset or split beside files={FILES}, found a {'path' if path else 'revision'}",
            where=text,
            hint=f"The Hub converts the newest state only; a file of that is hf://{repo}@{CONVERTED}/PATH.",
        )
    if place.pattern and (place.subset or place.split):
        raise SourceError(
            "expected either a pattern or a subset and split, which are other ways to choose files; found both",
            where=text,
            hint="Name a folder instead of the pattern, or leave out the options.",
        )
    return place


def _special(parts: Sequence[str]) -> bool:
    """Whether a revision is one of the Hub's own, whose slashes are no others' than its own."""
    return len(parts) == 3 and parts[0] == "refs" and parts[1] in ("convert", "pr") and bool(parts[2])


def _id_fault(repo: str) -> str | None:
    """What is wrong with the id of a repository, by the Hub's rules."""
    if not repo:
        return "no name"
    if len(repo) > LONGEST_ID:
        return f"a name of {len(repo)} characters, where the Hub has at most {LONGEST_ID}"
    for part in repo.split("/"):
        if not _ID_PART.fullmatch(part) or "--" in part or ".." in part:
            return f"the name {part!r}, which the Hub does not allow"
    return f"the name {repo!r}, which the Hub does not allow" if repo.endswith(".git") else None
