"""Translates librdkafka's client settings for Faust: both libraries use the same brokers and login."""

import contextlib
import ssl
from collections.abc import Iterator, Mapping

from faust.auth import Credentials, SASLCredentials, SSLCredentials

from schemas.errors import BadSetting

# The settings of sasl.* and ssl.* that aiokafka also has.
KNOWN = frozenset(
    {
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.password",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.endpoint.identification.algorithm",
        "enable.ssl.certificate.verification",
    }
)
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def broker_urls(client: Mapping[str, str]) -> list[str]:
    """The URLs of the brokers in ``bootstrap.servers``, as Faust needs them.

    >>> broker_urls({"bootstrap.servers": "a:9092, PLAINTEXT://b:9093"})
    ['kafka://a:9092', 'kafka://b:9093']
    """
    servers = [server.strip().rpartition("://")[2] for server in client["bootstrap.servers"].split(",")]
    return [f"kafka://{server}" for server in servers if server]


def credentials(client: Mapping[str, str]) -> Credentials | None:
    """The login for Faust; None if the settings have no login and no TLS.

    Raises:
        BadSetting: aiokafka does not know this way to log in, or a file cannot be read.
    """
    protocol = client.get("security.protocol", "plaintext").lower()
    if protocol not in {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}:
        raise BadSetting(
            "kafka_options.security.protocol", protocol, "use plaintext, ssl, sasl_plaintext or sasl_ssl"
        )
    for name in client:
        if name.startswith(("sasl.", "ssl.")) and name not in KNOWN:
            raise BadSetting(
                f"kafka_options.{name}", "set", f"a worker knows only {', '.join(sorted(KNOWN))}"
            )
    context = _ssl_context(client) if protocol.endswith("ssl") else None
    if protocol.startswith("sasl"):
        mechanism = client.get("sasl.mechanism", client.get("sasl.mechanisms", "")).upper()
        if mechanism not in _MECHANISMS:
            raise BadSetting(
                "kafka_options.sasl.mechanism", mechanism, f"use one of {', '.join(_MECHANISMS)}"
            )
        return SASLCredentials(
            mechanism=mechanism,
            username=client.get("sasl.username"),
            password=client.get("sasl.password"),
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def _ssl_context(client: Mapping[str, str]) -> ssl.SSLContext:
    authorities, certificate = client.get("ssl.ca.location"), client.get("ssl.certificate.location")
    with _naming("ssl.ca.location", authorities):
        context = ssl.create_default_context(cafile=authorities)
    if certificate:
        with _naming("ssl.certificate.location", certificate):
            key, password = client.get("ssl.key.location"), client.get("ssl.key.password")
            # With None, OpenSSL would ask for the password at the terminal.
            context.load_cert_chain(certificate, key, password or "")
    # librdkafka's default since 2.0 is https.
    if client.get("ssl.endpoint.identification.algorithm", "https") == "none":
        context.check_hostname = False
    if client.get("enable.ssl.certificate.verification", "true").lower() == "false":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def _naming(setting: str, file: str | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # ssl.SSLError is an OSError
        raise BadSetting(
            f"kafka_options.{setting}", file, f"the file cannot be used ({error.strerror})"
        ) from None
