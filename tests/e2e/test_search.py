"""`mldata search`: what sources have, found by words."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from unittest import mock

import pytest

from mldata import searching
from mldata.errors import AuthError, NetworkError
from mldata.searching import same_license
from mldata.sources import SOURCES
from mldata.sources.base import Hit
from tests.e2e.project import Project
from tests.sources.made_up import Place, make_place


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Place, Place]]:
    """Two places that can be searched, and no other."""
    others = {scheme: info for scheme, info in SOURCES.items() if info.search is None}
    # Not monkeypatch.delitem: what that puts back comes last, and sources take turns in their order.
    with (
        mock.patch.dict(SOURCES, others, clear=True),
        make_place(monkeypatch, "one") as one,
        make_place(monkeypatch, "two") as two,
    ):
        one.hits = [
            Hit(
                "one://a/first",
                "First",
                "CC BY 4.0",
                5_000_000,
                344,
                1200,
                "2026-01-31",
                ("modality:tabular",),
            ),
            Hit("one://a/second", license="other, mit", size=50, tags=("modality:image",)),
            Hit("one://a/third"),
        ]
        two.hits = [
            Hit("two://7", "Seven", "cc0-1.0", 900),
            Hit("two://8", downloads=3, tags=("image data",)),
        ]
        yield one, two


def found(project: Project, *args: str) -> list[str]:
    return [hit["source"] for hit in project.json("search", *args)["result"]["hits"]]


def test_all_sources_take_turns(project: Project, places: tuple[Place, Place]) -> None:
    """Each source has a fair share of what is shown, best first, whichever answers first; -n says how many."""
    one, two = places
    answered = Event()
    one.before, two.before = lambda: answered.wait(60), answered.set
    assert found(project, "x") == ["one://a/first", "two://7", "one://a/second", "two://8", "one://a/third"]
    assert found(project, "x", "-n", "3") == ["one://a/first", "two://7", "one://a/second"]
    assert found(project, "x", "-s", "two") == ["two://7", "two://8"]


def test_what_a_source_is_asked(project: Project, places: tuple[Place, Place]) -> None:
    """Words and filters reach each source as they were said, sizes in bytes."""
    args = [
        "-m",
        "image",
        "-t",
        "image-classification",
        "-l",
        "mit",
        "--min-size",
        "1kB",
        "--max-size",
        "2GB",
        "-n",
        "7",
    ]
    project.run("search", "hand", "written", *args)
    for place in places:
        (query,) = place.queries
        assert (query.text, query.modality, query.task, query.license) == (
            "hand written",
            "image",
            "image-classification",
            "mit",
        )
        assert (query.min_size, query.max_size, query.limit) == (1000, 2 * 10**9, 7)


def test_the_table(project: Project, places: tuple[Place, Place]) -> None:
    """A line a dataset: the name to give to `mldata add`, rows, size, licence, downloads, the day of its last change."""
    lines = project.run("search", "x").out.splitlines()
    assert lines[0].split() == ["source", "rows", "size", "license", "downloads", "updated"]
    assert lines[1].split() == [
        "one://a/first",
        "344",
        "4.8",
        "MiB",
        "CC",
        "BY",
        "4.0",
        "1,200",
        "2026-01-31",
    ]
    assert len(lines) == 6
    for place in places:
        place.hits = []
    assert "nothing found" in project.run("search", "x").out


def test_json(project: Project, places: tuple[Place, Place]) -> None:
    """--json has all that is known of a hit, the query, and how each source answered."""
    result = project.json("search", "x", "-n", "1")["result"]
    assert result["query"]["text"] == "x"
    assert result["hits"] == [
        {
            "source": "one://a/first", "title": "First", "license": "CC BY 4.0", "size": 5_000_000, "rows": 344,
            "downloads": 1200, "updated": "2026-01-31", "tags": ["modality:tabular"],
        }
    ]  # fmt: skip
    assert result["sources"] == {"one": {"hits": 1, "error": None}, "two": {"hits": 0, "error": None}}


@pytest.mark.parametrize(
    ("args", "shown", "said"),
    [
        (["-l", "cc-by-4.0"], ["one://a/first", "one://a/third", "two://8"], "license of 1"),
        (["--max-size", "1kB"], ["one://a/second", "two://7", "one://a/third", "two://8"], "size of 1"),
        (["--min-size", "1kB"], ["one://a/first", "two://8", "one://a/third"], "size of 1"),
        (["-m", "image"], ["two://7", "one://a/second", "two://8", "one://a/third"], "modality of 1"),
        (["-l", "mit"], ["one://a/second", "one://a/third", "two://8"], "license of 1"),
    ],
)
def test_filters(
    project: Project, places: tuple[Place, Place], args: list[str], shown: list[str], said: str
) -> None:
    """A filter that a source did not apply is held against what its hits state; how many state nothing is said."""
    told = project.json("search", "x", *args)
    assert sorted(hit["source"] for hit in told["result"]["hits"]) == sorted(shown)
    assert any(said in warning for warning in told["warnings"]), told["warnings"]


@pytest.mark.parametrize(
    ("wanted", "other", "same"),
    [
        ("cc-by-4.0", "CC BY 4.0", True),
        ("cc-by", "cc-by-3.0", True),
        ("cc-by", "cc-by-nc-4.0", False),
        ("cc-by-4.0", "cc-by-3.0", False),
        ("MIT", "mit", True),
        ("gpl", "GPL 2", True),
        ("mit", "limited", False),
    ],
)
def test_licenses(wanted: str, other: str, same: bool) -> None:
    """A licence is known however it is spelled, and any version of it where none is asked for; never one with other terms."""
    assert same_license(wanted, other) is same


def test_a_source_that_fails(project: Project, places: tuple[Place, Place]) -> None:
    """One source that does not answer is a warning; the others are shown."""
    places[0].fails = NetworkError("no answer from one", hint="Try again.")
    told = project.json("search", "x")
    assert [hit["source"] for hit in told["result"]["hits"]] == ["two://7", "two://8"]
    assert any("no answer from one" in warning for warning in told["warnings"])
    assert "no answer from one" in project.run("search", "x").err


def test_a_source_that_answers_nonsense_or_never(
    project: Project, places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read, and what does not come in time, leaves out that source and no other."""
    places[0].fails = KeyError("datasets")
    told = project.json("search", "x")
    assert [hit["source"] for hit in told["result"]["hits"]] == ["two://7", "two://8"]
    assert any("cannot (KeyError" in warning for warning in told["warnings"])
    never = Event()
    places[0].fails, places[0].before = None, lambda: never.wait(20)
    monkeypatch.setattr(searching, "DEADLINE", 0.2)
    told = project.json("search", "x")
    never.set()
    assert [hit["source"] for hit in told["result"]["hits"]] == ["two://7", "two://8"]
    assert any("no answer within 0.2 seconds" in warning for warning in told["warnings"])


def test_offline(project: Project, places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the settings say that there is no network nothing is asked."""
    monkeypatch.setenv("MLDATA_OFFLINE", "true")
    assert "mldata config set offline false" in project.run("search", "x", expect=5).err
    assert not places[0].queries


def test_no_source_answers(project: Project, places: tuple[Place, Place]) -> None:
    """If none answers it is an error of the network that names each; if one alone was asked, or all want a token, it is that error."""
    places[0].fails, places[1].fails = NetworkError("no answer from one"), AuthError("two wants a token")
    done = project.run("search", "x", expect=5)
    assert "no answer from one" in done.err and "two wants a token" in done.err
    project.run("search", "x", "-s", "two", expect=4)
    places[0].fails = AuthError("one wants a token too")
    project.run("search", "x", expect=4)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["x", "-s", "three"], "one, two"),
        (["x", "-s", "dataset"], "one, two"),
        ([" "], "expected words"),
        (["x", "-n", "0"], "at least 1"),
        (["x", "--max-size", "big"], "500MB"),
        (["x", "--min-size", "2kB", "--max-size", "1kB"], "--min-size"),
        ([], "QUERY"),
    ],
)
def test_wrong_arguments(project: Project, places: tuple[Place, Place], args: list[str], said: str) -> None:
    """What cannot be asked is refused before anything is asked."""
    assert said in project.run("search", *args, expect=3).err
    assert not places[0].queries


def test_two_schemes_of_one_place(
    project: Project, places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place with two schemes is asked once, and known by both."""
    monkeypatch.setitem(SOURCES, "uno", SOURCES["one"])
    assert len(found(project, "x")) == 5
    assert len(places[0].queries) == 1
    assert found(project, "x", "-s", "uno", "-s", "one")[0] == "one://a/first"
    assert len(places[0].queries) == 2


def test_names_cannot_steer_the_terminal(project: Project, places: tuple[Place, Place]) -> None:
    """What a server sends is shown on one line each, and nothing that a terminal would obey."""
    places[0].hits = [Hit("one://a\x1b[2J\nb", license="\x9b31mmit\u202e")]
    out = project.run("search", "x", "-s", "one").out
    assert len(out.splitlines()) == 2
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)
