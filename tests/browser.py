"""A Chromium without a window, for tests of pages: opens a page, evaluates JavaScript in it, presses keys, and tells what went wrong.

Format: the Chrome DevTools Protocol (CDP) over two pipes, messages of JSON that end with a zero byte (``--remote-debugging-pipe``).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["BROWSER", "Browser", "open_browser"]

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39}


class Browser:
    """A page in a browser."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write, self._buffer, self._number = os.fdopen(read, "rb", 0), write, b"", 0
        self.events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> Any:
        """Ask the browser, and take its answer; what it tells meanwhile is kept as events."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, page: Path | str, *, width: int = 1280, dark: bool = False, script: bool = True) -> None:
        """Open a file as a reader of a screen of that width would see it, and wait until all of it is there."""
        url = page.as_uri() if isinstance(page, Path) else page
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.send("Page.navigate", url=url)
        while not any(it.get("method") == "Page.loadEventFired" for it in self.events):
            self.events.append(self._next())

    def evaluate(self, expression: str) -> Any:
        """The value of JavaScript in the page."""
        made = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in made, made
        return made["result"].get("value")

    def press(self, key: str) -> None:
        """A key, down and up."""
        code = KEYS[key]
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **extra)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.send("Input.insertText", text=text)

    def shot(self, file: Path) -> None:
        """The whole page as a PNG."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        made = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(made["data"]))

    def complaints(self) -> list[str]:
        """What the page had the browser complain of since it was opened: errors, refusals of its security policy, warnings."""
        told = [it["params"]["entry"]["text"] for it in self.events if it.get("method") == "Log.entryAdded"]
        return told + [
            json.dumps(it["params"])
            for it in self.events
            if it.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]

    def requests(self) -> list[str]:
        """Addresses that it has asked for since it was opened, but those of data within it."""
        sent = (
            it["params"]["request"]["url"]
            for it in self.events
            if it.get("method") == "Network.requestWillBeSent"
        )
        return [url for url in sent if not url.startswith("data:")]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = self._read.read(1 << 16)
            assert more, "the browser has ended"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        made: dict[str, Any] = json.loads(message)
        return made


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """A browser whose own files lie in ``folder``; it ends with the context."""
    assert BROWSER is not None
    (theirs_read, ours_write), (ours_read, theirs_write) = _pipe(), _pipe()

    def place() -> None:
        os.dup2(theirs_read, 3)
        os.dup2(theirs_write, 4)

    process = subprocess.Popen(
        [BROWSER, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
        preexec_fn=place,
        pass_fds=(3, 4),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_read)
    os.close(theirs_write)
    try:
        browser = Browser(ours_read, ours_write)
        yield browser
    finally:
        with suppress(OSError):
            os.close(ours_write)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pipe() -> tuple[int, int]:
    """A pipe whose ends leave the numbers 3 and 4 free."""
    ends = os.pipe()
    read, write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return read, write
