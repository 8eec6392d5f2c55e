"""Checks where a sink writes to, before it waits for a server or makes a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import BadSource
from trainer.warehouse.kinds.postgres_warehouse import SCHEMES, check_no_keywords, parts_of

_FORM = "write it as postgresql://user@host:5432/database"
_FILES = frozenset({".csv", ".db", ".duckdb", ".json", ".jsonl", ".parquet", ".toml"})
_MOST_PORT = 65_535
_SHOWN = 10
# A URL, or a spelling of one. A folder with a colon can be given as ./a:b.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def is_url(to: str) -> bool:
    """Return whether this is the URL of a PostgreSQL, and not a folder.

    Raises:
        ValueError: it is a URL of another kind, or empty; the message says what to do.
        BadSource: it is in keywords of PostgreSQL.
    """
    if to.startswith(SCHEMES):
        return True
    check_no_keywords(to)
    if not to.strip() or _SCHEME.match(to):
        raise ValueError("name a folder or a postgresql:// URL")
    return False


def server_parts(url: str) -> Mapping[str, Any]:
    """Return the parameters of a PostgreSQL URL that names a host, a database and ports.

    libpq reports a wrong port like a server that is away, so the sink would wait for it. And it takes a
    server of this machine if there is no host, and the user's name if there is no database.

    Raises:
        BadSource: the URL cannot be read, or a part is missing or wrong. No message quotes the URL,
            because it may have a password.
    """
    parts = parts_of(url)
    for port in filter(None, str(parts.get("port", "")).split(",")):
        if not (port.isascii() and port.isdecimal()):
            raise BadSource(f"the PostgreSQL URL has a port that is no number: {_FORM}")
        if not 0 < int(port) <= _MOST_PORT:
            raise BadSource(
                f"the PostgreSQL URL has the port {port[:_SHOWN]}: give a number from 1 to {_MOST_PORT}"
            )
    by_service = "service" in parts or "PGSERVICE" in os.environ
    for what, names, variable in (
        ("host", ("host", "hostaddr"), "PGHOST"),
        ("database", ("dbname",), "PGDATABASE"),
    ):
        if not (by_service or variable in os.environ or any(parts.get(name) for name in names)):
            raise BadSource(f"the PostgreSQL URL names no {what}: {_FORM}")
    return parts


def check_folder(folder: Path) -> None:
    """Check that a path is a folder, or nothing yet.

    Raises:
        BadSource: the path, or a part of it, is a file, or is named like one.
    """
    if folder.suffix.lower() in _FILES and not folder.exists():
        raise BadSource(
            f"{folder} is named like a file, and a sink writes several files: name a folder for them"
        )
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise BadSource(f"folder {folder} cannot be made: {path} is a file, so name another folder")
