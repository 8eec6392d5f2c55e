from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.errors import BadRelease, BadSetting, Unreachable
from schemas.topics import Topics
from tests.support.servers.publishing import publish
from tests.support.worlds.trained_shops import a_trained_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_trained_folder(tmp_path_factory.mktemp("releases"))


def test_no_broker_is_one_sentence_within_the_deadline(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    # Port 1 is refused at once; librdkafka would go on trying.
    with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:1 did not .*Connection refused"):
        publish(folder, "127.0.0.1:1", Topics(), deadline_s=1)
    assert time.monotonic() - began < 10
    assert capfd.readouterr().err == ""


def test_a_setting_that_librdkafka_does_not_know(folder: Path) -> None:
    with pytest.raises(BadSetting, match="nonsense"):
        publish(folder, "127.0.0.1:1", Topics(), client={"nonsense": "1"}, deadline_s=1)


def test_the_folder_is_verified_first(tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match=r"manifest\.json cannot be read"):
        publish(tmp_path, "127.0.0.1:1", Topics(), deadline_s=1)
