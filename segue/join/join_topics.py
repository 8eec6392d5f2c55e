"""The groups of `segue join`, and its topics: it creates its own, and checks that the others are there."""

from __future__ import annotations

from collections.abc import Callable

# The package does not list this public name in its __all__.
from confluent_kafka.admin import NewTopic
from msgspec import Struct

from schemas.errors import BadSetting, BadTopics
from schemas.topics import join_topic_configs
from segue.config.others.join_tables import JoinTables
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, created_text, patiently
from streamer.kafka.kafka_admin import Admin, TopicFacts, missing
from streamer.kafka.topics_admin import check_config, create_topic


class JoinGroups(Struct, frozen=True):
    """The consumer groups: each keeps the offsets of one topic.

    Attributes:
        orders: of Debezium's topic of orders.
        items: of Debezium's topic of their lines.
        rows: of the topic of rows.
    """

    orders: str
    items: str
    rows: str

    @property
    def again(self) -> str:
        """What to do if rows are gone."""
        return (
            "stop every `segue join`, let Debezium send both tables again (a snapshot), and delete the groups"
            f" {self.orders}, {self.items} and {self.rows} by kafka-consumer-groups.sh, so that all is joined"
            " again"
        )


def join_groups(group: str) -> JoinGroups:
    """Return the groups of `segue join`, made from the workers' group."""
    return JoinGroups(f"{group}-join-orders", f"{group}-join-items", f"{group}-join")


def tables_to_join(settings: Settings) -> JoinTables:
    """Return the tables to join.

    Raises:
        BadSetting: the setting ``join`` names none.
    """
    if settings.joined is None:
        fix = 'name both topics under [join] in segue.toml, as orders = "…" and items = "…" (docs/events.md)'
        raise BadSetting("join", {}, fix)
    return settings.joined


def prepare_join_topics(settings: Settings, say: Callable[[str], None]) -> dict[str, TopicFacts]:
    """Create the topic of rows if it is missing, and return the facts of all topics by name.

    Args:
        settings: name the Kafka, the topics and the tables.
        say: called with a sentence that names the new topic.

    Raises:
        BadTopics: a topic is missing, or cannot be used.
        Unreachable: Kafka does not answer.
    """
    tables, topics = tables_to_join(settings), settings.topics

    def prepare() -> dict[str, TopicFacts]:
        admin = Admin(settings.kafka_client, DEADLINE_S)
        found = admin.describe(
            [tables.orders, tables.items, topics.orders, topics.dead_letters, topics.order_rows]
        )
        if absent := [name for name in (topics.orders, topics.dead_letters) if name not in found]:
            raise missing(absent)
        for name, topic in (("orders", tables.orders), ("items", tables.items)):
            if topic not in found:
                raise BadTopics(
                    f"topic {topic} does not exist: Debezium makes it with the first row of its table, or"
                    f" correct {name} under [join] in segue.toml"
                )
        for name, config in join_topic_configs(topics).items():
            if name not in found:
                count = found[topics.orders].partitions
                wanted = NewTopic(name, count, settings.replication_factor or -1, config=config)
                if create_topic(admin, wanted, DEADLINE_S):
                    say(created_text([name], count))
                found |= admin.describe_settled([name])
            check_config(admin, name, config)
        return found

    return patiently(settings, prepare)
