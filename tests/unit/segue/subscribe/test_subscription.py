from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from schemas.errors import BadSetting
from segue.config.settings import Settings
from segue.subscribe import changes, changes_async
from segue.subscribe.segment_by_name import segment_number
from segue.subscribe.subscription import Subscription
from segue.triggers.service.trigger_topics import trigger_group
from tests.support.worlds.made_up_release import a_release


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"start": "now"}, "setting start is 'now': give new, oldest or states"),
        ({"only": "moving"}, "setting only is 'moving': give entering or leaving"),
        ({"only": "\x1b[31m"}, "setting only is '\\\\x1b[31m': give entering or leaving"),
        ({"group": ""}, "setting group is '': an empty text names nothing"),
        ({"memory": " "}, "setting memory is ' ': an empty text names nothing"),
        ({"segment": 1.5}, "setting segment is 1.5: give a segment's number or its name"),
        ({"segment": True}, "setting segment is True: give a segment's number or its name"),
        ({"segment": -1}, "setting segment is -1: no segment has this name or number"),
        ({"segment": ""}, "setting segment is '': no segment has this name or number"),
        ({"topic_prefix": None}, "setting topic_prefix is None: give a text, such as eu."),
        (
            {"topic_prefix": "eu/"},
            (
                "setting topic_prefix is 'eu/': Kafka's names take letters, digits, '.', '_' and '-', here at"
                " most 200"
            ),
        ),
        ({"group": 7}, "setting group is 7: give the name of a consumer group"),
        ({"start": ["new"]}, "setting start is \"['new']\": give new, oldest or states"),
        ({"only": 1}, "setting only is '1': give entering or leaving"),
        ({"provisional": "no"}, "setting provisional is 'no': give True or False"),
        ({"memory": b"seen.db"}, "setting memory is b'seen.db': give the path of a file"),
        (
            {"kafka_options": "security.protocol=SSL"},
            (
                "setting kafka_options is 'not usable': give a dictionary with texts as keys, such as"
                ' {"security.protocol": "SSL"}'
            ),
        ),
        (
            {"kafka_options": {1: "secret"}},
            (
                "setting kafka_options is 'not usable': give a dictionary with texts as keys, such as"
                ' {"security.protocol": "SSL"}'
            ),
        ),
        (
            {"kafka_options": {"sasl.password": ["secret"]}},
            (
                "setting kafka_options is 'not usable': the value of sasl.password must be text, a number or"
                " true or false"
            ),
        ),
        ({"group": "segue"}, "setting group is 'segue': this is the workers' group: name another"),
        (
            {"group": "segue-flow"},
            "setting group is 'segue-flow': this is the group of `segue flow`: name another",
        ),
        (
            {"group": "segue-triggers"},
            "setting group is 'segue-triggers': this is the group of `segue triggers run`: name another",
        ),
        (
            {"group": "segue-join-items"},
            "setting group is 'segue-join-items': this is a group of `segue join`: name another",
        ),
        (
            {"group": "segue-reader"},
            (
                "setting group is 'segue-reader': this is the group of Segue's own readers, such as"
                " `segue sink`: name another"
            ),
        ),
    ],
)
def test_what_cannot_be_subscribed_to(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSetting) as caught:
        next(changes("127.0.0.1:1", **options))
    assert str(caught.value) == sentence


@pytest.mark.parametrize("kafka", [None, 9092, ["a:1"], "", "localhost", "a:99999", "http://a:1"])
def test_a_kafka_without_host_and_port_is_refused_at_once(kafka: Any) -> None:
    with pytest.raises(
        BadSetting, match=r"^setting kafka is .*: (http:// is no .*|)give host:port, for exam"
    ):
        next(changes(kafka))


async def _first(**options: Any) -> object:
    async with aclosing(changes_async("127.0.0.1:1", **options)) as stream:
        return await anext(stream)


def test_the_asynchronous_changes_check_the_same() -> None:
    with pytest.raises(BadSetting, match="setting group is 7: give the name of a consumer group"):
        asyncio.run(_first(group=7))


def test_the_groups_of_other_workers_have_other_names() -> None:
    settings = Settings(group="shop")
    for group in ("shop", trigger_group(settings)):
        with pytest.raises(BadSetting, match="group"):
            Subscription("a:1", group=group, workers_group=settings.group)
    assert Subscription("a:1", group="segue", workers_group="shop").group == "segue"


def test_options_of_the_client_become_text() -> None:
    options: Any = {"enable.ssl.certificate.verification": False, "socket.timeout.ms": 9}
    assert Subscription("a:1", kafka_options=options).client == {
        "enable.ssl.certificate.verification": "false",
        "socket.timeout.ms": "9",
        "bootstrap.servers": "a:1",
    }


def test_the_login_is_not_shown() -> None:
    assert "secret" not in repr(Subscription("a:1", kafka_options={"sasl.password": "secret"}))


def test_a_segment_is_found_by_its_name() -> None:
    assert segment_number("segment 2", a_release()) == 2


def test_an_unknown_name_is_answered_with_the_names() -> None:
    release = a_release()
    with pytest.raises(BadSetting) as caught:
        segment_number("loyal\x1b[31m", release)
    assert str(caught.value) == (
        f"setting segment is 'loyal\\\\x1b[31m': release {release.version} has no segment of this name; it"
        " has 0 segment 0, 1 segment 1, 2 segment 2, 3 segment 3"
    )
