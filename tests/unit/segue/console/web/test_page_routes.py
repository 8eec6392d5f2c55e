"""The pages show the facts, escaped, and say what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec import structs
from starlette.testclient import TestClient

from schemas.errors import SegueError, Unreachable
from segue.config.command_line import BadUsage
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.drift_facts import DriftFacts
from segue.console.moves.flow_facts import Hour, Hours, SegmentHour
from segue.console.viewers.change_hub import ChangeHub
from segue.doctor.check import WARN
from segue.doctor.on_drift import drift_check
from segue.rehearsal.kept_rehearsal import keep_rehearsal
from segue.rehearsal.rehearsal_page import rehearsal_json
from segue.triggers.report.holdout_text import report_lines
from tests.support.inputs.made_change import a_change
from tests.support.worlds.made_up_console import DRIFTED, FLOW, HOSTILE, LIFT, MadeUpFacts, MadeUpFeed
from tests.support.worlds.made_up_rehearsal import a_rehearsal
from tests.support.worlds.made_up_release import an_active_model

ALLOWED_SCRIPTS = [{"src": "/static/console.js", "defer": None}]


class Page(HTMLParser):
    """The text of a page, and the attributes of its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"bdi", "wbr"}:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_live_page_shows_the_segments_the_lanes_and_the_release(client: TestClient) -> None:
    page = Page(client.get("/").text)
    assert "0 segment 0 30 60.0% 0 0 0.0%" in page.text
    assert "7 men who left not in the release in use 10 20.0%" in page.text
    assert "events behind 12" in page.text
    assert f"release 2 in the list, by activation 3 {an_active_model().release.version}" in page.text
    assert {"href": "/", "aria-current": "page"} in page.of("a")


def test_the_live_page_says_what_doctor_says_of_drift(client: TestClient) -> None:
    check = drift_check(an_active_model().release.version, DRIFTED)
    page = Page(client.get("/").text)
    assert check.state == WARN
    assert f"Note: {check.text} → {check.fix}" in page.text
    assert "age 0.31 0.10 0.0% not as in training" in page.text
    assert "most_frequent_brand 0.02 0.10 7.0% values that training never saw" in page.text
    assert "total_orders 0.01 0.10 0.0% as in training" in page.text
    assert "500 users sampled at 2024-12-03 19:30:00 UTC, beside the training users of release" in page.text
    assert "20.0% of them lack a feature." in page.text


@pytest.mark.parametrize("path", ["/", "/live/figures"])
def test_a_drift_that_is_not_known_is_one_sentence_beside_the_other_figures(
    client: TestClient, facts: MadeUpFacts, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    facts.drifted = None
    version = an_active_model().release.version
    assert f"release {version} does not say how its training users" in Page(client.get(path).text).text

    def fails() -> DriftFacts:
        raise Unreachable("Redis at localhost:6379 does not answer")

    monkeypatch.setattr(facts, "drift", fails)
    page = Page(client.get(path).text)
    assert "Drift Not known now: Redis at localhost:6379 does not answer" in page.text
    assert "events behind 12" in page.text


def test_a_user_shows_what_the_command_shows(client: TestClient) -> None:
    page = Page(client.get("/user", params={"id": "7"}).text)
    assert "most_frequent_brand Carhartt" in page.text
    assert "country missing" in page.text
    assert "The nearest border is that to" in page.text
    assert "nearer than the next centre (0% is the border)" in page.text
    assert "2024-12-01 08:05:00 1 women by an order, orders/2@118" in page.text
    assert {"href": "/user?id=12%26id%3D9"} in page.of("a")


def test_only_a_word_too_long_for_a_column_breaks(client: TestClient, facts: MadeUpFacts) -> None:
    assert '<bdi class="whole">segment 0</bdi>' in client.get("/").text
    assert facts.current is not None
    long = structs.replace(facts.current.segments[0], name="W" * 15)
    facts.current = structs.replace(facts.current, segments=(long, *facts.current.segments[1:]))
    assert f"<bdi>{'W' * 15}</bdi>" in client.get("/").text


def test_an_imagined_user_is_scored_and_the_form_keeps_the_values(client: TestClient) -> None:
    page = Page(client.get("/predict", params={"age": "34", "most_frequent_brand": "Carhartt"}).text)
    assert "This user would be" in page.text
    values = {field["name"]: field["value"] for field in page.of("input") if "value" in field}
    assert (values["age"], values["most_frequent_brand"], values["gender"]) == ("34", "Carhartt", "")


def test_a_wrong_value_is_said_above_the_form_which_keeps_it(client: TestClient) -> None:
    answer = client.get("/predict", params={"age": "old"})
    page = Page(answer.text)
    assert answer.status_code == 422
    assert "Not scored: parameter age is 'old': give a number from 0 to 150" in page.text
    assert "old" in {field.get("value") for field in page.of("input")}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/predict?aeg=34", "Not scored: there is no parameter 'aeg': write age"),
        ("/predict?age=34&feature.size=1", "Not scored: there is no parameter 'feature.size'"),
        ("/user?user=7", "there is no parameter 'user': there are id"),
        ("/dead-letters?reasons=age", "there is no parameter 'reasons': write reason"),
    ],
)
def test_a_misspelled_parameter_is_not_ignored(client: TestClient, path: str, sentence: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, sentence in Page(answer.text).text) == (422, True)


def test_the_releases_show_the_current_one(client: TestClient) -> None:
    page = Page(client.get("/releases").text)
    assert f"{an_active_model().release.version} current" in page.text
    assert "published 2024-12-02 09:30" in page.text
    assert "place in the list 2 by activation 1, 3" in page.text


def test_a_release_shows_its_rehearsal(client: TestClient, facts: MadeUpFacts, tmp_path: Path) -> None:
    version = facts.release().version
    assert "Rehearsal" not in client.get(f"/releases/{version}").text
    facts.files = ConsoleFiles(tmp_path)
    rehearsed = rehearsal_json(a_rehearsal())
    rehearsed["new"]["version"] = version
    keep_rehearsal(tmp_path, rehearsed, "too many move", ())
    page = Page(client.get(f"/releases/{version}").text)
    assert "Refused: too many move" in page.text
    assert "The switch moves 2 of 100 users (2.0%)." in page.text
    assert "users who move 0 1,234,567" in page.text
    assert "users who flap 0 60" in page.text
    assert "welcome 0 0 2" in page.text
    assert "Suggested min_margin: 0.1." in page.text
    assert client.get(f"/api/releases/{version}").json()["rehearsal"]["switch"]["moving_users"] == 2


def test_what_the_triggers_changed_is_what_the_command_says(client: TestClient) -> None:
    page = Page(client.get("/triggers/lift").text)
    for report in LIFT:
        for line in report_lines(report):
            assert line.strip().removeprefix(f"{report.trigger}: ") in page.text
    assert "The trigger changed it" not in page.text.partition("gone")[2]


def test_without_orders_a_sentence_says_how_to_name_them(client: TestClient, facts: MadeUpFacts) -> None:
    facts.reports = BadUsage("the console has no orders to compare: start it with --warehouse")
    answer = client.get("/triggers/lift")
    assert answer.status_code == 422
    assert "Not compared: the console has no orders to compare" in Page(answer.text).text


@pytest.mark.parametrize("path", ["/", "/user", "/predict", "/releases", "/login"])
def test_before_a_first_release_and_without_a_token_there_is_a_sentence(
    client: TestClient, facts: MadeUpFacts, path: str
) -> None:
    facts.current = None
    answer = client.get(path)
    assert answer.status_code == {"/predict": 503, "/login": 404}.get(path, 200)
    assert Page(answer.text).of("h1")


def test_a_server_that_does_not_answer_is_a_page_with_its_sentence(
    client: TestClient, facts: MadeUpFacts
) -> None:
    facts.failure = Unreachable("Redis at localhost:6379 does not answer")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "Redis at localhost:6379 does not answer" in Page(answer.text).text


def test_no_text_of_others_becomes_markup_or_turns_the_line(
    client: TestClient, hub: ChangeHub, feed: MadeUpFeed
) -> None:
    texts = [
        client.get("/user", params={"id": HOSTILE}).text,
        client.get("/user", params={"id": f"{HOSTILE}?"}).text,
        client.get("/predict", params={"most_frequent_brand": HOSTILE}).text,
        client.get("/predict", params={"age": HOSTILE}).text,
        client.get(f"/{quote(HOSTILE)}").text,
    ]
    change = a_change(user_id=HOSTILE, segment_name=HOSTILE, missing=(HOSTILE,), provisional=True)
    feed.send_to_a_viewer(hub, change, SegueError("over"))
    texts.append(client.get("/live/changes").text)
    texts.append(client.get("/").text)
    for text in texts:
        page = Page(text)
        assert page.of("script") in ([], ALLOWED_SCRIPTS)
        assert not [
            attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)
        ]
        assert not {"\x1b", "\u202e", "\u2028"} & set(text)
        assert "evil" in text
        assert " style=" not in text


def test_users_that_are_not_counted_are_a_problem_and_no_fact(client: TestClient, facts: MadeUpFacts) -> None:
    facts.counts, facts.problem_of_lanes = {}, "lane 2 has no place in Redis under the prefix 'wrong:'"
    assert f"Note: {facts.problem_of_lanes}" in Page(client.get("/").text).text
    assert client.get("/api/status").json()["problem"] == facts.problem_of_lanes


def test_the_moves_by_the_hour_are_those_of_the_tables(client: TestClient, facts: MadeUpFacts) -> None:
    before = client.get("/").text
    assert "This console counts what it reads" in before
    assert "Moves by the hour" not in before, "there is nothing to show before `segue flow` ran"
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    facts.moves = structs.replace(FLOW, until=now)
    facts.by_hour = Hours(now, now, (Hour(hour, 9, (SegmentHour(0, 3, 6), SegmentHour(7, 1_234, 0))),))
    page = Page(client.get("/").text)
    assert "9 since" in page.text
    assert f"Counted by `segue flow` until {now:%H:%M:%S} UTC." in page.text
    assert (
        "Moves by the hour Segment Entered Left 24 hours 0 segment 0 3 6 7 men who left 1,234 0" in page.text
    )
    pictures = [each["aria-label"] for each in page.of("svg") if each.get("role") == "img"]
    assert pictures == [
        f"By hour, UTC: {hour:%H:%M} 3 entered, 6 left",
        f"By hour, UTC: {hour:%H:%M} 1,234 entered, 0 left",
    ]


def test_the_page_says_until_when_tables_that_are_behind_reach(
    client: TestClient, facts: MadeUpFacts
) -> None:
    until = datetime.now(UTC) - timedelta(minutes=5)
    facts.moves = structs.replace(FLOW, until=until)
    page = Page(client.get("/").text)
    assert (
        "Note: `segue flow` is behind, or does not run: it has counted all changes until"
        f" {until:%Y-%m-%d %H:%M:%S} UTC." in page.text
    )
