"""Datasets of Kaggle."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from mldata.credentials import Credential
from mldata.errors import AuthError, NetworkError, SourceError
from mldata.sources.base import Query
from mldata.sources.kaggle import KaggleSource, search
from mldata.sources.kaggleapi import KaggleApi
from mldata.testing import RemoteSourceContract
from mldata.testing.places import Asked, fetch
from mldata.testing.remote import SECRET
from tests.servers.kaggle import USER, Kaggle, refusal
from tests.servers.steered import Answer, as_json

REF = "ada/palmer-penguins"


class Place:
    """One dataset of a local Kaggle."""

    uri = f"kaggle://{REF}"
    nowhere = "kaggle://ada/no-penguins"

    def __init__(self, server: Kaggle) -> None:
        self.server, self.dataset = server, server.add(REF)
        server.tokens.add(SECRET)

    @property
    def requests(self) -> Sequence[Asked]:
        return self.server.steering.asked

    def put(self, files: Mapping[str, bytes]) -> None:
        self.dataset.versions.append(dict(reversed(files.items())))

    def require_token(self, token: str) -> None:
        self.dataset.token = token

    def gate(self) -> None:
        self.dataset.gate = True

    def rename(self) -> None:
        raise NotImplementedError

    def move(self) -> None:
        """They always come from another host."""

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        self.server.steering.failures = (status, times, headers or {})

    def cut(self, after: int) -> None:
        self.server.steering.cut_after = after


class KaggleContract(RemoteSourceContract):
    """What Kaggle promises, for files that it zips and for those that it does not."""

    variable = "KAGGLE_API_TOKEN"
    malformed = (
        "kaggle://",
        "kaggle://ada",
        "kaggle://a b/c",
        "kaggle://ada/x?revision=two",
        "kaggle://ada/x?subset=y",
    )
    lacks: ClassVar[Mapping[str, str]] = {
        "rename": "what the API says of an old name is not documented",
    }
    packs: ClassVar[Callable[[str, bytes], bool]]

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Place]:
        with pytest.MonkeyPatch.context() as patch, Kaggle(type(self).packs) as server:
            patch.setenv("KAGGLE_API_ENDPOINT", server.url)
            yield Place(server)

    def test_a_change_is_another_revision(self, tmp_path: Path) -> None:
        """A new version of the dataset is another revision; its files are known by its number, for Kaggle says nothing of each."""
        with self.serve(tmp_path) as place:
            for number in ("1", "2"):
                place.put(self.files)
                resolved = self.open(place.uri, tmp_path).resolve()
                assert resolved.revision == number and {file.version for file in resolved.files} == {number}


class TestKaggleContract(KaggleContract):
    packs = staticmethod(lambda name, data: False)


class TestZippedContract(KaggleContract):
    packs = staticmethod(lambda name, data: bool(data))


CSV = b"x,y\n1,2\n"
FILES = {"train/a.csv": CSV, "train/b.csv": b"x,y\n3,4\n", "test/a.csv": b"x,y\n5,6\n", "read.me": b"hello\n"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    with Kaggle() as server:
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", server.url)
        server.tokens.add(SECRET)
        yield server


def source(text: str) -> KaggleSource:
    return KaggleSource(text, Path())


def pulled(text: str, revision: str | None = None) -> dict[str, bytes]:
    it = source(text)
    return fetch(it, it.resolve(revision))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ["read.me", "test/a.csv", "train/a.csv", "train/b.csv"]),
        ("/train", ["a.csv", "b.csv"]),
        ("/train/b.csv", ["b.csv"]),
        ("/*/a.csv", ["test/a.csv", "train/a.csv"]),
        ("/train/*.csv", ["a.csv", "b.csv"]),
        ("/**/a.csv", ["test/a.csv", "train/a.csv"]),
    ],
)
def test_some_files_of_a_dataset(server: Kaggle, path: str, names: list[str]) -> None:
    """A file, a folder and a pattern mean what they mean on a disk; what is told without a download is of the same files."""
    server.add(REF, {**FILES, ".hidden": b"x"})
    it = source(f"kaggle://{REF}{path}")
    assert [file.name for file in it.resolve().files] == names
    assert list(pulled(f"kaggle://{REF}{path}")) == names
    assert it.about().size == sum(file.size or 0 for file in it.resolve().files)
    assert it.resolve().facts.get("ignored") == ({".*": 1} if not path else None)


def test_a_path_that_nothing_is_at(server: Kaggle) -> None:
    """It is an error that says how many files there are, and where to see them."""
    server.add(REF, FILES)
    with pytest.raises(SourceError, match=r"none of its 4 is no/\*\.csv") as caught:
        source(f"kaggle://{REF}/no/*.csv").resolve()
    assert f"{server.url}/datasets/{REF}" in str(caught.value.hint)


def test_versions(server: Kaggle) -> None:
    """The version that a text names is taken, the pinned one before it, else the newest; one that never was is an error with those that are."""
    server.add(REF, {"a.csv": b"1"}, {"a.csv": b"2"}, {"a.csv": b"3"})
    assert pulled(f"kaggle://{REF}")["a.csv"] == b"3"
    for text in (f"kaggle://{REF}?revision=2", f"kaggle://{REF}@2", f"kaggle://{REF}@2?revision=2"):
        assert pulled(text)["a.csv"] == b"2"
        assert source(text).key == f"kaggle://{REF}?revision=2"
        assert pulled(text, "1")["a.csv"] == b"1"
    with pytest.raises(SourceError, match="from 1 to 3, found 4"):
        source(f"kaggle://{REF}").resolve("4")
    server.datasets[REF].gone.add(1)
    with pytest.raises(SourceError, match="version"):
        source(f"kaggle://{REF}").resolve("1")
    with pytest.raises(SourceError, match="one version"):
        source(f"kaggle://{REF}@2?revision=1")


def test_a_dataset_that_has_no_version_yet(server: Kaggle) -> None:
    """Kaggle may still be reading it: that is said."""
    server.add(REF)
    with pytest.raises(SourceError, match="found none"):
        source(f"kaggle://{REF}").resolve()


def test_more_files_than_memory_is_for(server: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern is not held against a list without an end; the archive is told as the way out."""
    monkeypatch.setattr("mldata.sources.kaggle.MOST_LISTED", 300)
    server.add(REF, {f"{number}.csv": CSV for number in range(1000)})
    with pytest.raises(SourceError, match="at most 300 files") as caught:
        source(f"kaggle://{REF}/*.csv").resolve()
    assert f"kaggle://{REF}?files=archive" in str(caught.value.hint) and len(server.steering.asked) < 5


def test_the_archive(server: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many files comes the one archive, in parts if they are asked for and against its MD5; on demand of few, too. Its list is not read to the end."""
    files = {f"{number}.csv": CSV for number in range(1000)}
    server.add(REF, files)
    monkeypatch.setattr("mldata.sources.kaggle.MOST_FILES", 300)
    resolved = source(f"kaggle://{REF}").resolve()
    assert [file.name for file in resolved.files] == ["palmer-penguins.zip"] and resolved.warnings
    assert len(server.steering.asked) == 3
    (origin,) = [source(f"kaggle://{REF}").origin(file) for file in resolved.files]
    with origin.open() as body:
        assert body.ranges and "md5" in body.digests
    (packed,) = fetch(source(f"kaggle://{REF}"), resolved).values()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert [file.name for file in source(f"kaggle://{REF}/1.csv").resolve().files] == ["1.csv"]
    server.add("ada/few", FILES)
    few = source("kaggle://ada/few?files=archive").resolve()
    assert [file.name for file in few.files] == ["few.zip"] and not few.warnings


@pytest.mark.parametrize(
    ("form", "header"),
    [
        (Credential("kaggle", SECRET, "here"), f"Bearer {SECRET}"),
        (Credential("kaggle", SECRET, "here", USER), "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()),
    ],
)  # fmt: skip
def test_both_forms_of_credentials(
    server: Kaggle, monkeypatch: pytest.MonkeyPatch, form: Credential, header: str
) -> None:
    """A token is sent as a bearer's and a key with its user's name, to Kaggle and never to the storage host."""
    server.add(REF, FILES).token = SECRET
    monkeypatch.setattr("mldata.sources.kaggleapi.find_credential", lambda service: form)
    assert pulled(f"kaggle://{REF}")["read.me"] == b"hello\n"
    sent = {(asked.own, asked.headers.get("authorization")) for asked in server.steering.asked}
    assert sent == {(True, header), (False, None)}


def test_no_token_goes_over_plain_http(server: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone on the way could read it: a site that is asked like that is warned of, and asked without."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    assert KaggleApi("kaggle://a/b", "").auth is not None  # this machine is not on the way
    monkeypatch.setenv("KAGGLE_API_ENDPOINT", "http://kaggle.example/api/v1")
    api = KaggleApi("kaggle://a/b", "")
    assert api.auth is None and "plain http" in str(api.warning)


def test_messages_say_what_to_do(server: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not let in learns why: no token, a wrong one with where it was found, or terms with their address."""
    server.add(REF, FILES).token = SECRET
    page = f"{server.url}/datasets/{REF}"

    def refused() -> str:
        with pytest.raises(AuthError) as caught:
            source(f"kaggle://{REF}").resolve()
        return str(caught.value)

    assert "mldata auth login kaggle" in refused() and page in refused()
    monkeypatch.setenv("KAGGLE_API_TOKEN", "not-the-one")
    assert "does not know the credential from the variable KAGGLE_API_TOKEN" in refused()
    assert "not-the-one" not in refused() and f"{server.url}/settings" in refused()
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    server.datasets[REF].gate = True
    assert "accept its terms" in refused() and page in refused() and SECRET not in refused()
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(SourceError, match="no such dataset") as caught:
        source("kaggle://ada/nothing").resolve()
    assert "mldata auth login kaggle" in str(caught.value.hint)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "Permission 'datasets.download' was denied"),
        Answer(b"<!doctype html><title>Login</title>", headers={"Content-Type": "text/html; charset=utf-8"}),
    ],
)
def test_what_may_be_seen_but_not_downloaded(server: Kaggle, answer: Answer) -> None:
    """Who has to log in for the files learns that from the first one, also where the site shows a page in place of an error."""
    server.add(REF, {"a.html": b"<!doctype html>", **FILES})
    assert pulled(f"kaggle://{REF}")["a.html"] == b"<!doctype html>"
    server.datasets[REF].login = answer
    with pytest.raises(AuthError, match="only to those who log in") as caught:
        pulled(f"kaggle://{REF}")
    assert "mldata auth login kaggle" in str(caught.value.hint)


def test_a_file_that_is_listed_only(server: Kaggle) -> None:
    """Kaggle does not find some files of large datasets one by one: the way to have them all is told."""
    server.add(REF, FILES)
    it = source(f"kaggle://{REF}")
    resolved = it.resolve()
    server.datasets[REF].login = refusal(404, "File not found")
    with pytest.raises(SourceError, match="lists this file") as caught:
        fetch(it, resolved)
    assert "?files=archive" in str(caught.value.hint) and f"kaggle://{REF}/" in str(caught.value.where)


def test_a_file_that_the_storage_host_does_not_give(server: Kaggle) -> None:
    """Its error is told as it is: it says nothing of who asks."""
    server.add(REF, FILES)
    it = source(f"kaggle://{REF}")
    resolved = it.resolve()
    server.storage.sign = lambda path, data: f"{server.storage.url}/other"  # type: ignore[method-assign]
    with pytest.raises(AuthError, match="403") as caught:
        fetch(it, resolved)
    assert "log in" not in str(caught.value.message)


def test_a_new_name_is_told(server: Kaggle) -> None:
    """A dataset that answers by another name than it was asked by is taken, with a warning that has the new one."""
    server.datasets["ada/old"] = server.add(REF, FILES)
    (warning,) = source("kaggle://ada/old").resolve().warnings
    assert f"kaggle://{REF}" in warning


@pytest.mark.parametrize(
    "said",
    [
        [], {"currentVersionNumber": "two"}, {"currentVersionNumber": 1, "datasetFiles": 5},
        {"currentVersionNumber": 1, "datasetFiles": [1]}, {"currentVersionNumber": 1, "datasetFiles": [{"name": None}]},
        {"currentVersionNumber": 1, "datasetFiles": [{"name": "a"}, {"name": "a"}]},
        {"currentVersionNumber": 1, "datasetFiles": [{"name": "a"}], "nextPageToken": "again"},
        {"errorMessage": "out of order"},
    ],
)  # fmt: skip
def test_answers_that_make_no_sense(server: Kaggle, monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    """They are an error that names the source, not a wrong dataset and not a crash, and come to an end."""
    monkeypatch.setattr(server, "answer", lambda request: as_json(said))
    with pytest.raises((SourceError, NetworkError)) as caught:
        source(f"kaggle://{REF}").resolve()
    assert f"kaggle://{REF}" in str(caught.value)


def test_a_list_without_an_end(server: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that have nothing but another page behind them are given up."""
    monkeypatch.setattr("mldata.sources.kaggleapi.MOST_PAGES", 20)
    numbers = iter(range(1000))
    said = {"currentVersionNumber": 1, "datasetFiles": []}
    monkeypatch.setattr(
        server, "answer", lambda request: as_json({**said, "nextPageToken": str(next(numbers))})
    )
    with pytest.raises(NetworkError, match="a last one"):
        source(f"kaggle://{REF}").resolve()
    assert next(numbers) < 30


def test_what_is_told_of_a_dataset(server: Kaggle) -> None:
    """Title, licence, tags, size and the columns of its table come in two requests; what is pinned with it is the same however often one asks."""
    server.add(REF, {"a.csv": CSV}, columns={"a.csv": [("x", "Integer"), ("y", "Numeric")]})
    it = source(f"kaggle://{REF}")
    about = it.about()
    assert len(server.steering.asked) == 2
    assert (about.title, about.license, about.size) == ("Palmer penguins", "CC0-1.0", len(CSV))
    assert (about.features, about.tags) == (
        (("x", "Integer"), ("y", "Numeric")),
        ("biology", "modality:tabular"),
    )
    assert (
        about.homepage == f"{server.url}/datasets/{REF}" and about.description == "Measured on three islands."
    )
    assert it.resolve().facts == {
        "name": "Palmer penguins", "license": "CC0-1.0", "version": 1, "homepage": about.homepage,
    }  # fmt: skip


def test_search(server: Kaggle) -> None:
    """Text and size are looked for by Kaggle; licence, modality and task by what it tells, over as many pages as that takes."""
    for number in range(50):
        tags = ("image", "image classification") if number % 2 else ("tabular",)
        server.add(
            f"ada/pets-{number:02}",
            {"a.csv": CSV * number},
            tags=tags,
            license="Attribution 4.0 International (CC BY 4.0)" if number > 40 else "MIT",
        )
    server.add("ada/private", {"a.csv": CSV}, token=SECRET, title="pets")
    hits = list(search(Query("pets", limit=30)))
    assert [hit.source for hit in hits] == [f"kaggle://ada/pets-{number:02}" for number in range(30)]
    assert (
        hits[3].tags == ("modality:image", "task:image-classification")
        and hits[3].updated == "2026-01-31"
        and hits[3].downloads == 40
    )
    found = list(search(Query("pets", modality="image", task="image-classification", license="cc-by")))
    assert [hit.source[-2:] for hit in found] == ["41", "43", "45", "47", "49"]
    assert list(search(Query("nothing like it"))) == []
    large = max(hit.size or 0 for hit in hits)
    assert {hit.size for hit in search(Query("pets", min_size=large))} == {large}
    assert next(iter(search(Query("pets", limit=1)))).size
    for odd in ("../x", "ada", "ada/x y", "ada/\x1b[31m", ""):
        server.add(odd or "/", {"a.csv": CSV}, title="odd one")
    assert list(search(Query("odd one"))) == []
