"""What the setting `redis` may be: a URL whose every part means something."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_SCHEMES = frozenset({"redis", "rediss", "unix"})
_FIX = "give a URL such as redis://localhost:6379/0"
_OF_TLS = frozenset(
    {"ssl_ca_certs", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
_CHOICES = {"ssl_cert_reqs": ("required", "optional", "none"), "ssl_check_hostname": ("true", "false")}


def check_redis_url(url: str) -> None:
    """See that a client understands all of the URL: what it does not, it would pass over or fail at.

    >>> check_redis_url("rediss://me:secret@db:6379/1?ssl_ca_certs=ca.pem")
    >>> check_redis_url("redis://db/one")
    Traceback (most recent call last):
    ValueError: end it with the database's number, such as /0

    Raises:
        ValueError: it does not, with what to do.
    """
    fix = _FIX + (", and percent-encode # / ? @ in the password" if "@" in url else "")
    try:
        parts = urlsplit(url)
        known = parts.scheme in _SCHEMES and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ValueError(fix) from None
    if not known or parts.fragment or not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ValueError(fix)
    if parts.scheme != "unix" and "@" in url and "@" not in parts.netloc:
        # The password ended the address too early, and a part of it would be taken for the host.
        raise ValueError(fix)
    database = unquote(parts.path).removeprefix("/") if parts.scheme != "unix" else ""
    if database and not _is_number(database):
        raise ValueError("end it with the database's number, such as /0")
    _check_query(parts, has_database=bool(database))


def _check_query(parts: SplitResult, *, has_database: bool) -> None:
    tls = _OF_TLS if parts.scheme == "rediss" else frozenset()
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
