"""Tasks that run one at a time: each has a thread, and a baton says whose turn it is."""

import threading
from collections.abc import Callable


class Ended(BaseException):
    """The simulation is over. Not an Exception, so that no handler of the product can catch it."""


class Task:
    """A body that runs only while it is resumed, up to its next call that is not granted any more."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        """``body`` must call :meth:`pause` before whatever others can see."""
        self.name = name
        self._body = body
        self._calls_left = 0
        self._raise: BaseException | None = None
        self._failure: BaseException | None = None
        self._turn = threading.Lock()
        self._back = threading.Lock()
        self._turn.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def resume(self, calls: int) -> None:
        """Let the body make this many calls.

        Raises:
            BaseException: what the body ended with.
        """
        self._calls_left = calls
        self._turn.release()
        self._back.acquire()
        if self._failure is not None:
            raise self._failure

    def pause(self) -> None:
        """From the body: go on if a call is left, or else when there is a turn again."""
        if self._calls_left == 0:
            self.rest()
        self._calls_left -= 1

    def rest(self) -> None:
        """From the body: give the turn back, whatever was granted."""
        self._back.release()
        self._turn.acquire()
        if self._raise is not None:
            error, self._raise = self._raise, None
            raise error

    def interrupt(self, error: BaseException) -> None:
        """At its next turn the body gets this error."""
        self._raise = error

    def end(self) -> None:
        """End the body and its thread."""
        if self._thread.is_alive():
            self.interrupt(Ended())
            self._turn.release()
            self._thread.join()

    def _run(self) -> None:
        self._turn.acquire()
        try:
            if not isinstance(self._raise, Ended):
                self._raise = None  # whatever befell it before it began, it begins now
                self._body()
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by who resumes it
            self._failure = error
        finally:
            self._back.release()
