"""examples/online-retail: the script goes from the export as it is to a live Redis without a difference."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.services import KafkaService, RedisService
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.services import HANG_S

EXAMPLE = Path(__file__).parents[2] / "examples" / "online-retail"


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    with deployed(
        Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=2)
    ) as made:
        yield made


@pytest.mark.long
def test_from_the_export_to_a_live_redis(deployment: Deployment, tmp_path: Path) -> None:
    segue = tmp_path / "bin" / "segue"
    segue.parent.mkdir()
    segue.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m segue "$@"\n', encoding="utf-8")
    segue.chmod(0o755)
    path = os.pathsep.join([str(segue.parent), os.environ["PATH"]])

    done = subprocess.run(
        ["sh", EXAMPLE / "run.sh"],
        env={**deployment.environment, "PATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    told = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    users, sent = (
        re.findall(rf"^\| {row} \| ([0-9,]+) ", told, re.MULTILINE) for row in ("users", "events sent")
    )
    assert f"Sent {sent[0]} events" in said
    assert re.search(rf"{users[0]} users compared with [0-9,]+ records: 0 differences", said), said
    assert list((tmp_path / "releases").glob("*/report.html"))
