"""A ``.dvc`` file as a source: the files that DVC tracks by it, taken from DVC's cache.

Names are those that the files have in the tracked folder; a tracked file has its own. Where one ``.dvc`` file tracks several things,
each is below its own path. What the cache lacks is taken from where DVC checked it out, if it is there.

Invariant: the working folder gets no copy, nothing is written, and every file is held against its MD5 when it is read
(:mod:`mldata.stages.fetch`). Paths in ``.dvc`` files and in DVC's lists are not trusted: none leads out of the repository.
"""

from __future__ import annotations

import os
import shlex
import stat as stat_module
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mldata.dvcdir import MD5, BadDir, parse_dir
from mldata.dvcfile import DvcFile, Out, read_dvc
from mldata.dvcrepo import DvcRepository, find_dvc
from mldata.errors import SourceError
from mldata.litter import litter
from mldata.sources.base import Listing

__all__ = ["DvcSource"]

_LARGEST_LIST = 1 << 30


class DvcSource:
    """What one ``.dvc`` file tracks.

    Args:
        text: the path of the file.
        root: the folder that a relative ``text`` starts from.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = text
        self.key = os.path.normpath(os.path.join(root, os.path.expanduser(text)))

    def listing(self) -> Listing:
        """List the files now, one ``stat`` each; of folders DVC's own list is read. Raises ``SourceError``."""
        taken_ns = time.time_ns()
        file, repository = self._open()
        found: dict[str, tuple[str, str, os.stat_result]] = {}
        ignored = Counter[str]()
        lacking: list[str] = []
        for out in file.outs:
            prefix = "" if len(file.outs) == 1 else self._below(file, repository, out)
            for name, md5, checked_out in self._files(file, repository, out):
                if left_out := next((kind for part in name.split("/") if (kind := litter(part))), None):
                    ignored[left_out] += 1
                    continue
                where = _regular(repository.object_file(md5)) or _regular(checked_out)
                if where is None:
                    lacking.append(prefix + name)
                else:
                    found[prefix + name] = (md5, *where)
        if lacking:
            count = len(lacking) + len(found)
            raise SourceError(
                f"DVC's cache lacks {len(lacking):,} of {count:,} files, the first of them {lacking[0]!r}",
                where=self.text,
                hint=f"Bring them here: {self._pull}",
            )
        if not found:
            raise SourceError("DVC tracks no files by it: expected at least one", where=self.text)
        names = sorted(found)
        numbers = array("q")
        for name in names:
            info = found[name][2]
            numbers.extend((info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino))
        return Listing(
            names,
            [found[name][1] for name in names],
            numbers,
            taken_ns,
            dict(ignored),
            md5={name: found[name][0] for name in names},
        )

    @property
    def _pull(self) -> str:
        return f"dvc pull {shlex.quote(self.text)}"

    def _open(self) -> tuple[DvcFile, DvcRepository]:
        path = Path(self.key)
        file = read_dvc(path)
        if file is None:
            raise SourceError(
                "no such file: expected a .dvc file", where=self.text, hint=f"It would be {path}."
            )
        repository = find_dvc(path.parent)
        if repository is None:
            raise SourceError(
                "expected a .dvc file in a DVC repository, found no folder .dvc around it",
                where=self.text,
                hint="Name the file in its repository, or the data itself.",
            )
        return file, repository

    def _files(self, file: DvcFile, repository: DvcRepository, out: Out) -> Iterator[tuple[str, str, Path]]:
        """Name, MD5 and place in the working folder of the files of one out."""
        from store import UnsafeName, check_name

        if out.md5 is None:
            raise self._bad(out, "DVC has not hashed it, or by other means than MD5", f"Try: {self._pull}")
        if out.legacy:
            raise self._bad(
                out,
                "its hash is one of DVC 2",
                "Bring it up to date with DVC 3: dvc cache migrate --dvc-files",
            )
        if not MD5.fullmatch(out.md5.removesuffix(".dir")):
            raise self._bad(out, f"expected an MD5, found {out.md5[:60]!r}", f"Look at {self.text}.")
        place = Path(os.path.normpath(Path(self.key).parent / (file.wdir or ".") / out.path))
        if not place.is_relative_to(repository.root) or place == repository.root:
            raise self._bad(out, f"it leads out of the repository {repository.root}", f"Look at {self.text}.")
        if not out.is_folder:
            try:
                check_name(place.name)
            except UnsafeName as error:
                raise self._bad(out, error.why, "Rename it with `dvc move`.") from None
            yield place.name, out.md5, place
            return
        for name, md5 in self._listed(repository, out).items():
            yield name, md5, place / name

    def _listed(self, repository: DvcRepository, out: Out) -> dict[str, str]:
        """What DVC's own list says is in a folder."""
        import hashlib

        assert out.md5 is not None
        found = _regular(repository.object_file(out.md5))
        if found is None:
            raise self._bad(out, "DVC's cache lacks the list of its files", f"Bring it here: {self._pull}")
        path, info = found
        if info.st_size > _LARGEST_LIST:
            raise self._bad(out, f"its list of files, {path}, is too large", f"Remove it, then: {self._pull}")
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise self._bad(
                out, f"{path} cannot be read: {error.strerror}", "Check its permissions."
            ) from None
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != out.md5.removesuffix(".dir"):
            raise self._bad(
                out, f"{path} is damaged: its MD5 is another one", f"Remove it, then: {self._pull}"
            )
        try:
            return parse_dir(data)
        except BadDir as error:
            raise self._bad(
                out, f"expected a list of files in {path}, found {error}", "Add it to DVC anew."
            ) from None

    def _below(self, file: DvcFile, repository: DvcRepository, out: Out) -> str:
        """The folder in the source for one out of several; a file is in that of its own path."""
        from store import UnsafeName, split_path

        path = out.path if out.is_folder else os.path.dirname(out.path)
        path = os.path.normpath(path) if path else ""
        try:
            return "/".join(split_path(path)) + "/" if path else ""
        except UnsafeName as error:
            raise self._bad(out, error.why, f"Look at {self.text}.") from None

    def _bad(self, out: Out, message: str, hint: str) -> SourceError:
        return SourceError(f"{out.path!r}: {message}", where=self.text, hint=hint)


def _regular(path: Path | None) -> tuple[str, os.stat_result] | None:
    """A path and its stat, if a regular file is there; a link is none."""
    if path is None:
        return None
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return (str(path), info) if stat_module.S_ISREG(info.st_mode) else None
