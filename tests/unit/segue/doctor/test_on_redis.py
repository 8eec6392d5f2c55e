"""What `doctor` makes of what Redis says of itself."""

from __future__ import annotations

import pytest

from segue.doctor import on_redis
from segue.doctor.check import OK, WARN


@pytest.mark.parametrize(
    ("info", "cuts", "state"),
    [
        ({"aof_enabled": 1}, False, OK),
        ({"aof_enabled": 1}, True, OK),
        ({"aof_enabled": 1, "server_name": "valkey"}, True, OK),
        ({"aof_enabled": 0}, False, WARN),
    ],
)
def test_what_asks_for_something_to_be_done_is_a_warning(
    info: dict[str, object], cuts: bool, state: str
) -> None:
    check = on_redis._persistence({**info, "cuts": cuts})

    assert check.state == state
    assert (check.fix is None) == (state == OK)
