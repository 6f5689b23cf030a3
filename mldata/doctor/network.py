"""Whether the services can be reached."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mldata.config import load_config
from mldata.credentials import SERVICES
from mldata.doctor.base import Finding
from mldata.download.base import HttpError, Transient
from mldata.errors import AuthError, MldataError, UsageError

__all__ = ["look"]

TIMEOUT = 5.0
"""Seconds for connecting, and for an answer."""
PATIENCE = 12.0
"""Seconds in all: looking a name up has no limit of its own."""
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def look(folder: Path, offline: bool) -> Iterator[Finding]:
    """Ask all of them side by side for anything at all, once."""
    try:
        config = load_config()
    except UsageError:
        remedy = "Put the settings right first: mldata config list"
        yield Finding(
            "network", "network", "warn", "not looked at, since the settings cannot be read", remedy
        )
        return
    if offline or config.offline:
        yield Finding(
            "network",
            "network",
            "note",
            "not looked at: no network is to be used",
            "mldata doctor, without --offline",
        )
        return
    proxies = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    if proxies:
        yield Finding("network", "proxy", "ok", f"by {' and '.join(proxies)}")
    answers: queue.SimpleQueue[tuple[str, Finding]] = queue.SimpleQueue()
    for service in SERVICES:
        work = threading.Thread(target=_ask, args=(service, config.endpoint(service), answers), daemon=True)
        work.start()
    until, found = time.monotonic() + PATIENCE, dict[str, Finding]()
    while len(found) < len(SERVICES):
        try:
            service, finding = answers.get(timeout=max(until - time.monotonic(), 0.0))
        except queue.Empty:
            break
        found[service] = finding
    for service in SERVICES:
        late = _unreachable(service, f"{config.endpoint(service)}: no answer within {PATIENCE:g} seconds")
        yield found.get(service, late)


def _ask(service: str, endpoint: str, answers: queue.SimpleQueue[tuple[str, Finding]]) -> None:
    try:
        answers.put((service, _reached(service, endpoint)))
    except Exception as error:  # of a thread, nobody would hear of it
        answers.put((service, _unreachable(service, f"{endpoint}: {type(error).__name__}")))


def _reached(service: str, endpoint: str) -> Finding:
    from mldata.download.web import Web

    begun, web = time.monotonic(), Web(timeout=TIMEOUT)
    try:
        web.origin(endpoint + "/").open().close()
    except (HttpError, AuthError):
        pass  # an answer, if not to this
    except MldataError as error:
        known = not isinstance(error, Transient) and error.hint and "mldata doctor" not in error.hint
        return _unreachable(service, f"{endpoint}: {error.message}", error.hint if known else None)
    finally:
        web.close()
    seconds = time.monotonic() - begun
    return Finding("network", SERVICES[service], "ok", f"{endpoint} answers in {seconds:.2f} s")


def _unreachable(service: str, text: str, remedy: str | None = None) -> Finding:
    known = f"Is this machine online? Another address: mldata config set {service}.endpoint URL; a proxy: HTTPS_PROXY"
    return Finding("network", SERVICES[service], "warn", text, remedy or known)
