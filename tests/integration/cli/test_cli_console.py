"""The console beside a worker: page, API and command say the same, and a change arrives as it happens."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote, urlencode

import pytest
from msgspec import structs

from schemas.input_events import Item, Order, Signup
from schemas.release.model_release import FeatureProfile
from segue.services import KafkaService, LocalRedis
from segue.show.user_moves import value_words
from tests.support.checks.read_records import read_topic, value_of
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.deployment import Deployment, deployed, trained
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.worlds.made_up_release import a_release

T0 = datetime(2024, 5, 2, tzinfo=UTC)
BRANDS = ("Allegra K", "Carhartt", "Ön", "<script>alert(1)</script>")
USERS = ("7", "a/b", "né <b>", "-1", *(f"u{number}" for number in range(96)))
TOKEN = "w" * 16
UNKNOWN = " (unknown to the model)"
PROFILE = (FeatureProfile("age", (500, 300, 200), 0.01, ends=(30.0, 50.0)),)


@pytest.fixture
def console(deployment: Deployment, tmp_path: Path) -> Iterator[tuple[SegueProcess, str]]:
    """A console beside a worker that has applied the users' events, and the console's address."""
    deployment.announce(structs.replace(a_release(), profile=PROFILE))
    worker = deployment.worker().ready()
    deployment.send(
        event
        for number, user_id in enumerate(USERS)
        for event in (
            Signup(user_id, T0, 18 + number % 80, "FM"[number % 2], "Spain", traffic_source="Search"),
            Order(user_id, f"o{number}", T0 + timedelta(hours=number), (Item(BRANDS[number % 4], "Jeans"),)),
        )
    )
    deployment.caught_up()
    assert worker.lanes() == set(deployment.lanes)
    folder = tmp_path / "console"
    folder.mkdir()
    with SegueProcess(folder, "console", "--port", "0", environment=deployment.environment) as process:
        yield process, address_of(process)


def address_of(process: SegueProcess) -> str:
    """Where the console listens, as soon as it does."""
    process.says("The console is at ")
    (address,) = re.findall(r"http://\S+(?=;)", process.err)
    return str(address)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=HANG_S) as answer:
        return str(answer.read().decode())


def text_of(url: str) -> str:
    """The text of a page."""
    return unescape(re.sub(r"<[^>]*>", "", read(url)))


def on_page(html: str) -> dict[str, object]:
    """What a user's page shows."""

    def plain(part: str) -> str:
        return " ".join(unescape(re.sub(r"<[^>]*>", "", part)).split())

    def card(title: str) -> str:
        return html.partition(f"<h2>{title}</h2>")[2].partition("</section>")[0]

    def pairs(pattern: str, part: str) -> dict[str, str]:
        return {plain(name): plain(value) for name, value in re.findall(pattern, part, re.DOTALL)}

    (title,) = re.findall(r"<h1>(.*?)</h1>", html, re.DOTALL)
    (lead,) = re.findall(r'<p class="lead">(.*?)</p>', html, re.DOTALL)
    return {
        "title": plain(title),
        "lead": plain(lead),
        "features": pairs(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card("Features")),
        "moves": pairs(
            r'<th scope="row">(.*?)</th><td>.*?</td><td>(.*?)</td>', card("What would move this user")
        ),
        "similar": [unquote(each) for each in re.findall(r'href="/user\?id=([^"]*)"', card("Similar users"))],
        "history": card("History").count("<li>"),
    }


def refused(url: str) -> tuple[int, str]:
    """The status and the body of an answer that is an error, whose connection is closed here."""
    with pytest.raises(urllib.error.HTTPError) as told, urllib.request.urlopen(url, timeout=HANG_S):
        pass
    with told.value as answer:
        return answer.code, answer.read().decode()


def test_page_api_and_command_say_the_same(console: tuple[SegueProcess, str], deployment: Deployment) -> None:
    process, address = console
    by_id = {}
    for line in deployment.segue("user", "--all", "--json").stdout.splitlines():
        by_id[json.loads(line)["user_id"]] = json.loads(line)
    assert set(by_id) == set(USERS)
    for user_id in USERS:
        answer = json.loads(read(f"{address}/api/users/{quote(user_id)}"))
        assert {name: answer[name] for name in by_id[user_id]} == by_id[user_id]
        assert on_page(read(f"{address}/user?{urlencode({'id': user_id})}")) == {
            "title": f"User {user_id}",
            "lead": f"{answer['segment']} {answer['segment_name']}{' provisional' * answer['provisional']}",
            "features": {
                name: f"{value_words(value)}{UNKNOWN * (name in answer['missing'])}"
                for name, value in answer["features"].items()
            },
            "moves": {move["feature"]: value_words(move["value"]) for move in answer["moves"]["features"]},
            "similar": [each["user_id"] for each in answer["similar_users"]],
            "history": len(answer["history"]),
        }

    whole = deployment.segue("user", "--json", "--", "-1").stdout.strip()
    assert read(f"{address}/api/users/-1") == whole
    checks = json.loads(deployment.segue("doctor", "--json").stdout)["checks"]
    (drift,) = [check for check in checks if check["name"] == "drift"]
    found = json.loads(read(f"{address}/api/drift"))
    assert (found["state"], found["text"], found["fix"]) == (drift["state"], drift["text"], drift["fix"])
    assert found["compared"] == len(USERS)
    assert [each["verdict"] for each in found["features"]] == ["not as in training"]
    live = text_of(address)
    assert drift["text"] in live
    assert drift["fix"] in live
    predicted = deployment.segue("predict", "--age", "34", "--gender", "F", "--json").stdout.strip()
    assert read(f"{address}/api/predict?age=34&gender=F") == predicted
    listed = [json.loads(line) for line in deployment.segue("releases", "--json").stdout.splitlines()]
    assert json.loads(read(f"{address}/api/releases"))["releases"] == listed
    assert f"release {listed[0]['place']} in the list, by activation {listed[0]['activations'][-1]}" in live
    segments = json.loads(read(f"{address}/api/segments"))
    counted = {each["id"]: each["users"] for each in segments["segments"]}
    assert segments["users"] == len(USERS)
    assert counted == {s: sum(user["segment"] == s for user in by_id.values()) for s in counted}
    status = json.loads(read(f"{address}/api/status"))
    assert (status["lanes"], status["workers"], status["behind"]) == (deployment.partitions, 1, 0)

    process.terminate(signal.SIGINT)
    assert process.ends() == 130
    assert process.err.splitlines()[1:] == ["Interrupted."]


def test_page_and_api_have_the_moves_that_segue_flow_counted(
    console: tuple[SegueProcess, str], deployment: Deployment, tmp_path: Path
) -> None:
    """Also those from before the console began, and they agree with the changes in Kafka."""
    _, address = console
    assert json.loads(read(f"{address}/api/flow"))["counted_by"] == "console"
    changes = [
        json.loads(value_of(record))
        for record in read_topic(deployment.bootstrap, deployment.topics.changes, deployment.lanes)
    ]
    ways = Counter((each["previous_segment"], each["segment"]) for each in changes if each["kind"] == "moved")
    assert ways.total() >= len(USERS)
    folder = tmp_path / "flow"
    folder.mkdir()
    with SegueProcess(folder, "flow", environment=deployment.environment) as process:
        process.says("Counting the moves")

        def agrees() -> bool:
            flow = json.loads(read(f"{address}/api/flow"))
            assert (flow["counted_by"], flow["moves"]) == ("segue flow", ways.total())
            assert {(each["previous"], each["segment"]): each["moves"] for each in flow["steps"]} == ways
            assert flow["until"] is not None
            return True

        eventually(agrees, "the console has what was counted")
    hours = json.loads(read(f"{address}/api/hours"))["hours"]
    assert sum(hour["moves"] for hour in hours) == ways.total()
    entered = Counter[int]()
    for hour in hours:
        entered.update({each["id"]: each["entered"] for each in hour["segments"]})
    assert entered == Counter(each["segment"] for each in changes if each["kind"] == "moved")
    page = text_of(address)
    assert "Moves by the hour" in page
    assert "Counted by `segue flow` until" in page


def test_a_change_arrives_as_it_happens_on_the_api_and_on_the_page(
    console: tuple[SegueProcess, str], deployment: Deployment
) -> None:
    _, address = console
    with (
        urllib.request.urlopen(f"{address}/api/changes", timeout=HANG_S) as changes,
        urllib.request.urlopen(f"{address}/live/changes", timeout=HANG_S) as pieces,
    ):
        assert changes.readline() == pieces.readline() == b"retry: 2000\n"

        def arrives() -> bool:
            # The reader of Kafka begins beside the server: an event may come before it.
            number = next(numbers)
            deployment.send([Signup(f"new{number}", T0, age=30)])
            return bool(json.loads(read(f"{address}/api/status"))["changes_in_last_minute"])

        numbers = iter(range(10_000))
        eventually(arrives, "a change is read")
        kind, data = next_event(changes)
        assert (kind, json.loads(data)["kind"]) == ("change", "moved")
        user_id = json.loads(data)["user_id"]
        kind, html = next_event(pieces)
        assert (kind, f"/user?id={user_id}" in html) == ("fragment", True)


def next_event(stream: Iterable[bytes]) -> tuple[str, str]:
    """The next event's kind and data; comments are passed over."""
    kind, data = "", []
    for line in stream:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif not name and kind:
            break
    return kind, "\n".join(data)


def act(address: str, name: str, **fields: str) -> str:
    """Do something with the write token; return the page that follows."""
    request = urllib.request.Request(
        f"{address}/do/{name}", urlencode(fields).encode(), {"Authorization": f"Bearer {TOKEN}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=HANG_S) as answer:
            return unescape(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return unescape(refusal.read().decode())


def test_a_writer_goes_back_and_sends_dead_letters_again(deployment: Deployment, tmp_path: Path) -> None:
    older = a_release()  # the deployment has it
    deployment.announce(a_release(scale=2.0))
    deployment.worker().ready()
    (tmp_path / "bad.jsonl").write_text('{"topic": "orders", "key": "7", "value": {"user_id": "7"}}\n')
    deployment.segue("ingest", "bad.jsonl")
    deployment.caught_up()
    environment = {**deployment.environment, "SEGUE_CONSOLE_WRITE_TOKEN": TOKEN}
    with SegueProcess(tmp_path, "console", "--port", "0", environment=environment) as process:
        address = address_of(process)
        (letter,) = json.loads(read(f"{address}/api/dead-letters"))["letters"]
        assert "/do/" not in read(f"{address}/dead-letters")

        sent = f"1 dead letter sent again: 1 to {deployment.topics.orders}."
        assert sent in act(address, "retry-letters", reason=letter["reason"][:20], topic="")
        page = act(address, "roll-back", version=older.version)
        activation, version = deployment.activations()[-1]
        back = f"Release {version} is current again: activation {activation}."
        assert (version, back in page) == (older.version, True)
        assert process.err.splitlines()[1:] == [sent, back]


@pytest.mark.long
def test_a_writer_publishes_what_waits_in_the_folder_but_nothing_that_is_refused(
    kafka: KafkaService, fresh_redis: Callable[..., LocalRedis], topic_prefix: str, tmp_path: Path
) -> None:
    releases = tmp_path / "releases"
    first = trained(write_csv(small_shop(60), tmp_path / "tables"), releases, "--k", 3)
    grown = write_csv(small_shop(62), tmp_path / "grown")
    second, stranger = trained(grown, releases, "--current", first), trained(grown, releases, "--k", 2)
    words = ("console", "--port", "0", "--releases", "releases")
    with deployed(
        Deployment(kafka.bootstrap, fresh_redis().url, topic_prefix, tmp_path, partitions=1)
    ) as made:
        made.publish(first)
        environment = {**made.environment, "SEGUE_CONSOLE_WRITE_TOKEN": TOKEN}
        with SegueProcess(tmp_path, *words, environment=environment) as process:
            address = address_of(process)
            assert "train again, which continues the current" in act(
                address, "publish", version=stranger.name
            )
            assert [version for _, version in made.activations()] == [first.name]

            assert json.loads(read(f"{address}/api/releases/{second.name}"))["published"] is False
            page = act(address, "publish", version=second.name)
            activation, version = made.activations()[-1]
            done = f"Published release {second.name} on {made.topics.models}: activation {activation}."
            assert (version, done in page) == (second.name, True)
            again = act(address, "publish", version=second.name)
            assert f"Release {second.name} is current already: nothing was published." in again
            assert made.activations()[-1] == (activation, version)


def small_shop(users: int) -> Shop:
    made = Shop()
    for number in range(users):
        home, source = ("Spain", "China")[number % 2], ("Search", "Email")[number // 2 % 2]
        facts = {"age": str(18 + number), "gender": "FM"[number % 2], "country": home}
        made.user(str(number), "2024-01-01", traffic_source=source, **facts)
        for order in range(1 + number % 3):
            made.order(f"{number}-{order}", str(number), [f"B{number % 5}/C{number % 4}"], "2024-02-01")
    return made


def test_an_address_that_others_reach_needs_a_token(deployment: Deployment) -> None:
    done = deployment.segue("console", "--host", "0.0.0.0", check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "Error: option --host is '0.0.0.0': others reach this address, so readers must give a token: set"
        " SEGUE_CONSOLE_TOKEN\n"
    )


def test_without_redis_it_says_so_and_it_comes_back_with_redis(
    kafka: KafkaService, fresh_redis: Callable[..., LocalRedis], topic_prefix: str, tmp_path: Path
) -> None:
    server = fresh_redis()
    with deployed(Deployment(kafka.bootstrap, server.url, topic_prefix, tmp_path, partitions=1)) as made:
        made.announce(a_release())
        with SegueProcess(tmp_path, "console", "--port", "0", environment=made.environment) as process:
            address = address_of(process)
            assert refused(f"{address}/api/users/7")[0] == 404

            server.kill()
            code, body = refused(f"{address}/api/users/7")
            assert code == 503
            assert json.loads(body)["error"].startswith("Redis at 127.0.0.1:")
            # (34 - 40) / 20 along the first column: (-0.09, 0.12), nearest to (0, 1.5).
            assert json.loads(read(f"{address}/api/predict?age=34"))["segment_name"] == "segment 1"

            server.start()
            eventually(lambda: json.loads(read(f"{address}/api/segments"))["users"] == 0, "Redis is back")
