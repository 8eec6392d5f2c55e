"""The settings, each with its check and the description that `--help` and docs/settings.md show.

:func:`segue.config.load_settings.load_settings` reads them from `segue.toml`, then the environment
(`SEGUE_KAFKA`…), then a command's options; a later source overrides an earlier source.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from schemas.days import UTC_NAME, zone_of
from schemas.features import FEATURE_NAMES, Feature
from schemas.inputs.forms.debezium_change import DELETED_STATUS
from schemas.inputs.forms.event_form import EventForms
from schemas.partitioner import Partitioner
from schemas.times import parse_length
from schemas.topics import Topics
from segue.config.csv_form import csv_table
from segue.config.declarations import PRESET_FEATURES, Declarations, declarations, features_of
from segue.config.others.event_forms import event_tables, forms_of
from segue.config.others.join_tables import JoinTables, check_join, join_table, tables_of
from segue.config.redis_url import check_redis_url
from segue.config.setting_texts import (
    brokers,
    names_by_table,
    names_table,
    options_table,
    registry_options,
    registry_url,
    text_list,
    title_text,
    topic_prefix_text,
    without_password,
)

Preset = Literal["article", "rfm", "recommended"]
"""The same names as in ``trainer.steps.presets``, which a worker does not load."""

ENV_PREFIX = "SEGUE_"

# Segue sets these options by itself. Another value would break a guarantee.
_SET_BY_SEGUE = frozenset(
    {
        "acks",
        "auto.offset.reset",
        "bootstrap.servers",
        "enable.auto.commit",
        "enable.idempotence",
        "enable.partition.eof",
        "group.id",
        "isolation.level",
        "partitioner",
        "transactional.id",
    }
)


class Settings(BaseSettings):
    """Every setting, checked. ``model_fields_set`` contains the settings that the user gave."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    kafka: str = Field("127.0.0.1:9092", description="Kafka's brokers: host:port, several with commas")
    kafka_options: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="librdkafka's settings of a client, such as security.protocol and sasl.password",
        repr=False,
    )
    redis: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis: redis://, rediss:// (TLS) or unix:// URL; redis+cluster:// for a Redis Cluster",
        repr=False,
    )
    redis_prefix: str = Field("segue:", min_length=1, description="the start of every key in Redis")
    topic_prefix: str = Field("", description="the start of every topic's name")
    partitions: int = Field(4, ge=1, le=10_000, description="partitions of the topics that Segue creates")
    replication_factor: int | None = Field(
        None,
        ge=1,
        le=100,
        description="copies of the topics that Segue creates; the broker's default if unset",
    )
    group: str = Field("segue", min_length=1, description="the consumer group that the workers share")
    partitioner: Partitioner = Field(
        "murmur2",
        description="how producers choose a user's partition: murmur2 (Java's) or crc32 (librdkafka's)",
    )
    rekey: bool = Field(
        False,
        description="whether workers forward misrouted events to the correct lane, over a topic of their own",
    )
    events: Annotated[dict[str, dict[str, Any]], NoDecode] = Field(
        {},
        description="the form of the events that others send, by topic: form, paths, values, dates, decimal",
    )
    join: Annotated[dict[str, str], NoDecode] = Field(
        {},
        description="Debezium's topics of orders and of their lines, which `segue join` joins: orders, items,"
        " order_id, item_id",
    )
    schema_registry: str | None = Field(
        None,
        description="the address of the Schema Registry whose frame the events have, http:// or https://",
    )
    schema_registry_options: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="the registry's login and certificates, such as basic.auth.user.info",
        repr=False,
    )
    preset: Preset | None = Field(
        None,
        description="what train fits: article, rfm or recommended; rfm declares three features; unset: as the"
        " current release, else article",
    )
    declare: Annotated[Declarations, NoDecode] = Field(
        {},
        description="more features than the seven default ones, by name: kind, source, type, encoding, log,"
        " quantile, window",
    )
    features: Annotated[tuple[str, ...], NoDecode] = Field(
        FEATURE_NAMES,
        description="the model's features, with commas; unset: the seven default ones, then those of declare;"
        " with the preset rfm: its three",
    )
    exclude_statuses: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="orders with exactly one of these statuses do not count; several with commas"
    )
    time_zone: str = Field(
        UTC_NAME,
        description="the time zone of features of time, such as Europe/Berlin: it says on which date an order"
        " lies, and when a day begins",
    )
    max_ahead: str = Field(
        "1d",
        description="how far a time in an event may lie ahead of its Kafka record's time: 90m, 12h, 1d",
    )
    max_moved: float = Field(
        0.05,
        ge=0,
        le=1,
        description="the largest share of users that a release may move; publish refuses more without"
        " --force",
    )
    max_flaps: float = Field(
        0.05,
        ge=0,
        le=1,
        description="the largest share of users who may return to a segment they left; publish --rehearse"
        " refuses more without --force",
    )
    artifacts_prefix: str = Field(
        "",
        description="uploaded releases are read only below this address, such as s3://models; unset: never",
    )
    tables: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="the warehouse's names of tables, where they differ from Segue's names, or queries that"
        " make them",
    )
    columns: Annotated[dict[str, dict[str, str]], NoDecode] = Field(
        default={},
        description="the warehouse's names of columns, by table, where they differ from Segue's names",
    )
    whole_ids: bool = Field(
        False, description="whether an id in the warehouse such as 17850.0 is read as the whole number 17850"
    )
    csv: Annotated[dict[str, str | tuple[str, ...]], NoDecode] = Field(
        default={},
        description="the form of the warehouse's CSV files: separator, encoding, decimal, thousands, dates,"
        " nulls",
    )
    shop: str = Field("", description="the shop's name in the title of a release's report")
    currency: str = Field(
        "", description="the currency beside money in a release's report: a code such as EUR, or a sign"
    )
    min_margin: float = Field(
        0.0,
        ge=0,
        le=1,
        description="a user stays in its segment until another centre is nearer by this share of the"
        " distance",
    )
    similar_users: int = Field(5, ge=0, le=1_000, description="how many similar users a change contains")
    max_batch: int = Field(
        1_000, ge=1, le=100_000, description="the most events in one transaction of a worker"
    )
    sweep_per_s: int = Field(
        1_000,
        ge=1,
        le=1_000_000,
        description="the most users that a lane decides again in a second: after a new release, on a new day",
    )
    session_timeout_ms: int = Field(
        10_000, ge=1_000, description="milliseconds after which a silent worker loses its lanes"
    )
    heartbeat_interval_ms: int = Field(
        2_000,
        ge=100,
        description="milliseconds between a worker's heartbeats; at most a third of session_timeout_ms",
    )
    rebalance_timeout_ms: int = Field(
        30_000,
        ge=1_000,
        description="milliseconds that workers have to close their lanes in a rebalance",
    )
    transaction_timeout_ms: int = Field(
        60_000, ge=1_000, description="milliseconds after which Kafka aborts the transaction of a dead worker"
    )
    no_progress_s: int = Field(
        60,
        ge=1,
        description="seconds that events may wait in a lane without progress before its worker is not ready",
    )
    processes: int = Field(
        1, ge=1, le=10_000, description="how many processes `segue worker` runs, each a worker of the group"
    )
    web_host: str = Field("127.0.0.1", min_length=1, description="the address of a worker's web server")
    web_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="the port of a worker's web server; unset: no web server, 0: any free port",
    )
    log_format: Literal["text", "json"] = Field("text", description="a worker's log: text or json")

    @property
    def topics(self) -> Topics:
        """The names of all topics."""
        return Topics(self.topic_prefix, self.rekey)

    @property
    def forms(self) -> EventForms:
        """The forms of the events on the inputs."""
        return forms_of(self.events)

    @property
    def joined(self) -> JoinTables | None:
        """The tables that `segue join` joins; None if it has nothing to do."""
        return tables_of(self.join)

    @property
    def warehouse_statuses(self) -> tuple[str, ...]:
        """The excluded statuses that a warehouse may have: an order that Debezium saw deleted is in none."""
        orders = self.forms.orders
        made = DELETED_STATUS if orders is not None and orders.form == "debezium" else None
        return tuple(status for status in self.exclude_statuses if status != made)

    @property
    def declared(self) -> tuple[Feature, ...]:
        """All features that the settings know: the default ones, the preset's, then those of ``declare``."""
        return features_of(self.declare, self.preset)

    @property
    def model_features(self) -> tuple[Feature, ...]:
        """The model's inputs, in order."""
        if "features" not in self.model_fields_set:
            return PRESET_FEATURES.get(self.preset, self.declared)
        by_name = {feature.name: feature for feature in self.declared}
        return tuple(by_name[name] for name in self.features)

    @property
    def read_features(self) -> tuple[Feature, ...]:
        """The features that SQL and the fold compute: the model's inputs, and those of ``declare``.

        Only what they read has to exist, in events and in the warehouse.
        """
        inputs = {feature.name for feature in self.model_features}
        return tuple(f for f in self.declared if f.name in inputs or f.name not in FEATURE_NAMES)

    @property
    def kafka_client(self) -> dict[str, str]:
        """The options of every librdkafka client. They may contain secrets."""
        return {**self.kafka_options, "bootstrap.servers": self.kafka}

    @property
    def redis_address(self) -> str:
        """The URL of Redis without a password, for messages."""
        return without_password(self.redis)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the arguments have the library's names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the arguments: `load_settings` merges the sources (why: docs/dependencies.md).

        Args:
            settings_cls: the class of the settings; not used.
            init_settings: the constructor's arguments.
            env_settings: the environment; not used.
            dotenv_settings: the file ``.env``; not used.
            file_secret_settings: files with secrets; not used.

        Returns:
            The sources, the strongest first.
        """
        return (init_settings,)

    @field_validator("kafka")
    @classmethod
    def _brokers(cls, value: str) -> str:
        return ",".join(str(server) for server in brokers(value))

    @field_validator("redis")
    @classmethod
    def _redis_url(cls, value: str) -> str:
        check_redis_url(value)
        return value

    @field_validator("topic_prefix")
    @classmethod
    def _legal_in_topics(cls, value: str) -> str:
        return topic_prefix_text(value)

    @field_validator("shop")
    @classmethod
    def _shop_name(cls, value: str) -> str:
        return title_text(value, 80)

    @field_validator("currency")
    @classmethod
    def _currency_sign(cls, value: str) -> str:
        return title_text(value, 8)

    @field_validator("max_ahead")
    @classmethod
    def _length(cls, value: str) -> str:
        parse_length(value)
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        zone_of(value)
        return value

    @field_validator("kafka_options", mode="before")
    @classmethod
    def _client_options(cls, value: object) -> dict[str, str]:
        options = options_table(value)
        for name in options:
            if name in _SET_BY_SEGUE:
                raise ValueError(f"leave {name} out: Segue sets it by itself")
        return options

    @field_validator("events", mode="before")
    @classmethod
    def _event_tables(cls, value: object) -> dict[str, dict[str, Any]]:
        return event_tables(value)

    @field_validator("join", mode="before")
    @classmethod
    def _join_table(cls, value: object, others: ValidationInfo) -> dict[str, str]:
        fields = join_table(value)
        tables = tables_of(fields)
        # If events or topic_prefix are wrong, they are absent here, and their own error comes first.
        if tables is not None and others.data.keys() >= {"events", "topic_prefix"}:
            check_join(tables, forms_of(others.data["events"]).orders, Topics(others.data["topic_prefix"]))
        return fields

    @field_validator("schema_registry")
    @classmethod
    def _registry_url(cls, value: str | None) -> str | None:
        return None if value is None else registry_url(value)

    @field_validator("schema_registry_options", mode="before")
    @classmethod
    def _registry_options(cls, value: object) -> dict[str, str]:
        return registry_options(value)

    @field_validator("tables", mode="before")
    @classmethod
    def _names(cls, value: object) -> dict[str, str]:
        return names_table(value)

    @field_validator("columns", mode="before")
    @classmethod
    def _names_by_table(cls, value: object) -> dict[str, dict[str, str]]:
        return names_by_table(value)

    @field_validator("csv", mode="before")
    @classmethod
    def _csv_form(cls, value: object) -> dict[str, str | tuple[str, ...]]:
        return csv_table(value)

    @field_validator("features", "exclude_statuses", mode="before")
    @classmethod
    def _with_commas(cls, value: object) -> tuple[str, ...]:
        return text_list(value)

    @field_validator("declare", mode="before")
    @classmethod
    def _declarations(cls, value: object, others: ValidationInfo) -> Declarations:
        return declarations(value, others.data.get("preset"))

    @field_validator("preset", mode="before")
    @classmethod
    def _present_name(cls, value: object) -> object:
        if value == "label":
            raise ValueError("use article, the preset's name now; label is only an encoding")
        return value

    @field_validator("features")
    @classmethod
    def _known_features(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        declare, preset = others.data.get("declare", {}), others.data.get("preset")
        known = [feature.name for feature in features_of(declare, preset)]
        if not value:
            raise ValueError(f"name at least one, of: {', '.join(known)}")
        if unknown := [name for name in dict.fromkeys(value) if name not in known]:
            are = "is no feature" if len(unknown) == 1 else "are no features"
            raise ValueError(f"{', '.join(unknown)} {are}: name some of {', '.join(known)}, or declare more")
        if twice := [name for name in known if value.count(name) > 1]:
            raise ValueError(f"name {', '.join(twice)} once")
        return value
