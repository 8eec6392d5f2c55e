"""A worker's log: one line for each event, as ``key=value`` or as JSON, never with a secret."""

import contextlib
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from schemas.printable import printable_cell

# These libraries warn of events that a worker survives, such as a rebalance or a broker's restart. The worker
# logs the important ones itself.
_LIBRARIES = ("aiokafka", "faust", "mode", "asyncio", "streamer")

_SECRET_NAME = re.compile(r"password|secret|token|credential", re.IGNORECASE)
# The login ends at the last @, because a password that is not percent-encoded may contain @, / or #.
_SECRET_IN_URL = re.compile(r"(?<=://)\S+(?=@)")
HIDDEN = "***"
_LOGFMT = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])

Event = MutableMapping[str, Any]


def set_up_logs(
    level: str = "info", *, json: bool = False, stream: TextIO | None = None, process: int | None = None
) -> None:
    """Set up the log of this process.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``; at ``debug``, libraries also log.
        json: write one JSON object in each line, for programs; else ``key=value``.
        stream: where to write; None for standard error.
        process: the number of this process, for each line; None if it is the only one.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            *([] if process is None else [_of_process(process)]),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.JSONRenderer() if json else _logfmt,
        ],
        wrapper_class=_never_raising(structlog.make_filtering_bound_logger(number)),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.handlers = [_ToOurLog()]
        library.propagate = False
        library.setLevel(logging.INFO if number <= logging.DEBUG else logging.CRITICAL)


def _of_process(number: int) -> structlog.typing.Processor:
    def name(_logger: object, _method: str, event: Event) -> Event:
        return {"process": number, **event}

    return name


def _logfmt(logger: object, method: str, event: Event) -> str:
    """A line of ``key=value``; control characters are escaped, because ids come from events."""
    return printable_cell(_LOGFMT(logger, method, event))


def _never_raising(wrapper: type[Any]) -> type[Any]:
    """The same logger class, but it drops a line that cannot be written, for example if the disk is full.

    If a logger raised an error, it would end the code that logs, often inside the handler of another error.
    """

    class NeverRaising(wrapper):  # type: ignore[misc]
        def _proxy_to_logger(
            self, method_name: str, event: str | None = None, *args: Any, **fields: Any
        ) -> None:
            with contextlib.suppress(Exception):
                super()._proxy_to_logger(method_name, event, *args, **fields)

    return NeverRaising


def without_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Hide the values under secret names, and logins inside URLs.

    >>> without_secrets(None, "info", {"url": "redis://me:key@host/0", "sasl.password": "x"})
    {'url': 'redis://***@host/0', 'sasl.password': '***'}
    """
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: object) -> object:
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _SECRET_IN_URL.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    return value


class _ToOurLog(logging.Handler):
    """Forwards the log records of libraries to the worker's log, as debug lines."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):  # a library's arguments may not match its format text
            structlog.get_logger(record.name).debug("library", text=record.getMessage(), of=record.name)
