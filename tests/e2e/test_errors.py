"""What goes wrong is told with the place, the reason and the next step, with the right exit code and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldata.stages.split import Split
from tests.e2e.project import Project

HEAD = "version: 1\ndatasets:\n  d:\n"
GOOD = HEAD + "    source: data/*.csv\n    split: {train: 0.5, test: 0.5}\n    export: {}\n"

BAD_SPECS = {
    "unknown key": (HEAD + "    source: data/*.csv\n    sorce: x\n", 5, "source"),
    "unknown top key": ("version: 1\ndataset: {}\n", 2, "datasets"),
    "ratios that do not add up": (
        HEAD + "    source: data/*.csv\n    split: {train: 0.8, test: 0.1}\n",
        5,
        "1",
    ),
    "a negative ratio": (HEAD + "    source: data/*.csv\n    split: {train: 1.5, test: -0.5}\n", 5, "-0.5"),
    "unknown method": (
        HEAD + "    source: data/*.csv\n    split: {train: 1, method: stratfy}\n",
        5,
        "stratify",
    ),
    "unknown format": (HEAD + "    source: data/*.csv\n    export: {formats: [parkay]}\n", 5, "parquet"),
    "unknown type": (HEAD + "    source: data/*.csv\n    normalize: {types: {x: int33}}\n", 5, "int33"),
    "no source": (HEAD + "    export: {}\n", 4, "source"),
    "wrong version": ("version: 2\ndatasets: {}\n", 1, "version"),
    "no version": ("datasets: {}\n", 1, "version"),
    "not a mapping": ("- a\n- b\n", 1, "version"),
    "not YAML": ("version: 1\ndatasets: {d: [\n", None, "mldata.yaml"),
    "a key twice": ("version: 1\nversion: 1\ndatasets: {}\n", 2, "version"),
    "an empty file": ("", 1, "version"),
    "an export outside": (
        HEAD + "    source: data/*.csv\n    export: {to: data/out}\n    sourc: 1\n",
        6,
        "source",
    ),
}


@pytest.mark.parametrize("what", BAD_SPECS)
def test_bad_spec(what: str, project: Project) -> None:
    """A spec that cannot be built is refused with file, line and column, exit code 3, and nothing is made."""
    text, line, word = BAD_SPECS[what]
    project.write("data/a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", text)
    done = project.run("build", expect=3)
    assert "Traceback" not in done.text
    assert (f"mldata.yaml:{line}:" if line else "mldata.yaml:") in done.err
    assert word in done.err
    assert not (project / "artifacts").exists()


@pytest.mark.parametrize("what", BAD_SPECS)
def test_bad_spec_as_json(what: str, project: Project) -> None:
    """With --json the same is told in the envelope's ``errors``, on standard output."""
    project.write("data/a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", BAD_SPECS[what][0])
    envelope = project.json("build", expect=3)
    assert envelope["success"] is False
    assert envelope["errors"]
    assert "mldata.yaml" in str(envelope["errors"])


def test_no_spec(project: Project) -> None:
    """Outside a project, the next command is named."""
    done = project.run("build", expect=3)
    assert "mldata.yaml" in done.err
    assert "mldata init" in done.err


def test_unknown_dataset(project: Project) -> None:
    """A name that the spec does not have is answered with those that it has."""
    project.write("data/a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", GOOD.replace("  d:", "  penguins:"))
    done = project.run("build", "pinguins", expect=3)
    assert "pinguins" in done.err
    assert "penguins" in done.err


@pytest.mark.parametrize(
    "args",
    [("build", "--bogus"), ("bogus",), ("build", "-j", "0"), ("build", "-j", "many"), ("explain",), ("add",)],
)
def test_bad_arguments(args: tuple[str, ...], project: Project) -> None:
    """Arguments that make no sense exit with 3 and say how to get help."""
    project.write("data/a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", GOOD)
    done = project.run(*args, expect=3)
    assert "Traceback" not in done.text
    assert done.err.strip()


def build_fails(project: Project, *words: str) -> str:
    """The build fails with 1, names what is wrong, and publishes no export."""
    project.write("mldata.yaml", GOOD)
    done = project.run("build", expect=1)
    assert "Traceback" not in done.text
    for word in words:
        assert word in done.err
    assert not (project / "artifacts").exists()
    return done.err


def test_missing_source(project: Project) -> None:
    """A pattern in a folder that does not exist."""
    build_fails(project, "data")


def test_pattern_that_matches_nothing(project: Project) -> None:
    """A folder is there but no file in it matches."""
    project.write("data/readme.txt", "hello")
    build_fails(project, "data/*.csv")


def test_empty_file(project: Project) -> None:
    """A file of no bytes has no header line: it is named."""
    project.write("data/a.csv", "x,y\n1,2\n3,4\n")
    project.write("data/empty.csv", "")
    build_fails(project, "empty.csv")


def test_row_with_too_many_fields(project: Project) -> None:
    """A row that does not fit the header is named with its file and line."""
    project.write("data/a.csv", "x,y\n1,2\n3,4,5\n")
    build_fails(project, "a.csv", "3")


def test_text_that_is_not_utf8(project: Project) -> None:
    """Bytes that are in no encoding which can be told are an error that names the place and the key of the spec."""
    project.write("data/a.csv", "")
    (project / "data/a.csv").write_bytes("x,y\n1,Москва\n".encode("cp1251"))
    build_fails(project, "a.csv:2:3: expected UTF-8")


def test_a_table_that_is_something_else(project: Project) -> None:
    """Bytes that are not what the name says are an error that names the file."""
    project.write("data/placeholder.csv", "x\n1\n")
    (project / "data/b.parquet").write_bytes(b"PAR1 but not really")
    project.write("mldata.yaml", GOOD.replace("data/*.csv", "data/*.parquet"))
    done = project.run("build", expect=1)
    assert "b.parquet" in done.err
    assert "Traceback" not in done.text


def test_folder_with_no_known_format(project: Project) -> None:
    """A folder of files that no format reads says which files, and which formats there are."""
    project.write("data/notes.xyz", "hello")
    project.write("mldata.yaml", GOOD.replace("data/*.csv", "data"))
    done = project.run("build", expect=1)
    assert "notes.xyz" in done.err
    assert "csv" in done.err


def test_missing_column(project: Project) -> None:
    """A column that the spec names and the table does not have is named, with those that it has."""
    project.write("data/a.csv", "species,y\na,2\nb,4\n")
    project.write("mldata.yaml", GOOD.replace("test: 0.5", "test: 0.5, stratify: specie"))
    done = project.run("build", expect=None)
    assert done.code in (1, 3)
    assert "specie" in done.err
    assert "species" in done.err
    assert "Traceback" not in done.text


def test_a_link_out_of_the_folder(project: Project, tmp_path: Path) -> None:
    """A symbolic link that leaves the source folder is refused, not followed."""
    secret = tmp_path / "secret.csv"
    secret.write_text("x\n1\n")
    project.write("data/a.csv", "x\n1\n2\n")
    (project / "data/b.csv").symlink_to(secret)
    build_fails(project, "b.csv")


def test_a_dangling_link(project: Project) -> None:
    """A link to nothing is an unreadable file: it is named."""
    project.write("data/a.csv", "x\n1\n2\n")
    (project / "data/b.csv").symlink_to(project / "data/nowhere.csv")
    build_fails(project, "b.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_unreadable_file(project: Project) -> None:
    """A file without read permission is named."""
    project.write("data/a.csv", "x\n1\n2\n").chmod(0)
    build_fails(project, "a.csv")


def test_colliding_names(project: Project) -> None:
    """Names that a case-insensitive filesystem cannot keep apart are refused, both named."""
    project.write("data/a.csv", "x\n1\n2\n")
    project.write("data/A.csv", "x\n3\n4\n")
    if len(list((project / "data").iterdir())) < 2:
        pytest.skip("this filesystem is case-insensitive")
    build_fails(project, "a.csv", "A.csv")


def test_keep_going_builds_the_others(project: Project) -> None:
    """One dataset that fails does not keep the others from being built."""
    project.write("good/a.csv", "x\n1\n2\n")
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  bad: {source: nowhere.csv, export: {}}\n  good: {source: good, export: {}}\n",
    )
    done = project.run("build", "--keep-going", expect=1)
    assert "nowhere.csv" in done.err
    assert (project / "artifacts/good/data.parquet").exists()
    assert not (project / "artifacts/bad").exists()


def test_locked_refuses_other_data(project: Project) -> None:
    """--locked builds what mldata.lock pins, and nothing else."""
    project.write("data/a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", GOOD)
    project.run("build")
    project.run("build", "--locked")
    lock = (project / "mldata.lock").read_bytes()
    project.write("data/a.csv", "x\n1\n3\n")
    done = project.run("build", "--locked", expect=1)
    assert "mldata.lock" in done.err and "a.csv was changed" in done.err
    assert (project / "mldata.lock").read_bytes() == lock
    project.write("data/b.csv", "x\n4\n")
    assert "a.csv was changed, b.csv was added" in project.run("build", "--locked", expect=1).err
    project.run("build")
    assert (project / "mldata.lock").read_bytes() != lock


def test_locked_refuses_files_that_are_read_in_another_way(project: Project) -> None:
    """The lock says how text files are written; a deleted lock is written again, whole."""
    project.write("data/a.csv", "x;y\n1,5;a\n")
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: data}\n")
    project.run("build")
    lock = project / "mldata.lock"
    before = lock.read_text()
    assert "- \"csv, utf-8, delimiter ';', header, decimal ',', thousands '.'\"" in before
    lock.unlink()
    project.run("build")
    assert lock.read_text() == before
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: data, normalize: {decimal: point}}\n")
    done = project.run("build", "--locked", expect=1)
    assert "expected the sources to be written as csv, utf-8, delimiter ';', header, decimal ','" in done.err
    assert lock.read_text() == before
    project.run("build")
    project.run("build", "--locked")


def test_an_error_leaves_the_last_good_export(project: Project) -> None:
    """A failed build does not touch the files of the one before; mending the source mends the build."""
    project.write("data/a.csv", "x,y\n1,2\n3,4\n")
    project.write("mldata.yaml", GOOD)
    project.build()
    before = project.files()
    project.write("data/a.csv", "x,y\n1,2\n3,4,5\n")
    project.run("build", expect=1)
    assert project.files() == before
    project.write("data/a.csv", "x,y\n1,2\n3,4\n")
    project.run("build")
    assert project.files() == before


def test_what_nobody_expected_is_told_with_its_place(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of a stage, ours or a plug-in's, names itself and the stage; -v shows where in the code. Other datasets are built."""

    def explode(stage: Split, job: object) -> None:
        raise ZeroDivisionError("no parts")

    project.write("data/a.csv", "x,y\n1,2\n3,4\n")
    project.write("mldata.yaml", GOOD + "  e: {source: data/*.csv}\n")
    with monkeypatch.context() as patch:
        patch.setattr(Split, "build", explode)
        done = project.run("build", "--keep-going", expect=1)
        assert "internal error in split:d: ZeroDivisionError: no parts" in done.err
        assert "d  failed" in done.out and "e  built" in done.out
        assert "Traceback" not in done.err and 'raise ZeroDivisionError("no parts")' not in done.err
        assert 'raise ZeroDivisionError("no parts")' in project.run("-v", "build", expect=1).err
        [told] = project.json("build", expect=1)["errors"]
        assert told == {
            "code": "ZeroDivisionError",
            "message": "no parts",
            "where": "in split:d",
            "hint": None,
        }
    project.run("build")


@pytest.mark.parametrize("words", [["validate"], ["profile"], ["diff", "a.csv"], ["drift", "a.csv"]])
def test_errors_about_a_place_name_it(project: Project, words: list[str]) -> None:
    """What is wrong with a folder that no spec names is told of that folder, as it was typed."""
    project.write("a.csv", "x\n1\n")
    project.write("notes/a.txt", "hello")
    done = project.run(*words, "notes", expect=None)
    assert done.code in (1, 2) and "error: notes: expected at least one file of a known format" in done.err


def test_progress_about_a_place_names_it(project: Project) -> None:
    """Stages of a file that no spec names are told under its name, and one row is one row."""
    project.write("a.csv", "x\n1\n")
    told = project.run("profile", "a.csv").err
    [line] = [line for line in told.splitlines() if line.startswith("normalize:a.csv  ")]
    assert line.split(", ")[-1].startswith("1 row  ")
