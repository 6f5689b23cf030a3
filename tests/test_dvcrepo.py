"""DVC's repositories and their configuration, as DVC reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldata.dvcrepo import find_dvc
from mldata.errors import UsageError


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration of the machine has no say."""
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(tmp_path / "system"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "user"))


def config(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_nearest_repository_counts(tmp_path: Path) -> None:
    """A repository in a folder of another one is its own; a folder in none has none."""
    for name in ("r/.dvc", "r/sub/.dvc", "r/sub/deep/er"):
        (tmp_path / name).mkdir(parents=True)
    inner, outer = find_dvc(tmp_path / "r/sub/deep/er/to/be"), find_dvc(tmp_path / "r/other")
    assert inner is not None and (inner.root, inner.cache) == (
        tmp_path / "r/sub",
        tmp_path / "r/sub/.dvc/cache",
    )
    assert outer is not None and outer.root == tmp_path / "r"
    assert find_dvc(tmp_path) is None


def test_configurations_are_merged_as_dvc_does(tmp_path: Path) -> None:
    """The local file has the last word; a relative cache starts at the file that says it; names come in any case."""
    (tmp_path / "r/.dvc").mkdir(parents=True)
    config(tmp_path, "user/config", "[cache]\n    dir = /user/cache\n[core]\n    remote = mine\n")
    found = find_dvc(tmp_path / "r")
    assert found is not None and (str(found.cache), found.remote) == ("/user/cache", "mine")
    config(
        tmp_path,
        "r/.dvc/config",
        '# ours\n[CORE]\n    Remote = "Storage" # it\n    no_scm = True\n[\'remote "storage"\']\n    url = ../x\n',
    )
    config(tmp_path, "r/.dvc/config.local", "[cache]\ndir = ../../shared # here\n")
    found = find_dvc(tmp_path / "r")
    assert found is not None
    assert (found.cache, found.remote, found.no_scm) == (tmp_path / "shared", "storage", True)
    md5 = "ab" + "0" * 30
    assert found.object_file(md5) == tmp_path / "shared/files/md5/ab" / ("0" * 30)


def test_a_cache_elsewhere_is_none_of_this_machine(tmp_path: Path) -> None:
    """A URL is told as it stands."""
    config(tmp_path, "r/.dvc/config", "[cache]\n    dir = s3://bucket/cache\n")
    found = find_dvc(tmp_path / "r")
    assert found is not None and (found.cache, found.cache_url) == (None, "s3://bucket/cache")


def test_a_damaged_configuration_names_its_line(tmp_path: Path) -> None:
    """What is no setting is an error with file and line."""
    config(tmp_path, "r/.dvc/config", "[core]\nwhat is this\n")
    with pytest.raises(UsageError, match="what is this") as caught:
        find_dvc(tmp_path / "r")
    assert "config:2" in str(caught.value)
