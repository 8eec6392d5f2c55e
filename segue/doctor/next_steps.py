"""What to run next, and in which order, where Segue has not been set up yet."""

from __future__ import annotations

from segue.doctor.check import WARN, Check
from segue.doctor.places import MADE_BY_A_WORKER

_TRAIN = "segue train --warehouse PATH"
_PUBLISH = "segue publish FOLDER (train prints it)"
_BOOTSTRAP = "segue bootstrap --warehouse PATH --as-of TIME (not where the shop begins without a past)"
_WORKER = "segue worker"


def next_steps(checks: list[Check], *, released: bool) -> list[Check]:
    """One line with the steps, or none: where servers are missing, and where only a worker is, others say it.

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
