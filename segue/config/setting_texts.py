"""Parses settings as people write them: lists with commas, tables of client options, addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

# Hosts with or without port, a path, or both. It allows less than the standard, and no login.
_SERVER = r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?"
_ADDRESS = re.compile(rf"(?=.)({_SERVER}(,{_SERVER})*)?(/[^#:]*)?")
_HOST = re.compile(r"\[[0-9A-Fa-f:.%]+\]|[\w.-]+")
_TOPIC_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,200}")
_PROTOCOLS = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
_SERVICE = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_SERVICE_URL = re.compile(r"(tcp|udp|sctp)://")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)

REGISTRY_OPTIONS = (
    "basic.auth.user.info",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker listens. ``protocol`` is in small letters, and empty if the address has no protocol."""

    protocol: str
    host: str
    port: int

    def __str__(self) -> str:
        return (
            f"{self.protocol.upper()}://{self.host}:{self.port}"
            if self.protocol
            else f"{self.host}:{self.port}"
        )


def brokers(value: str) -> tuple[Broker, ...]:
    """Parse the brokers of the setting ``kafka``.

    >>> [str(broker) for broker in brokers("a:9092, ssl://[::1]:9093")]
    ['a:9092', 'SSL://[::1]:9093']

    Raises:
        ValueError: a part is not the address of a broker.
    """
    return tuple(_broker(server.strip()) for server in value.split(","))


def _broker(server: str) -> Broker:
    protocol, mark, address = server.rpartition("://")
    if mark and protocol.lower() not in _PROTOCOLS:
        raise ValueError(f"{protocol}:// is no protocol of Kafka: give host:port, for example localhost:9092")
    host, _, port = address.rpartition(":")
    if not _HOST.fullmatch(host) or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("give host:port, for example localhost:9092; several with commas")
    return Broker(protocol.lower(), host, int(port))


def is_kubernetes_variable(name: str, value: str) -> bool:
    """Return whether this environment variable comes from Kubernetes and is no setting.

    Kubernetes describes each service of a namespace in variables of every container, such as ``SEGUE_PORT``
    for a service with the name ``segue``.

    >>> is_kubernetes_variable("SEGUE_WEB_SERVICE_HOST", "10.0.0.1")
    True
    >>> is_kubernetes_variable("SEGUE_PORT", "tcp://10.0.0.1:80")
    True
    >>> is_kubernetes_variable("SEGUE_KAFKA_PORT", "9092")
    False
    """
    return bool(_SERVICE.search(name)) or (name.endswith("_PORT") and bool(_SERVICE_URL.match(value)))


def text_list(value: object) -> tuple[str, ...]:
    """Return texts from a list, or from one text with commas.

    >>> text_list("Cancelled, Returned"), text_list(["a, b"]), text_list("")
    (('Cancelled', 'Returned'), ('a, b',), ())

    Raises:
        ValueError: the value is neither.
    """
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError("give a list of texts, or one text with commas")


def topic_prefix_text(value: str) -> str:
    """Return the start of every topic's name.

    Raises:
        ValueError: no topic of Kafka can begin so.
    """
    if not _TOPIC_PREFIX.fullmatch(value):
        raise ValueError("Kafka's names take letters, digits, '.', '_' and '-', here at most 200")
    return value


def title_text(value: str, most: int) -> str:
    """Return a short text for people, without spaces around it.

    >>> title_text(" EUR ", 8)
    'EUR'

    Raises:
        ValueError: the text has more than ``most`` characters, or invisible ones.
    """
    text = value.strip()
    if len(text) > most:
        raise ValueError(f"give at most {most} characters")
    if not text.isprintable():
        raise ValueError("leave out line ends and other invisible characters")
    return text


def names_table(value: object) -> dict[str, str]:
    """Return other names by Segue's names, from a table or from text with a JSON object.

    >>> names_table('{"users": "crm.customers"}')
    {'users': 'crm.customers'}

    Raises:
        ValueError: the value is neither, or a name is not text.
    """
    table = table_of(value, '{"users": "crm.customers"}')
    if not all(isinstance(name, str) for name in table.values()):
        raise ValueError("give each name as text, in quotes")
    return {known: str(name) for known, name in table.items()}


def names_by_table(value: object) -> dict[str, dict[str, str]]:
    """Return names of columns by table, from a table of tables or from text with a JSON object.

    >>> names_by_table({"users": {"user_id": "customer_no"}})
    {'users': {'user_id': 'customer_no'}}

    Raises:
        ValueError: the value is neither, or a name is not text.
    """
    table = table_of(value, '{"users": {"user_id": "customer_no"}}')
    if not all(isinstance(names, Mapping) for names in table.values()):
        raise ValueError('name the table as well: [columns.users], then user_id = "customer_no"')
    return {known: names_table(names) for known, names in table.items()}


def table_of(value: object, example: str) -> Mapping[str, object]:
    """Return a table, from a table or from text with a JSON object.

    Args:
        value: the setting.
        example: such a JSON object, for the message.

    Raises:
        ValueError: the value is neither.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            value = None
    if not isinstance(value, Mapping):
        fix = f"give a table, in the environment as JSON: {example}"
        raise ValueError(fix)  # noqa: TRY004 - pydantic reports a ValueError, not a TypeError
    return value


def options_table(value: object) -> dict[str, str]:
    """Return a client's options, from a table or from text with a JSON object.

    TOML reads a dotted name without quotes as a nested table. Such tables become dotted names again.

    >>> options_table({"sasl": {"username": "u"}, "ssl.ca.location": "ca.pem", "log_level": 3})
    {'sasl.username': 'u', 'ssl.ca.location': 'ca.pem', 'log_level': '3'}

    Raises:
        ValueError: the value is neither, or an option's value is a list or null.
    """
    table = table_of(value, '{"security.protocol": "SSL"}')
    options: dict[str, str] = {}
    for name, option in table.items():
        if isinstance(option, Mapping):
            options |= {f"{name}.{rest}": text for rest, text in options_table(option).items()}
        elif isinstance(option, bool):
            options[name] = "true" if option else "false"
        elif isinstance(option, str | int | float):
            options[name] = str(option)
        else:
            raise ValueError(f"the value of {name} must be text, a number or true or false")  # noqa: TRY004
    return options


def registry_url(value: str) -> str:
    """Return the address of a Schema Registry.

    Raises:
        ValueError: it is no http:// or https:// address, or holds a login.
    """
    scheme, _, place = value.partition("://")
    if scheme not in ("http", "https") or not place:
        raise ValueError("give an address such as http://registry:8081")
    if "@" in place:
        raise ValueError(
            "leave the login out, and give it in schema_registry_options as basic.auth.user.info"
        )
    return value


def registry_options(value: object) -> dict[str, str]:
    """Return the options of a Schema Registry's client, as :func:`options_table` does.

    Raises:
        ValueError: an option is not among :data:`REGISTRY_OPTIONS`.
    """
    options = options_table(value)
    for name in options:
        if name not in REGISTRY_OPTIONS:
            raise ValueError(f"there is no {name}: give some of {', '.join(REGISTRY_OPTIONS)}")
    return options


def without_password(url: str) -> str:
    """Return a URL that people may see: the scheme, and the address after the last ``@``.

    ``***`` stands for the rest if it does not look like an address. The function cuts text and does not parse
    a URL. So it also hides a password with characters that should be percent-encoded.

    >>> without_password("redis://:secret@db:6379/0"), without_password("redis://me:s3c#ret/@db?db=1")
    ('redis://db:6379/0', 'redis://db')
    >>> without_password("redis:secret@db:6379"), without_password("redis://:secret")
    ('db:6379', 'redis://***')
    """
    before, mark, rest = url.partition("://")
    scheme = f"{before}://" if _SCHEME.fullmatch(before) and mark else ""
    place = (rest if scheme else url).rpartition("@")[2].partition("?")[0]
    return scheme + (place if _ADDRESS.fullmatch(place) else "***")
