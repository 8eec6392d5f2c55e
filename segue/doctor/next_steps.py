"""The commands to run next, in order, before Segue is set up."""

from __future__ import annotations

from segue.doctor.check import WARN, Check
from segue.doctor.places import MADE_BY_A_WORKER

_TRAIN = "segue train --warehouse PATH"
_PUBLISH = "segue publish FOLDER (train prints it)"
_BOOTSTRAP = "segue bootstrap --warehouse PATH --as-of TIME (not if the shop has no past)"
_WORKER = "segue worker"


def next_steps(checks: list[Check], *, released: bool) -> list[Check]:
    """Return one line with the steps; no line if servers are missing or one step is left.

    Args:
        released: whether a release is in use.
    """
    by_name = {check.name: check for check in checks}
    if "topics" not in by_name or "redis rights" not in by_name:
        return []
    fresh = "group" not in by_name or any(check.fix == MADE_BY_A_WORKER for check in checks)
    steps = [] if released else [_TRAIN, _PUBLISH]
    if fresh:
        steps.append(_BOOTSTRAP)
    if fresh or by_name["group"].state == WARN:
        steps.append(_WORKER)
    if len(steps) < 2:
        return []
    return [Check("next", WARN, "run, in this order", "; ".join(steps))]
