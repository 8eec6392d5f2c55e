"""What people are shown of a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.config.setting_texts import without_password


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://db:6379/0", "redis://db:6379/0"),
        ("redis://:hunter2@db:6379/0", "redis://db:6379/0"),
        ("rediss://me:hunter2@[::1]:6379", "rediss://[::1]:6379"),
        ("unix:///run/redis.sock?db=1&password=hunter2", "unix:///run/redis.sock"),
        ("redis://db?password=hunter2", "redis://db"),
        ("localhost:6379", "localhost:6379"),
        ("redis://:s3c#hunter2@db:6379/0", "redis://db:6379/0"),
        ("redis://:hunter2/x@db:6379/0", "redis://db:6379/0"),
        ("redis://:hunter2?x@db:6379/0", "redis://db:6379/0"),
        ("redis://:p@hunter2@db:6379/0", "redis://db:6379/0"),
        ("redis://:[hunter2@db", "redis://db"),
        ("redis:hunter2@db:6379", "db:6379"),
        ("redis:/me:hunter2@db:6379", "db:6379"),
        # No @ tells where the address begins.
        ("redis://:hunter2", "redis://***"),
        ("redis://me:hunter2/0", "redis://***"),
        ("redis://:hunter2#x", "redis://***"),
        ("redis:hunter2", "***"),
        ("", "***"),
    ],
)
def test_the_address_is_shown_and_the_password_is_not(url: str, told: str) -> None:
    assert without_password(url) == told


@given(password=st.text(min_size=1, max_size=20).map(lambda text: f"<{text}>"))
def test_no_password_shows_whatever_it_holds(password: str) -> None:
    assert without_password(f"redis://me:{password}@db:6379/0") == "redis://db:6379/0"
