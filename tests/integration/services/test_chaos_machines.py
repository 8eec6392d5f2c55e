"""What a campaign does to machines: a replica that takes over, a disk that fills up."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from tests.campaigns.chaos.disks import Disk
from tests.campaigns.chaos.standby import Standby, can_take_over
from tests.support.servers.services import eventually, start_server


def test_a_replica_takes_over_without_what_was_written_last(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = start_server(stack, Standby(tmp_path / "first"))
        if not can_take_over():
            pytest.skip("this redis-server cannot change its port")
        second = start_server(stack, Standby(tmp_path / "second"))
        client = stack.enter_context(redis.Redis.from_url(first.url))
        client.set("a", "copied")
        second.follow(first)
        client.set("b", "followed")
        with redis.Redis.from_url(second.url) as other:
            eventually(lambda: other.get("b") == b"followed", "the replica follows")
        second.fall_behind(first, most_s=0, then_s=0)
        client.set("c", "lost")
        url, lost = first.url, second.succeed(first, after_s=0)

        assert lost > 0
        assert second.url == url
        assert not first.running
        assert client.mget("a", "b", "c") == [b"copied", b"followed", None]
        client.set("d", "new")
        second.restart()
        assert client.mget("a", "b", "c", "d") == [b"copied", b"followed", None, b"new"]


def test_a_disk_is_full_and_has_room_again(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    with disk.mounted():
        if not disk.can_fill:
            pytest.skip("nothing can be mounted here")
        file = disk.folder / "file"
        file.write_bytes(b"x" * 10_000)
        with disk.full(), pytest.raises(OSError, match="No space left"):
            (disk.folder / "other").write_bytes(b"y" * 10_000)
        (disk.folder / "other").write_bytes(b"y" * 10_000)
        assert file.read_bytes() == b"x" * 10_000
