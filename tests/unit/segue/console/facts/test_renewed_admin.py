from __future__ import annotations

import pytest

from schemas.errors import Unreachable
from segue.console.facts.renewed_admin import RenewedAdmin
from streamer.kafka.kafka_admin import Admin

NOBODY = {"bootstrap.servers": "127.0.0.1:1"}


def test_an_admin_without_an_answer_is_not_lent_again() -> None:
    renewed = RenewedAdmin(lambda: Admin(NOBODY, 5.0))
    with renewed.lent() as first:
        pass
    with renewed.lent() as again:
        assert again is first
    with pytest.raises(Unreachable), renewed.lent():
        raise Unreachable("Kafka did not return the offsets")
    with renewed.lent() as second:
        assert second is not first
