"""Who may do what, and what a person sees before and after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from schemas.errors import Refused, Unreachable
from segue.console.viewers.change_hub import ChangeHub
from tests.support.worlds.made_up_console import MadeUpActions, MadeUpFacts, MadeUpFeed, made_up_app
from tests.support.worlds.made_up_release import an_active_model

READ, WRITE = "r" * 16, "w" * 16
HERE = {"Origin": "http://localhost"}
VERSION = an_active_model().release.version
Open = Callable[..., TestClient]


@pytest.fixture
def actions() -> MadeUpActions:
    return MadeUpActions()


@pytest.fixture
def opened(actions: MadeUpActions) -> Open:
    def client(
        read: str | None = None, write: str | None = WRITE, logged_in: str | None = None
    ) -> TestClient:
        app = made_up_app(MadeUpFacts(), ChangeHub(MadeUpFeed().open()), read, write, actions)
        made = TestClient(app, base_url="http://localhost", follow_redirects=False)
        if logged_in is not None:
            assert made.post("/login", data={"token": logged_in}, headers=HERE).status_code == 303
        return made

    return client


def test_a_writer_is_asked_and_then_told(opened: Open, actions: MadeUpActions) -> None:
    writer = opened(logged_in=WRITE)
    question = writer.get("/do/roll-back", params={"version": VERSION})
    assert f"Release {VERSION} becomes the current release again" in question.text
    assert actions.done == []
    done = writer.post("/do/roll-back", data={"version": VERSION}, headers=HERE)
    assert (done.status_code, actions.done) == (200, [("roll-back", {"version": VERSION})])
    assert "Done: roll-back." in done.text


@pytest.mark.parametrize(
    ("read", "write", "logged_in"), [(None, None, None), (None, WRITE, None), (READ, WRITE, READ)]
)
def test_who_only_reads_sees_no_button_and_does_nothing(
    opened: Open, actions: MadeUpActions, read: str | None, write: str | None, logged_in: str | None
) -> None:
    reader = opened(read, write, logged_in)
    for path in ("/dead-letters", "/triggers", "/releases"):
        page = reader.get(path)
        assert (page.status_code, "/do/" in page.text) == (200, False)
    for answer in (
        reader.get("/do/retry-letters"),
        reader.post("/do/retry-letters", data={}, headers=HERE),
        reader.post("/do/retry-letters", headers={**HERE, "Authorization": f"Bearer {READ}"}),
    ):
        assert answer.status_code in {403, 303}
    assert actions.done == []


def test_a_writer_sees_the_buttons(opened: Open) -> None:
    writer = opened(READ, WRITE, WRITE)
    assert "/do/retry-letters" in writer.get("/dead-letters").text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {**HERE, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_page_does_nothing(
    opened: Open, actions: MadeUpActions, headers: dict[str, str]
) -> None:
    refused = opened(logged_in=WRITE).post("/do/publish", data={"version": VERSION}, headers=headers)
    assert (refused.status_code, actions.done) == (403, [])
    assert "another page sent this form" in refused.text


def test_a_program_gives_the_token_itself(opened: Open, actions: MadeUpActions) -> None:
    with_token = {"Authorization": f"Bearer {WRITE}"}
    done = opened(READ).post("/do/publish", data={"version": VERSION}, headers=with_token)
    assert (done.status_code, actions.done) == (200, [("publish", {"version": VERSION})])


def test_what_was_not_done_is_one_sentence(opened: Open, actions: MadeUpActions) -> None:
    writer = opened(logged_in=WRITE)
    actions.failure = Refused("the release moves 9% of the users")
    refused = writer.post("/do/publish", data={"version": VERSION}, headers=HERE)
    assert (refused.status_code, "the release moves 9% of the users" in refused.text) == (409, True)
    actions.failure = Unreachable("Kafka at localhost does not answer")
    assert writer.post("/do/publish", data={"version": VERSION}, headers=HERE).status_code == 503
    assert writer.post("/do/publish", data={}, headers=HERE).status_code == 422
    assert writer.post("/do/other", data={}, headers=HERE).status_code == 422
    assert writer.get("/do/publish").status_code == 422


@pytest.mark.parametrize("action", ["publish", "roll-back"])
def test_nothing_is_asked_about_a_release_that_is_unknown(opened: Open, action: str) -> None:
    answer = opened(logged_in=WRITE).get(f"/do/{action}", params={"version": "f" * 12})
    assert (answer.status_code, "there is no release" in answer.text) == (404, True)


def test_a_client_that_leaves_in_its_form_is_no_error_of_the_console(
    actions: MadeUpActions, capsys: pytest.CaptureFixture[str]
) -> None:
    app = made_up_app(MadeUpFacts(), ChangeHub(MadeUpFeed().open()), None, WRITE, actions)
    headers = {"Host": "localhost", "Authorization": f"Bearer {WRITE}"}
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/do/roll-back",
        "raw_path": b"/do/roll-back", "root_path": "", "query_string": b"", "server": ("localhost", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    received: list[dict[str, object]] = [
        {"type": "http.request", "body": b"version=", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return received.pop(0)

    async def send(_message: object) -> None:
        pass

    asyncio.run(app(scope, receive, send))
    assert (actions.done, received) == ([], [])
    assert "request_failed" not in "".join(capsys.readouterr())
