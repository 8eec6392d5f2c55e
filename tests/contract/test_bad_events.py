"""Each kind of bad event becomes a dead letter with its own reason; none stops the reader, none is half read."""

import pytest

from schemas.decode import decode_order, decode_signup
from schemas.errors import BadEvent
from schemas.times import EPOCH
from tests.bad_events import BAD_RECORDS, BadRecord

DECODERS = {"signups": decode_signup, "orders": decode_order}


@pytest.mark.parametrize("bad", BAD_RECORDS, ids=lambda bad: bad.kind)
def test_a_bad_event_says_what_is_wrong(bad: BadRecord) -> None:
    with pytest.raises(BadEvent) as raised:
        DECODERS[bad.topic](bad.key, bad.value, EPOCH)
    reason = str(raised.value)
    if bad.reason.endswith("…"):
        assert reason.startswith(bad.reason[:-1])
    else:
        assert reason == bad.reason
    assert "\n" not in reason
    assert len(reason) < 300
