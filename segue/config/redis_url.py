"""Checks the setting `redis`: every part of the URL must have a meaning."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from streamer.redis.node_urls import is_cluster, node_urls

_SCHEMES = frozenset({"redis", "rediss", "unix"})
_FIX = "give a URL such as redis://localhost:6379/0"
_CLUSTER_FIX = "give a URL such as redis+cluster://host1:6379,host2:6379"
_TLS_OPTIONS = frozenset(
    {"ssl_ca_certs", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
_CHOICES = {"ssl_cert_reqs": ("required", "optional", "none"), "ssl_check_hostname": ("true", "false")}


def check_redis_url(url: str) -> None:
    """Check that a client understands every part of the URL.

    A client ignores a part that it does not know, or fails later with a message that does not help. A
    cluster's URL names one or more of its nodes.

    >>> check_redis_url("redis+cluster://me:secret@node1:7000,node2:7000")
    >>> check_redis_url("rediss://me:secret@db:6379/1?ssl_ca_certs=ca.pem")
    >>> check_redis_url("redis://db/one")
    Traceback (most recent call last):
    ValueError: end it with the database's number, such as /0

    Raises:
        ValueError: a part is wrong or unknown. The message says what to do.
    """
    for node in node_urls(url):
        _check_server(url, node)
    if is_cluster(url):
        parts = urlsplit(url)
        if int(_database(parts) or dict(parse_qsl(parts.query)).get("db", "0")):
            raise ValueError("a Redis Cluster has only database 0: leave out the database's number")


def _check_server(given: str, url: str) -> None:
    """Check the URL of one server: the given URL, or that of one node of a cluster."""
    fix = _CLUSTER_FIX if is_cluster(given) else _FIX
    fix += ", and percent-encode # / ? @ in the password" if "@" in url else ""
    try:
        parts = urlsplit(url)
        known = parts.scheme in _SCHEMES and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ValueError(fix) from None
    if not known or parts.fragment or not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ValueError(fix)
    if parts.scheme != "unix" and "@" in url and "@" not in parts.netloc:
        # A "/", "?" or "#" in the password ends the address too early. A part of the password would become
        # the host.
        raise ValueError(fix)
    database = _database(parts)
    if database and not _is_number(database):
        raise ValueError("end it with the database's number, such as /0")
    _check_query(parts, has_database=bool(database))


def _database(parts: SplitResult) -> str:
    return unquote(parts.path).removeprefix("/") if parts.scheme != "unix" else ""


def _check_query(parts: SplitResult, *, has_database: bool) -> None:
    tls = _TLS_OPTIONS if parts.scheme == "rediss" else frozenset()
    known = {"username", "password", "db", *tls}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in known:
            raise ValueError(
                f"leave out {name!r} behind the '?'; {parts.scheme}:// takes {', '.join(sorted(known))} there"
            )
        if name == "db" and (has_database or not _is_number(value)):
            raise ValueError("name the database once, by its number: /0 or ?db=0")
        choices = _CHOICES.get(name)
        if choices is not None and value.lower() not in choices:
            raise ValueError(f"give {name} as one of {', '.join(choices)}")
        if not value:
            raise ValueError(f"{name} behind the '?' is empty: give it a value, or leave it out")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
