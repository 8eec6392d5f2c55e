"""A Redis login with exactly the rights that docs/redis.md asks for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import redis

_PAGE = Path(__file__).parents[3] / "docs" / "redis.md"


def documented_rights(of: Literal["all", "cluster"] = "all") -> list[str]:
    """Return the rights of an `ACL SETUSER` line in docs/redis.md, in order, without `+`.

    Args:
        of: the first line is of every Redis; the second adds what a cluster needs besides.
    """
    lines = re.findall(r"^ACL SETUSER .*$", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    line = lines[("all", "cluster").index(of)]
    return [word.removeprefix("+") for word in line.split() if word.startswith("+")]


@contextmanager
def login(url: str, *prefixes: str, without: str = "") -> Iterator[str]:
    """Create a Redis login, yield the URL with the login, and delete the login afterwards.

    Args:
        prefixes: the prefixes of the keys that the login may use.
        without: a documented right that the login does not get.
    """
    name = f"u{uuid.uuid4().hex[:10]}"
    rights = [f"+{right}" for right in documented_rights() if right != without]
    with redis.Redis.from_url(url) as admin:
        keys = [f"~{prefix}*" for prefix in prefixes]
        admin.execute_command("ACL", "SETUSER", name, "reset", "on", ">s3cret", *keys, *rights)
        try:
            yield url.replace("redis://", f"redis://{name}:s3cret@")
        finally:
            admin.acl_deluser(name)
