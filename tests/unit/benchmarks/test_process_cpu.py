from __future__ import annotations

import resource
import subprocess
import sys

from benchmarks.stage.process_cpu import cpu_seconds, peak_mb

_SPIN = "import time\nwhile time.process_time() < 0.5: pass\n"
# A child that has ended, a child that waits after its work, and work of its own.
_FAMILY = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {_SPIN!r}])
waiting = {_SPIN!r} + "import sys; print(flush=True); sys.stdin.read()"
child = subprocess.Popen([sys.executable, "-c", waiting],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
{_SPIN}
print(flush=True)
input()
child.stdin.close()
child.wait()
"""


def test_a_process_and_its_living_and_ended_children_are_counted() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        [sys.executable, "-c", _FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as family:
        assert family.stdout is not None
        assert family.stdin is not None
        family.stdout.readline()
        counted, peak = cpu_seconds(family.pid), peak_mb(family.pid)
        family.stdin.write(b"\n")
        family.stdin.flush()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    really = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # Each of the three spins for half a second. Both accounts have ticks of 10 ms for each process, and the
    # ends of the two living processes come after the reading.
    assert 1.4 < counted <= really + 0.1
    assert really - counted < 0.5
    assert peak > 10  # two interpreters


def test_a_process_that_has_ended_has_used_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert (cpu_seconds(ended.pid), peak_mb(ended.pid)) == (0, 0)
