"""The number of examples of a law: few in `make test`, twenty times as many in `make laws`."""

import os

from hypothesis import HealthCheck, settings

_TIMES = int(os.environ.get("SEGUE_TEST_TIMES", "1"))


def examples(count: int) -> settings:
    """Return settings with ``count`` examples, multiplied by SEGUE_TEST_TIMES."""
    return settings(
        max_examples=count * _TIMES,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
