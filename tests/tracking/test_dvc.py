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
EACH = SPEC.replace("{require: false}", "{require: false, each: true}")
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


@pytest.mark.no_cover
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


@pytest.mark.no_cover
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


# -- a `.dvc` file for each file of rows


def each(project: Project) -> set[str]:
    """What stands in the export folder beside what an export has there."""
    return {name for name in project.files(FOLDER) if name.endswith(".dvc") or name == ".gitignore"}


def test_each_file_of_rows_has_a_dvc_file(project: Project) -> None:
    """``each: true``: hash, size and name of one file, its content in the cache by link, and git has the text but not the rows."""
    git(project.root, "status")
    project.write("mldata.yaml", EACH)
    told = project.json("build")
    assert told["warnings"] == [] and not (project / FILE).exists()
    assert each(project) == {"data.csv.dvc", "data.jsonl.dvc", ".gitignore"}
    objects = cached(project)
    for name in ("data.csv", "data.jsonl"):
        data = (project / FOLDER / name).read_bytes()
        file = tracked(project, f"{FOLDER}/{name}.dvc")
        md5 = hashlib.md5(data).hexdigest()
        assert file.text.startswith(
            f"outs:\n- md5: {md5}\n  size: {len(data)}\n  hash: md5\n  path: {name}\nmeta:\n"
        )
        assert objects.pop(md5).read_bytes() == data
    assert objects == {}
    seen = git(project.root, "status", "--porcelain", "-uall", FOLDER)
    assert (project / FOLDER / ".gitignore").read_text() == "/data.csv\n/data.jsonl\n"
    assert seen.split()[1::2] == [
        f"{FOLDER}/{name}" for name in (".gitignore", "data.csv.dvc", "data.jsonl.dvc", "manifest.yaml")
    ]


def test_each_lost_file_is_put_back(project: Project) -> None:
    """What is right is not written again; a ``.dvc`` file, a line or an object of the cache that is lost comes back."""
    project.write("mldata.yaml", EACH)
    project.build()
    paths = [*cached(project).values(), *(project / FOLDER / name for name in sorted(each(project)))]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    assert stages(project) == "up-to-date"
    for lost in paths:
        lost.unlink()
        assert (stages(project), stages(project)) == ("ran", "up-to-date")
        assert lost.read_bytes() == before[lost][0]
        others = [path for path in paths if path.stat().st_mtime_ns != before[path][1]]
        assert others in ([], [lost]), "nothing else was written"
        before[lost] = (before[lost][0], lost.stat().st_mtime_ns)


def test_each_dvc_file_goes_with_its_file(project: Project) -> None:
    """A format that is no longer written takes its ``.dvc`` file and its line along; the user's keys, lines and ``.dvc`` files stay."""
    git(project.root, "status")
    project.write("mldata.yaml", EACH)
    project.build()
    path = project / f"{FOLDER}/data.csv.dvc"
    path.write_text("# mine\n" + path.read_text().replace("  path: ", "  desc: it\n  path: "))
    ignoring = project / FOLDER / ".gitignore"
    ignoring.write_text("*.tmp\n" + ignoring.read_text())
    own = (project / f"{FOLDER}/data.jsonl.dvc").read_text()
    project.write("data/a.csv", "x,y\n1,c\n")
    project.replace("mldata.yaml", "csv, jsonl", "csv, json")
    assert (stages(project), stages(project)) == ("ran", "up-to-date")
    assert each(project) == {"data.csv.dvc", "data.json.dvc", ".gitignore"}
    assert ignoring.read_text() == "*.tmp\n/data.csv\n/data.json\n"
    text = path.read_text()
    assert text.startswith("# mine\nouts:") and "\n  desc: it\n  path: data.csv\n" in text
    md5 = hashlib.md5((project / f"{FOLDER}/data.csv").read_bytes()).hexdigest()
    assert [out.md5 for out in tracked(project, f"{FOLDER}/data.csv.dvc").outs] == [md5]
    project.write(f"{FOLDER}/data.jsonl.dvc", own)  # as an old commit brings it back
    assert (stages(project), stages(project)) == ("ran", "up-to-date")
    assert not (project / f"{FOLDER}/data.jsonl.dvc").exists()


def test_each_dvc_file_of_somebody_else_stays(project: Project) -> None:
    """It is an error before anything is built; ``mldata export --force`` replaces it, where it is in the way."""
    text = "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 0\n  hash: md5\n  path: %s\n"
    for name in ("data.csv", "mine"):
        project.write(f"{FOLDER}/{name}.dvc", text % name)
    project.write("mldata.yaml", EACH)
    assert "somebody else" in project.run("build", expect=1).text
    assert project.files(FOLDER).keys() == {"data.csv.dvc", "mine.dvc"}
    (project / FOLDER).rename(project / "out")
    project.write("mldata.yaml", SPEC)
    project.build()
    how = ("--dvc", "--dvc-each", "--no-require-dvc")
    words = ("export", "d", "-o", "out", "--formats", "csv", *how)
    assert "somebody else" in project.run(*words, expect=None).text
    assert project.files("out").keys() == {"data.csv.dvc", "mine.dvc"}
    done = project.run(*words, "--force")
    assert "data.csv.dvc" in done.text and "mine.dvc" not in done.text
    assert tracked(project, "out/data.csv.dvc").is_own
    assert (project / "out/mine.dvc").read_text() == text % "mine"


@pytest.mark.parametrize("source", ["d", "data/a.csv"])
def test_each_export_may_be_replaced(project: Project, source: str) -> None:
    """``.dvc`` files of mldata and their ``.gitignore`` are in no export's way, tracked or not, also where the rows are not there."""
    project.write("mldata.yaml", SPEC)
    project.build()
    plain = ("export", source, "-o", "out", "--formats")
    how = ("--dvc", "--dvc-each", "--no-require-dvc")
    told = project.json(*plain, "csv,jsonl", *how)["result"]["dvc"]
    before = project.files("out")
    assert told["written"] and {"data.csv.dvc", "data.jsonl.dvc"} < before.keys()
    told = project.json(*plain, "csv,jsonl", *how)["result"].get("dvc", {})
    assert not told.get("written") and not told.get("removed") and project.files("out") == before
    project.run(*plain, "csv,jsonl")
    assert {name: data for name, data in project.files("out").items() if "manifest" not in name} == {
        name: data for name, data in before.items() if "manifest" not in name
    }
    for name in ("data.csv", "data.jsonl", "manifest.yaml"):
        (project / "out" / name).unlink()  # as after `git clone`
    told = project.json(*plain, "csv", *how)["result"]["dvc"]
    assert told["removed"] == [str(project / "out/data.jsonl.dvc")]
    assert tracked(project, "out/data.csv.dvc").text == before["data.csv.dvc"].decode()


def test_a_folder_is_tracked_as_one_or_file_by_file(project: Project) -> None:
    """DVC tracks nothing twice: the other way is an error that says how to stop the one."""
    project.build()
    project.write("mldata.yaml", EACH)
    done = project.run("build", expect=1)
    assert "DVC tracks the folder" in done.text and "dvc remove" in done.text and not each(project)
    (project / FILE).unlink()
    if (project / ".git").exists():
        assert "'/d'" in project.run("build", expect=1).text
        (project / "artifacts/.gitignore").unlink()
    project.build()
    project.write("mldata.yaml", SPEC)
    done = project.run("build", expect=1)
    assert "one by one" in done.text and "data.csv.dvc" in done.text and not (project / FILE).exists()


def test_each_file_that_git_has_is_refused(project: Project) -> None:
    """Git may have the manifest, but not the rows: of an export that stands there it is said before anything is built."""
    project.write("mldata.yaml", SPEC.replace(", dvc: {require: false}", ""))
    project.build()
    git(project.root, "add", "-A", FOLDER)
    before = project.files(FOLDER)
    project.write("mldata.yaml", EACH)
    assert "git rm -r --cached artifacts/d/data.csv" in project.run("build", expect=1).text
    assert project.files(FOLDER) == before
    git(project.root, "rm", "-q", "--cached", f"{FOLDER}/data.csv", f"{FOLDER}/data.jsonl")
    assert (stages(project), stages(project)) == ("ran", "up-to-date")


def test_each_file_below_the_folder_is_tracked_where_it_is(project: Project) -> None:
    """``.dvc`` file and line stand beside a file in a folder of the export, and go with it, the folder too."""
    git(project.root, "status")
    project.write("mldata.yaml", EACH.replace("jsonl", "huggingface"))
    project.build()
    name = "train/data-00000-of-00001.arrow"
    assert each(project) == {"data.csv.dvc", ".gitignore", f"{name}.dvc"}
    assert (project / FOLDER / "train/.gitignore").read_text() == f"/{Path(name).name}\n"
    assert (project / FOLDER / ".gitignore").read_text() == "/data.csv\n"
    assert git(project.root, "check-ignore", f"{FOLDER}/{name}", f"{FOLDER}/train/state.json").split() == [
        f"{FOLDER}/{name}"
    ]
    assert stages(project) == "up-to-date"
    project.replace("mldata.yaml", "csv, huggingface", "csv")
    assert stages(project) == "ran"
    assert project.files(FOLDER).keys() == {"data.csv", "data.csv.dvc", ".gitignore", "manifest.yaml"}
    assert not (project / FOLDER / "train").exists()


def test_each_folder_of_media_is_one(project: Project) -> None:
    """Files of rows stand beside ``.dvc`` files of their own, and so does each topmost folder of media; ``.dvcignore`` counts."""
    from tests.integrity.images import photo, saved

    project.write("mldata.yaml", EACH.replace("data/*.csv", "images").replace("csv, jsonl", "csv"))
    project.write(".dvcignore", "1.png\n")
    for name in ("cat/1.png", "cat/2.png", "doggy/2.png"):
        path = project / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(photo(8, 6, seed=len(name)), "png") + name.encode())
    told = project.json("build")
    assert any("cat/1.png" in it for it in told["warnings"])
    assert stages(project) == "up-to-date"
    assert {name for name in each(project) if name != ".gitignore"} == {
        "cat.dvc",
        "data.csv.dvc",
        "doggy.dvc",
    }
    [out] = tracked(project, f"{FOLDER}/cat.dvc").outs
    assert out.md5 is not None and (out.path, out.nfiles) == ("cat", 1)
    md5 = hashlib.md5((project / "images/cat/2.png").read_bytes()).hexdigest()
    assert parse_dir(cached(project)[out.md5].read_bytes()) == {"2.png": md5}
    if (project / ".git").exists():
        assert (project / FOLDER / ".gitignore").read_text() == "/cat\n/data.csv\n/doggy\n"


def test_each_file_is_written_where_the_cache_is_elsewhere(project: Project) -> None:
    """A cache that is not on this machine is left to ``dvc commit``, which is told for all files below the folder."""
    project.write(".dvc/config", "[core]\n    remote = store\n[cache]\n    dir = s3://bucket/cache\n")
    project.write("mldata.yaml", EACH)
    told = project.json("build")
    assert any("dvc commit -R" in it for it in told["warnings"]) and cached(project) == {}
    assert {"data.csv.dvc", "data.jsonl.dvc"} <= each(project)
    assert stages(project) == "up-to-date"


def test_what_each_needs_is_said_by_flags_and_spec(project: Project) -> None:
    """``--dvc-each`` goes with ``--dvc``; a spec that does not say ``each`` has the plain form that it had."""
    from mldata.specexport import Export

    done = project.run("export", "data/a.csv", "-o", "out", "--dvc-each", expect=None)
    assert done.code != 0 and "--dvc-each" in done.text and "add --dvc" in done.text
    assert Export.model_validate({"dvc": True}).to_plain("d")["dvc"] == {"require": True}
    plain = Export.model_validate({"dvc": {"each": True}}).to_plain("d")["dvc"]
    assert plain == {"require": True, "each": True}
    assert Export.model_validate({"dvc": plain}).to_plain("d")["dvc"] == plain
