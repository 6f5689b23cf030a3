"""What all tests share: no project, store or setting of the machine may leak into them."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings

from tests import measuring

AGAIN = (
    "tests/fuzz/",
    "tests/crash/",
    "tests/e2e/test_buckets.py",
    "tests/e2e/test_concurrent.py",
    "tests/e2e/test_crash.py",
    "tests/e2e/test_damage.py",
    "tests/e2e/test_disk.py",
    "tests/e2e/test_incremental.py",
    "tests/e2e/test_noop.py",
    "tests/e2e/test_offline.py",
    "tests/e2e/test_pull_web.py",
    "tests/e2e/test_record_formats.py",
    "tests/e2e/test_reproducible.py",
    "tests/frameworks/",
    "tests/servers/",
)
"""Tests that do again and again what others do once."""
MEASURED_CASES = 1
"""Of each parametrized test. What only a later case runs counts as not covered: the figure is the least that is."""
measured: Any = None
"""The coverage of this session, if anything is measured."""
FRAMEWORKS = ("tests/frameworks/", "tests/handing/", "tests/e2e/test_record_formats.py")
RAM_DISK = "/dev/shm"
RAM_DISK_NEEDS = 1 << 30
"""Bytes free; the tests fill far less, for what passes is removed."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Tests are named by short plain bytes; others, which may hold the time at which they were packed, by their argument alone."""
    if isinstance(val, bytes) and (len(val) > 40 or not val.isascii()):
        return argname
    return None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden anew instead of comparing"
    )
    parser.addoption(
        "--explore", action="store_true", help="let Hypothesis make up other examples than in the last run"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis has no deadline, and the same examples in each run, so that a test fails for the change that broke it. Temporary folders are in memory, where syncing costs nothing, unless PYTEST_DEBUG_TEMPROOT names another place."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # Begun in the background of a script: children would not hear the Ctrl-C that tests send them.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile(
        "any machine",
        deadline=None,  # one that is busy is no failure
        derandomize=not config.getoption("--explore"),
    )
    settings.load_profile("any machine")
    measuring.leave_measuring_to_pytest_cov(config)
    if ram_disk_will_do():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", RAM_DISK)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Tests are collected without looking for garbage, of which there is little, and what is made stays out of later looks.

    Each worker of pytest-xdist imports all modules; what that runs is measured in the first one only. From then on
    only tests are measured, and not what pytest does between them.
    """
    global measured
    measured = measuring.running_coverage()
    if measured is not None and measuring.workerid(session.config) not in (None, "gw0"):
        measured.stop()
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        if measured is not None:
            measured.stop()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """A test is measured with its fixtures unless it is marked ``no_cover``."""
    if measured is None:
        return (yield)
    if item.get_closest_marker("no_cover") is None:
        measured.start()
    try:
        return (yield)
    finally:
        measured.stop()  # pytest-cov goes on behind ``no_cover``


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[object]:
    """What several tests share is measured whichever of them comes first."""
    if measured is None or fixturedef.scope == "function" or measuring.running_coverage() is not None:
        return (yield)
    measured.start()
    try:
        return (yield)
    finally:
        measured.stop()


def ram_disk_will_do() -> bool:
    """Whether there is one with room, and where programs may be started."""
    try:
        state = os.statvfs(RAM_DISK)
    except OSError:
        return False
    usable = os.access(RAM_DISK, os.W_OK | os.X_OK) and not state.f_flag & os.ST_NOEXEC
    return usable and shutil.disk_usage(RAM_DISK).free >= RAM_DISK_NEEDS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples that Hypothesis makes up, places where a process is killed, and of a parametrized test all cases but the first few are not measured:
    tracing doubles their time, and what they run others run too. What loads gigabytes of frameworks comes last: the forks of the tests
    after it would have to copy them."""
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        if (
            is_hypothesis_test(getattr(item, "obj", None))
            or _below(item, AGAIN)
            or cases[test] > MEASURED_CASES
        ):
            item.add_marker("no_cover")
    items.sort(key=lambda item: _below(item, FRAMEWORKS))


def _below(item: pytest.Item, places: tuple[str, ...]) -> bool:
    return item.nodeid.startswith(places)


@pytest.fixture(autouse=True, scope="session")
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    mine = ("MLDATA_", "DOIT_", "HF_", "HUGGING_FACE_", "KAGGLE_", "OPENML_", "KEYRING_")
    for name in [n for n in os.environ if n.startswith(mine)]:
        del os.environ[name]
    # Neither settings nor secrets of whoever runs the tests.
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("settings"))
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("caches"))
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture
def measured_children(_own_state: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that inherit the environment are measured, for they run what no other test does."""
    for name, value in measuring.OF_CHILDREN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _own_state() -> Iterator[None]:
    """What the process remembers of another test: whether children are measured, which coverage says anew whenever
    it goes on behind ``no_cover``, and secrets of addresses, for this test's server may have the same port."""
    measuring.forget_children()
    yield
    if "mldata.download.signed" in sys.modules:
        sys.modules["mldata.download.signed"]._whole.clear()
