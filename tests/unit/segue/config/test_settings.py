"""File, then environment, then options; and each wrong value in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from schemas.errors import BadSetting, BadVariable
from segue.cli.main import run
from segue.config.file_options import FROM_A_FILE
from segue.config.load_settings import load_settings
from segue.config.settings import Settings
from segue.connect.lane_connections import lane_config
from streamer.worker.faust_broker import KNOWN
from tests.support.servers.rights import without_rights


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty directory, and no variable of the developer's own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SEGUE_{name.upper()}", raising=False)
    monkeypatch.delenv("SEGUE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def sentence(file: Path | None = None, **options: object) -> str:
    with pytest.raises(BadSetting) as caught:
        load_settings(file, options)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()

    assert settings.kafka == "127.0.0.1:9092"
    assert settings.topics.signups == "signups"
    assert settings.model_fields_set == set()


def test_options_win_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    write(nowhere / "segue.toml", 'group = "file"\nredis_prefix = "file:"\ntopic_prefix = "file."\n')
    monkeypatch.setenv("SEGUE_GROUP", "environment")
    monkeypatch.setenv("SEGUE_REDIS_PREFIX", "environment:")

    settings = load_settings(None, {"group": "option", "kafka": None})

    assert settings.group == "option"
    assert settings.redis_prefix == "environment:"
    assert settings.topic_prefix == "file."
    assert settings.model_fields_set == {"group", "redis_prefix", "topic_prefix"}


def test_the_file_is_the_option_s_else_the_variable_s_else_the_one_here(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    write(nowhere / "segue.toml", 'group = "here"')
    named = write(nowhere / "named.toml", 'group = "named"')
    given = write(nowhere / "given.toml", 'group = "given"')

    assert load_settings().group == "here"
    monkeypatch.setenv("SEGUE_CONFIG", str(named))
    assert load_settings().group == "named"
    assert load_settings(given).group == "given"


def test_rekey_gives_the_lanes_their_third_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().topics.inputs == ("signups", "orders")
    monkeypatch.setenv("SEGUE_REKEY", "true")
    settings = load_settings()
    assert settings.topics.inputs == ("signups", "orders", "segue-rekeyed")
    assert lane_config(settings, 4).settings.rekey


def test_a_warehouse_has_no_order_that_debezium_saw_deleted() -> None:
    excluded = {"exclude_statuses": ("Deleted", "Returned")}
    assert Settings.model_validate(excluded).warehouse_statuses == ("Deleted", "Returned")
    events = {"orders": {"form": "debezium"}}
    assert Settings.model_validate({**excluded, "events": events}).warehouse_statuses == ("Returned",)


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_KAFKA", "")

    assert "kafka" not in load_settings().model_fields_set


def test_lists_come_with_commas_or_as_lists(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    monkeypatch.setenv("SEGUE_FEATURES", "age, gender")
    file = write(nowhere / "s.toml", 'exclude_statuses = ["Cancelled, late", "Returned"]')

    settings = load_settings(file)

    assert settings.features == ("age", "gender")
    assert settings.exclude_statuses == ("Cancelled, late", "Returned")


def test_client_options_come_as_a_table_dotted_or_not_and_as_json(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    file = write(
        nowhere / "s.toml",
        '[kafka_options]\n"security.protocol" = "SASL_SSL"\nsasl.username = "me"\nlog.connection.close = '
        "false\n",
    )

    assert load_settings(file).kafka_client == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "SASL_SSL",
        "sasl.username": "me",
        "log.connection.close": "false",
    }
    monkeypatch.setenv("SEGUE_KAFKA_OPTIONS", '{"client.id": "x"}')
    assert load_settings(file).kafka_options == {"client.id": "x"}


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("kafka", "localhost", "give host:port"),
        ("kafka", "localhost:99999", "give host:port"),
        ("kafka", "a:1,", "give host:port"),
        (
            "kafka",
            "http://a:1",
            "http:// is no protocol of Kafka: give host:port, for example localhost:9092",
        ),
        ("kafka", "a:1,kafka://b:1", "kafka:// is no protocol of Kafka: give host:port"),
        ("redis", "localhost:6379", "give a URL such as redis://localhost:6379/0"),
        ("redis_prefix", "", "it cannot be empty"),
        ("topic_prefix", "a b", "Kafka's names take letters"),
        ("partitions", "four", "give a whole number"),
        ("rekey", "perhaps", "give true or false"),
        ("partitions", "0", "give at least 1"),
        ("similar_users", "1001", "give at most 1000"),
        ("partitioner", "md5", "use murmur2 or crc32"),
        ("features", "age,height", "height is no feature: name some of age, gender"),
        ("features", "width,age,height", "width, height are no features: name some of age"),
        ("features", "", "name at least one, of: age, gender"),
        ("features", "age,gender,age", "name age once"),
        ("log_format", "xml", "use text or json"),
        ("currency", "Euro cents", "give at most 8 characters"),
        ("currency", "E\x1b[1m", "leave out line ends and other invisible characters"),
        ("shop", "x" * 81, "give at most 80 characters"),
        ("shop", "a\nb", "leave out line ends and other invisible characters"),
    ],
)
def test_a_wrong_option_is_one_sentence_that_names_option_value_and_fix(
    name: str, value: str, fix: str
) -> None:
    told = sentence(None, **{name: value})

    assert told.startswith(f"setting {name} (from option --{name.replace('_', '-')}) is {value!r}: {fix}")
    assert "\n" not in told


def test_the_sentence_says_where_a_wrong_value_stands(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    file = write(nowhere / "s.toml", "partitions = 1.5\n")

    assert sentence(file) == f"setting partitions (from {file}) is 1.5: give a whole number"
    monkeypatch.setenv("SEGUE_PARTITIONS", "x")
    assert sentence(file) == "setting partitions (from SEGUE_PARTITIONS) is 'x': give a whole number"
    monkeypatch.delenv("SEGUE_PARTITIONS")
    assert sentence(write(file, "group = 7")) == f"setting group (from {file}) is 7: give text, in quotes"


def test_an_unknown_setting_is_named_with_the_nearest_known_one(nowhere: Path) -> None:
    file = write(nowhere / "s.toml", 'kafca = "a:1"')

    assert (
        sentence(file) == f"setting kafca (in {file}) is 'a:1': there is no such setting, did you mean kafka?"
    )


@pytest.mark.parametrize(
    ("variable", "fix"),
    [
        ("SEGUE_KAFFKA", "did you mean SEGUE_KAFKA?"),
        ("segue_redis_prefx", "did you mean SEGUE_REDIS_PREFIX?"),
        ("segue_kafka", "write it in capitals, SEGUE_KAFKA"),
        ("SEGUE_redis", "write it in capitals, SEGUE_REDIS"),
        ("Segue_Config", "write it in capitals, SEGUE_CONFIG"),
        ("SEGUE_CONFG", "did you mean SEGUE_CONFIG?"),
        ("SEGUE_XYZZY", "docs/settings.md lists the settings"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_known_one_and_not_shown(
    variable: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "hunter2")

    with pytest.raises(BadVariable) as caught:
        load_settings()

    assert caught.value.exit_code == 2
    assert str(caught.value) == f"the environment variable {variable} is no setting: {fix}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SEGUE_KAFFKA", ""),
        ("SEGUE_TEST_REQUIRE_SERVICES", "1"),
        # Kubernetes, beside services that are called segue and segue-worker.
        ("SEGUE_SERVICE_HOST", "10.0.0.1"),
        ("SEGUE_SERVICE_PORT", "80"),
        ("SEGUE_WORKER_SERVICE_PORT_HTTP", "80"),
        ("SEGUE_WORKER_PORT", "tcp://10.0.0.1:80"),
        ("SEGUE_WORKER_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("SEGUE_WORKER_PORT_80_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_variables_that_say_nothing_or_are_others(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    assert load_settings().model_fields_set == set()


@pytest.mark.parametrize(
    ("value", "protocol"),
    [
        ("PLAINTEXT://a:1", None),
        ("plaintext://a:1,b:2", "plaintext"),
        ("SASL_SSL://a:1", "SASL_SSL"),
        ("[::1]:9092", "SSL"),
    ],
)
def test_a_broker_may_name_the_protocol_of_its_clients(value: str, protocol: str | None) -> None:
    options = {} if protocol is None else {"security.protocol": protocol}
    assert load_settings(None, {"kafka": value, "kafka_options": options}).kafka.lower() == value.lower()


def test_a_login_in_a_broker_s_address_is_not_shown() -> None:
    told = sentence(None, kafka="me:hunter2@a:1")
    assert told == (
        "setting kafka (from option --kafka) is 'a:1': give host:port, for example localhost:9092; several "
        "with commas"
    )


def test_a_broker_of_another_protocol_than_its_clients_is_one_sentence() -> None:
    assert sentence(None, kafka="SSL://a:1") == (
        "setting kafka is 'SSL://a:1': leave out SSL://, or set security.protocol to it in kafka_options; it "
        "is plaintext"
    )


def test_a_file_that_is_not_there_or_no_toml_is_one_sentence(nowhere: Path) -> None:
    assert "the file cannot be read (No such file or directory)" in sentence(nowhere / "none.toml")
    assert "the file is not TOML" in sentence(write(nowhere / "bad.toml", "kafka ="))
    (nowhere / "latin.toml").write_bytes('shop = "Łódź"'.encode("iso-8859-2"))
    assert sentence(nowhere / "latin.toml").endswith("the file is not UTF-8: save it as UTF-8")


def test_a_file_here_that_cannot_be_read_is_not_passed_over(nowhere: Path) -> None:
    with without_rights(nowhere):
        assert sentence() == (
            "setting config is 'segue.toml': the file cannot be read (Permission denied): make it readable, "
            "or name another by --config"
        )
    (nowhere / "segue.toml").mkdir()
    assert "'segue.toml': the file cannot be read (Is a directory)" in sentence()


def test_a_file_may_begin_with_a_byte_order_mark(nowhere: Path) -> None:
    assert load_settings(write(nowhere / "s.toml", '\ufeffgroup = "mine"')).group == "mine"


def test_no_sentence_and_no_repr_shows_a_secret(nowhere: Path) -> None:
    file = write(
        nowhere / "s.toml",
        'redis = "redis://me:hunter2@db:6379/0"\n[kafka_options]\n"sasl.password" = "hunter2"\n',
    )
    settings = load_settings(file)

    assert "hunter2" not in repr(settings)
    assert settings.redis_address == "redis://db:6379/0"
    assert "hunter2" not in sentence(write(nowhere / "a.toml", 'redis = "rediss://:hunter2@db:x/0"'))
    assert "hunter2" not in sentence(write(nowhere / "b.toml", '[kafka_options]\nx = ["hunter2"]'))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:s3c#hunter2@db:6379/0", "redis://db:6379/0"),
        ("redis://:hunter2/x@db:6379/0", "redis://db:6379/0"),
        ("redis://:[hunter2@db:6379/0", "redis://db:6379/0"),
        # These would connect to the host me, at port 12.
        ("redis://me:12#hunter2@db:6379/0", "redis://db:6379/0"),
        ("redis://me:12/hunter2@db:6379/0", "redis://db:6379/0"),
        ("redis:hunter2@db:6379", "db:6379"),
    ],
)
def test_a_password_that_breaks_its_url_is_hidden_and_told_how_to_write(url: str, shown: str) -> None:
    assert sentence(None, redis=url) == (
        f"setting redis (from option --redis) is {shown!r}: give a URL such as redis://localhost:6379/0,"
        " and percent-encode # / ? @ in the password"
    )


def test_a_redis_url_with_a_wrong_port_shows_its_scheme_alone() -> None:
    told = sentence(None, redis="redis://localhost:x/0")

    assert told.endswith(
        "(from option --redis) is 'redis://***': give a URL such as redis://localhost:6379/0"
    )


@pytest.mark.parametrize(
    "url",
    [
        "redis://:p%40ss%23@db:6379/0",
        "redis://:p@ss@db",
        "redis://db/",
        "redis://db:6379/15",
        "redis://db?db=1",
        "unix:///run/a@b.sock",
        "unix:///run/redis.sock?db=1",
        "rediss://db",
        "rediss://db:6379/0?ssl_ca_certs=ca.pem&ssl_cert_reqs=none&ssl_check_hostname=false",
    ],
)
def test_redis_urls_that_can_be_used(url: str) -> None:
    assert load_settings(None, {"redis": url}).redis == url
    redis.Redis.from_url(url).connection_pool.make_connection()


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("redis://db:6379/abc", "end it with the database's number, such as /0"),
        ("redis://db:6379/0/1", "end it with the database's number, such as /0"),
        ("redis://db:6379/-1", "end it with the database's number, such as /0"),
        (
            "redis://db:6379/0?foo=1",
            "leave out 'foo' behind the '?'; redis:// takes db, password, username there",
        ),
        ("redis://db?socket_timeout=x", "leave out 'socket_timeout' behind the '?'"),
        ("redis://db/0?decode_responses=true", "leave out 'decode_responses' behind the '?'"),
        ("redis://db/0?ssl_ca_certs=ca.pem", "leave out 'ssl_ca_certs' behind the '?'"),
        ("redis://db/?db=abc", "name the database once, by its number: /0 or ?db=0"),
        ("redis://db/0?db=1", "name the database once, by its number: /0 or ?db=0"),
        ("unix:///run/redis.sock?db=", "name the database once, by its number: /0 or ?db=0"),
        ("rediss://db?ssl_cert_reqs=perhaps", "give ssl_cert_reqs as one of required, optional, none"),
        (
            "rediss://db?ssl_ca_certs=",
            "ssl_ca_certs behind the '?' is empty: give it a value, or leave it out",
        ),
        ("redis://db/0#1", "give a URL such as redis://localhost:6379/0"),
    ],
)
def test_a_redis_url_with_a_part_that_means_nothing_is_refused(url: str, fix: str) -> None:
    told = sentence(None, redis=url)

    assert told.startswith("setting redis (from option --redis) is ")
    assert fix in told


def test_the_warehouse_s_names_come_as_tables_and_as_json(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    file = write(nowhere / "s.toml", '[tables]\nusers = "crm.people"\n[columns.users]\nuser_id = "no"\n')

    assert load_settings(file).tables == {"users": "crm.people"}
    assert load_settings(file).columns == {"users": {"user_id": "no"}}
    monkeypatch.setenv("SEGUE_COLUMNS", '{"orders": {"order_id": "nr"}}')
    assert load_settings(file).columns == {"orders": {"order_id": "nr"}}
    monkeypatch.setenv("SEGUE_COLUMNS", "order_id=nr")
    assert "give a table, in the environment as JSON" in sentence(file)
    monkeypatch.delenv("SEGUE_COLUMNS")
    assert "name the table as well: [columns.users]" in sentence(write(file, '[columns]\nuser_id = "no"'))
    assert "give each name as text, in quotes" in sentence(write(file, "[tables]\nusers = 7"))


def test_what_segue_decides_is_not_for_the_table(nowhere: Path) -> None:
    file = write(nowhere / "s.toml", '[kafka_options]\n"group.id" = "mine"')

    assert "leave group.id out: Segue sets it by itself" in sentence(file)


# What runs a program, loads a library, reads or writes a file, or asks an address.
NOT_FROM_A_FILE = (
    "plugin.library.paths",
    "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.principal",
    "sasl.kerberos.keytab",
    "ssl.engine.location",
    "ssl.engine.id",
    "ssl.providers",
    "ssl.keystore.location",
    "ssl.crl.location",
    "https.ca.location",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "offset.store.path",
    "no.such.option",
)


@pytest.mark.parametrize("name", NOT_FROM_A_FILE)
@pytest.mark.parametrize("how", ['"{0}" = "x"', '{0} = "x"', "json"])
def test_the_settings_file_cannot_load_code(nowhere: Path, name: str, how: str) -> None:
    text = "[kafka_options]\n" + how.format(name)
    if how == "json":
        text = f'kafka_options = \'{{"{name}": "x"}}\''
    write(nowhere / "segue.toml", text)

    for file in (None, nowhere / "segue.toml"):
        assert sentence(file) == (
            f"setting kafka_options.\"{name}\" (from {file or 'segue.toml'}) is 'set': a settings file "
            f"cannot set it by"
            " itself, since not every option of librdkafka is harmless: give it in SEGUE_KAFKA_OPTIONS, or "
            "allow it with"
            f' --allow-kafka-option "{name}"'
        )


def test_who_runs_the_command_can_set_every_option(
    monkeypatch: pytest.MonkeyPatch, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(nowhere / "segue.toml", 'kafka = "a:x"\n[kafka_options]\n"ssl.providers" = "a"\n"client.id" = "x"')

    allowed = load_settings(None, {"kafka": "a:1"}, ["ssl.providers"]).kafka_options
    assert allowed == {"ssl.providers": "a", "client.id": "x"}
    assert run(["tail", "--allow-kafka-option", "ssl.providers"]) == 2
    assert "setting kafka (from segue.toml)" in capsys.readouterr().err
    assert run(["tail", "--kafka", "a:1"]) == 2
    assert "cannot set it by itself" in capsys.readouterr().err
    monkeypatch.setenv("SEGUE_KAFKA_OPTIONS", '{"plugin.library.paths": "mine"}')
    assert load_settings(None, {"kafka": "a:1"}).kafka_options == {"plugin.library.paths": "mine"}


def test_a_refused_name_is_safe_for_a_terminal(nowhere: Path) -> None:
    file = write(nowhere / "s.toml", '[kafka_options]\n"\\u001b]0;x\\u0007" = "x"')

    assert '"\\u001b]0;x\\u0007"' in sentence(file)
    assert "\x1b" not in sentence(file)


def test_a_settings_file_may_hold_every_login_that_a_worker_knows() -> None:
    assert KNOWN <= FROM_A_FILE
    assert FROM_A_FILE.isdisjoint(NOT_FROM_A_FILE)


def test_how_csv_files_are_written(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    file = write(nowhere / "s.toml", '[csv]\nseparator = "\\t"\nnulls = ["NULL", "a, b"]')

    assert load_settings(file).csv == {"separator": "\t", "nulls": ("NULL", "a, b")}
    monkeypatch.setenv("SEGUE_CSV", '{"separator": ";"}')
    assert load_settings(file).csv == {"separator": ";"}
    monkeypatch.delenv("SEGUE_CSV")
    assert 'one character, such as ";" or "\\t"' in sentence(write(file, "[csv]\nseparator = '::'"))
    assert "give a list of texts" in sentence(write(file, "[csv]\nnulls = 7"))
    assert (
        "there is no seperator: the table has separator, encoding, decimal, thousands, dates and nulls"
        in sentence(write(file, '[csv]\nseperator = ";"'))
    )


def test_the_warehouse_s_values_must_be_right_for_the_inputs_and_for_what_is_declared(nowhere: Path) -> None:
    file = write(
        nowhere / "s.toml",
        'features = ["gender"]\n[declare]\nspend = { kind = "sum", source = "order_value" }',
    )

    assert [feature.name for feature in load_settings(file).read_features] == ["gender", "spend"]
    assert load_settings(None).read_features == load_settings(None).declared
