"""The settings that a release must fit before it becomes current."""

from __future__ import annotations

import pytest

from schemas.errors import BadRelease
from segue.config.settings import Settings
from segue.releases.release_topic import check_fits
from tests.support.worlds.made_up_release import a_recency_release


def test_a_release_of_another_time_zone_does_not_become_current() -> None:
    berlin = a_recency_release(time_zone="Europe/Berlin")
    check_fits(berlin, Settings(time_zone="Europe/Berlin"))
    with pytest.raises(BadRelease, match="with time_zone 'Europe/Berlin', but the setting is 'UTC'"):
        check_fits(berlin, Settings())
