"""The Schema Registry in the settings: one client, and a sentence if its packages are missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from schemas.errors import NotInstalled
from schemas.inputs.forms.framed_values import without_registry
from segue.config import registry_extra
from segue.config.registry_extra import unframe_of
from segue.config.settings import Settings

SETTINGS = Settings(schema_registry="http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def no_client_of_before() -> Iterator[None]:
    registry_extra._opened.cache_clear()
    yield
    registry_extra._opened.cache_clear()


def test_without_the_setting_framed_values_are_refused() -> None:
    assert unframe_of(Settings()) is without_registry


def test_all_lanes_share_one_client() -> None:
    assert unframe_of(SETTINGS) is unframe_of(Settings(schema_registry="http://127.0.0.1:1"))


def test_missing_packages_are_named_with_the_way_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "streamer.kafka.schema_registry", raising=False)
    monkeypatch.setitem(sys.modules, "confluent_kafka.schema_registry", None)
    with pytest.raises(NotInstalled, match=r"^schema_registry needs .* install '\.\[registry\]'"):
        unframe_of(SETTINGS)
