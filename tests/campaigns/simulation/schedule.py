"""Tasks that run one at a time: each task has a thread and waits for its turn."""

import threading
from collections.abc import Callable


class Ended(BaseException):
    """The simulation is over. It is a BaseException, so that no handler catches it."""


class Task:
    """A body in a thread that runs only after :meth:`resume`, for the granted number of calls."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        """``body`` must call :meth:`pause` before each action that other tasks can see."""
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
        """Let the body make so many calls.

        Raises:
            BaseException: the body ended with this error.
        """
        self._calls_left = calls
        self._turn.release()
        self._back.acquire()
        if self._failure is not None:
            raise self._failure

    def pause(self) -> None:
        """Continue if a granted call is left, else wait for the next turn; only the body calls this."""
        if self._calls_left == 0:
            self.rest()
        self._calls_left -= 1

    def rest(self) -> None:
        """Give the turn back and wait for the next turn; only the body calls this."""
        self._back.release()
        self._turn.acquire()
        if self._raise is not None:
            error, self._raise = self._raise, None
            raise error

    def interrupt(self, error: BaseException) -> None:
        """Raise this error in the body at its next turn."""
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
                self._raise = None  # the body begins now, even after an earlier interrupt
                self._body()
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - `resume` raises it again
            self._failure = error
        finally:
            self._back.release()
