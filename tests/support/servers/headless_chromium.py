"""A headless Chromium, driven over two pipes (Chrome DevTools Protocol, chromedevtools.github.io)."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_DEADLINE_S = 60.0
_KEYS: dict[str, dict[str, Any]] = {
    "Tab": {"windowsVirtualKeyCode": 9},
    "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
}
_ABOVE = 10  # the lowest number for our descriptors: Chromium reads 3 and writes 4


def find() -> str | None:
    """Return the path of Chromium, or None if it is not installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class Visit:
    """The result of opening a page.

    Attributes:
        measured: the value that the script returned.
        requests: the requested URLs, with the page's own.
        complaints: the errors and warnings of the console and the browser.
        picture: an image of the page; a PNG of all of it if nothing else was asked for.
    """

    measured: Any
    requests: tuple[str, ...]
    complaints: tuple[str, ...]
    picture: bytes


class Chromium:
    """A Chromium process with a separate profile; it opens a page for each visit."""

    def __init__(self, program: str, profile: Path) -> None:
        read_commands, self._commands = (_moved(end) for end in os.pipe())
        self._answers, write_answers = (_moved(end) for end in os.pipe())
        connect = f'exec 3<&{read_commands} 4>&{write_answers}; exec "$@"'
        self._process = subprocess.Popen(
            [
                *("bash", "-c", connect, "bash"),
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--disable-dev-shm-usage",
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            pass_fds=(read_commands, write_answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def visit(
        self,
        page: Path | str,
        width: int,
        script: str,
        *,
        dark: bool = False,
        keys: Sequence[str] = (),
        image: Mapping[str, Any] = {"captureBeyondViewport": True},
    ) -> Visit:
        """Open a file or an address, press keys, and run the script in the page.

        Args:
            page: the file or the address.
            width: the window's width in pixels.
            script: its value is measured; if it is a promise, the visit waits for it.
            dark: whether the reader prefers a dark page.
            keys: the keys to press first, ``Tab`` or ``Enter``.
            image: the options of ``Page.captureScreenshot``.
        """
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._ask(f"{domain}.enable", session)
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", session, features=[scheme])
        self._events.clear()
        self._ask("Page.navigate", session, url=page if isinstance(page, str) else page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._message(time.monotonic() + _DEADLINE_S))
        for key in keys:
            pressed = {"key": key, "code": key, **_KEYS[key]}
            self._ask("Input.dispatchKeyEvent", session, type="keyDown", **pressed)
            self._ask("Input.dispatchKeyEvent", session, type="keyUp", **pressed)
        found = self._ask(
            "Runtime.evaluate", session, expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        picture = self._ask("Page.captureScreenshot", session, **image)["data"]
        visit = Visit(
            found["result"]["value"],
            tuple(
                event["params"]["request"]["url"]
                for event in self._events
                if event["method"] == "Network.requestWillBeSent"
            ),
            tuple(filter(None, map(_complaint, self._events))),
            base64.b64decode(picture),
        )
        self._ask("Target.closeTarget", targetId=target)
        return visit

    def close(self) -> None:
        """End the process and its children."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def _ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + _DEADLINE_S
        while True:
            message = self._message(deadline)
            if message.get("id") != self._number:
                self._events.append(message)
            elif "error" in message:
                raise AssertionError(f"{method}: {message['error']}")
            else:
                result: dict[str, Any] = message["result"]
                return result

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"Chromium says nothing for {_DEADLINE_S} s"
            read = os.read(self._answers, 1 << 20)
            assert read, f"Chromium ended with {self._process.wait()}"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told


def _moved(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(descriptor)
    return moved


def _complaint(event: dict[str, Any]) -> str | None:
    parameters = event.get("params", {})
    if event["method"] == "Runtime.exceptionThrown":
        return str(parameters["exceptionDetails"])
    if event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
        return str(parameters["args"])
    if event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
        return str(parameters["entry"]["text"])
    return None
