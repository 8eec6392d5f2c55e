from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.servers.headless_chromium import Chromium, find


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser for the session; skipped where there is none, unless SEGUE_TEST_REQUIRE_BROWSER is set."""
    program = find()
    if program is None:
        if os.environ.get("SEGUE_TEST_REQUIRE_BROWSER"):
            pytest.fail("no Chromium on this machine, and SEGUE_TEST_REQUIRE_BROWSER asks for one")
        pytest.skip("no Chromium on this machine")
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
