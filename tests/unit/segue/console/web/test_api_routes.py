"""The API says what the commands say."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from schemas.errors import SegueError, Unreachable
from schemas.outputs.wire import encode_change
from segue.console.viewers.change_hub import ChangeHub
from segue.show.json_line import json_line
from tests.support.inputs.made_change import a_change
from tests.support.worlds.made_up_console import FLOW, HOSTILE, HOURS, MadeUpFacts, MadeUpFeed

UNKNOWN_FEATURE = (
    "parameter feature is 'size': write NAME=VALUE, with one of the release's features (none: its features"
    " have options of their own)"
)


def test_a_user_is_the_line_of_the_command(client: TestClient, facts: MadeUpFacts) -> None:
    for path, user_id in (("7", "7"), ("a/b", "a/b"), ("a%2Fb", "a/b"), ("%2E%2E", "..")):
        assert client.get(f"/api/users/{path}").text == json_line(facts.cards[user_id].as_json())


def test_hostile_text_comes_back_as_it_was_and_cannot_command_a_terminal(client: TestClient) -> None:
    answer = client.get(f"/api/users/{quote(HOSTILE, safe='')}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["user_id"] == HOSTILE
    assert answer.text.isprintable()


def test_an_imagined_user_takes_the_options_of_the_command(client: TestClient, facts: MadeUpFacts) -> None:
    answer = client.get("/api/predict", params={"age": "34", "gender": "F", "country": ""})
    assert answer.text == json_line(facts.imagined({"age": "34", "gender": "F"}, ()).as_json())


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("users/8", 404, "user '8' is not in Redis"),
        ("users/", 404, "user '' is not in Redis"),
        ("predict?age=x", 422, "parameter age is 'x': give a number from 0 to 150"),
        ("predict?total_orders=1.5", 422, "parameter total_orders is '1.5': give a whole number"),
        (
            "predict?feature=size",
            422,
            UNKNOWN_FEATURE,
        ),
        (
            "changes?kind=gone",
            422,
            "parameter kind is 'gone': input should be 'moved', 'confirmed', 'unconfirmed' or 'erased'",
        ),
        (
            "changes?segment=" + "9" * 30,
            422,
            f"parameter segment is '{'9' * 30}': no published release has a segment of this number",
        ),
        (
            "changes?segment=99",
            422,
            "parameter segment is '99': no published release has a segment of this number",
        ),
        ("predict?aeg=34", 422, "there is no parameter 'aeg': write age"),
        ("changes?since=1", 422, "there is no parameter 'since': there are segment, kind"),
        ("segments?x=1", 422, "there is no parameter 'x': this address has no parameters"),
        ("nothing", 404, "there is no page '/api/nothing': the start page lists them"),
    ],
)
def test_what_is_wrong_with_a_request_is_one_sentence(
    client: TestClient, path: str, status: int, sentence: str
) -> None:
    answer = client.get(f"/api/{path}")
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})


def test_a_segment_without_such_a_name_is_said(client: TestClient) -> None:
    answer = client.get("/api/changes", params={"segment": "loyal"})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("parameter segment is 'loyal': release ")


@pytest.mark.parametrize("path", ["users/7", "predict", "segments", "drift", "status", "releases"])
def test_servers_that_do_not_answer_are_503_and_come_back(
    client: TestClient, facts: MadeUpFacts, path: str
) -> None:
    facts.failure = Unreachable("Redis at localhost:6379 does not answer")
    answer = client.get(f"/api/{path}")
    assert (answer.status_code, answer.json()) == (503, {"error": "Redis at localhost:6379 does not answer"})
    facts.failure = None
    assert client.get(f"/api/{path}").status_code == 200


def test_a_bug_shows_neither_its_words_nor_a_traceback(
    client: TestClient,
    facts: MadeUpFacts,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def bug() -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(facts, "segments", bug)
    answer = client.get("/api/segments")
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "this is a bug in Segue; the console's log says where"},
    )
    assert "hunter2" not in "".join(capsys.readouterr())


def test_another_method_is_refused(client: TestClient) -> None:
    assert client.post("/api/segments").status_code == 405
    assert client.delete("/api/users/7").json() == {"error": "this page does not answer DELETE: send GET"}


def test_changes_stream_until_the_feed_fails(client: TestClient, hub: ChangeHub, feed: MadeUpFeed) -> None:
    """The failure's event ends the stream, so that the test's client gets all of it."""
    wanted, other = a_change(user_id="7", segment=1), a_change(user_id="8", previous_segment=2, segment=3)
    feed.send_to_a_viewer(hub, wanted, other, SegueError("Kafka is away"))
    answer = client.get("/api/changes", params={"segment": "1", "kind": "moved"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    data = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert kinds == ["change", "end"]
    assert data == [json.loads(encode_change(wanted)), {"error": "Kafka is away"}]


def test_the_document_describes_every_route(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    assert set(document["paths"]) == {
        "/api/users/{user_id}",
        "/api/predict",
        "/api/segments",
        "/api/releases",
        "/api/releases/{version}",
        "/api/dead-letters",
        "/api/triggers",
        "/api/triggers/lift",
        "/api/flow",
        "/api/hours",
        "/api/drift",
        "/api/status",
        "/api/changes",
    }
    assert all(list(methods) == ["get"] for methods in document["paths"].values())


def test_the_flow_and_the_hours_are_those_of_the_tables(client: TestClient, facts: MadeUpFacts) -> None:
    assert client.get("/api/flow").json()["counted_by"] == "console"
    assert client.get("/api/hours").json() == {"until": None, "newest": None, "hours": []}
    facts.moves, facts.by_hour = FLOW, HOURS
    flow = client.get("/api/flow").json()
    assert (flow["counted_by"], flow["moves"], flow["until"]) == ("segue flow", 9, "2024-12-03T19:30:00Z")
    hours = client.get("/api/hours").json()
    assert [(each["begin"], each["moves"]) for each in hours["hours"]] == [
        ("2024-12-03T19:00:00Z", 9),
        ("2024-12-03T17:00:00Z", 12),
    ]
    # 3 and 6 moves by the 30 users of now.
    first = {"id": 0, "entered": 3, "left": 6, "volatility": 0.3}
    assert hours["hours"][0]["segments"][0] == first
    # The volatility of the last hour is of the same counts.
    assert client.get("/api/segments").json()["segments"][0]["volatility"] == 0.3
