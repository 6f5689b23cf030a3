"""Moving one file: by a second name for it, by renaming where there are no such names, by a verified copy to another filesystem.

Invariants: nothing is ever written over, and the old name goes away only when the content is durable under the new one. A failure leaves the file where it was;
a crash leaves it there, or under both names (:func:`same_file`). Mode and times stay. A symbolic link is moved as it is, and what it leads to is left alone.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress

__all__ = ["move", "same_file", "sync_folder"]

TEMPORARY = ".mldata-moving-"
"""Start of the name of a copy that is not complete."""
_NO_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EINVAL}
)


def move(source: str, target: str) -> None:
    """Give a file another name, in a folder that is there.

    Raises:
        FileExistsError: there is something called ``target``.
        OSError: it cannot be done; the file is where it was, alone.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError) as error:
        number = error.errno if isinstance(error, OSError) else errno.ENOSYS
        if number == errno.EXDEV:
            _copy(source, target)
        elif number in _NO_LINKS:
            os.rename(source, target)
            return
        else:
            raise
    sync_folder(os.path.dirname(target))
    try:
        os.unlink(source)
    except OSError:
        os.unlink(target)
        raise


def same_file(one: str, two: str) -> bool:
    """Whether both are names of one file, links not followed: what a move that was cut off leaves."""
    try:
        a, b = os.lstat(one), os.lstat(two)
    except OSError:
        return False
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino) and a.st_ino != 0


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable, where folders can be."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network filesystems refuse it
            os.fsync(fd)
    finally:
        os.close(fd)


def _copy(source: str, target: str) -> None:
    """The content under a name of another filesystem, durable and compared, at once or not at all."""
    from store import hash_bytes, hash_file

    folder, name = os.path.split(target)
    # One name for one target: what a process that was killed has left is in nobody's way.
    temporary = os.path.join(folder, TEMPORARY + hash_bytes(os.fsencode(name)).digest[:16])
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    try:
        before = os.lstat(source)
        if stat.S_ISLNK(before.st_mode):
            os.symlink(os.readlink(source), temporary)
            shutil.copystat(source, temporary, follow_symlinks=False)
        else:
            shutil.copy2(source, temporary, follow_symlinks=False)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            if hash_file(temporary).digest != hash_file(source).digest:
                raise OSError(errno.EIO, "the copy is not what was copied")
            with suppress(OSError):  # only root may give files to others
                os.chown(temporary, before.st_uid, before.st_gid)
                os.chmod(temporary, stat.S_IMODE(before.st_mode))
        move(temporary, target)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
