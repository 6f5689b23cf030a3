"""Whatever goes wrong, and in whatever order: the object is right or there is an error, and what was kept is not asked for again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.download.options import DownloadOptions
from mldata.errors import MldataError
from store import Store, digest_bytes
from tests.download.test_engine import stated
from tests.download.watched import Getter
from tests.servers.files import Fault, FileServer, Served

ONE, TWO = os.urandom(200_000), os.urandom(150_000)
OFFSETS = st.integers(0, len(ONE))
HARMLESS = st.one_of(
    st.just(Fault()),
    st.builds(lambda at: Fault(end_at=at), OFFSETS),
    st.builds(lambda at: Fault(reset_at=at), OFFSETS),
    st.builds(
        lambda status: Fault(status=status, headers={"Retry-After": "0"}),
        st.sampled_from([408, 429, 500, 503]),
    ),
)
"""What takes nothing of what came before."""
FAULTS = st.one_of(
    HARMLESS,
    st.just(Fault(whole=True)),
    st.builds(lambda status: Fault(status=status), st.sampled_from([400, 401, 404, 412, 416])),
    st.builds(lambda by: Fault(shift=by), st.sampled_from([-1, 1, 1000])),
    st.builds(lambda at: Fault(flip_at=at), OFFSETS),
    st.just(Fault(gzip=True)),
    st.builds(lambda size: Fault(length=size), st.integers(0, 250_000)),
    st.just(Fault(swap=Served(TWO, etag='"2"'))),
    st.just(Fault(swap=Served(ONE, etag='"1"'))),
    st.just(Fault(swap=Served(ONE, etag='"3"', ranges=False))),
    st.just(Fault(swap=Served(TWO, etag=None, modified=None))),
    st.just(Fault(swap=Served(ONE, chunked=True))),
)


@pytest.fixture(autouse=True)
def scale(small_scale: None) -> None:
    """All of this is about files that are not small."""


@contextmanager
def opened() -> Iterator[tuple[FileServer, Store]]:
    """A server of ``/a`` and an empty store, for one example."""
    with (
        tempfile.TemporaryDirectory() as place,
        FileServer({"/a": Served(ONE)}) as server,
        Store.open(Path(place) / "s") as store,
    ):
        yield server, store


def settled(get: Getter, **given: object) -> bytes | None:
    """What a run brought, or None for an error that is meant for people."""
    try:
        got = get.one(**given)  # type: ignore[arg-type]
    except MldataError:
        return None
    return get.store.read(got.id)


@pytest.mark.no_cover
@settings(max_examples=25)
@given(st.lists(FAULTS, max_size=12), st.sampled_from([1, 3]), st.booleans())
def test_right_or_an_error(faults: list[Fault], segments: int, promised: bool) -> None:
    """No sequence of faults makes an object of other bytes; where only a digest could tell, there is one. When they are over the file comes."""
    lies = [it for it in faults if it.flip_at is not None or it.length is not None]
    digests = {"sha256": stated("sha256", ONE)} if promised or lies else {}
    with opened() as (server, store):
        get = Getter(store, server, DownloadOptions(retries=1, segments=segments))
        server.fail("/a", *faults)
        for _ in range(4):
            found = settled(get, digests=digests)
            assert found is None or found in ([ONE] if digests else [ONE, TWO])
            assert {id.digest for id in store.objects} <= {digest_bytes(data) for data in (ONE, TWO)}
        server.forget_faults()
        server.files["/a"] = Served(ONE, etag='"1"')
        found = settled(get, digests=digests)
        assert found == ONE, get.watch
        assert store.check(read_data=True).findings == ()
        assert all(kept.have <= len(ONE) and not kept.live for kept in store.partials.kept())


@pytest.mark.no_cover
@settings(max_examples=25)
@given(st.lists(HARMLESS, max_size=12), st.sampled_from([1, 3]))
def test_nothing_is_asked_for_twice(faults: list[Fault], segments: int) -> None:
    """While the file stays the same, what one run kept no later one asks for, and what came adds up to the file."""
    with opened() as (server, store):
        get = Getter(store, server, DownloadOptions(retries=0, segments=segments))
        server.fail("/a", *faults)
        for _ in range(len(faults) + 2):
            kept = sum(it.have for it in store.partials.kept())
            server.asked.clear()
            try:
                got = get.one(size=len(ONE))
            except MldataError:
                assert sum(it.have for it in store.partials.kept()) >= kept
                continue
            assert store.read(got.id) == ONE
            assert (got.resumed_from, got.received) == (kept, len(ONE) - kept)
            break
        else:
            raise AssertionError("it never came")
