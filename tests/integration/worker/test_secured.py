"""The whole way over TLS with logins: a Kafka with SASL_SSL and a Redis with a password, both real."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization

from segue.services import LocalKafka, LocalRedis
from tests.support.checks.read_records import key_of, read_topic
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, start_server
from tests.support.workers import debugging_segue
from tests.support.worlds.trained_shops import a_trained_folder

THELOOK = Path(str(files("segue"))) / "data" / "thelook"
USER, PASSWORD = "segue", "p@$$ w0rd%"
REDIS_PASSWORD = "hunter2"
KEY_PASSWORD = "0pen sesame"

Refused = Callable[[dict[str, str], str, str], None]


class Certificates:
    """An authority, and a certificate for 127.0.0.1, as files."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert("127.0.0.1")
        key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        self.authority = folder / "ca.pem"
        self.chain = folder / "chain.pem"
        self.key = folder / "key.pem"
        self.authority.write_bytes(authority.cert_pem.bytes())
        self.chain.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        # Java reads keys in this form alone.
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.locked_key = folder / "locked.pem"
        self.locked_key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(KEY_PASSWORD.encode()),
            )
        )
        self.both = folder / "both.pem"
        self.both.write_bytes(self.key.read_bytes() + self.chain.read_bytes())


class SecuredKafka(LocalKafka):
    """Besides its plain listener, one with TLS and logins."""

    port_count = 3

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        super().__init__()

    @property
    def secured(self) -> str:
        return f"127.0.0.1:{self._ports[2]}"

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        self._properties = {
            "listeners": (
                f"PLAINTEXT://127.0.0.1:{ports[0]},SASL_SSL://127.0.0.1:{ports[2]},"
                f"CONTROLLER://127.0.0.1:{ports[1]}"
            ),
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports[0]},SASL_SSL://127.0.0.1:{ports[2]}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": (f'{plain} required user_{USER}="{PASSWORD}";'),
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{scram} required;",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certificates.both),
        }
        return super()._prepare(directory, ports)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_trained_folder(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def secured_kafka(certificates: Certificates) -> Iterator[SecuredKafka]:
    with ExitStack() as stack:
        broker = start_server(stack, SecuredKafka(certificates))
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted = UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())
        for done in admin.alter_user_scram_credentials([wanted]).values():
            done.result(HANG_S)
        yield broker


@pytest.fixture(scope="module")
def secured_redis(certificates: Certificates) -> Iterator[str]:
    """The URL of a Redis that speaks TLS alone and wants a password."""
    with ExitStack() as stack:
        server = start_server(stack, SecuredRedis(certificates))
        yield server.url


class SecuredRedis(LocalRedis):
    """Speaks nothing but TLS."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        super().__init__()

    @property
    def url(self) -> str:
        return (
            f"rediss://:{REDIS_PASSWORD}@127.0.0.1:{self.port}/0?ssl_ca_certs={self._certificates.authority}"
        )

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        self._options = {
            "port": "0",
            "tls-port": str(ports[0]),
            "tls-cert-file": str(self._certificates.chain),
            "tls-key-file": str(self._certificates.key),
            "tls-ca-cert-file": str(self._certificates.authority),
            "tls-auth-clients": "no",
            "requirepass": REDIS_PASSWORD,
        }
        return super()._prepare(directory, ports)


def login(certificates: Certificates, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    """The setting kafka_options, as TOML's inline table has it."""
    return {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": mechanism,
        "sasl.username": USER,
        "sasl.password": password,
        "ssl.ca.location": str(certificates.authority),
    }


def settings_file(folder: Path, options: dict[str, str]) -> str:
    """A segue.toml with this login."""
    lines = [f'"{name}" = "{value}"' for name, value in options.items()]
    file = folder / "segue.toml"
    file.write_text("\n".join(["[kafka_options]", *lines, ""]), encoding="utf-8")
    return str(file)


@pytest.mark.wide
def test_every_part_logs_in_over_tls(
    certificates: Certificates,
    secured_kafka: SecuredKafka,
    secured_redis: str,
    release: Path,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    config = settings_file(tmp_path, login(certificates, "SCRAM-SHA-512"))
    deployment = Deployment(
        secured_kafka.secured, secured_redis, topic_prefix, tmp_path, settings={"SEGUE_CONFIG": config}
    )
    with deployed(deployment):
        deployment.publish(release)
        worker = deployment.worker().ready()
        sent = deployment.segue("ingest", "--warehouse", THELOOK, "--since", "2024-12-30")
        assert "Sent " in sent.stderr
        deployment.bootstrap = secured_kafka.bootstrap  # the test itself looks on from the plain side
        deployment.caught_up()
        told = read_topic(secured_kafka.bootstrap, deployment.topics.changes)
        assert len(told) > 50
        user_id = key_of(told[0])
        deployment.bootstrap = secured_kafka.secured
        assert user_id in deployment.segue("user", user_id).stdout
        folder = tmp_path / "flow"
        folder.mkdir()
        with SegueProcess(folder, "flow", environment=deployment.environment) as flow:
            flow.says("flow.counts partitions=")
        doctor = deployment.segue("doctor")
        assert "-flow has " in doctor.stdout
        assert worker.process.poll() is None
        everything = worker.log() + doctor.stdout + doctor.stderr + sent.stderr + flow.err
        assert PASSWORD not in everything
        assert REDIS_PASSWORD not in everything


@pytest.mark.long
def test_no_log_has_a_secret_though_everything_is_logged(
    certificates: Certificates,
    secured_kafka: SecuredKafka,
    secured_redis: str,
    release: Path,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    """At the level of debug, with all that librdkafka's own option ``debug`` tells."""
    options = {
        **login(certificates, "SCRAM-SHA-512"),
        "ssl.certificate.location": str(certificates.chain),
        "ssl.key.location": str(certificates.locked_key),
        "ssl.key.password": KEY_PASSWORD,
        "debug": "all",
        "log_level": "7",
    }
    settings = {"SEGUE_CONFIG": settings_file(tmp_path, options)}
    deployment = Deployment(
        secured_kafka.secured,
        secured_redis,
        topic_prefix,
        tmp_path,
        partitions=2,
        settings=settings,
        program=[str(Path(debugging_segue.__file__))],
    )
    with deployed(deployment):
        published = deployment.segue("publish", release, "--force")
        worker = deployment.worker().ready()
        sent = deployment.segue("ingest", "--warehouse", THELOOK, "--since", "2024-12-31")
        deployment.bootstrap = secured_kafka.bootstrap
        deployment.caught_up()
        deployment.bootstrap = secured_kafka.secured
        doctor = deployment.segue("doctor")
        worker.stop()
    commands = [done.stdout + done.stderr for done in (published, sent, doctor)]
    # Else it would prove nothing: both libraries have told of the login.
    assert "SCRAM-SHA-512" in worker.log()
    events = [json.loads(line)["event"] for line in worker.log().splitlines() if line.startswith("{")]
    assert {"librdkafka", "library"} <= set(events)
    for text in (worker.log(), *commands):
        assert [secret for secret in spellings() if secret in text] == []


def spellings() -> set[str]:
    """Each secret as it is, and as logs, URLs and the protocol spell it."""
    plain = {PASSWORD, REDIS_PASSWORD, KEY_PASSWORD}
    login = f"\0{USER}\0{PASSWORD}".encode()
    return {
        *plain,
        *(quote(secret, safe="") for secret in plain),
        *(json.dumps(secret)[1:-1] for secret in plain),
        *(b64encode(secret.encode()).decode() for secret in plain),
        b64encode(login).decode(),
        login.hex(),
    }


def is_waited_with(folder: Path, environment: dict[str, str], server: str, why: str, secret: str) -> None:
    """Run a worker that cannot log in: each reason that it tells is one sentence that begins with the server.

    It keeps on waiting, shows neither secret nor traceback, and a signal ends it in order.
    """
    with SegueProcess(folder, "worker", environment={**environment, "SEGUE_LOG_FORMAT": "json"}) as worker:
        worker.says(why)
        assert worker.process.poll() is None
        worker.terminate()
        assert worker.ends() == 0
        told = worker.out + worker.err
    assert secret not in told
    assert "Traceback" not in told
    lines = [json.loads(line) for line in told.splitlines() if '"worker.waits"' in line]
    reasons = [line["reason"] for line in lines]
    assert all(reason.startswith(server) and "\n" not in reason for reason in reasons), reasons
    assert any(why in reason for reason in reasons), reasons


@pytest.fixture
def refused(secured_kafka: SecuredKafka, secured_redis: str, topic_prefix: str, tmp_path: Path) -> Refused:
    """Run a worker that logs in like this, and see Kafka's answer waited with."""

    def check(options: dict[str, str], why: str, secret: str) -> None:
        environment = {
            "SEGUE_CONFIG": settings_file(tmp_path, options),
            "SEGUE_KAFKA": secured_kafka.secured,
            "SEGUE_REDIS": secured_redis,
            "SEGUE_TOPIC_PREFIX": topic_prefix,
        }
        is_waited_with(tmp_path, environment, f"Kafka at {secured_kafka.secured} did not ", why, secret)

    return check


def test_a_wrong_password_of_kafka_is_waited_with_and_named(
    certificates: Certificates, refused: Refused
) -> None:
    refused(login(certificates, "SCRAM-SHA-512", "wr0ng-secret"), "uthentication failed", "wr0ng-secret")


def test_a_kafka_whose_authority_is_not_trusted_is_waited_with_and_named(
    refused: Refused, tmp_path: Path
) -> None:
    """The login is right, and is not sent to a server that is perhaps another."""
    refused(login(Certificates(tmp_path), "SCRAM-SHA-512"), "certificate verify failed", PASSWORD)


def test_a_wrong_password_of_redis_is_waited_with_and_named(
    certificates: Certificates,
    secured_kafka: SecuredKafka,
    secured_redis: str,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    environment = {
        "SEGUE_KAFKA": secured_kafka.bootstrap,
        "SEGUE_REDIS": secured_redis.replace(f":{REDIS_PASSWORD}@", ":wr0ng-secret@"),
        "SEGUE_TOPIC_PREFIX": topic_prefix,
    }
    server = f"Redis at {secured_redis.partition('@')[2].partition('/')[0]}"
    is_waited_with(tmp_path, environment, server, "refuses the password or user: ", "wr0ng-secret")
