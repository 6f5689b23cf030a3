"""What ``dvc: true`` writes, and what it leaves alone. DVC itself is asked in ``test_dvc_peer.py``."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from mldata.dvcdir import parse_dir
from mldata.dvcfile import DvcFile, read_dvc
from mldata.manifest import read_manifest
from tests.e2e.project import Project

SPEC = """version: 1
datasets:
  d:
    source: data/*.csv
    export: {formats: [csv, jsonl], dvc: {require: false}}
"""
FILE, FOLDER = "artifacts/d.dvc", "artifacts/d"


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration of the machine has no say."""
    for name in ("DVC_SYSTEM_CONFIG_DIR", "DVC_GLOBAL_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a git and DVC repository, not built."""
    root = tmp_path / "project"
    made = Project(root)
    made.write("mldata.yaml", SPEC)
    made.write("data/a.csv", "x,y\n1,ä\n2,b\n")
    made.write(".dvc/config", "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../remote\n")
    if shutil.which("git"):
        git(root, "init", "-q")
    return made


def git(root: Path, *words: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(root), *identity, *words], check=True, capture_output=True, text=True
    )
    return done.stdout


def tracked(project: Project, name: str = FILE) -> DvcFile:
    found = read_dvc(project / name)
    assert found is not None
    return found


def cached(project: Project, cache: str = ".dvc/cache") -> dict[str, Path]:
    """The objects of the cache by their MD5."""
    base = project / cache / "files/md5"
    return {path.parent.name + path.name: path for path in base.glob("*/*")}


def stages(project: Project) -> str:
    return project.stages("d")["export"]


def test_manifest_dvc_file_and_cache_name_the_same_hashes(project: Project) -> None:
    """Every file of the folder is in the list that the ``.dvc`` file names, by the MD5 that the manifest has and its bytes have."""
    project.build()
    [out] = tracked(project).outs
    objects = cached(project)
    assert out.md5 is not None and out.is_folder and not out.legacy
    data = objects[out.md5].read_bytes()
    assert hashlib.md5(data).hexdigest() + ".dir" == out.md5
    files = project.files(FOLDER)
    assert parse_dir(data) == {path: hashlib.md5(it).hexdigest() for path, it in files.items()}
    assert (out.path, out.size, out.nfiles) == ("d", sum(map(len, files.values())), len(files))
    listed = {file.path: file.md5 for file in read_manifest(project / FOLDER / "manifest.yaml").files}
    assert listed == {path: md5 for path, md5 in parse_dir(data).items() if path != "manifest.yaml"}
    assert objects.keys() == {*parse_dir(data).values(), out.md5}
    for path, md5 in parse_dir(data).items():
        assert objects[md5].read_bytes() == files[path]
        assert stat.S_IMODE(objects[md5].stat().st_mode) == 0o444
        assert objects[md5].stat().st_nlink > 1, "a link to the object of the store"


def test_a_second_build_has_nothing_to_do(project: Project) -> None:
    """What is right is not written again, time stamps included; what is lost is put back."""
    project.build()

    def stamps() -> dict[str, int]:
        return {
            str(path): path.stat().st_mtime_ns
            for path in [*cached(project).values(), project / FILE, project / "artifacts/.gitignore"]
        }

    before = stamps()
    assert stages(project) == "up-to-date" and stamps() == before
    for lost in (project / FILE, *cached(project).values()):
        lost.unlink()
        assert stages(project) == "ran"
        assert stages(project) == "up-to-date"
        assert stamps().keys() == before.keys()
    shutil.rmtree(project / ".dvc/cache")
    assert (stages(project), stages(project)) == ("ran", "up-to-date")
    assert stamps().keys() == before.keys()


def test_changed_data_updates_what_mldata_wrote(project: Project) -> None:
    """The hash moves on, what the user wrote beside it stays, and the objects of the version before stay in the cache."""
    project.build()
    old = cached(project)
    text = (project / FILE).read_text()
    (project / FILE).write_text(
        f"# mine\n{text}  mine: 1\n".replace("  path: d\n", "  path: d\n  desc: about it\n")
    )
    project.write("data/a.csv", "x,y\n1,c\n")
    assert stages(project) == "ran"
    now = (project / FILE).read_text()
    assert (
        now.startswith("# mine\nouts:") and "  path: d\n  desc: about it\n" in now and "\n  mine: 1\n" in now
    )
    [out] = tracked(project).outs
    assert out.md5 not in old and out.md5 in cached(project) and old.keys() <= cached(project).keys()


def test_the_cache_may_be_elsewhere(project: Project, tmp_path: Path) -> None:
    """``cache.dir`` in the user's own configuration is where objects go."""
    project.write(".dvc/config.local", "[cache]\n    dir = ../../shared\n")
    project.build()
    assert len(list((tmp_path / "shared/files/md5").glob("*/*"))) == 4
    assert not (project / ".dvc/cache").exists()


def test_a_repository_without_git_needs_no_gitignore(project: Project) -> None:
    """``dvc init --no-scm``: nothing is said of git."""
    project.write(".dvc/config", "[core]\n    no_scm = True\n    remote = store\n")
    told = project.json("build")
    assert not (project / "artifacts/.gitignore").exists() and told["warnings"] == []


def test_the_users_gitignore_is_added_to(project: Project) -> None:
    """His lines and line ends stay, and what covers the folder already is enough."""
    git(project.root, "status")
    path = project / "artifacts/.gitignore"
    path.parent.mkdir()
    path.write_bytes(b"*.tmp\r\n!keep")
    path.chmod(0o640)
    project.build()
    assert path.read_bytes() == b"*.tmp\r\n!keep\r\n/d\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert git(project.root, "check-ignore", FOLDER).strip() == FOLDER
    path.unlink()
    project.write(".gitignore", "/artifacts/*/\n")
    assert stages(project) == "up-to-date"
    project.write(".gitignore", "/artifacts/*/\n!/artifacts/d/\n")
    assert stages(project) == "ran"
    assert path.read_bytes() == b"/d\n"


@pytest.mark.parametrize("name", ["a b[1]", "#x", "!x", "wei*rd?"])
def test_names_that_gitignore_would_misread_are_escaped(project: Project, name: str) -> None:
    """Git ignores exactly the folder, whatever its name."""
    git(project.root, "status")
    project.replace("mldata.yaml", "formats:", f"to: 'artifacts/{name}', formats:")
    done = project.run("build", expect=None)
    if done.code == 0:  # some names no export may have
        assert git(project.root, "status", "--porcelain", "-uall", "artifacts").count("\n") == 2
        assert stages(project) == "up-to-date"
        [out] = tracked(project, f"artifacts/{name}.dvc").outs
        assert out.path == name


def test_a_dvc_file_of_somebody_else_stays(project: Project) -> None:
    """It is an error before anything is built, and the file is not touched."""
    text = "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 0\n  hash: md5\n  path: d\n"
    project.write(FILE, text)
    done = project.run("build", expect=1)
    assert "somebody else" in done.text and "d.dvc" in done.text and "--force" in done.text
    assert (project / FILE).read_text() == text and not (project / FOLDER).exists()


def test_a_wrong_object_in_the_cache_is_reported(project: Project) -> None:
    """Other bytes under a name are left as they are, and no ``.dvc`` file claims them."""
    project.build()
    [out] = tracked(project).outs
    assert out.md5 is not None
    for md5, path in cached(project).items():
        held = path.read_bytes()
        path.unlink()
        path.write_bytes(held[:-1] + b"?")
        (project / FILE).unlink()
        done = project.run("build", expect=1)
        assert f"{md5[:2]}/{md5[2:]}" in done.text and "expected DVC's cache" in done.text
        assert path.read_bytes() == held[:-1] + b"?" and not (project / FILE).exists()
        path.unlink()
        project.build()
        assert path.read_bytes() == held


def test_what_stands_in_the_way_is_said_before_anything_is_built(project: Project) -> None:
    """A ``.dvc`` file that git ignores, a folder within a tracked one, files that git has: DVC would refuse each."""
    git(project.root, "status")
    project.write(".gitignore", "artifacts/\n")
    done = project.run("build", expect=1)
    assert ".gitignore:1" in done.text and "'artifacts/'" in done.text
    (project / ".gitignore").unlink()
    project.write("artifacts.dvc", "outs:\n- path: artifacts\n")
    assert "artifacts.dvc" in project.run("build", expect=1).text
    (project / "artifacts.dvc").unlink()
    project.write(f"{FOLDER}/data.csv", "x\n1\n")
    git(project.root, "add", FOLDER)
    assert "git rm -r --cached artifacts/d" in project.run("build", expect=1).text
    assert not (project / FILE).exists() and project.files(FOLDER) == {"data.csv": b"x\n1\n"}


def test_links_are_no_places_to_write_to(project: Project, tmp_path: Path) -> None:
    """A link in place of the ``.dvc`` file, of ``.gitignore`` or in the cache is refused, and its target stays."""
    target = tmp_path / "target"
    target.mkdir()
    (project / "artifacts").mkdir()
    places = [project / FILE]
    if shutil.which("git"):
        places.append(project / "artifacts/.gitignore")
    for place in places:
        place.symlink_to(target / "file")
        assert "expected a regular file" in project.run("build", expect=None).text
        place.unlink()
    shutil.rmtree(project / ".dvc/cache", ignore_errors=True)
    (project / ".dvc/cache/files/md5").mkdir(parents=True)
    for number in range(256):
        (project / f".dvc/cache/files/md5/{number:02x}").symlink_to(target)
    assert "nothing is written through links" in project.run("build", expect=None).text
    assert list(target.iterdir()) == []


def test_without_repositories_the_file_is_written_with_warnings(project: Project) -> None:
    """No DVC, no git: the ``.dvc`` file stands, each lack is said, and the cache is filled as soon as there is one."""
    shutil.rmtree(project / ".dvc")
    shutil.rmtree(project / ".git", ignore_errors=True)
    told = project.json("build")
    assert len(told["warnings"]) == 2
    assert "no DVC repository" in told["warnings"][0] and "no git repository" in told["warnings"][1]
    assert tracked(project).outs[0].path == "d" and not (project / "artifacts/.gitignore").exists()
    assert stages(project) == "up-to-date"
    project.write(".dvc/config", "")
    told = project.json("build")
    assert len(cached(project)) == 4 and any("no default remote" in it for it in told["warnings"])


def test_without_dvc_the_error_says_how_to_get_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DVC is not installed nothing is built, and both ways out are named."""
    from mldata.tracking import dvc

    monkeypatch.setenv("PATH", os.path.dirname(shutil.which("git") or "/nowhere"))
    monkeypatch.setattr(dvc, "find_spec", lambda name: None)
    project.replace("mldata.yaml", "{require: false}", "true")
    if shutil.which("dvc") is not None:
        pytest.skip("dvc stands beside git")
    done = project.run("build", expect=3)
    assert "pip install dvc" in done.text and "--no-require-dvc" in done.text
    assert not (project / "artifacts").exists()


def test_dvcignore_hides_files_as_it_does_from_dvc(project: Project) -> None:
    """A file that it names is left out and named; a folder that it names is an error."""
    project.write(".dvcignore", "# comment\n*.jsonl\n")
    told = project.json("build")
    [out] = tracked(project).outs
    assert out.md5 is not None
    assert set(parse_dir(cached(project)[out.md5].read_bytes())) == {"data.csv", "manifest.yaml"}
    assert any("data.jsonl" in it for it in told["warnings"])
    project.write(".dvcignore", "art*/d/\n")
    (project / FILE).unlink()
    assert ".dvcignore:1" in project.run("build", expect=1).text


def test_media_are_tracked_with_the_hash_that_was_made_when_they_were_read(project: Project) -> None:
    """Media files get their MD5 in the one read that brings them into the store."""
    from store import Store
    from tests.integrity.images import photo, saved

    project.write("mldata.yaml", SPEC.replace("data/*.csv", "images").replace("csv, jsonl", "csv"))
    for name in ("cat/1.png", "doggy/2.png"):
        path = project / "images" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(saved(photo(8, 6, seed=len(name)), "png"))
    project.build()
    [out] = tracked(project).outs
    assert out.md5 is not None
    listed = parse_dir(cached(project)[out.md5].read_bytes())
    assert listed["cat/1.png"] == hashlib.md5((project / "images/cat/1.png").read_bytes()).hexdigest()
    with Store.open(project / ".mldata/store") as store:
        known = store.index.get_hashes([store.put((project / "images/doggy/2.png").read_bytes()).digest])
    assert [it.md5 for it in known.values()] == [listed["doggy/2.png"]]
