"""The console as a reader sees it: on a telephone and on a screen, live, and without a stranger."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn

from segue.console.viewers.change_hub import ChangeHub
from tests.support.inputs.made_change import a_change
from tests.support.servers.headless_chromium import Chromium
from tests.support.worlds.made_up_console import MadeUpFacts, MadeUpFeed, made_up_app

WIDTHS = (360, 420, 1280)
HOSTILE = "<script>document.title='taken'</script>" + "W" * 200
PAGES = (
    "/",
    "/user",
    f"/user?{urlencode({'id': HOSTILE})}",
    "/predict?age=34",
    f"/predict?{urlencode({'age': HOSTILE})}",
    "/releases",
)
MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
# Resolves with the text of the list as soon as the list has an entry.
FIRST_CHANGE = """
new Promise((resolve) => {
  const list = document.getElementById("changes");
  const look = () => { if (list.children.length) resolve(list.textContent); };
  new MutationObserver(look).observe(list, { childList: true });
  look();
})
"""


@pytest.fixture(scope="module")
def feed() -> MadeUpFeed:
    return MadeUpFeed()


@pytest.fixture(scope="module")
def hub(feed: MadeUpFeed) -> ChangeHub:
    return ChangeHub(feed.open())


@pytest.fixture(scope="module")
def address(hub: ChangeHub) -> Iterator[str]:
    facts = MadeUpFacts()
    card = facts.imagined({"age": "34"}, ())
    facts.cards = {HOSTILE: replace(card, user_id=HOSTILE, segment_name=HOSTILE)}
    config = uvicorn.Config(made_up_app(facts, hub), log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listener:
        serving = threading.Thread(target=server.run, args=([listener],))
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        serving.join()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_named_twice_or_loaded_from_elsewhere(
    chromium: Chromium, address: str, path: str, width: int
) -> None:
    visit = chromium.visit(f"{address}{path}", width, MEASURE)
    seen = visit.measured
    assert seen["scroll_width"] <= seen["width"]
    assert (seen["crowded"], seen["burst"], seen["unnamed"], seen["language"]) == ([], [], 0, "en")
    assert seen["title"].endswith(" · Segue")
    levels = [level for level, _ in seen["headings"]]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(url.startswith(address) for url in visit.requests)
    assert [each for each in visit.complaints if "422" not in each] == []


def test_a_change_appears_without_a_reload(
    chromium: Chromium, address: str, hub: ChangeHub, feed: MadeUpFeed
) -> None:
    feed.send_to_a_viewer(hub, a_change(user_id="7", segment_name=HOSTILE))
    visit = chromium.visit(f"{address}/", 420, FIRST_CHANGE)
    assert f"moved 0 → 1 {HOSTILE} by an order" in " ".join(visit.measured.split())
