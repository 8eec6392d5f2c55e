"""A log and a store that stop a lane before or after a chosen call."""

from collections.abc import Callable
from typing import Any, Literal, cast

from streamer.interfaces.lane_interfaces import Log, Store

When = Literal["before", "after"]


class Crash(BaseException):
    """The process died. It is a BaseException, so that no handler catches it."""


class Calls:
    """Count the calls of a log and a store together, and raise at a chosen call."""

    def __init__(self, stop_at: int | None = None, when: When = "before", error: BaseException | None = None):
        self.made: list[str] = []
        self.stop_at = stop_at
        self._when = when
        self._error = error or Crash()

    def wrap(self, log: Log, store: Store) -> tuple[Log, Store]:
        return cast(Log, _Counted(log, "log", self)), cast(Store, _Counted(store, "store", self))

    def call(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        here = len(self.made) == self.stop_at
        self.made.append(name)
        if here and self._when == "before":
            raise self._error
        result = function(*args)
        if here and self._when == "after":
            raise self._error
        return result


class _Counted:
    def __init__(self, wrapped: object, name: str, calls: Calls) -> None:
        self._wrapped = wrapped
        self._name = name
        self._calls = calls

    def __getattr__(self, method: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self._wrapped, method)
        if method == "reached":  # this method calls no server, so it cannot fail
            return function
        return lambda *args: self._calls.call(f"{self._name}.{method}", function, *args)
