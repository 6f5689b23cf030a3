"""Git LFS: the files of an export are kept by it, from digests that the store has.

Three things are done. ``.gitattributes`` gets the lines that it lacks (``mldata.tracking.gitlfsplan``). LFS's folder of objects gets the
files, as links to the store where the filesystem can, so that ``git add`` finds them there and keeps no copy of its own. If pointers are
asked for, git's index gets them, as if ``git add`` had read every file; the folder itself holds data always, since an export with
pointers in place of data would not be one, and the next build would put the data back.

Invariant: of what git or the user has, only lines are added to files with attributes, and entries to the index where that was asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import BuildError, UsageError
from mldata.tracking.base import Place, Published, Tracked
from mldata.tracking.gitlfsmemory import recall
from mldata.tracking.gitrepository import Git, Repository, find_repository

if TYPE_CHECKING:
    from store import Digest, Store

__all__ = ["GitLfs"]


class GitLfs:
    """See :class:`mldata.tracking.base.Tracker`."""

    def check(self, place: Place) -> None:
        """See :meth:`mldata.tracking.base.Tracker.check`."""
        from mldata.tracking.gitlfsadvice import check_git, check_git_lfs

        git = Git(_repository(place.folder))
        check_git_lfs(git)
        check_git(git, git.config())

    def lacking(self, place: Place, store: Store, tree: Digest) -> str | None:
        """See :meth:`mldata.tracking.base.Tracker.lacking`."""
        repository = find_repository(place.folder)
        if repository is None:
            return "the export is in no git repository"
        memory = recall(store, repository, tree, place.folder, place.settings)
        if memory is None:
            return "Git LFS was not told of this export"
        return memory.broken(repository)

    def track(self, published: Published) -> Tracked:
        """See :meth:`mldata.tracking.base.Tracker.track`."""
        from mldata.tracking.gitlfsrun import Tracking
        from store import ObjectCorrupt, ObjectMissing, StoreError

        repository = _repository(published.place.folder)
        try:
            with repository.alone():
                return Tracking(published, repository).run()
        except (ObjectMissing, ObjectCorrupt):
            raise  # a build makes them again
        except StoreError as error:
            raise BuildError(
                f"the export stands, but Git LFS was not told of all of it: {error}",
                where=str(published.place.folder),
                hint="Mend that, then run the same command again.",
            ) from error


def _repository(folder: Path) -> Repository:
    repository = find_repository(folder)
    if repository is None:
        raise UsageError(
            "Git LFS keeps files of a git repository; expected the export in one, found none around it",
            where=str(folder),
            hint=f"Make one (git init), or leave git_lfs out of the export of {folder.name}.",
        )
    return repository
