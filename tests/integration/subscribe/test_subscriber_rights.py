"""A Kafka with ACLs: a subscriber needs the rights that docs/subscribing.md lists, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from schemas.errors import LoginRefused
from schemas.outputs.segment_change import Change
from schemas.outputs.wire import encode_release
from schemas.topics import MODELS_CURRENT_KEY
from segue.services import LocalKafka
from segue.subscribe import changes
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.subscription import Options, Subscription
from tests.support.servers.services import HANG_S, eventually, start_server
from tests.support.workers.change_writer import ChangeWriter
from tests.support.worlds.made_up_release import a_release

PREFIX, GROUP, PASSWORD = "rights.", "shop", "hunter2"
CHANGES, USERS, MODELS = f"{PREFIX}segment-changes", f"{PREFIX}user-segments", f"{PREFIX}segment-models"
TOPIC, IN_GROUP = ResourceType.TOPIC, ResourceType.GROUP
Right = tuple[ResourceType, str]
# By login, what it may READ.
RIGHTS: dict[str, list[Right]] = {
    "changes": [(TOPIC, CHANGES), (IN_GROUP, GROUP)],
    "states": [(TOPIC, CHANGES), (TOPIC, USERS), (IN_GROUP, GROUP)],
    "names": [(TOPIC, CHANGES), (TOPIC, MODELS), (IN_GROUP, GROUP)],
    "alone": [(TOPIC, CHANGES)],
    "outsider": [(IN_GROUP, GROUP)],
}


class KafkaWithAcls(LocalKafka):
    """Besides its plain listener, for the test itself, one with logins, who may do what ACLs allow."""

    port_count = 3

    @property
    def guarded(self) -> str:
        return f"127.0.0.1:{self._ports[2]}"

    def _prepare(self, directory: object, ports: Sequence[int]) -> Sequence[str]:
        plain, login = f"PLAINTEXT://127.0.0.1:{ports[0]}", f"LOGIN://127.0.0.1:{ports[2]}"
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        users = " ".join(f'user_{user}="{PASSWORD}"' for user in RIGHTS)
        self._properties = {
            "listeners": f"{plain},{login},CONTROLLER://127.0.0.1:{ports[1]}",
            "advertised.listeners": f"{plain},{login}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.name.login.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.login.plain.sasl.jaas.config": f"{module} required {users};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }
        return super()._prepare(directory, ports)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The address for logins; a lane has written changes, and a release is published."""
    with ExitStack() as stack:
        broker = start_server(stack, KafkaWithAcls())
        writer = ChangeWriter(broker.bootstrap, PREFIX)
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce(MODELS, encode_release(a_release()), MODELS_CURRENT_KEY)
        assert producer.flush(HANG_S) == 0
        writer.write(writer.goes("7", 1), writer.goes("8", 2), writer.goes("7", 2))
        granted = [
            AclBinding(
                kind,
                name,
                ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                AclOperation.READ,
                AclPermissionType.ALLOW,
            )
            for user, rights in RIGHTS.items()
            for kind, name in rights
        ]
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        for done in admin.create_acls(granted).values():
            done.result(HANG_S)
        yield broker.guarded


def options_of(user: str, **options: object) -> Options:
    login = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": PASSWORD,
    }
    return {"topic_prefix": PREFIX, "kafka_options": login, **options}  # type: ignore[typeddict-item]


def read(guarded: str, count: int, options: Options) -> set[str]:
    """Take so many changes; return each as "user segment"."""
    found: list[Change] = []
    with closing(ChangeFeed(Subscription(guarded, **options))) as feed:

        def enough() -> bool:
            if (change := feed.take(0.1)) is not None:
                found.append(change)
            return len(found) >= count

        eventually(enough, "changes", every_s=0)
        assert feed.take(2.0) is None  # Kafka refuses nothing later either
    return {f"{change.user_id} {getattr(change, 'segment', '')}" for change in found}


def test_changes_need_their_topic_and_the_group(guarded: str) -> None:
    options = options_of("changes", group=GROUP, start="oldest")
    assert read(guarded, 3, options) == {"7 1", "7 2", "8 2"}


def test_changes_without_a_group_need_their_topic_alone(guarded: str) -> None:
    assert read(guarded, 3, options_of("alone", start="oldest")) == {"7 1", "7 2", "8 2"}


def test_states_need_both_topics(guarded: str) -> None:
    assert read(guarded, 2, options_of("states", start="states")) == {"7 2", "8 2"}


def test_a_segments_name_needs_the_topic_of_releases(guarded: str) -> None:
    options = options_of("names", start="oldest", segment="segment 1", only="entering")
    assert read(guarded, 1, options) == {"7 1"}


@pytest.mark.parametrize(
    ("user", "options", "sentence"),
    [
        ("outsider", {}, f"read {CHANGES} (Broker: Topic authorization failed): grant it READ on the topic"),
        (
            "alone",
            {"group": GROUP},
            (
                f"read {CHANGES} in the group {GROUP} (Broker: Group authorization failed): grant it READ"
                " on the group"
            ),
        ),
        (
            "changes",
            {"start": "states"},
            f"read {USERS} (Broker: Topic authorization failed): grant it READ on the topic",
        ),
        (
            "changes",
            {"segment": "segment 1"},
            f"read {MODELS} (Broker: Topic authorization failed): grant it READ on the topic",
        ),
    ],
)
def test_a_right_that_is_missing_is_named(
    guarded: str, user: str, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(LoginRefused) as caught:
        next(changes(guarded, **options_of(user, **options)))
    assert str(caught.value) == f"Kafka at {guarded} refuses to let this login {sentence}"
