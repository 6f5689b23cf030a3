"""Downloads: what comes is what was promised, or nothing of it is stored."""

from __future__ import annotations

import hashlib
import time

import pytest

from mldata.download.base import Mismatch, Transient
from store import Store, digest_bytes
from tests.download.watched import DATA, Getter
from tests.servers.files import Fault, FileServer, Served

KINDS = ["sha256", "sha1", "md5", "git-sha1"]


def stated(kind: str, data: bytes) -> str:
    """The digest of that kind."""
    head = b"blob %d\0" % len(data) if kind == "git-sha1" else b""
    return hashlib.new(kind.removeprefix("git-"), head + data).hexdigest()


@pytest.fixture(params=["in memory", "in a partial"], autouse=True)
def scale(request: pytest.FixtureRequest) -> None:
    """Each of these holds for files that are held in memory, and for those of which a partial is kept."""
    if request.param == "in a partial":
        request.getfixturevalue("small_scale")


def test_a_file_comes_into_the_store(store: Store, get: Getter) -> None:
    """What a server gives is an object, and its validator comes with it."""
    got = get.one()
    assert store.read(got.id) == DATA
    assert (got.name, got.resumed_from, got.received) == ("a", 0, len(DATA))
    assert (got.validator.etag, got.validator.size) == ('"1"', len(DATA))
    assert sum(get.watch.moved) == len(DATA) and get.watch.ended == ["a"]
    assert get.watch.begun == [("a", len(DATA), 0)] and get.watch.warnings == []
    assert store.partials.kept() == [] and store.check(read_data=True).findings == ()


def test_many_files_come_side_by_side(store: Store, server: FileServer, get: Getter) -> None:
    """Each of many files is yielded once, an empty one too, over as many connections as there may be and no more."""
    files = {f"/{n}": Served(bytes([n]) * (n * 100)) for n in range(60)}
    server.files |= files
    found = {got.name: got.id.digest for got in get(*files)}
    assert found == {path[1:]: digest_bytes(file.data[:]) for path, file in files.items()}
    assert 1 < len({asked.peer for asked in server.asked}) <= 8 and server.most_under_way <= 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_digest_that_is_right(
    kind: str, chunked: bool, store: Store, server: FileServer, get: Getter
) -> None:
    """A file with the digest that its source states is stored, also when nobody said how long it is."""
    server.files["/a"] = Served(DATA, chunked=chunked)
    assert store.read(get.one(digests={kind: stated(kind, DATA)}).id) == DATA


@pytest.mark.parametrize("kind", KINDS)
def test_a_digest_that_is_wrong(kind: str, store: Store, get: Getter) -> None:
    """A file with another digest is an error that names both; nothing is stored or kept."""
    other = stated(kind, b"other")
    with pytest.raises(Mismatch, match=other) as caught:
        get.one(digests={kind: other})
    assert stated(kind, DATA) in str(caught.value)
    assert list(store.objects) == [] and store.partials.kept() == []


def test_a_digest_that_the_server_states(store: Store, server: FileServer, get: Getter) -> None:
    """What the answer itself says of its content counts as much as what the source said."""
    import base64

    for data, good in ((DATA, True), (b"other", False)):
        said = base64.b64encode(hashlib.md5(data).digest()).decode()
        server.files["/a"] = Served(DATA, headers={"Content-MD5": said})
        if good:
            assert store.read(get.one().id) == DATA
        else:
            with pytest.raises(Mismatch, match="md5"):
                get.one()


def test_kinds_that_nobody_knows_do_not_matter(store: Store, get: Getter) -> None:
    """A digest of a kind that cannot be computed is left alone."""
    assert store.read(get.one(digests={"crc-of-tomorrow": "00"}).id) == DATA


@pytest.mark.parametrize("size", [5, len(DATA) - 1, len(DATA) + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_size_that_is_wrong(
    size: int, chunked: bool, store: Store, server: FileServer, get: Getter
) -> None:
    """A file of another size than its source states is an error, and nothing is stored or kept."""
    server.files["/a"] = Served(DATA, chunked=chunked)
    with pytest.raises(Mismatch, match=f"{size:,}"):
        get.one(size=size)
    assert list(store.objects) == [] and store.partials.kept() == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(reset_at=0),
        Fault(reset_at=1000),
        Fault(end_at=1000),
    ],
)
def test_a_passing_failure_is_tried_again(
    fault: Fault, store: Store, server: FileServer, get: Getter, impatient: None
) -> None:
    """Answers and connections that fail once do not end a download."""
    server.fail("/a", fault)
    got = get.one()
    assert store.read(got.id) == DATA and sum(get.watch.moved) == len(DATA)
    assert len(get.watch.notes) == 1 and "trying again" in get.watch.notes[0]


def test_it_is_not_tried_for_ever(store: Store, server: FileServer, get: Getter, impatient: None) -> None:
    """After as many failures in a row as are allowed the error is raised, and nothing is stored."""
    server.fail("/a", *[Fault(status=503)] * 4)
    with pytest.raises(Transient, match="503"):
        get.one(retries=3)
    assert len(server.asked) == 4 and list(store.objects) == []


def test_bytes_renew_the_patience(store: Store, server: FileServer, get: Getter, impatient: None) -> None:
    """Failures are counted from the last byte that came: a bad line that goes on and on brings the file in the end."""
    server.fail("/a", *[Fault(reset_at=20_000)] * 6)
    assert store.read(get.one(retries=1).id) == DATA


def test_one_asks_for_patience(store: Store, server: FileServer, get: Getter, impatient: None) -> None:
    """What Retry-After asks for is waited."""
    server.fail("/a", Fault(status=429, headers={"Retry-After": "1"}))
    begun = time.monotonic()
    get.one()
    assert time.monotonic() - begun >= 1


def test_patience_has_an_end(server: FileServer, get: Getter, impatient: None) -> None:
    """Who asks for hours is not waited for."""
    server.fail("/a", Fault(status=429, headers={"Retry-After": "7200"}))
    begun = time.monotonic()
    with pytest.raises(Transient):
        get.one()
    assert time.monotonic() - begun < 60


def test_a_stall_is_a_failure(store: Store, server: FileServer, get: Getter, impatient: None) -> None:
    """A connection that is silent for too long is given up, and the rest is asked for again."""
    server.fail("/a", Fault(stall_at=10_000))
    got = get.one(stall=0.3)
    assert store.read(got.id) == DATA
    assert "no byte came for 0.3 s" in get.watch.notes[0]


def test_a_slow_line_is_no_stall(store: Store, server: FileServer, get: Getter) -> None:
    """Bytes that come slowly come."""
    server.files["/a"] = Served(DATA[:24_000])
    server.fail("/a", Fault(pause=0.1))
    assert store.read(get.one(stall=2).id) == DATA[:24_000]
    assert get.watch.notes == []


def test_the_rate_is_limited_over_all(store: Store, server: FileServer, get: Getter) -> None:
    """Several files together take as long as the limit says, at least."""
    server.files |= {f"/{n}": Served(DATA[:50_000]) for n in range(4)}
    begun = time.monotonic()
    get(*(f"/{n}" for n in range(4)), limit_rate=200_000)
    assert 0.9 < time.monotonic() - begun < 30  # a machine that is busy takes longer


def test_what_came_before_an_error_is_stored(store: Store, server: FileServer, get: Getter) -> None:
    """One file that cannot be had ends a download; those that were brought before stay objects."""
    server.files |= {"/b": Served(b"b" * 500)}
    with pytest.raises(Exception, match="404"):
        get("/b", "/none", connections=1)
    assert [id.digest for id in store.objects] == [digest_bytes(b"b" * 500)]
