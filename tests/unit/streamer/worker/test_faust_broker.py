"""librdkafka's settings, read for Faust."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from schemas.errors import BadSetting
from streamer.worker.faust_broker import broker_urls, credentials


def test_brokers_with_commas_and_prefixes() -> None:
    urls = broker_urls({"bootstrap.servers": "a:9092,SASL_SSL://b:9093, [::1]:9094"})
    assert urls == ["kafka://a:9092", "kafka://b:9093", "kafka://[::1]:9094"]


def test_no_protocol_is_no_login() -> None:
    assert credentials({"bootstrap.servers": "a:1", "client.id": "x", "socket.timeout.ms": "1"}) is None


def test_a_login_without_tls() -> None:
    found = credentials(
        {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanisms": "scram-sha-512",
            "sasl.username": "me",
            "sasl.password": "secret",
        }
    )
    assert isinstance(found, SASLCredentials)
    assert (found.protocol.value, found.mechanism.value) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert (found.username, found.password) == ("me", "secret")


def test_a_login_over_tls() -> None:
    found = credentials({"security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN"})
    assert isinstance(found, SASLCredentials)
    assert found.protocol.value == "SASL_SSL"
    assert found.ssl_context is not None
    assert found.ssl_context.check_hostname


def test_tls_checks_names_and_certificates_unless_told() -> None:
    plain = credentials({"security.protocol": "ssl"})
    assert isinstance(plain, SSLCredentials)
    assert (plain.context.check_hostname, plain.context.verify_mode) == (True, ssl.CERT_REQUIRED)
    nameless = credentials({"security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "none"})
    assert isinstance(nameless, SSLCredentials)
    assert (nameless.context.check_hostname, nameless.context.verify_mode) == (False, ssl.CERT_REQUIRED)
    blind = credentials({"security.protocol": "ssl", "enable.ssl.certificate.verification": "false"})
    assert isinstance(blind, SSLCredentials)
    assert blind.context.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ({"security.protocol": "tls"}, "kafka_options.security.protocol is 'tls': use plaintext"),
        ({"security.protocol": "sasl_ssl", "sasl.mechanism": "GSSAPI"}, "is 'GSSAPI': use one of PLAIN"),
        ({"security.protocol": "ssl", "ssl.keystore.location": "x"}, "kafka_options.ssl.keystore.location"),
    ],
)
def test_what_faust_does_not_know_is_told(client: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        credentials(client)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    missing, wrong = tmp_path / "ca.pem", tmp_path / "me.pem"
    wrong.write_text("no certificate")
    with pytest.raises(BadSetting, match=r"kafka_options.ssl.ca.location is '.*ca.pem': .*No such file"):
        credentials({"security.protocol": "ssl", "ssl.ca.location": str(missing)})
    with pytest.raises(BadSetting, match=r"ssl.certificate.location is '.*me.pem': the file cannot be used"):
        credentials({"security.protocol": "ssl", "ssl.certificate.location": str(wrong)})
