"""Ctrl-C and SIGTERM wherever they come: 130 or 143, one word, and what was begun is ended in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import FrameType

import pytest

from segue import interruption
from tests.support.servers.services import HANG_S, eventually

_FRAME = """
import sys, time
from segue import interruption

def ready():
    print("ready", flush=True)

def command():
{body}
    return 0

interruption.run_guarded(command)
"""
_LONG_QUERY = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"


def ended(folder: Path, body: str, *signals: signal.Signals, apart_s: float = 0.0) -> tuple[int, str, str]:
    """Exit code and outputs of a command that says that it is ready, and then gets these signals."""
    program = _FRAME.format(body=textwrap.indent(textwrap.dedent(body), "    "))
    (folder / "probe.py").write_text(program, encoding="utf-8")
    # As a module, as `python -m segue` is.
    with subprocess.Popen(
        [sys.executable, "-m", "probe"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.02)  # for the next call
            for number in signals:
                process.send_signal(number)
                time.sleep(apart_s)
            out, err = process.communicate(timeout=HANG_S)
        finally:
            process.kill()
    return process.returncode, out, err


WHERE = {
    "while it sleeps": "ready(); time.sleep(60)",
    "where a library makes another error of it": """
        ready()
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None
    """,
    "where a library goes on": """
        ready()
        try:
            time.sleep(60)
        except BaseException:
            pass
    """,
    "where C code loses it, in a loop that only a signal ends": """
        ready()
        try:
            time.sleep(60)
        except BaseException:
            pass
        while True:
            time.sleep(0.02)
            interruption.raise_lost()
    """,
    "in a destructor, where Python drops it": """
        class Slow:
            def __del__(self):
                ready()
                time.sleep(1)
        Slow()
        time.sleep(60)
    """,
    "in a text that is executed, as many imports do": "exec('ready(); time.sleep(60)', globals())",
    "while DuckDB reads": """
        import duckdb
        interruption._STUCK_S = 2.0
        ready()
        pairs = "range(1000000000) a, range(1000000000) b where a.range < b.range"
        duckdb.sql(f"select count(*) from {pairs}").fetchall()
    """,
    "while rows of DuckDB are held, of which its binding would complain at Python's end": """
        import ctypes, duckdb
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(duckdb.connect()))
        ready()
        time.sleep(60)
    """,
    "while a thread fails of it": """
        import threading
        going = threading.Event()
        def fail():
            going.wait()
            raise OSError("closed under it")
        thread = threading.Thread(target=fail)
        thread.start()
        ready()
        try:
            time.sleep(60)
        finally:
            going.set()
            thread.join()
    """,
    "in C that never returns": f"""
        import sqlite3
        interruption._STUCK_S = 0.2
        ready()
        sqlite3.connect(":memory:").execute({_LONG_QUERY!r}).fetchall()
    """,
}
TERMINATED = ("while it sleeps", "while DuckDB reads", "in C that never returns")


@pytest.mark.parametrize(
    ("body", "number"),
    [
        *(pytest.param(body, signal.SIGINT, id=f"ctrl-C {where}") for where, body in WHERE.items()),
        # What it finds there does not depend on the signal; how it ends does.
        *(pytest.param(WHERE[where], signal.SIGTERM, id=f"SIGTERM {where}") for where in TERMINATED),
    ],
)
def test_it_ends_with_one_word(body: str, number: signal.Signals, tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, body, number)

    assert (code, out) == (128 + number, "")
    assert err == {signal.SIGINT: "Interrupted.\n", signal.SIGTERM: "Terminated.\n"}[number]


CLEANING = """
    try:
        ready()
        time.sleep(60)
    finally:
        time.sleep({seconds})
        print("cleaned", flush=True)
"""


@pytest.mark.parametrize(
    ("seconds", "apart_s", "out"),
    [(0.3, 0.05, "cleaned\n"), (60, 0.7, "")],
    ids=["what a shell sends twice is one", "a second one ends it at once"],
)
def test_two_signals(seconds: float, apart_s: float, out: str, tmp_path: Path) -> None:
    told = ended(tmp_path, CLEANING.format(seconds=seconds), signal.SIGINT, signal.SIGINT, apart_s=apart_s)

    assert told == (130, out, "Interrupted.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-C", "SIGTERM"])
def test_a_signal_may_be_the_normal_end(number: signal.Signals, tmp_path: Path) -> None:
    body = """
        try:
            with interruption.normal_end():
                ready()
                time.sleep(60)
        finally:
            print("cleaned", flush=True)
    """

    assert ended(tmp_path, body, number) == (0, "cleaned\n", "Stopped.\n")


def test_a_second_signal_ends_a_normal_end_at_once(tmp_path: Path) -> None:
    body = """
        try:
            with interruption.normal_end():
                ready()
                time.sleep(60)
        finally:
            time.sleep(60)
    """

    told = ended(tmp_path, body, signal.SIGINT, signal.SIGINT, apart_s=0.7)
    assert told == (130, "", "Interrupted.\n")


def test_after_an_error_a_signal_is_no_normal_end(tmp_path: Path) -> None:
    body = """
        try:
            with interruption.normal_end():
                raise OSError("broken")
        except OSError:
            ready()
            time.sleep(60)
    """

    assert ended(tmp_path, body, signal.SIGINT) == (130, "", "Interrupted.\n")


def test_a_second_signal_ends_even_c_that_never_returns(tmp_path: Path) -> None:
    body = f"""
        import sqlite3
        ready()
        sqlite3.connect(":memory:").execute({_LONG_QUERY!r}).fetchall()
    """

    assert ended(tmp_path, body, signal.SIGINT, signal.SIGINT, apart_s=0.7) == (130, "", "Interrupted.\n")


def test_c_that_asked_for_signals_and_did_not_return_is_known() -> None:
    """As DuckDB does, about one time in ten, while it waits for its threads."""
    first, second = threading.Lock(), threading.Lock()
    signals = interruption._Signals()

    def command() -> None:
        first.acquire()
        second.acquire()

    with first:
        second.acquire()
        thread = threading.Thread(target=command)
        thread.start()
        signals.main_thread = thread.ident or 0
        assert signals.blocked()  # no signal was handled yet
        signals.first = signal.SIGINT

        def still_where_the_signal_came() -> bool:
            signals.raised_at = place_of(thread)
            time.sleep(0.05)
            return signals.blocked()

        eventually(still_where_the_signal_came, "it waits")
    eventually(lambda: not signals.blocked(), "it goes on")
    second.release()
    thread.join()
    assert not signals.blocked()


def place_of(thread: threading.Thread) -> tuple[FrameType, int]:
    frame = sys._current_frames()[thread.ident or 0]
    return frame, frame.f_lasti


def test_steps_that_belong_together_are_not_torn_apart(tmp_path: Path) -> None:
    body = """
        with interruption.held():
            ready()
            time.sleep(0.3)
            print("together", flush=True)
        print("never", flush=True)
    """

    assert ended(tmp_path, body, signal.SIGINT) == (130, "together\n", "Interrupted.\n")


def test_a_command_that_has_ended_keeps_its_code(tmp_path: Path) -> None:
    body = """
        import atexit
        atexit.register(lambda: (ready(), time.sleep(0.3), print("last", flush=True)))
        return 7
    """

    assert ended(tmp_path, body, signal.SIGINT) == (7, "last\n", "")


def test_a_background_of_a_shell_goes_on() -> None:
    program = _FRAME.format(body="    ready(); time.sleep(0.3)").replace(
        "import sys, time\n", "import sys, time, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n", 1
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_errors_that_no_signal_caused_stay_errors(tmp_path: Path) -> None:
    code, _, err = ended(tmp_path, "ready(); raise OSError('broken')")

    assert code == 1
    assert "OSError: broken" in err
