"""The settings file that the demo's worker gets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from segue.config.load_settings import load_settings
from segue.config.settings import Settings
from segue.demo.worker_process import allowances, write_settings


def test_the_file_gives_the_same_settings_back_and_only_its_owner_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SEGUE_{name.upper()}", raising=False)
    settings = Settings.model_validate(
        {
            "kafka": "a:1,b:2",
            "redis": 'rediss://:p"ä\\ss@db:6379/0',
            "topic_prefix": "demo.",
            "web_port": 0,
            "exclude_statuses": ("Cancelled, late", "Returned"),
            "declare": {"total_spend": {"kind": "sum", "source": "order_value"}},
            "kafka_options": {"sasl.password": "hunter2", "client.id": "x"},
        }
    )
    path = tmp_path / "segue.toml"
    path.write_text("left over")

    write_settings(settings, path)

    assert load_settings(path) == settings
    assert allowances(settings) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_worker_may_use_what_the_demo_was_given() -> None:
    settings = Settings.model_validate({"kafka_options": {"client.id": "x", "ssl.providers": "default"}})

    assert allowances(settings) == ["--allow-kafka-option=ssl.providers"]
