"""What a trigger sends: the body of a webhook, its headers and its signature.

Sources: CloudEvents 1.0.2, its HTTP protocol binding 1.0.2, section 3.2 (structured content mode); Standard
Webhooks (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from jinja2 import Template, TemplateError
from msgspec import Struct
from msgspec.structs import replace
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from schemas import times
from schemas.outputs.segment_change import Change, SegmentChange
from segue.triggers.file.trigger_file import BadTriggers, Trigger
from segue.triggers.file.trigger_values import check_header, check_url
from segue.triggers.sending.bounded_templates import BoundedTemplates, render
from segue.triggers.sending.made_up_change import AnyFeatures, made_up_change
from segue.triggers.webhook_post import webhook_id

MAX_BODY_BYTES = 1_000_000
_CLOUD_EVENT = "application/cloudevents+json"
_JSON = "application/json"
# The library passes over every other character, so that a receiver with a stricter one has another key.
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]+={0,2}")
_TEMPLATES = BoundedTemplates()


class BadBody(Exception):
    """A template gives no usable body for a change; the webhook becomes a dead letter."""


class Message(Struct, frozen=True):
    """A webhook, without its signature."""

    webhook_id: str
    body: bytes


class Receiver:
    """Where a trigger's webhooks go, with its secrets. They stand in no message.

    Args:
        file: the file of triggers, for messages.
        trigger: the trigger.
        source: the CloudEvents attribute ``source``: ``/segue/`` and the topics' prefix.
        environment: the environment variables.

    Raises:
        BadTriggers: a variable is missing or cannot be used, or the template is wrong.
    """

    def __init__(
        self, file: Path, trigger: Trigger, source: str, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._file, self._environment = file, environment
        self.trigger = trigger
        self._source = source
        self.url = trigger.url or self._url()
        self._signer = self._signature()
        headers = {**trigger.headers, **self._secret_headers()}
        kind = _JSON if trigger.body is not None else _CLOUD_EVENT
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = f"{kind}; charset=utf-8"
        self._headers = headers
        self._is_json = any(n.lower() == "content-type" and "json" in v.lower() for n, v in headers.items())
        try:
            self._template = None if trigger.body is None else _TEMPLATES.template(trigger.body)
        except TemplateError as error:
            raise self._bad("body", f"the template is wrong: {_one_line(error)}") from None

    def message(self, change: Change) -> Message:
        """Make the webhook of a change.

        Raises:
            BadBody: the template gives no usable body.
        """
        name = webhook_id(self.trigger.name, change)
        if self._template is None:
            return Message(name, self._cloud_event(name, change))
        return Message(name, self._filled(self._template, self._words(name, change)))

    def try_out(self) -> None:
        """Make the webhook of a made-up change, and of a user's first change if such a user can enter.

        Raises:
            BadTriggers: the template gives no usable body.
        """
        if self._template is None:
            return
        change = made_up_change(erased=self.trigger.on == "erased")
        self._try_out(self._template, change, "a made-up one")
        if self.trigger.on == "entering" and isinstance(change, SegmentChange):
            first = replace(change, sequence=1, previous_segment=None)
            self._try_out(self._template, first, "a made-up one of a new user: previous_segment is null")

    def _try_out(self, template: Template, change: Change, with_what: str) -> None:
        words = self._words(webhook_id(self.trigger.name, change), change)
        if "features" in words:
            words["features"] = AnyFeatures()
        try:
            self._filled(template, words)
        except BadBody as error:
            raise self._bad("body", f"{error} (tried with {with_what})") from None

    def _filled(self, template: Template, words: Mapping[str, object]) -> bytes:
        try:
            text = render(template, words)
        except Exception as error:  # noqa: BLE001 - a template can raise anything
            raise BadBody(f"the template fails for this change: {_one_line(error)}") from None
        body = text.encode(errors="replace")
        if len(body) > MAX_BODY_BYTES:
            raise BadBody(f"the body has {len(body):,} bytes, more than {MAX_BODY_BYTES:,}")
        if self._is_json:
            try:
                msgspec.json.decode(body)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise BadBody(
                    f"the template gives no JSON for this change ({_one_line(error)}): write values as"
                    " {{ name | tojson }}"
                ) from None
        return body

    def headers(self, message: Message, now: datetime) -> dict[str, str]:
        """Return the headers of one request; the signature holds the present time."""
        headers = {**self._headers, "webhook-id": message.webhook_id}
        if self._signer is not None:
            headers["webhook-timestamp"] = str(int(now.timestamp()))
            headers["webhook-signature"] = self._signer.sign(message.webhook_id, now, message.body.decode())
        return headers

    def _cloud_event(self, name: str, change: Change) -> bytes:
        data: dict[str, object] = {"trigger": self.trigger.name, "on": self.trigger.on}
        # Of an erased user, only what identifies the user.
        data |= {"user_id": change.user_id}
        if isinstance(change, SegmentChange):
            data |= {"change": change}
        event = {
            "specversion": "1.0",
            "id": name,
            "source": self._source,
            "type": f"segue.trigger.{self.trigger.on}",
            "subject": change.user_id,
            "time": times.text(change.occurred_at),
            "datacontenttype": _JSON,
            "data": data,
        }
        return msgspec.json.encode(event)

    def _words(self, name: str, change: Change) -> dict[str, object]:
        """Return the names that a template may use."""
        own = {"trigger": self.trigger.name, "on": self.trigger.on, "webhook_id": name}
        if isinstance(change, SegmentChange):
            # Times as text, and no object that has methods.
            fields: dict[str, object] = msgspec.json.decode(msgspec.json.encode(change))
            return {**fields, **own}
        return {"user_id": change.user_id, "occurred_at": times.text(change.occurred_at), **own}

    def _url(self) -> str:
        assert self.trigger.url_env is not None
        try:
            return check_url(self._variable("url_env", self.trigger.url_env))
        except ValueError as error:
            raise self._bad("url_env", f"the variable {self.trigger.url_env}: {error}") from None

    def _secret_headers(self) -> dict[str, str]:
        found = {}
        for name, variable in self.trigger.headers_env.items():
            found[name] = self._variable("headers_env", variable)
            try:
                check_header(name, found[name])
            except ValueError as error:
                raise self._bad("headers_env", f"the variable {variable}: {error}") from None
        return found

    def _signature(self) -> Webhook | None:
        variable = self.trigger.secret_env
        if variable is None:
            return None
        secret = self._variable("secret_env", variable)
        try:
            if _SECRET.fullmatch(secret):
                return Webhook(secret)
        except (ValueError, EmptyWebhookSecretError):  # base64 of no byte
            pass
        fix = (
            f"the variable {variable} needs a secret whsec_… of Standard Webhooks, such as"
            " whsec_$(openssl rand -base64 24)"
        )
        raise self._bad("secret_env", fix)

    def _variable(self, field: str, name: str) -> str:
        value = self._environment.get(name)
        if not value:
            raise self._bad(field, f"the environment variable {name} is not set: export it")
        return value

    def _bad(self, field: str, fix: str) -> BadTriggers:
        return BadTriggers(self._file, self.trigger.name, field, None, fix)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
