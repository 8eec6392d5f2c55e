from schemas.topics import MAX_DEAD_LETTER_BYTES, MAX_INPUT_BYTES, Topics, join_topic_configs, topic_configs


def test_names_have_the_prefix() -> None:
    topics = Topics("eu.")
    assert topics.inputs == ("eu.signups", "eu.orders")
    assert topics.laned == ("eu.signups", "eu.orders", "eu.segment-changes", "eu.user-segments")
    assert (topics.models, topics.dead_letters) == ("eu.segment-models", "eu.segment-dead-letters")


def test_with_rekey_the_lanes_have_one_input_more_and_producers_the_same() -> None:
    topics = Topics("eu.", rekey=True)
    assert topics.inputs == ("eu.signups", "eu.orders", "eu.segue-rekeyed")
    assert topics.sources == ("eu.signups", "eu.orders")
    assert topics.laned[:3] == topics.inputs
    assert topic_configs(topics).keys() - topic_configs(Topics("eu.")).keys() == {"eu.segue-rekeyed"}
    assert topic_configs(topics)["eu.segue-rekeyed"]["retention.ms"] == "-1"


def test_only_what_is_a_table_is_compacted() -> None:
    compacted = {n for n, c in topic_configs(Topics()).items() if c["cleanup.policy"] == "compact"}
    assert compacted == {"user-segments", "segment-models"}


def test_what_an_erased_user_was_does_not_stay_for_ever() -> None:
    week_ms = 604_800_000
    assert int(topic_configs(Topics("eu."))["eu.user-segments"]["max.compaction.lag.ms"]) == week_ms


def test_a_dead_letter_has_room_for_any_input_and_the_topic_for_any_dead_letter() -> None:
    limit = int(topic_configs(Topics())["segment-dead-letters"]["max.message.bytes"])
    assert MAX_INPUT_BYTES < MAX_DEAD_LETTER_BYTES < limit


def test_rows_of_orders_are_compacted_only_after_the_joiner_has_read_them() -> None:
    config = join_topic_configs(Topics("eu."))["eu.segue-order-rows"]
    assert config["cleanup.policy"] == "compact"
    assert 86_400_000 <= int(config["min.compaction.lag.ms"]) < int(config["max.compaction.lag.ms"])
