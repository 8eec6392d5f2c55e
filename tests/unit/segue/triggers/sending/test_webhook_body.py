"""The body of a webhook: a CloudEvent or a template in a sandbox; and its signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from schemas.outputs.segment_change import Cause, UserErasedChange
from segue.triggers.file.trigger_file import BadTriggers, Trigger
from segue.triggers.sending.webhook_body import BadBody, Receiver
from tests.support.inputs.made_change import AT, a_change

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FILE = Path("triggers.toml")


def receiver(environment: dict[str, str] | None = None, **fields: Any) -> Receiver:
    trigger = Trigger(**{"name": "t", "on": "entering", "segment": 1, "url": "http://x", **fields})
    return Receiver(FILE, trigger, "/segue/eu.", environment or {})


def test_without_a_template_it_is_a_cloud_event_with_the_change() -> None:
    change = a_change()
    message = receiver().message(change)
    event = json.loads(message.body)
    assert message.webhook_id == f"{change.event_id}-t"
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": message.webhook_id,
        "source": "/segue/eu.",
        "type": "segue.trigger.entering",
        "subject": "7",
        "time": "2024-12-03T19:30:00Z",
    }
    assert event["data"]["trigger"] == "t"
    assert event["data"]["change"]["segment_name"] == "older men"
    assert receiver().headers(message, AT)["Content-Type"] == "application/cloudevents+json; charset=utf-8"


def test_of_an_erased_user_it_has_only_the_id() -> None:
    gone = UserErasedChange(
        event_id="e" * 32,
        user_id="7",
        sequence=3,
        occurred_at=AT,
        emitted_at=AT,
        cause=Cause(type="signup", topic="signups", positions={"signups": 3}),
    )
    message = receiver(on="erased", segment=None).message(gone)
    assert json.loads(message.body)["data"] == {"trigger": "t", "on": "erased", "user_id": "7"}


def test_the_library_verifies_the_signature_and_no_other_body() -> None:
    signed = receiver({"S": SECRET}, secret_env="S")
    message = signed.message(a_change(user_id="ñ"))
    headers = signed.headers(message, datetime.now(UTC))
    Webhook(SECRET).verify(message.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(message.body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(message.body, {**headers, "webhook-id": "another"})
    assert "webhook-signature" not in receiver().headers(message, AT)


def test_a_template_reads_the_change() -> None:
    body = (
        '{"text": {{ ("User " ~ user_id ~ " is in " ~ segment_name) | tojson }}, "age": {{ features.age }},'
        ' "key": {{ webhook_id | tojson }}}'
    )
    made = receiver(body=body, headers={"X-A": "b"})
    message = made.message(a_change(user_id='7"\n'))
    assert json.loads(message.body) == {
        "text": 'User 7"\n is in older men',
        "age": 31,
        "key": message.webhook_id,
    }
    headers = made.headers(message, AT)
    assert (headers["Content-Type"], headers["X-A"]) == ("application/json; charset=utf-8", "b")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"a": {{ nothing }}}', "the template fails for this change: 'nothing' is undefined"),
        ('{"a": "{{ segment_name }}"}', "the template gives no JSON for this change"),
        ("{{ ''.__class__.__mro__ }}", "the template fails for this change: access to attribute '__class__'"),
        (
            "{{ features.update({'a': 1}) }}",
            "the template fails for this change: access to attribute 'update'",
        ),
        ("{% for n in range(10000000) %}x{% endfor %}", "the template fails for this change: Range too big"),
        (
            "{{ 'x' * 10**10 }}",
            "the template fails for this change: a text or a list is longer than 1,000,000",
        ),
        ("{{ 'ñ' * 600000 }}", "the body has 1,200,000 bytes, more than 1,000,000"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(body: str, reason: str) -> None:
    made = receiver(body=body, headers={} if "JSON" in reason else {"Content-Type": "text/plain"})
    with pytest.raises(BadBody) as raised:
        made.message(a_change(segment_name='say "hi"'))
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"body": '{"a": {{ usr_id | tojson }}}'}, "'usr_id' is undefined (tried with a made-up one)"),
        ({"body": '{"a": "{{ segment_name }}"}'}, "the template gives no JSON for this change"),
        ({"body": "{{ segment_name | tojson }}", "on": "erased"}, "'segment_name' is undefined"),
        ({"body": "{{ previous_segment + 1 }}"}, "(tried with a made-up one of a new user: previous_segment"),
        ({"body": "{{ previous_segment + 1 }}", "on": "leaving"}, None),
        ({"body": "{{ user_id | tojson }}", "on": "erased"}, None),
        ({"body": "[{{ features.any_at_all }}, {{ similar_users[0].user_id | tojson }}]"}, None),
        ({"body": '{"at": {{ occurred_at | tojson }}, "c": {{ cause.type | tojson }}}'}, None),
        ({}, None),
    ],
)
def test_a_template_is_tried_with_a_made_up_change(fields: dict[str, Any], reason: str | None) -> None:
    made = receiver(**fields)
    if reason is None:
        made.try_out()
        return
    with pytest.raises(
        BadTriggers, match=r"^triggers.toml: trigger t, body is not usable: the templ"
    ) as raised:
        made.try_out()
    assert reason in str(raised.value)


def test_secrets_come_from_the_environment_and_stand_in_no_message() -> None:
    made = receiver({"U": "https://hooks.example.com/T0/secret"}, url=None, url_env="U")
    assert made.url == "https://hooks.example.com/T0/secret"
    assert (
        receiver({"A": "Bearer x"}, headers_env={"Authorization": "A"}).headers(made.message(a_change()), AT)[
            "Authorization"
        ]
        == "Bearer x"
    )
    for environment, fields, sentence in (
        (
            {},
            {"secret_env": "S"},
            "secret_env is not usable: the environment variable S is not set: export it",
        ),
        (
            {"S": "hunter2"},
            {"secret_env": "S"},
            "the variable S needs a secret whsec_… of Standard Webhooks, such as whsec_$(openssl rand",
        ),
        ({"S": "whsec_"}, {"secret_env": "S"}, "the variable S needs a secret whsec_…"),
        ({"S": "whsec_="}, {"secret_env": "S"}, "the variable S needs a secret whsec_…"),
        ({"S": "whsec_A"}, {"secret_env": "S"}, "the variable S needs a secret whsec_…"),
        # base64's other alphabet
        ({"S": SECRET.replace("9", "-")}, {"secret_env": "S"}, "the variable S needs a secret whsec_…"),
        ({"U": "hunter2"}, {"url": None, "url_env": "U"}, "the variable U: give an address such as"),
        ({"A": "hunter2\n"}, {"headers_env": {"A": "A"}}, "the variable A: give A a text of printable ASCII"),
        ({}, {"body": "{{ x"}, "body is not usable: the template is wrong: unexpected end of template"),
    ):
        with pytest.raises(BadTriggers) as raised:
            receiver(environment, **fields)
        assert sentence in str(raised.value)
        assert "hunter2" not in str(raised.value)
