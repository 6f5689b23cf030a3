"""`mldata config`, as a person or a script uses it, and that settings do what they say."""

from __future__ import annotations

import os

import pytest

from mldata.config import SETTINGS, config_file
from tests.e2e.project import Project
from tests.homes import Home, home

__all__ = ["home"]


def test_set_get_unset(project: Project, home: Home) -> None:
    """What is set stays set until it is unset; `get` prints nothing but the value."""
    assert project.run("config", "get", "segments").out == "4\n"
    said = project.run("config", "set", "segments", "8").out
    assert said == f"set segments to 8 in {config_file()}\n"
    assert project.run("config", "get", "segments").out == "8\n"
    assert project.json("config", "get", "segments")["result"] == {
        "name": "segments", "value": 8, "origin": f"{config_file()}:2:1", "default": 4
    }  # fmt: skip
    project.run("config", "unset", "segments")
    assert project.run("config", "get", "segments").out == "4\n"
    assert "is not set" in project.run("config", "unset", "segments").out


def test_list_and_path(project: Project, home: Home) -> None:
    """All settings are listed with where each comes from; the path is that of the file, there or not."""
    assert project.json("config", "path")["result"] == {"path": str(config_file()), "exists": False}
    project.run("config", "set", "hf.endpoint", "https://mirror.example.org/")
    home.set(MLDATA_JOBS="2")
    listed = {it["name"]: it for it in project.json("config", "list")["result"]["settings"]}
    assert set(listed) == set(SETTINGS)
    assert listed["hf.endpoint"]["value"] == "https://mirror.example.org"
    assert listed["jobs"] == {
        "name": "jobs",
        "value": 2,
        "origin": "the variable MLDATA_JOBS",
        "default": None,
    }
    text = project.run("config", "list").out
    assert all(name in text for name in SETTINGS)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("get", "segmens"), "Did you mean: segments"),
        (("set", "segments", "many"), "whole number"),
        (("set", "segments"), "mldata config set NAME VALUE"),
        (("get",), "mldata config get NAME"),
        (("list", "segments"), "expected mldata config list;"),
        (("unset", "nothing"), "name of a setting"),
        (("change",), "invalid choice"),
    ],
)
def test_wrong_requests(args: tuple[str, ...], said: str, project: Project, home: Home) -> None:
    """They end with code 3, say what was expected, and write nothing."""
    assert said in project.run("config", *args, expect=3).err
    assert not config_file().exists()


def test_a_variable_that_hides_what_was_set_is_said(project: Project, home: Home) -> None:
    """Setting a value that does not count now is a warning."""
    home.set(HF_ENDPOINT="https://mirror.example.org")
    done = project.json("config", "set", "hf.endpoint", "https://other.example.org")
    assert done["warnings"] == [
        "the variable HF_ENDPOINT says https://mirror.example.org, which counts as long as it is set"
    ]


def test_a_setting_that_is_none_can_be_removed(project: Project, home: Home) -> None:
    """The command that mends a broken file works with the broken file."""
    home.write(".config/mldata/config.yaml", "segmens: 8\njobs: 2\n")
    assert "config.yaml:1:1" in project.run("config", "list", expect=3).err
    project.run("config", "unset", "segmens")
    assert project.run("config", "get", "jobs").out == "2\n"


def test_settings_of_a_build(project: Project, home: Home) -> None:
    """jobs, executor and offline take part in a build, flags come first, and a bad setting stops it before it starts."""
    project.write("a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: a.csv}\n")
    home.set(MLDATA_EXECUTOR="dask")
    assert "the variable MLDATA_EXECUTOR" in project.run("build", expect=3).err
    seen = []
    import mldata.cli.build as command

    options = command._options
    home.patch.setattr(command, "_options", lambda args: seen.append(options(args)) or seen[-1])
    home.set(MLDATA_EXECUTOR="processes", MLDATA_JOBS="2", MLDATA_OFFLINE="true")
    project.run("build", "--dry-run")
    project.run("build", "--dry-run", "-j", "1", "--executor", "threads")
    assert [(it.jobs, it.executor, it.offline) for it in seen] == [
        (2, "processes", True),
        (1, "threads", True),
    ]


def test_colours(project: Project, home: Home) -> None:
    """`color` decides where the terminal is not asked; --no-color comes first."""
    project.run("config", "set", "color", "always")
    assert "\x1b[" in project.run("config", "list").out
    assert "\x1b[" not in project.run("config", "list", "--no-color").out
    project.run("config", "set", "color", "never")
    assert "\x1b[" not in project.run("config", "list").out


def test_a_link_to_the_settings_stays_one(project: Project, home: Home) -> None:
    """Somebody who keeps their settings in a repository edits the file there."""
    real = home.write("dotfiles/config.yaml", "jobs: 2  # mine\n", 0o644)
    config_file().parent.mkdir(parents=True)
    config_file().symlink_to(real)
    project.run("config", "set", "jobs", "3")
    assert config_file().is_symlink() and real.read_text() == "jobs: 3  # mine\n"
    assert os.stat(real).st_mode & 0o777 == 0o644
