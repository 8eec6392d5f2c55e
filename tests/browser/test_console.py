"""The console as a reader sees it: on a telephone and on a screen, live, and without a stranger."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import urlencode

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from segue.console.facts.console_files import ConsoleFiles
from segue.console.moves.flow_facts import Hour, Hours, SegmentHour
from segue.console.viewers.change_hub import ChangeHub
from segue.rehearsal.kept_rehearsal import keep_rehearsal
from segue.rehearsal.rehearsal_page import rehearsal_json
from tests.browser.accessibility import measuring_script
from tests.support.inputs.made_change import a_change
from tests.support.servers.headless_chromium import Chromium
from tests.support.worlds.made_up_console import FLOW, MadeUpFacts, MadeUpFeed, made_up_app
from tests.support.worlds.made_up_rehearsal import a_rehearsal
from tests.support.worlds.made_up_release import an_active_model

VIEWS = ((360, False), (420, True), (1280, False), (1280, True))
"""The widths, and whether the page is dark."""
VERSION = an_active_model().release.version
TOKEN = "w" * 16
HOSTILE = "<script>document.title='taken'</script>" + "W" * 200
PAGES = (
    "/",
    "/user",
    f"/user?{urlencode({'id': HOSTILE})}",
    "/predict?age=34",
    f"/predict?{urlencode({'age': HOSTILE})}",
    "/releases",
    f"/releases/{VERSION}",
    "/dead-letters",
    f"/dead-letters?{urlencode({'reason': HOSTILE})}",
    "/triggers",
    "/triggers/lift",
    f"/do/roll-back?version={VERSION}",
    f"/do/retry-letters?{urlencode({'reason': HOSTILE})}",
    "/nothing",
    "/login",
)
# What acts, in the order of the page; the place of the focused one, and whether the focus is seen.
ACTING = """
(() => {
  const acting = [...document.querySelectorAll("a[href], button, input, select")].filter((each) =>
    each.type !== "hidden" && each.checkVisibility());
  const active = document.activeElement;
  return { count: acting.length, active: acting.indexOf(active),
           seen: getComputedStyle(active).outlineStyle !== "none" };
})()
"""
# Resolves with the text of the list as soon as the list has an entry.
FIRST_CHANGE = """
new Promise((resolve) => {
  const list = document.getElementById("changes");
  const look = () => { if (list.children.length) resolve(list.textContent); };
  new MutationObserver(look).observe(list, { childList: true });
  look();
})
"""


class AsAWriter:
    """An app that takes every request for one of a writer, so that all pages have their buttons."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*scope["headers"], (b"authorization", f"Bearer {TOKEN}".encode())]
        await self._app(scope, receive, send)


def a_day() -> Hours:
    """Moves in each of the last 24 hours."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return Hours(
        None,
        hour,
        tuple(
            Hour(
                hour - timedelta(hours=ago),
                1_234_567,
                tuple(SegmentHour(segment, 12_345 * ago, 23_456 * (23 - ago)) for segment in (0, 1, 7)),
            )
            for ago in range(24)
        ),
    )


@pytest.fixture(scope="module")
def feed() -> MadeUpFeed:
    return MadeUpFeed()


@pytest.fixture(scope="module")
def hub(feed: MadeUpFeed) -> ChangeHub:
    return ChangeHub(feed.open())


@pytest.fixture(scope="module")
def address(hub: ChangeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    releases = tmp_path_factory.mktemp("releases")
    rehearsed = rehearsal_json(a_rehearsal())
    rehearsed["new"]["version"] = VERSION
    keep_rehearsal(releases, rehearsed, HOSTILE, ("a note",))
    facts = MadeUpFacts(files=ConsoleFiles(releases), moves=FLOW, by_hour=a_day())
    card = facts.imagined({"age": "34"}, ())
    facts.cards = {HOSTILE: replace(card, user_id=HOSTILE, segment_name=HOSTILE)}
    facts.cards["7"] = replace(card, user_id="7")
    app = AsAWriter(made_up_app(facts, hub, write_token=TOKEN))
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listener:
        serving = threading.Thread(target=server.run, args=([listener],))
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        serving.join()


@pytest.mark.parametrize(("width", "dark"), VIEWS)
@pytest.mark.parametrize("path", PAGES)
def test_all_can_be_read_nothing_is_cut_or_loaded_from_elsewhere(
    chromium: Chromium, address: str, path: str, width: int, dark: bool
) -> None:
    visit = chromium.visit(f"{address}{path}", width, measuring_script(), dark=dark)
    seen = visit.measured
    assert seen["violations"] == []
    assert seen["scroll_width"] <= seen["width"]
    assert (seen["crowded"], seen["burst"], seen["unnamed"], seen["language"]) == ([], [], 0, "en")
    assert seen["title"].endswith(" · Segue")
    levels = [level for level, _ in seen["headings"]]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(url.startswith(address) for url in visit.requests)
    assert [each for each in visit.complaints if "status of 4" not in each] == []


@pytest.mark.parametrize("path", ["/", "/user?id=7", "/dead-letters", "/triggers", f"/releases/{VERSION}"])
def test_all_that_acts_is_reached_by_the_keyboard(chromium: Chromium, address: str, path: str) -> None:
    acting = chromium.visit(f"{address}{path}", 1280, ACTING).measured["count"]
    visit = chromium.visit(f"{address}{path}", 1280, ACTING, keys=["Tab"] * acting)
    assert acting > 10
    assert visit.measured == {"count": acting, "active": acting - 1, "seen": True}


def test_the_first_key_leads_past_the_menu(chromium: Chromium, address: str) -> None:
    script = "[document.activeElement.id, document.getElementById('find').id]"
    assert chromium.visit(f"{address}/", 420, script, keys=["Tab", "Enter"]).measured[0] == "main"


def test_a_change_appears_without_a_reload(
    chromium: Chromium, address: str, hub: ChangeHub, feed: MadeUpFeed
) -> None:
    feed.send_to_a_viewer(hub, a_change(user_id="7", segment_name=HOSTILE))
    visit = chromium.visit(f"{address}/", 420, FIRST_CHANGE)
    assert f"moved 0 → 1 {HOSTILE} by an order" in " ".join(visit.measured.split())
