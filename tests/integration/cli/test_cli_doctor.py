"""`segue doctor`: each trouble is a line that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
import redis
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from schemas.errors import NeedsRebuild, Unreachable
from schemas.outputs.wire import encode_release
from segue.config.settings import Settings
from segue.connect.kafka_access import prepare_topics
from segue.connect.live_prefix import followed
from segue.connect.redis_users import RedisUsers
from segue.doctor.check import FAIL, OK, WARN, Check, worst
from segue.doctor.on_flow import check_flow
from segue.doctor.on_kafka import check_kafka
from segue.doctor.on_redis import check_redis
from segue.doctor.on_triggers import check_triggers
from segue.doctor.places import REPAIR
from segue.flow.flow_topics import prepare_flow_topics
from segue.services import KafkaService, LocalRedis, RedisService
from segue.triggers.service.trigger_topics import prepare_trigger_topics
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import create_topic
from streamer.place import place as places
from streamer.place.place import FoldSettings, Place
from streamer.place.place_marks import Refilling, encode_mark
from streamer.place.redis_keys import Keys
from streamer.redis.redis_client import connect
from tests.support.servers.acl import login
from tests.support.servers.services import HANG_S
from tests.support.worlds.made_up_release import a_recency_release, a_release, an_active_model

StartRedis = Callable[..., LocalRedis]


@pytest.fixture
def settings(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str
) -> Settings:
    return Settings.model_validate(
        {
            "kafka": kafka.bootstrap,
            "redis": redis_server.url,
            "topic_prefix": topic_prefix,
            "redis_prefix": redis_prefix,
            "group": f"{topic_prefix}group",
            "partitions": 1,
        }
    )


def on_kafka(settings: Settings) -> dict[str, Check]:
    checks, _lanes, _model = check_kafka(settings)
    return {check.name: check for check in checks}


def on_redis(settings: Settings, lanes: int | None = None) -> dict[str, Check]:
    return {check.name: check for check in check_redis(settings, lanes, None)}


def write(settings: Settings, topic: str, key: bytes, value: bytes) -> None:
    producer = Producer(settings.kafka_client)
    producer.produce(topic, value, key)
    assert producer.flush(HANG_S) == 0


def test_the_worst_line_counts() -> None:
    ok, warn, fail = (Check("x", state, "") for state in (OK, WARN, FAIL))

    assert (worst([ok]), worst([warn, ok]), worst([warn, fail, ok])) == (OK, WARN, FAIL)


def test_missing_topics_are_named_and_what_asks_for_them_is_not_asked(settings: Settings) -> None:
    checks = on_kafka(settings)

    assert set(checks) == {"kafka", "topics", "release"}
    assert checks["kafka"].state == OK
    assert checks["topics"].state == FAIL
    assert checks["topics"].text.startswith(f"none of {settings.topics.signups}, ")
    assert "segue worker or segue bootstrap makes missing topics" in str(checks["topics"].fix)
    assert checks["release"].state == WARN
    assert not any(
        "doctor" in f"{check.text}{check.fix}" for check in checks.values()
    )  # it does not advise itself
    assert "segue train, then segue publish" in str(checks["release"].fix)

    create_topic(Admin(settings.kafka_client, 10), NewTopic(settings.topics.orders, 1), 10)
    assert on_kafka(settings)["topics"].text.startswith(f"missing: {settings.topics.signups}, ")


def test_dead_letters_are_told(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    topic = settings.topics.dead_letters
    assert on_kafka(settings)["dead letters"] == Check("dead letters", OK, f"none on {topic}")

    for _ in range(2):
        write(settings, topic, b"7", b"{}")

    told = on_kafka(settings)["dead letters"]
    assert (told.state, told.fix) == (WARN, "segue dead-letters list tells why")
    assert told.text.startswith(f"at most 2 on {topic}, ")


def test_events_without_a_worker_are_behind(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    for number in range(3):
        write(settings, settings.topics.orders, str(number).encode(), b"{}")

    checks = on_kafka(settings)

    assert checks["group"] == Check(
        "group", WARN, f"{settings.group} has 0 workers", "start one: segue worker"
    )
    assert checks["lane 0"] == Check(
        "lane 0",
        WARN,
        f"3 events behind ({settings.topics.orders} 3, {settings.topics.signups} 0)",
        "start a worker",
    )


def test_triggers_are_told_once_they_have_a_ledger(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    assert check_triggers(settings, 1) == []

    prepare_trigger_topics(settings, lambda _: None)
    topic, group = settings.topics.trigger_dead_letters, f"{settings.group}-triggers"
    for _ in range(2):
        write(settings, settings.topics.changes, b"7", b"{}")
    waiting, letters = check_triggers(settings, 1)
    text = f"{group} has 0 processes; at most 2 changes behind, transaction markers included"
    assert waiting == Check("triggers", WARN, text, "start them: segue triggers run FILE")
    assert letters == Check("trigger dead letters", OK, f"none on {topic}")

    write(settings, topic, b"e-hello", b"{}")
    letters = check_triggers(settings, 1)[1]
    assert (letters.state, letters.fix) == (WARN, "segue triggers retry FILE sends them again")
    assert letters.text.startswith(f"at most 1 on {topic}, ")


def test_the_flow_is_told_once_it_has_tables(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    assert check_flow(settings, 1) == []

    prepare_flow_topics(settings, lambda _: None)
    write(settings, settings.topics.changes, b"7", b"{}")
    text = f"{settings.group}-flow has 0 processes; at most 1 change behind, transaction markers included"
    fix = "the console's moves stand still; start it: segue flow"
    assert check_flow(settings, 1) == [Check("flow", WARN, text, fix)]


def test_a_release_of_other_statuses_fails_and_a_refused_newer_one_warns(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    models = settings.topics.models
    write(settings, models, b"current", encode_release(a_release(exclude_statuses=("Cancelled",))))

    assert on_kafka(settings)["release"].state == FAIL
    assert "['Cancelled']" in on_kafka(settings)["release"].text

    write(settings, models, b"current", encode_release(a_release()))
    assert on_kafka(settings)["release"].state == OK

    write(settings, models, b"current", b"{}")
    release = on_kafka(settings)["release"]
    assert release.state == WARN
    assert "the newest release is refused" in release.text


def test_a_release_of_another_time_zone_fails_and_names_both_zones(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    timed = Settings.model_validate({**settings.model_dump(exclude_unset=True), "preset": "rfm"})
    prepare_topics(timed, lambda _: None)
    berlin = a_recency_release(time_zone="Europe/Berlin")
    write(timed, timed.topics.models, b"current", encode_release(berlin))

    release = on_kafka(timed)["release"]
    assert release.state == FAIL
    assert "trained with time_zone 'Europe/Berlin', but the setting is 'UTC'" in release.text
    assert "refused" not in "".join(capfd.readouterr())  # the check says it, and nothing says it twice
    in_berlin = Settings.model_validate(
        {**timed.model_dump(exclude_unset=True), "time_zone": "Europe/Berlin"}
    )
    assert on_kafka(in_berlin)["release"].state == OK


def test_no_kafka_is_one_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.doctor.on_kafka.DEADLINE_S", 1.0)
    checks = on_kafka(settings.model_copy(update={"kafka": "127.0.0.1:1"}))

    assert list(checks) == ["kafka"]
    assert "Connection refused" in checks["kafka"].text
    assert checks["kafka"].fix == "start it, or correct the setting kafka"
    by_default = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    by_default.model_fields_set.discard("kafka")
    assert "segue up starts one there" in str(on_kafka(by_default)["kafka"].fix)


def test_a_redis_that_forgets_and_does_not_persist(settings: Settings, fresh_redis: StartRedis) -> None:
    redis = fresh_redis(options={"maxmemory": "64mb", "maxmemory-policy": "allkeys-lru", "appendonly": "no"})
    prepare_topics(settings, lambda _: None)
    checks = on_redis(settings.model_copy(update={"redis": redis.url}), lanes=1)

    assert checks["redis policy"].state == FAIL
    assert "CONFIG SET maxmemory-policy noeviction" in str(checks["redis policy"].fix)
    assert checks["redis persistence"].state == WARN
    assert checks["redis memory"].text.endswith("of 67 MB")
    assert checks["place 0"].state == WARN


class Lane:
    """Lane 0 of empty topics, and the place that a worker might have left there."""

    def __init__(self, settings: Settings) -> None:
        prepare_topics(settings, lambda _: None)
        self.settings, self._topics = settings, settings.topics
        self._admin = Admin(settings.kafka_client, 10)
        names = (*self._topics.inputs, self._topics.users)
        self.ids = {name: self._admin.topic(name).topic_id for name in names}

    def put(self, *, topic_ids: dict[str, str] | None = None, exclude_statuses: tuple[str, ...] = ()) -> None:
        fold = FoldSettings(1, exclude_statuses)
        ids = topic_ids or self.ids
        self.put_raw(
            places.encode(
                Place(1, "w", dict.fromkeys(ids, 0), ids, fold, places.using(None, an_active_model()))
            )
        )

    def put_raw(self, stored: bytes) -> None:
        client = connect(self.settings.redis)
        client.set(Keys(self.settings.redis_prefix).place(0), stored)
        client.close()

    def lose_events(self, topic: str, count: int) -> None:
        """Write events, and let retention take them."""
        for _ in range(count):
            write(self.settings, topic, b"7", b"{}")
        (gone,) = self._admin.kafka.delete_records(
            [TopicPartition(topic, 0, count)], request_timeout=HANG_S
        ).values()
        gone.result(HANG_S)

    def judged(self) -> Check:
        return on_redis(self.settings, lanes=1)["place 0"]


@pytest.fixture
def lane(settings: Settings) -> Lane:
    return Lane(settings)


def test_a_place_that_a_worker_takes(lane: Lane) -> None:
    orders, signups = lane.settings.topics.orders, lane.settings.topics.signups
    lane.put()

    at = {topic: f"{topic}@0" for topic in (orders, signups)}
    told = ", ".join(at[topic] for topic in lane.settings.topics.inputs)
    assert lane.judged() == Check("place 0", OK, f"Redis has come to {told}")


def test_no_place_yet(lane: Lane) -> None:
    text = f"the lane has no place in Redis under the prefix {lane.settings.redis_prefix!r}"
    assert lane.judged() == Check("place 0", WARN, text, "a worker makes it")


def test_no_place_and_no_offset_but_decisions(lane: Lane) -> None:
    write(lane.settings, lane.settings.topics.users, b"7", b"{}")

    assert lane.judged().state == FAIL
    assert f"Redis no place under the prefix {lane.settings.redis_prefix!r}, but" in lane.judged().text


def test_a_place_of_other_fold_settings_is_what_workers_refuse(lane: Lane) -> None:
    lane.put(exclude_statuses=("Cancelled",))

    assert lane.judged().state == FAIL
    assert 'setting exclude_statuses is [], but the states in Redis were made with ["Cancelled"]' in (
        lane.judged().text
    )


def test_a_place_before_the_log_is_what_workers_refuse(lane: Lane) -> None:
    lane.put()
    lane.lose_events(lane.settings.topics.orders, 2)

    assert lane.judged().state == FAIL
    assert f"Redis has come to offset 0 of {lane.settings.topics.orders}" in lane.judged().text


def test_a_bootstrap_that_did_not_end(lane: Lane) -> None:
    lane.put_raw(encode_mark(Refilling("bootstrap", "somebody", 1)))

    assert lane.judged().state == FAIL
    assert "did not end: run `segue bootstrap` again" in lane.judged().text


def test_half_of_a_lost_save_that_came_back_is_named_and_no_command_falls_over_it(lane: Lane) -> None:
    lane.put_raw(b'11 "a place"')
    with closing(connect(lane.settings.redis)) as client:
        client.set(Keys(lane.settings.redis_prefix).saves(0), 12)

    judged = lane.judged()
    assert (judged.state, judged.fix) == (WARN, f"a worker folds the lane again; {REPAIR}")
    assert "it has run 12 saves of this lane, and the place is of save 11" in judged.text
    assert followed(lane.settings) == lane.settings
    with (
        RedisUsers(lane.settings) as users,
        pytest.raises(NeedsRebuild, match="start a worker, which folds the lane again"),
    ):
        users.card("7")


def test_a_place_of_other_topics_names_both(lane: Lane) -> None:
    lane.put(topic_ids={"elsewhere-orders": "1", "elsewhere-signups": "2", "elsewhere-user-segments": "3"})

    judged = lane.judged()
    assert judged.state == WARN
    assert (
        "belongs to elsewhere-orders, elsewhere-signups, elsewhere-user-segments; the lane's" in judged.text
    )
    assert judged.text.endswith(", ".join((*lane.settings.topics.inputs, lane.settings.topics.users)))
    assert "topic_prefix" in str(judged.fix)


def test_a_place_of_a_topic_that_was_made_anew(lane: Lane) -> None:
    orders = lane.settings.topics.orders
    lane.put(topic_ids={**lane.ids, orders: "former"})

    assert lane.judged().state == WARN
    assert lane.judged().text == f"{orders} was made anew since Redis came to its place"


def test_no_redis_is_one_line(settings: Settings) -> None:
    checks = on_redis(settings.model_copy(update={"redis": "redis://:secret@127.0.0.1:1/0"}))

    assert list(checks) == ["redis"]
    assert checks["redis"].state == FAIL
    assert "secret" not in checks["redis"].text
    assert checks["redis"].fix == "start it, or correct the setting redis"


@pytest.mark.parametrize(
    ("without", "state", "names"),
    [
        ("evalsha", FAIL, {"redis", "redis rights", "redis policy", "redis memory", "redis persistence"}),
        ("info", WARN, {"redis", "redis rights", "place 0"}),
    ],
)
def test_what_a_login_may_not_do_is_named_with_the_command_that_grants_it(
    settings: Settings, without: str, state: str, names: set[str]
) -> None:
    prepare_topics(settings, lambda _: None)
    with login(settings.redis, settings.redis_prefix, without=without) as url:
        checks = on_redis(settings.model_copy(update={"redis": url}), lanes=1)

    assert checks["redis"].state == OK
    assert checks["redis rights"].state == state
    assert str(checks["redis rights"].fix).endswith(f" +{without}")
    assert set(checks) == names


def test_a_wrong_password_is_told_from_no_redis(settings: Settings) -> None:
    with login(settings.redis, settings.redis_prefix) as url:
        checks = on_redis(settings.model_copy(update={"redis": url.replace("s3cret", "wrong")}))

    assert "refuses the password or user" in checks["redis"].text
    assert "correct them in the setting redis: redis://USER:PASSWORD@HOST:PORT/0" in checks["redis"].text


def test_a_missing_password_is_told_from_a_wrong_one(settings: Settings, fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("requirepass", "s3cret")
    checks = on_redis(settings.model_copy(update={"redis": server.url}))

    assert [*checks] == ["redis"]
    assert checks["redis"].text.endswith(
        " wants a password: give it in the setting redis: redis://USER:PASSWORD@HOST:PORT/0"
    )


def test_a_database_that_is_not_there_is_one_line(settings: Settings) -> None:
    url = urlsplit(settings.redis)._replace(path="/99").geturl()
    checks = on_redis(settings.model_copy(update={"redis": url}), lanes=1)

    assert [*checks] == ["redis"]
    assert checks["redis"].state == FAIL
    assert "has no such database (DB index is out of range): correct the number" in checks["redis"].text


def test_a_redis_that_fails_on_the_way_is_one_line_beside_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> NoReturn:
        raise Unreachable("Redis refuses: something")

    monkeypatch.setattr("segue.doctor.on_redis._infos", fails)
    assert on_redis(settings)["redis"].text == "Redis refuses: something"
    monkeypatch.undo()
    monkeypatch.setattr("segue.doctor.on_redis.standing", fails)
    checks = on_redis(settings)
    assert checks["redis"].state == OK
    assert checks["states"].text == "Redis refuses: something"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sasl.pasword": "hunter2"}, 'No such configuration property: "sasl.pasword"'),
        ({"security.protocol": "SASL_SSL"}, "name the login's sasl.mechanism, such as PLAIN"),
    ],
)
def test_a_wrong_option_of_kafkas_client_is_not_put_down_to_its_address(
    settings: Settings, options: dict[str, str], told: str
) -> None:
    checks = on_kafka(settings.model_copy(update={"kafka_options": options}))

    assert [*checks] == ["kafka"]
    assert checks["kafka"].text.startswith("setting kafka_options is refused by Kafka's client: ")
    assert told in checks["kafka"].text
    assert "hunter2" not in checks["kafka"].text
    assert str(checks["kafka"].fix).startswith("correct the setting kafka_options")
