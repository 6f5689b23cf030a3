"""Exports in git repositories, as Git LFS meets them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mldata.manifest import Manifest, ManifestFile, manifest_text
from mldata.tracking.base import Place, Published
from store import Store, hash_bytes

ABOVE = 1000
"""Bytes from which text goes to LFS, in these tests."""


@dataclass(frozen=True)
class Repo:
    """A repository, and a store beside it."""

    root: Path
    store: Store

    def git(self, *words: str, given: bytes | None = None) -> str:
        """What git prints."""
        return git(self.root, *words, given=given)

    def export(
        self,
        files: Mapping[str, bytes],
        to: str = "artifacts/penguins",
        media: tuple[str, ...] = (),
        **settings: Any,
    ) -> Published:
        """An export of these files in its folder; those below a folder in ``media`` are what rows refer to."""
        listed = []
        for path, data in files.items():
            hashes = hash_bytes(data, ["sha256"])
            assert hashes.sha256 is not None
            kind = "media" if path.startswith(media) and media else "parquet"
            listed.append(ManifestFile(path, hashes.digest, hashes.sha256, len(data), kind))
        manifest = Manifest("0", "penguins", "images", (), 0, (), (), {}, {}, tuple(listed))
        every = {**files, "manifest.yaml": manifest_text(manifest).encode()}
        with self.store.batch() as batch:
            made = [(path, batch.put(data, hashes=["sha256"]), False) for path, data in every.items()]
            tree = batch.put_paths(made)
        folder = self.root / to
        self.store.materialize(tree, folder)
        place = Place(folder, {"above": ABOVE, "pointers": False} | settings)
        return Published(place, self.store, tree.digest)

    def attributes(self, folder: str = "") -> list[str]:
        """The patterns of a file with attributes, which have to be as ``git lfs track`` writes them."""
        path = self.root / folder / ".gitattributes"
        if not path.exists():
            return []
        end = " filter=lfs diff=lfs merge=lfs -text"
        lines = path.read_text().splitlines()
        assert all(line.endswith(end) for line in lines)
        return [line.removesuffix(end) for line in lines]


def git(folder: Path, *words: str, given: bytes | None = None) -> str:
    """What git prints."""
    done = subprocess.run(["git", "-C", str(folder), *words], input=given, capture_output=True, check=False)
    assert done.returncode == 0, f"git {words}: {done.stderr.decode()}"
    return done.stdout.decode()


def only_own_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git know a person and Git LFS from a file ``gitconfig`` in ``folder``, and nothing else of this machine."""
    settings = folder / "gitconfig"
    settings.write_text(
        "[user]\nname = A\nemail = a@b\n[core]\nexcludesFile =\n"
        '[filter "lfs"]\nclean = git-lfs clean -- %f\nsmudge = git-lfs smudge -- %f\n'
        "process = git-lfs filter-process\nrequired = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
