"""A login in Redis with no more rights than docs/redis.md asks for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

_PAGE = Path(__file__).parents[3] / "docs" / "redis.md"


def documented_rights() -> list[str]:
    """The rights of the one `ACL SETUSER` on the page, as an ACL names them, in its order."""
    (line,) = re.findall(r"^ACL SETUSER .*$", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [word.removeprefix("+") for word in line.split() if word.startswith("+")]


@contextmanager
def login(url: str, *prefixes: str, without: str = "") -> Iterator[str]:
    """The URL of a Redis with a login of its own, which goes afterwards.

    Args:
        prefixes: of the keys that it may touch.
        without: a right that it has not.
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
