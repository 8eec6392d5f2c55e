"""The demo's worker: `segue worker` as a separate process, with a settings file and a log."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from segue.config.file_options import FROM_A_FILE
from segue.config.load_settings import FILE_VARIABLE
from segue.config.settings import ENV_PREFIX, Settings
from segue.services.process.server_process import ServerProcess
from segue.services.process.wait_until import wait_until

SETTINGS_FILE, LOG_FILE = "segue.toml", "worker.log"
_READY_S = 180.0
_ASK_S = 2.0


class WorkerProcess:
    """A worker that runs while its context is open.

    Args:
        settings: the worker's settings.
        directory: for the settings file and the log.

    Raises:
        ServiceTrouble: the worker ended, or was not ready in time; the message has its last lines.
    """

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._directory = directory
        self._log = directory / LOG_FILE
        self._allowed = allowances(settings)
        write_settings(settings, directory / SETTINGS_FILE)

    def __enter__(self) -> Self:
        self._log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "segue", "worker", "--config", SETTINGS_FILE, *self._allowed]
        with _without_our_variables():
            self._process = ServerProcess("the worker", command, directory=self._directory, log=self._log)
        try:
            wait_until(self._is_ready, deadline_s=_READY_S)
            if not self._is_ready():
                raise self._process.trouble("did not get ready")
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop(deadline_s=15)

    def check(self) -> None:
        """Check that the worker runs."""
        if not self._process.running():
            raise self._process.trouble("ended")

    def _is_ready(self) -> bool:
        self.check()
        port = self._web_port()
        if port is None:
            return False
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=_ASK_S).close()
        except urllib.error.HTTPError as not_ready:
            not_ready.close()
            return False
        except OSError:
            return False
        return True

    def _web_port(self) -> int | None:
        """Return the port in the worker's log; None if the log has no port yet."""
        for line in self._log.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == "web.listens":
                    return int(entry["port"])
        return None


def allowances(settings: Settings) -> list[str]:
    """Return the arguments that allow the settings file to set these options of Kafka's client.

    A file alone may not set them; here the user has set them in the environment.
    """
    return [f"--allow-kafka-option={name}" for name in settings.kafka_options if name not in FROM_A_FILE]


def write_settings(settings: Settings, path: Path) -> None:
    """Write the settings to a file that only its owner can read, because it may hold passwords."""
    lines = []
    for name in sorted(settings.model_fields_set - {"kafka_options"}):
        value = getattr(settings, name)
        # Texts, numbers and lists of JSON are valid TOML. A table may be a text with JSON.
        lines.append(f"{name} = {json.dumps(json.dumps(value) if isinstance(value, dict) else value)}")
    if settings.kafka_options:
        lines.append("[kafka_options]")
        lines += [
            f"{json.dumps(name)} = {json.dumps(value)}" for name, value in settings.kafka_options.items()
        ]
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


@contextmanager
def _without_our_variables() -> Iterator[None]:
    """Remove our environment variables for a moment, because a variable would override the file."""
    ours = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE}
    taken = {name: os.environ.pop(name) for name in ours if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)
