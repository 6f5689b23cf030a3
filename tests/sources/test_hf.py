"""Datasets of the Hugging Face Hub, beside what every source elsewhere promises (test_hf_contract.py)."""

from __future__ import annotations

import hashlib
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from mldata.download.base import Transient
from mldata.errors import AuthError, MldataError, NetworkError, SourceError, UsageError
from mldata.sources import open_source
from mldata.sources.base import Query, RemoteSource, Resolved
from mldata.sources.hf import search
from mldata.testing.places import fetch
from tests.servers.hub import TOKEN, Hub
from tests.servers.hubrepo import described, entries, git_sha1
from tests.sources.hubs import served as served

A, B = b"x,y\n1,2\n", b"x,y\n3,4\n"
SPLITS = {
    "data/train-00000-of-00001.parquet": b"PAR1-train",
    "data/test-00000-of-00001.parquet": b"PAR1-test",
}


def source(text: str) -> RemoteSource:
    made: Any = open_source(text, Path())
    return made


def resolve(text: str) -> Resolved:
    return source(text).resolve()


def names(text: str) -> list[str]:
    return [file.name for file in resolve(text).files]


def error(kind: type[MldataError], text: str) -> str:
    with pytest.raises(kind) as caught:
        resolve(text)
    assert caught.value.hint
    return str(caught.value)


# Which state, which files.


@pytest.mark.no_cover
def test_a_revision_is_pinned_as_a_commit(served: Hub) -> None:
    """A branch, a tag, the beginning of a commit and the whole of it lead to the commit and to its own bytes."""
    repo = served.repo("owner/pets", {"a.csv": A})
    old = repo.refs["v1"] = repo.refs["main"]
    new = repo.commit({"a.csv": B})
    repo.commit({"a.csv": b"x\n", "b.csv": b""}, ref="feature/new")
    for text, sha, data in (
        ("hf://owner/pets", new, B),
        ("hf://owner/pets@main", new, B),
        ("hf://owner/pets@v1", old, A),
        (f"hf://owner/pets@{old[:8]}", old, A),
        (f"hf://owner/pets?revision={old}", old, A),
        ("hf://owner/pets@feature%2Fnew/a.csv", repo.refs["feature/new"], b"x\n"),
    ):
        made = source(text)
        resolved = made.resolve()
        assert resolved.revision == sha
        assert fetch(made, resolved) == {"a.csv": data}
        assert source("hf://owner/pets/a.csv").resolve(sha).revision == sha


def test_digests_are_those_of_the_hub(served: Hub) -> None:
    """A file in LFS has its SHA-256, another one git's name for it, and the version is that name."""
    served.repo("owner/pets", {"a.csv": A, "big.bin": B}, xet=True)
    plain, large = resolve("hf://owner/pets").files
    assert (plain.digests, plain.version) == ({"git-sha1": git_sha1(A)}, git_sha1(A))
    sha256 = hashlib.sha256(B).hexdigest()
    assert (large.digests, large.version, large.size) == ({"sha256": sha256}, sha256, len(B))


def test_a_list_in_pages(served: Hub) -> None:
    """All pages of a list are read; a link that leads to another host is followed on the Hub only."""
    served.repo("owner/pets", {f"{n:02}.csv": A for n in range(23)})
    served.page = 5
    served.links = "http://elsewhere.invalid"
    assert len(names("hf://owner/pets")) == 23


def test_a_list_that_never_ends(served: Hub) -> None:
    """A server that leads in circles is an error and no endless loop."""
    served.repo("owner/pets", {f"{n}.csv": A for n in range(9)})
    served.page = 0
    assert "page after page" in error(NetworkError, "hf://owner/pets")


def test_a_path_names_files(served: Hub) -> None:
    """A file, a folder, and a pattern are taken as they are said, with names below the folder that was named."""
    files = {"a.csv": A, "x/b.csv": A, "x/y/c.csv": A, "x/y/d.txt": A, "README.md": b"# x", "x/é #1.csv": A}
    served.repo("owner/pets", files)
    assert names("hf://owner/pets/x/b.csv") == ["b.csv"]
    assert names("hf://owner/pets/x") == ["b.csv", "y/c.csv", "y/d.txt", "é #1.csv"]
    assert names("hf://owner/pets/x/*.csv") == ["b.csv", "é #1.csv"]
    assert names("hf://owner/pets/**/*.csv") == ["a.csv", "x/b.csv", "x/y/c.csv", "x/é #1.csv"]
    assert names("hf://owner/pets/README.md") == ["README.md"]
    assert names("hf://owner/pets/x/é%20%231.csv") == ["é #1.csv"]
    for path in ("none.csv", "none/*.csv", "x/*.json", "x/none/deep.csv"):
        assert path in error(SourceError, f"hf://owner/pets/{path}")


def test_splits_stand_in_folders(served: Hub) -> None:
    """Several splits are told by the folder at the top, and in the facts; one of them can be taken alone."""
    served.repo("owner/pets", SPLITS)
    made = source("hf://owner/pets")
    resolved = made.resolve()
    assert fetch(made, resolved) == {
        "test/test-00000-of-00001.parquet": b"PAR1-test",
        "train/train-00000-of-00001.parquet": b"PAR1-train",
    }
    assert resolved.facts["splits"] == ["test", "train"]
    assert names("hf://owner/pets?split=test") == ["data/test-00000-of-00001.parquet"]
    assert names("hf://owner/pets/data?split=test") == ["test-00000-of-00001.parquet"]
    assert "test, train" in error(SourceError, "hf://owner/pets?split=dev")
    served.repo("owner/flat", {"a.csv": A})
    assert "names none" in error(SourceError, "hf://owner/flat?split=dev")


def test_data_that_no_split_has_is_told(served: Hub) -> None:
    """Where names tell splits, files whose names do not are left out with a warning; all of them can be had by a pattern."""
    served.repo("owner/pets", {**SPLITS, "extra.csv": A, "README.md": b"#", "x/extra.csv": B})
    resolved = resolve("hf://owner/pets")
    assert len(resolved.files) == 2
    [warning] = resolved.warnings
    assert "extra.csv, x/extra.csv" in warning and "README" not in warning
    assert len(resolve("hf://owner/pets/**").files) == 4 and not resolve("hf://owner/pets/**").warnings


def card(*subsets: str) -> bytes:
    configs = "".join(f"- config_name: {n}\n  data_files: {n}/*.csv\n" for n in subsets)
    return f"---\nlicense: cc-by-4.0\nconfigs:\n{configs}---\n# Pets\n".encode()


def test_subsets(served: Hub) -> None:
    """The subset that is asked for is taken, as README.md says it; without one, the error names them."""
    served.repo("owner/pets", {"README.md": card("de", "en"), "de/a.csv": A, "en/a.csv": B})
    made = source("hf://owner/pets?subset=en")
    resolved = made.resolve()
    assert fetch(made, resolved) == {"en/a.csv": B}
    assert resolved.facts == {"license": "cc-by-4.0", "subset": "en"}
    assert "de, en" in error(SourceError, "hf://owner/pets")
    assert "'fr'" in error(SourceError, "hf://owner/pets?subset=fr")


def test_settings_beside_the_description(served: Hub) -> None:
    """What .huggingface.yaml says counts before README.md; one that says nothing sensible is an error that names it."""
    own = b"configs:\n- config_name: default\n  data_files: en/*.csv\n"
    files = {"README.md": card("de", "en"), "de/a.csv": A, "en/a.csv": B}
    served.repo("owner/pets", {**files, ".huggingface.yaml": own})
    assert names("hf://owner/pets") == ["en/a.csv"]
    for bad in (b"[1]", b"{", b"x" * 200_000, b"\xff", b"[" * 300):
        served.repo("owner/odd", {**files, ".huggingface.yaml": bad})
        assert ".huggingface.yaml" in error(SourceError, "hf://owner/odd")


def test_files_in_two_splits_are_told(served: Hub) -> None:
    """What the repository has in two splits is in both, with a warning that names it."""
    files = b"[{split: train, path: '*.csv'}, {split: test, path: a.csv}]"
    said = b"---\nconfigs:\n- config_name: default\n  data_files: " + files + b"\n---\n"
    served.repo("owner/pets", {"README.md": said, "a.csv": A, "b.csv": A})
    resolved = resolve("hf://owner/pets")
    assert [file.name for file in resolved.files] == ["test/a.csv", "train/a.csv", "train/b.csv"]
    assert len(resolved.warnings) == 1 and "a.csv" in resolved.warnings[0]


def test_what_the_hub_has_converted(served: Hub) -> None:
    """``files=parquet`` takes the Hub's own conversion, pinned by its own commit, and says when that is not all of it."""
    repo = served.repo("owner/pets", {"a.csv": A})
    assert "not converted" in error(SourceError, "hf://owner/pets?files=parquet")
    files = {"default/train/0000.parquet": b"1", "default/test/0000.parquet": b"2", ".gitattributes": b"*"}
    sha = repo.commit(files, ref="refs/convert/parquet")
    made = source("hf://owner/pets?files=parquet")
    resolved = made.resolve()
    assert resolved.revision == sha and not resolved.warnings
    assert fetch(made, resolved) == {"test/0000.parquet": b"2", "train/0000.parquet": b"1"}
    assert made.resolve(sha) == resolved
    assert names("hf://owner/pets?files=parquet&split=train") == ["train/0000.parquet"]
    assert names("hf://owner/pets@refs/convert/parquet/default/train/*.parquet") == ["0000.parquet"]
    repo.commit(
        {"en/partial-train/0000.parquet": b"1", "de/train/0000.parquet": b"2"}, "refs/convert/parquet"
    )
    assert "de, en" in error(SourceError, "hf://owner/pets?files=parquet")
    [warning] = resolve("hf://owner/pets?files=parquet&subset=en").warnings
    assert "only the beginning of train" in warning


def test_a_loading_script_is_not_run(served: Hub) -> None:
    """A repository whose data a program makes is refused, with the way to what the Hub has made of it; its files can be named."""
    served.repo("owner/pets", {"pets.py": b"import os", "raw/a.csv": A})
    said = error(SourceError, "hf://owner/pets")
    assert "pets.py" in said and "hf://owner/pets?files=parquet" in said
    assert names("hf://owner/pets/raw") == ["a.csv"]


def test_only_files_about_data(served: Hub) -> None:
    """A repository that has nothing but its description has no data."""
    served.repo("owner/pets", {"README.md": b"# x", ".gitattributes": b""})
    assert "README.md" in error(SourceError, "hf://owner/pets")


# What the Hub refuses.


def test_a_name_that_moved(served: Hub) -> None:
    """A renamed repository, or one that had no owner once, is found by its old name, and the new one is told once."""
    served.repo("owner/squad", {"a.csv": A})
    served.moved["squad"] = "owner/squad"
    made = source("hf://squad")
    resolved = made.resolve()
    assert fetch(made, resolved) == {"a.csv": A}
    [warning] = resolved.warnings
    assert "hf://owner/squad" in warning
    assert not resolve("hf://Owner/Squad".lower()).warnings


def test_refusals_say_what_they_mean(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, private, gated, disabled, a wrong revision and a wrong token are told apart as far as the Hub does."""
    served.repo("owner/secret", {"a.csv": A}, private=True, readers=frozenset({"reader"}))
    served.repo("owner/gated", {"a.csv": A}, gated="manual", readers=frozenset({"reader"}))
    served.repo("owner/off", {"a.csv": A}, disabled=True)
    served.repo("owner/pets", {"a.csv": A})
    assert "is private: without a token" in error(AuthError, "hf://owner/secret")
    assert "is private: without a token" in error(AuthError, "hf://owner/none")
    assert f"{served.endpoint}/datasets/owner/gated" in error(AuthError, "hf://owner/gated")
    assert "disabled" in error(SourceError, "hf://owner/off")
    assert "none called v9" in error(SourceError, "hf://owner/pets@v9")
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    assert "HF_TOKEN" in error(SourceError, "hf://owner/secret")
    said = error(AuthError, "hf://owner/gated")
    assert f"{served.endpoint}/datasets/owner/gated" in said and "HF_TOKEN" in said
    monkeypatch.setenv("HF_TOKEN", "hf_nobody")
    said = error(AuthError, "hf://owner/pets")
    assert "/settings/tokens" in said and "hf_nobody" not in said
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert names("hf://owner/secret") == names("hf://owner/gated") == ["a.csv"]


def test_access_that_is_lost_before_a_file_is_read(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read any more says so with the repository's address, and nothing of the token."""
    repo = served.repo("owner/gated", {"a.csv": A}, gated="auto", readers=frozenset({"reader"}))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    made = source("hf://owner/gated")
    [file] = made.resolve().files
    repo.readers = frozenset()
    with pytest.raises(AuthError, match="gated") as caught:
        made.origin(file).open()
    assert "/datasets/owner/gated" in str(caught.value.hint) and TOKEN not in str(caught.value)


def test_answers_that_are_not_the_hubs(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, commits and digests of another form than the Hub's are a NetworkError that shows them."""
    served.repo("owner/pets", {"a.csv": A})
    for fake in (
        {"sha": "main"},
        {"id": "../../x"},
        {"id": None},
    ):
        with monkeypatch.context() as patched:
            patched.setattr(served, "described", lambda *a, fake=fake: {**described(*a), **fake})
            assert served.endpoint in error(NetworkError, "hf://owner/pets")
    for key, value in (("oid", "abc"), ("size", -1), ("lfs", {"oid": "abc", "size": 3})):
        with monkeypatch.context() as patched:
            patched.setattr(
                served, "entries", lambda *a, k=key, v=value: [{**it, k: v} for it in entries(*a)]
            )
            assert served.endpoint in error(NetworkError, "hf://owner/pets")


@pytest.mark.parametrize("value", ["huggingface.co", "ftp://x", "https://", "https://me:secret@host"])
def test_a_wrong_endpoint(value: str, served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_ENDPOINT that is no address is refused before anything is asked, and is not shown: it may hold a password."""
    monkeypatch.setenv("HF_ENDPOINT", value)
    said = error(UsageError, "hf://owner/pets")
    assert "HF_ENDPOINT" in said and "secret" not in said


# The cache of the Hub's own client.


def test_files_of_the_cache_are_not_asked_for(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the Hub's own client has downloaded is read from its cache; a damaged file there is not, and comes from the Hub."""
    client = pytest.importorskip("huggingface_hub", reason="the Hub's own client is not installed")
    served.repo("owner/pets", {"a.csv": A, "big.bin": B * 1000})
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    for name in ("a.csv", "big.bin"):
        client.hf_hub_download("owner/pets", name, repo_type="dataset", cache_dir=tmp_path / "cache", endpoint=served.endpoint)  # fmt: skip
    made = source("hf://owner/pets")
    resolved = made.resolve()
    asked = len(served.seen)
    assert fetch(made, resolved) == {"a.csv": A, "big.bin": B * 1000}
    origin = made.origin(resolved.files[1])
    with origin.open(8, 16) as part:
        assert (b"".join(part), part.start, part.validator.size) == (B, 8, 8000)
    assert len(served.seen) == asked
    [blob] = (tmp_path / "cache").glob(f"*/blobs/{resolved.files[1].version}")
    blob.write_bytes(B * 999 + A)
    assert fetch(source("hf://owner/pets"), resolved)["big.bin"] == B * 1000
    assert len(served.seen) > asked


def rename(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``HF_ENDPOINT`` name the Hub by a host name that is not of this machine alone."""
    lookup = socket.getaddrinfo

    def local(host: str, *args: Any, **options: Any) -> Any:
        return lookup("127.0.0.1" if str(host).endswith("hub.test") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    monkeypatch.setenv("HF_ENDPOINT", served.endpoint.replace("127.0.0.1", "hub.test"))


def test_no_token_goes_over_plain_http(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """To another machine a token goes by https only: there is a warning, and what needs the token says how to have it sent."""
    served.repo("owner/pets", {"a.csv": A})
    served.repo("owner/secret", {"a.csv": A}, private=True, readers=frozenset({"reader"}))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    rename(served, monkeypatch)
    made = source("hf://owner/pets")
    resolved = made.resolve()
    assert fetch(made, resolved) == {"a.csv": A}
    assert len(resolved.warnings) == 1 and "plain http" in resolved.warnings[0]
    assert "https://" in error(AuthError, "hf://owner/secret")
    assert not any("authorization" in seen.headers for seen in served.seen)


def test_an_identity_is_of_the_file(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partial download of a file serves every commit that has this file, whoever asks, and no other file."""
    repo = served.repo("owner/pets", {"a.csv": A, "b.csv": B})
    one = source("hf://owner/pets")
    before = [one.origin(file).identity for file in one.resolve().files]
    repo.commit({"a.csv": A, "b.csv": A})
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    two = source("hf://owner/pets")
    after = [two.origin(file).identity for file in two.resolve().files]
    assert before[0] == after[0] and len({*before, *after}) == 3


# What it tells of itself.

INFO = b"""---
pretty_name: All Pets
license: mit
dataset_info:
  features:
  - name: label
    dtype:
      class_label:
        names: {'0': cat}
  - name: text
    dtype: string
  - name: scores
    sequence: float32
  splits:
  - name: train
    num_examples: 8
  - name: test
    num_examples: 2
---
"""


def test_about_reads_the_front_matter(served: Hub) -> None:
    """Title, licence, columns, rows of splits and the bytes to download are told in two requests."""
    served.repo("owner/pets", {"README.md": INFO, **SPLITS})
    about = source("hf://owner/pets").about()
    assert (about.title, about.license, about.size, about.rows) == ("All Pets", "mit", 19, 10)
    assert about.splits == {"train": 8, "test": 2}
    assert about.features == [("label", "class label"), ("text", "string"), ("scores", "list<float32>")]
    assert about.homepage == f"{served.endpoint}/datasets/owner/pets"
    assert len(served.seen) == 2
    made = source("hf://owner/pets")
    made.about()
    made.resolve()
    assert len(served.seen) == 5  # a commit is listed once
    one = source("hf://owner/pets?split=test").about()
    assert (one.rows, one.size, one.splits) == (2, 9, {"test": 2})


def test_about_names_subsets(served: Hub) -> None:
    """A source that needs a subset tells which there are, though it cannot be built so."""
    served.repo("owner/pets", {"README.md": card("de", "en"), "de/a.csv": A, "en/a.csv": B})
    about = source("hf://owner/pets").about()
    assert (about.subsets, about.size, about.rows) == (["de", "en"], None, None)
    with pytest.raises(SourceError, match=r"none\.csv"):
        source("hf://owner/pets/none.csv").about()


def test_about_asks_the_dataset_viewer(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where README.md says nothing of columns, the dataset viewer is asked, beside the Hub that HF_ENDPOINT names."""
    rename(served, monkeypatch)
    info = {"features": {"x": {"dtype": "int64", "_type": "Value"}, "pic": {"_type": "Image"}}, "splits": {"train": {"num_examples": 5}}}  # fmt: skip
    served.repo("owner/pets", {"a.csv": A}, viewer={"info": {"dataset_info": {"default": info}}})
    about = source("hf://owner/pets").about()
    assert about.features == [("x", "int64"), ("pic", "image")]
    assert (about.rows, about.splits) == (5, {"train": 5})
    served.repo("owner/new", {"a.csv": A})
    assert source("hf://owner/new").about().features == ()
    served.repo(
        "owner/huge", {"a.csv": A}, viewer={"info": {"dataset_info": {"default": info}, "partial": True}}
    )
    about = source("hf://owner/huge").about()
    assert (about.features[0], about.rows, about.splits) == (("x", "int64"), None, {"train": None})
    served.repos["owner/pets"].commit({"a.csv": B}, ref="other")
    assert source("hf://owner/pets@other").about().features == ()  # what it knows is of another commit


def test_about_counts_no_rows_of_parts_of_splits(served: Hub) -> None:
    """Of a path within a repository no rows are told that are of all of it; of the Hub's conversion its own description is."""
    repo = served.repo("owner/pets", {"README.md": INFO, **SPLITS})
    about = source("hf://owner/pets/data").about()
    assert (about.rows, about.size, about.splits) == (None, 19, {"test": None, "train": None})
    repo.commit(
        {"default/train/0000.parquet": b"1", "default/test/0000.parquet": b"22"}, "refs/convert/parquet"
    )
    about = source("hf://owner/pets?files=parquet").about()
    assert (about.rows, about.size, about.license, about.title) == (10, 3, "mit", "All Pets")


def test_search(served: Hub) -> None:
    """Words, task, licence and modality are asked of the Hub, sizes are looked at; most downloaded first, over several pages."""
    tagged = b"---\nlicense: mit\npretty_name: Cats\ntask_categories: [image-classification]\n---\n"
    for number in range(7):
        served.repo(
            f"owner/cats-{number}",
            {"README.md": tagged, "a.csv": b"x" * 10**number},
            downloads=number,
            modality=("image",),
        )
    served.repo("owner/dogs", {"a.csv": A}, downloads=99)
    served.repo("owner/cats-secret", {"a.csv": A}, private=True)
    served.page = 2
    hits = search(Query("cats", limit=5))
    assert [hit.source for hit in hits] == [f"hf://owner/cats-{n}" for n in (6, 5, 4, 3, 2)]
    assert (hits[0].title, hits[0].license, hits[0].downloads, hits[0].updated) == (
        "Cats",
        "mit",
        6,
        "2025-03-04",
    )
    assert "modality:image" in hits[0].tags
    sized = search(Query("cats", min_size=900, max_size=20_000))
    assert [hit.source[-1] for hit in sized] == ["4", "3"]
    assert len(search(Query("", task="Image classification", license="MIT", modality="image", limit=20))) == 7
    assert search(Query("cats", license="gpl")) == []


def test_a_search_goes_no_further_than_it_must(served: Hub) -> None:
    """What is enough is asked for, no more."""
    for number in range(9):
        served.repo(f"owner/cats-{number}", {"a.csv": A}, downloads=number)
    served.page = 3
    assert len(search(Query("cats", limit=3))) == 3
    assert len(served.seen) == 1 and re.search(r"[?&]limit=3\b", served.seen[0].path)


def test_passing_failures_pass(served: Hub) -> None:
    """A file of a Hub that is too busy can be tried again: how long to wait is told."""
    served.repo("owner/pets", {"a.csv": A})
    made = source("hf://owner/pets")
    [file] = made.resolve().files
    served.steering.failures = (429, 1, {"Retry-After": "7"})
    with pytest.raises(Transient) as caught:
        made.origin(file).open()
    assert caught.value.retry_after == 7
