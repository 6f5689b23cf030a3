"""What came is used: only the rest is asked for, after what is there was found right; else all of it, and it is said why."""

from __future__ import annotations

import os
from typing import Any

import pytest

from mldata.download.base import Mismatch, Transient
from mldata.errors import AuthError, MldataError, NetworkError, SourceError
from store import Store
from tests.download.test_engine import stated
from tests.download.watched import DATA, PIECE, Getter
from tests.servers.files import Fault, FileServer, Served

OTHER = os.urandom(len(DATA))
CUT = 100_000


@pytest.fixture(autouse=True)
def scale(small_scale: None) -> None:
    """All of this is about files that are not small."""


@pytest.fixture(params=[1, 4])
def parts(request: pytest.FixtureRequest) -> int:
    """In one part, or in several."""
    return int(request.param)


def cut_off(get: Getter, at: int = CUT, **given: Any) -> int:
    """Let a download be cut off after ``at`` bytes, or, in several parts, when the first of them has a third of a piece; how many are kept."""
    alone = given.setdefault("segments", 1) == 1
    get.server.fail(
        "/a", *([Fault(end_at=at), Fault(status=503)] if alone else [Fault(end_at=PIECE // 3)] * 4)
    )
    with pytest.raises(Transient):
        get.one(retries=0, **given)
    get.server.forget_faults()
    get.server.asked.clear()
    return sum(it.have for it in get.store.partials.kept())


def test_only_the_rest_is_asked_for(store: Store, server: FileServer, get: Getter, parts: int) -> None:
    """A second run sends for what is not there, and says from where it goes on."""
    have = cut_off(get, segments=parts)
    assert have == CUT if parts == 1 else PIECE // 3 <= have < len(DATA)
    got = get.one(segments=parts)
    assert store.read(got.id) == DATA
    assert (got.resumed_from, got.received) == (have, len(DATA) - have)
    assert get.watch.begun == [("a", len(DATA), have)] and sum(get.watch.moved) == len(DATA) - have
    assert server.sent() == len(DATA) - have and get.watch.warnings == []
    assert all(it.headers.get("if-range") == '"1"' for it in server.asked)
    assert store.partials.kept() == []


def test_within_a_run_too(store: Store, server: FileServer, get: Getter, parts: int) -> None:
    """After a failure in the middle only the rest comes again."""
    server.fail("/a", Fault(reset_at=CUT))
    got = get.one(segments=parts)
    assert store.read(got.id) == DATA and got.received == len(DATA)


def test_last_modified_will_do(store: Store, server: FileServer, get: Getter) -> None:
    """Without a strong ETag the time of the last change tells whether it is the same file."""
    server.files["/a"] = Served(DATA, etag='W/"1"')
    have = cut_off(get)
    assert have > 0
    got = get.one()
    assert store.read(got.id) == DATA and got.resumed_from == have
    assert server.asked[0].headers["if-range"] == server.files["/a"].modified


def test_a_digest_will_do(store: Store, server: FileServer, get: Getter) -> None:
    """Where a server says nothing, but the source states a digest and the size, the rest is asked for, and the digest tells."""
    server.files["/a"] = Served(DATA, etag=None, modified=None)
    given = {"digests": {"sha256": stated("sha256", DATA)}, "size": len(DATA)}
    have = cut_off(get, **given)
    assert have > 0
    got = get.one(**given)
    assert store.read(got.id) == DATA and got.resumed_from == have


def test_nothing_to_tell_by(store: Store, server: FileServer, get: Getter) -> None:
    """Where nothing tells one state of the file from another, nothing is kept."""
    server.files["/a"] = Served(DATA, etag=None, modified=None)
    assert cut_off(get) == 0 and store.partials.kept() == []
    server.fail("/a", Fault(reset_at=CUT))
    got = get.one()
    assert store.read(got.id) == DATA and got.received == len(DATA) + CUT
    assert sum(get.watch.moved) == len(DATA)


CHANGES = {
    "another ETag": (Served(OTHER, etag='"2"'), "ETag"),
    "another time": (Served(OTHER, etag=None, modified="Thu, 22 Oct 2015 07:28:00 GMT"), "changed"),
    "another size": (Served(OTHER + b"x"), "changed"),
    "no ranges": (Served(DATA, ranges=False), "server"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_it_is_begun_again(how: str, store: Store, server: FileServer, get: Getter, parts: int) -> None:
    """What changed, or comes only whole, comes whole, once; why is said."""
    cut_off(get, segments=parts)
    server.files["/a"], why = CHANGES[how]
    got = get.one(segments=parts)
    assert store.read(got.id) == server.files["/a"].data
    assert got.resumed_from == 0 and sum(get.watch.moved) + get.watch.begun[0][2] == got.id.size
    if parts == 1:
        assert any("starting again" in text and why in text for text in get.watch.warnings)


@pytest.mark.parametrize(
    "fault", [Fault(whole=True), Fault(status=412), Fault(status=416), Fault(shift=1), Fault(shift=-1)]
)
def test_an_answer_that_is_of_no_use(
    fault: Fault, store: Store, server: FileServer, get: Getter, parts: int
) -> None:
    """200, 412, 416 or another part than was asked for: it is begun again, and why is said."""
    cut_off(get, segments=parts)
    server.fail("/a", fault)
    got = get.one(segments=parts)
    assert store.read(got.id) == DATA
    if parts == 1:  # else it may be the answer for the first part, with nothing before it
        (warning,) = get.watch.warnings
        assert "starting again" in warning and str(fault.status or "") in warning


def test_it_changes_while_it_comes(store: Store, server: FileServer, get: Getter, parts: int) -> None:
    """A file that is replaced in the middle is brought whole, as it is now."""
    server.fail("/a", Fault(reset_at=CUT), Fault(swap=Served(OTHER, etag='"2"')))
    got = get.one(segments=parts)
    assert store.read(got.id) == OTHER and got.validator.etag == '"2"'
    assert parts > 1 or "changed" in get.watch.warnings[0]  # there may be nothing to throw away


def test_it_changes_again_and_again(store: Store, server: FileServer, get: Getter) -> None:
    """A file that is never the same is an error in the end, and nothing is stored."""
    for number in range(60):
        server.fail("/a", Fault(reset_at=CUT, swap=Served(OTHER, etag=f'"{number}"')))
    with pytest.raises(SourceError, match="a second time"):
        get.one()
    assert list(store.objects) == [] and store.partials.kept() == []


def damage(store: Store, at: int) -> None:
    (kept,) = store.partials.kept()
    path = store.layout.partial / kept.name / "data"
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def test_damaged_bytes_come_again(store: Store, server: FileServer, get: Getter) -> None:
    """What an earlier run left is hashed before it is used: only the piece with the damage is dropped, and it is said."""
    have = cut_off(get, 2 * PIECE + 100)
    assert have == 2 * PIECE + 100
    damage(store, 5)
    got = get.one()
    assert store.read(got.id) == DATA
    assert got.resumed_from == PIECE + 100 and "damaged" in get.watch.warnings[0]


def test_bytes_that_are_missing_come_again(store: Store, server: FileServer, get: Getter) -> None:
    """After a power cut the state may know of more than there is."""
    cut_off(get)
    (kept,) = store.partials.kept()
    os.truncate(store.layout.partial / kept.name / "data", 0)
    got = get.one()
    assert store.read(got.id) == DATA and got.resumed_from == 0


def test_more_than_there_should_be(store: Store, server: FileServer, get: Getter) -> None:
    """Bytes behind those that the state knows of are not believed."""
    cut_off(get)
    (kept,) = store.partials.kept()
    with open(store.layout.partial / kept.name / "data", "ab") as file:
        file.write(os.urandom(2 * len(DATA)))
    assert store.read(get.one().id) == DATA


def test_another_size_is_wanted_now(store: Store, server: FileServer, get: Getter) -> None:
    """What an earlier run left of a file of another size is dropped before anything is asked for."""
    cut_off(get, size=len(DATA))
    server.files["/a"] = Served(OTHER[:200_000], etag='"2"')
    got = get.one(size=200_000)
    assert store.read(got.id) == OTHER[:200_000]
    assert "had 300,000 bytes and has 200,000" in get.watch.warnings[0]


def test_a_wrong_part_is_found_by_the_digest(store: Store, server: FileServer, get: Getter) -> None:
    """Parts that do not make up what was promised are thrown away, and the file is brought whole once more."""
    cut_off(get)
    right = {"sha256": stated("sha256", OTHER)}
    server.files["/a"] = Served(OTHER)  # with the ETag of the other one
    got = get.one(digests=right)
    assert store.read(got.id) == OTHER and "not what was promised" in get.watch.warnings[0]


def test_a_wrong_file_is_not_tried_for_ever(store: Store, server: FileServer, get: Getter) -> None:
    """If the whole of it is not what was promised either, that is the error."""
    cut_off(get)
    with pytest.raises(Mismatch, match="sha256"):
        get.one(digests={"sha256": stated("sha256", OTHER)})
    assert list(store.objects) == [] and store.partials.kept() == []


@pytest.mark.parametrize(("status", "error"), [(404, NetworkError), (401, AuthError), (503, Transient)])
def test_what_came_outlives_an_error(
    status: int, error: type[MldataError], store: Store, server: FileServer, get: Getter
) -> None:
    """A refusal that says nothing of the file leaves what is kept of it."""
    have = cut_off(get)
    server.fail("/a", Fault(status=status))
    with pytest.raises(error):
        get.one(retries=0)
    assert get.one().resumed_from == have


def test_one_does_not_want_to_resume(store: Store, server: FileServer, get: Getter) -> None:
    """With ``resume`` off what is there is removed, and everything comes."""
    cut_off(get)
    got = get.one(resume=False)
    assert store.read(got.id) == DATA and (got.resumed_from, got.received) == (0, len(DATA))
    assert store.partials.kept() == []


def test_all_of_it_was_there(
    store: Store, server: FileServer, get: Getter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended between the last byte and the object's name, a download asks for one byte to see that nothing changed, or for none."""

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    for digests, sent in (({}, 1), ({"md5": stated("md5", DATA)}, 0)):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("store.partial.Partial.adopt", fail)
            get.one()
        server.asked.clear()
        got = get.one(digests=digests)
        assert store.read(got.id) == DATA and got.resumed_from == len(DATA)
        assert server.sent() <= sent


def test_it_is_an_object_already(
    store: Store, server: FileServer, get: Getter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended right after the object got its name, a download finds it; and brings it again if it is gone."""

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    for gone in (False, True):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("store.partial.Partial.discard", fail)
            get.one()
        (kept,) = store.partials.kept()
        (id,) = store.objects
        assert kept.have == len(DATA) and not (store.layout.partial / kept.name / "data").exists()
        if gone:
            os.unlink(store.layout.object(id.digest))
        server.asked.clear()
        got = get.one(digests={"sha1": stated("sha1", DATA)})
        assert store.read(got.id) == DATA and store.partials.kept() == []
        assert got.received == (len(DATA) if gone else 0)
        assert bool(server.asked) == gone


def test_credentials_are_nowhere(store: Store, server: FileServer, get: Getter) -> None:
    """Neither what is kept nor what is said has a token in it."""
    from mldata.download.base import Want
    from mldata.download.engine import download
    from mldata.download.options import DownloadOptions
    from mldata.download.web import Auth, Web

    server.files["/a"] = Served(DATA, auth="Bearer hidden")
    url = server.url("/a")
    server.fail("/a", Fault(end_at=CUT), Fault(status=503))
    web = Web()
    auth = Auth("Bearer hidden", frozenset({url.split("/")[2]}))
    with pytest.raises(Transient) as caught:
        list(
            download(
                store,
                [Want("a", web.origin(url, auth=auth))],
                DownloadOptions(retries=0, segments=1),
                get.watch,
            )
        )
    web.close()
    (kept,) = store.partials.kept()
    assert kept.have > 0
    text = str(caught.value) + repr(get.watch)
    assert "Bearer" not in text and "hidden" not in text
    for path in (store.layout.partial / kept.name).glob("state.*"):
        assert b"hidden" not in path.read_bytes()
