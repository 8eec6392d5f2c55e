"""Each kind of bad event becomes a dead letter with its own reason, and the reader goes on."""

import pytest

from schemas.errors import BadEvent
from schemas.features import FEATURES
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.times import EPOCH
from tests.support.inputs.bad_events import BAD_RECORDS, BAD_WHERE_READ, BadRecord

DECODERS = {"signups": decode_signup, "orders": decode_order}


@pytest.mark.parametrize("bad", [*BAD_RECORDS, *BAD_WHERE_READ], ids=lambda bad: bad.kind)
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


BY_DEFAULT = fields_read(FEATURES, statuses=False)


@pytest.mark.parametrize("bad", BAD_RECORDS, ids=lambda bad: bad.kind)
def test_the_article_s_features_read_what_is_bad(bad: BadRecord) -> None:
    with pytest.raises(BadEvent):
        DECODERS[bad.topic](bad.key, bad.value, EPOCH, read=BY_DEFAULT)


@pytest.mark.parametrize("bad", BAD_WHERE_READ, ids=lambda bad: bad.kind)
def test_a_wrong_value_that_no_feature_reads_is_no_value(bad: BadRecord) -> None:
    order = decode_order(bad.key, bad.value, EPOCH, read=BY_DEFAULT)
    assert order.status is None
    assert {(item.product_id, item.price) for item in order.items} == {(None, None)}
    assert order.items[0].brand == "Acme"
