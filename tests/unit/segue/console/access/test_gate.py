"""Who may read the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from segue.console.access.gate import COOKIE
from segue.console.access.logins import MOST, Logins, Right
from segue.console.viewers.change_hub import ChangeHub
from tests.support.worlds.made_up_console import MadeUpFacts, MadeUpFeed, made_up_app

TOKEN = "0123456789abcdef"


def client(token: str | None, host: str = "localhost:8765") -> TestClient:
    app = made_up_app(MadeUpFacts(), ChangeHub(MadeUpFeed().open()), token)
    origin = {"Origin": f"http://{host}"}
    return TestClient(app, base_url=f"http://{host}", follow_redirects=False, headers=origin)


@pytest.fixture
def guarded() -> Iterator[TestClient]:
    with client(TOKEN, "shop.example") as made:
        yield made


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:8765", "[::1]:8765", "127.0.0.1"])
def test_without_a_token_this_machine_reads(host: str) -> None:
    with client(None, host) as made:
        assert made.get("/api/segments").status_code == 200


@pytest.mark.parametrize("host", ["evil.example:8765", "localhost.evil.example", "10.0.0.7:8765", "0.0.0.0"])
def test_without_a_token_a_strangers_name_for_this_machine_is_refused(host: str) -> None:
    """DNS rebinding: the stranger's page may ask, but under the stranger's name."""
    with client(None, host) as made:
        for path in ("/", "/api/segments", "/static/console.js"):
            assert made.get(path).status_code == 421


def test_with_a_token_the_api_wants_it(guarded: TestClient) -> None:
    refused = guarded.get("/api/segments")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json() == {"error": "give the console's token: Authorization: Bearer TOKEN"}
    for header in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", "Bearer ñ"):
        given = {b"Authorization": header.encode()}
        assert guarded.get("/api/segments", headers=given).status_code == 401
    assert guarded.get("/api/segments", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_a_browser_logs_in_by_the_form_and_out_again(guarded: TestClient) -> None:
    to_the_form = guarded.get("/")
    assert (to_the_form.status_code, to_the_form.headers["location"]) == (303, "/login")
    assert guarded.get("/login").status_code == 200
    assert guarded.post("/login", data={"token": TOKEN + "x"}).status_code == 401
    assert guarded.post("/login", content=b"token=" + b"x" * 10_000).status_code == 401
    assert guarded.get("/").status_code == 303

    logged_in = guarded.post("/login", data={"token": TOKEN})
    assert (logged_in.status_code, logged_in.headers["location"]) == (303, "/")
    cookie = logged_in.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    page = guarded.get("/")
    assert (page.status_code, TOKEN in page.text) == (200, False)

    kept = {"Cookie": f"{COOKIE}={guarded.cookies[COOKIE]}"}
    assert guarded.post("/logout").status_code == 303
    assert guarded.get("/").status_code == 303
    assert guarded.get("/", headers=kept).status_code == 303


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_of_another_page_logs_nobody_in_or_out(
    guarded: TestClient, path: str, headers: dict[str, str]
) -> None:
    """Else a stranger's page could let a browser act in the stranger's name."""
    guarded.post("/login", data={"token": TOKEN})
    refused = guarded.post(path, data={"token": TOKEN}, headers=headers)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert guarded.get("/").status_code == 200


def test_a_browser_names_the_console_as_the_origin_of_its_forms(guarded: TestClient) -> None:
    """With `no-referrer` it would send `Origin: null`, and over plain HTTP nothing else."""
    assert guarded.get("/login").headers["referrer-policy"] == "same-origin"


def test_only_the_newest_logins_are_remembered() -> None:
    logins = Logins()
    first, second, *_ = [logins.begin(Right.READ) for _ in range(MOST + 1)]
    assert (logins.right_of(first), logins.right_of(second)) == (Right.NOTHING, Right.READ)


def test_a_cookie_over_tls_stays_on_tls() -> None:
    app = made_up_app(MadeUpFacts(), ChangeHub(MadeUpFeed().open()), TOKEN)
    origin = {"Origin": "https://shop.example"}
    made = TestClient(app, base_url="https://shop.example", follow_redirects=False, headers=origin)
    assert "secure" in made.post("/login", data={"token": TOKEN}).headers["set-cookie"].lower()


def test_a_made_up_cookie_opens_nothing(guarded: TestClient) -> None:
    for value in ("", TOKEN, "0" * 64):
        assert guarded.get("/api/status", headers={"Cookie": f"{COOKIE}={value}"}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/segments", "/api/nothing", "/static/console.css"])
def test_every_answer_protects_the_browser(path: str) -> None:
    with client(None) as made:
        headers = made.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
