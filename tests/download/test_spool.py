"""Zips that are kept while they come: a file out of one goes on where it broke off, in this run or the next."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from mldata.download.base import Got, Mismatch, Transient, Validator, Want
from mldata.download.engine import download
from mldata.download.options import DownloadOptions
from mldata.download.spool import spooled
from mldata.download.unzip import Unzipped
from mldata.sources.kaggle import KaggleSource
from store import Partials, Store
from store.partial import read_states
from tests.download.test_unzip import Sent, zipped
from tests.download.watched import Watched
from tests.servers.kaggle import Kaggle

noise = Random(1)
TABLE = b"x\n" + noise.randbytes(80_000 * 23).hex(" ", -23).replace(" ", "\n").encode() + b"\n"
REF = "kaggle://ada/numbers"
"""Its table is of 3.7 MB, and comes as a zip of 1.9 MB."""


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    with Kaggle() as server:
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", server.url)
        server.add("ada/numbers", {"a.csv": TABLE})
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def pull(store: Store, watch: Watched | None = None, **options: object) -> Got:
    """The one file of the dataset, into the store."""
    source = KaggleSource(REF, Path())
    (file,) = source.resolve().files
    want = Want(file.name, source.origin(file), file.size, file.digests)
    (got,) = download(store, [want], DownloadOptions(**options), watch or Watched())  # type: ignore[arg-type]
    assert store.path(got.id.digest).read_bytes() == TABLE
    assert not store.partials.kept()
    return got


def asked(kaggle: Kaggle) -> list[str | None]:
    """The ranges that the storage host was asked for."""
    return [asked.headers.get("range") for asked in kaggle.steering.asked if not asked.own]


def test_it_goes_on_in_the_same_run(kaggle: Kaggle, store: Store) -> None:
    """A connection that breaks costs no byte that came: the rest of the zip is asked for, and nothing else."""
    kaggle.steering.cut_after = 1_000_000
    pull(store)
    assert asked(kaggle)[0] is None and asked(kaggle)[-1] == "bytes=1000000-"


def test_it_goes_on_in_the_next_run(kaggle: Kaggle, store: Store) -> None:
    """What a run that was given up has brought is used by the next one, which says from where it goes on."""
    kaggle.steering.cut_after = 1_000_000
    with pytest.raises(Transient):
        pull(store, retries=0)
    assert {kept.have > 900_000 for kept in store.partials.kept()} == {True}
    before = len(asked(kaggle))
    watch = Watched()
    got = pull(store, watch)
    assert got.resumed_from > 1_000_000 and watch.begun == [("a.csv", len(TABLE), got.resumed_from)]
    assert "bytes=1000000-" in asked(kaggle)[before:] and None not in asked(kaggle)[before:]


KILLED = """
import sys
import mldata.download.spool as spool
from mldata.cli import main
spool.SAVE_BYTES = 1 << 16
main(["-C", sys.argv[1], "pull", sys.argv[2]])
"""


@pytest.mark.slow
def test_it_goes_on_after_a_kill(kaggle: Kaggle, tmp_path: Path) -> None:
    """What was saved before ``kill -9`` is used: the same command asks for the rest of the zip."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "mldata.yaml").write_text("version: 1\ndatasets: {}\n")
    kaggle.steering.hold_after = 1_000_000
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(root), REF], stderr=subprocess.DEVNULL)
    try:
        have, until = 0, time.monotonic() + 60
        while have < 900_000 and time.monotonic() < until:
            time.sleep(0.05)
            for folder in (root / ".mldata/store/partial").glob("*"):
                found = read_states(folder)
                if found is not None and found[1].where.endswith("as it is sent"):
                    have = found[1].have
    finally:
        child.kill()
        child.wait()
        kaggle.steering.go_on.set()
    assert have >= 900_000
    before = len(asked(kaggle))
    told = subprocess.run(
        [sys.executable, "-m", "mldata", "-C", str(root), "pull", REF, "-o", "out"],
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert (root / "out/a.csv").read_bytes() == TABLE
    ranges = [range for range in asked(kaggle)[before:] if range != "bytes=0-34"]
    assert len(ranges) == 1 and int(str(ranges[0])[6:-1]) >= 900_000


def test_not_to_resume(kaggle: Kaggle, store: Store) -> None:
    """Asked to begin anew, it does, and what was kept goes unused."""
    kaggle.steering.cut_after = 1_000_000
    with pytest.raises(Transient):
        pull(store, retries=0)
    before = len(asked(kaggle))
    source = KaggleSource(REF, Path())
    (file,) = source.resolve().files
    want = Want(file.name, source.origin(file), file.size, file.digests)
    (got,) = download(store, [want], DownloadOptions(resume=False), Watched())
    assert got.resumed_from == 0 and asked(kaggle)[before:][-1] is None
    assert store.partials.clean()


def test_another_zip_is_begun_anew(kaggle: Kaggle, store: Store) -> None:
    """Bytes of two zips are not put together."""
    kaggle.steering.cut_after = 1_000_000
    with pytest.raises(Transient):
        pull(store, retries=0)
    changed = TABLE[:-3] + b"00\n"
    kaggle.datasets["ada/numbers"].versions[0] = {"a.csv": changed}
    source = KaggleSource(REF, Path())
    (file,) = source.resolve().files
    (got,) = download(store, [Want(file.name, source.origin(file), file.size)], DownloadOptions(), Watched())
    assert store.path(got.id.digest).read_bytes() == changed and not store.partials.kept()


def test_damage_of_what_is_kept(kaggle: Kaggle, store: Store) -> None:
    """Kept bytes are hashed before they are used: damaged ones come again."""
    kaggle.steering.cut_after = 1_000_000
    with pytest.raises(Transient):
        pull(store, retries=0)
    for data in store.root.glob("partial/*/data"):
        whole = bytearray(data.read_bytes())
        whole[500_000] ^= 1
        data.write_bytes(whole)
    before = len(asked(kaggle))
    pull(store)
    assert None in asked(kaggle)[before:]


def test_a_damaged_zip_is_not_kept(kaggle: Kaggle, store: Store) -> None:
    """One that came whole and is wrong would be wrong for ever: the next run asks for it again."""
    stored = kaggle.storage.sign
    kaggle.storage.sign = lambda path, data: stored(path, data[:-3] + b"xyz")  # type: ignore[method-assign]
    with pytest.raises(Mismatch, match="cannot be believed"):
        pull(store)
    assert not store.partials.kept()
    kaggle.storage.sign = stored  # type: ignore[method-assign]
    pull(store)


def test_parts_of_a_kept_zip(kaggle: Kaggle, store: Store) -> None:
    """Any part of the file can be had then; a state that has changed since gives all of it, and says so."""
    source = KaggleSource(REF, Path())
    (file,) = source.resolve().files
    origin = source.origin(file)
    assert isinstance(origin, Unzipped)
    origin.keep_in(store.partials)
    size = len(TABLE)
    for start, stop in ((5, 9), (100_000, 2_000_000), (size - 3, size), (0, 10), (7, None), (0, None)):
        with origin.open(start, stop) as body:
            assert (body.start, body.ranges, body.reason) == (start, False, None)
            assert b"".join(body) == TABLE[start:stop]
    with origin.open(10, None, Validator('"other"')) as body:
        assert body.start == 0 and body.reason and b"".join(body) == TABLE


def test_all_of_it_may_be_there(store: Store) -> None:
    """A body that is kept whole asks for nothing."""
    whole = Sent(zipped())
    with spooled(whole, store.partials) as body:
        assert b"".join(body) == whole.data
    nobody = Sent(b"", name=whole.name, identity=whole.identity)
    nobody.open = None  # type: ignore[assignment]
    with spooled(nobody, store.partials) as body:
        assert b"".join(body) == whole.data
    assert [kept.have for kept in store.partials.kept()] == [len(whole.data)]


def test_what_nothing_tells_apart_is_not_kept(store: Store) -> None:
    """Without a validator bytes of two answers cannot be put together, so none are kept."""

    class Nameless(Sent):
        @property
        def validator(self) -> Validator:
            return Validator(None, None, len(self.data))

        def open(self, *_: object) -> Sent:  # type: ignore[override]
            return self

    partials: Partials = store.partials
    with spooled(Nameless(b"abc"), partials) as body:
        assert b"".join(body) == b"abc"
    assert not partials.kept()
