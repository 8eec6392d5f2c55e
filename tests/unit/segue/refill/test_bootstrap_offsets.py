"""Times as Kafka takes them."""

from datetime import UTC, datetime

from segue.refill.bootstrap_offsets import _millis


def test_a_time_before_1970_is_no_negative_number_which_kafka_takes_for_a_sign_of_its_own() -> None:
    assert _millis(datetime(1, 1, 1, tzinfo=UTC)) == 0
    assert _millis(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000
