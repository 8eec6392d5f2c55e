"""Reads the file of triggers, such as `triggers.toml`; every error names trigger, field, value and fix."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from schemas.errors import SegueError
from schemas.outputs.segment_change import CauseType
from schemas.times import parse_length

On = Literal["entering", "leaving", "moving", "erased"]
SegmentName = int | str
"""A segment's id, or its name."""

BEHAVIOUR: frozenset[str] = frozenset({"signup", "order", "time"})
"""The causes that a trigger acts on by default: the user did something, or time passed."""
_CAUSES = frozenset({*get_args(CauseType), "time"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SHOWN = 80
_TOP = ("max_per_day", "time_zone", "triggers")
# Their values may be secrets or whole texts, so a message leaves them out.
_HIDDEN = frozenset({"url", "secret", "secret_env", "headers", "headers_env", "body", "url_env"})
_RULES = ("reentry", "cooldown", "max_age", "causes", "provisional", "holdout")


class BadTriggers(SegueError):
    """The file of triggers cannot be used."""

    exit_code = 2

    def __init__(self, file: Path, trigger: str | None, field: str | None, value: object, fix: str) -> None:
        where = f"trigger {trigger}, " if trigger else ""
        shown = "not usable" if field is None or field.partition(".")[0] in _HIDDEN else _short(value)
        what = f"{field} is {shown}: " if field else ""
        super().__init__(f"{file}: {where}{what}{fix}")
        self.file, self.trigger, self.field, self.fix = file, trigger, field, fix


class Trigger(Struct, frozen=True, kw_only=True):
    """One trigger.

    Attributes:
        name: its name, a part of the webhooks' ids.
        on: what it acts on.
        segment: the segment to enter or to leave; None for other triggers.
        origin: for ``moving``, the segment to come from (``from`` in the file).
        target: for ``moving``, the segment to go to (``to`` in the file).
        url: where the webhooks go; None if ``url_env`` names it.
        url_env: the environment variable with the address.
        secret_env: the environment variable with the secret that signs the webhooks; None: unsigned.
        headers: more headers.
        headers_env: more headers, by name the environment variable with the value.
        body: a Jinja2 template of the body; None for a CloudEvent with the change.
        reentry: whether a user gets the webhook again: never, always, or after this time.
        cooldown: this time must pass since the user's last webhook of any trigger; None: no time.
        max_age: a change that is older, or whose cause is, is skipped.
        causes: the causes of changes that count.
        provisional: whether provisional segments count too.
        holdout: the share of the users who never get the webhook, 0 to 1.
        rate: the most requests in a second.
        concurrency: the most requests at once.
        timeout: how long a request may take until its answer has come.
        give_up_after: a webhook that still fails after this time becomes a dead letter.
    """

    name: str
    on: On
    segment: SegmentName | None = None
    origin: SegmentName | None = None
    target: SegmentName | None = None
    url: str | None = None
    url_env: str | None = None
    secret_env: str | None = None
    headers: Mapping[str, str] = {}
    headers_env: Mapping[str, str] = {}
    body: str | None = None
    reentry: Literal["never", "always"] | timedelta = "never"
    cooldown: timedelta | None = None
    max_age: timedelta = timedelta(days=2)
    causes: frozenset[str] = BEHAVIOUR
    provisional: bool = False
    holdout: float = 0.0
    rate: float = 10.0
    concurrency: int = 4
    timeout: timedelta = timedelta(seconds=30)
    give_up_after: timedelta = timedelta(hours=4)


class Triggers(Struct, frozen=True):
    """A whole file of triggers.

    Attributes:
        triggers: in the order of the file.
        max_per_day: the most webhooks that a user gets in a day from all triggers; None: no limit.
        time_zone: the zone whose midnight begins a day.
        segments: the names of the current release's segments, by id; they are not in the file. A user's first
            change names the segment that the user comes from by its id alone.
    """

    triggers: tuple[Trigger, ...]
    max_per_day: int | None = None
    time_zone: str = "UTC"
    segments: Mapping[int, str] = {}


def load_triggers(file: Path) -> Triggers:
    """Read and check a file of triggers.

    Raises:
        BadTriggers: the file cannot be read, or a field is wrong.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadTriggers(file, None, None, None, f"the file cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTriggers(file, None, None, None, f"the file is not TOML ({error})") from None
    top = _Fields(file, None, table)
    top.only(_TOP)
    most = top.take("max_per_day", _whole, 0)
    zone = top.take("time_zone", _zone, "UTC")
    triggers = table.get("triggers")
    if not isinstance(triggers, dict) or not triggers:
        raise BadTriggers(file, None, None, None, "it declares no trigger: begin with [triggers.win_back]")
    return Triggers(tuple(_trigger(file, name, each) for name, each in triggers.items()), most or None, zone)


def _trigger(file: Path, name: str, table: object) -> Trigger:
    if not _NAME.fullmatch(name):
        fix = "a trigger's name takes letters, digits, _ and -, at most 64"
        raise BadTriggers(file, None, "the name", name, fix)
    if not isinstance(table, dict):
        raise BadTriggers(file, name, None, table, f"write a table, [triggers.{name}]")
    fields = _Fields(file, name, table)
    if "secret" in table:
        fix = "put the secret into an environment variable, and name the variable by secret_env"
        raise BadTriggers(file, name, "secret", None, fix)
    fields.only(_FIELDS)
    on = fields.take("on", _one_of(On), None)
    if on is None:
        raise BadTriggers(file, name, "on", None, f"it is missing: use {_listed(get_args(On))}")
    given: dict[str, Any] = {"name": name, "on": on, **_segments(fields, on), **_request(fields)}
    if on == "erased":
        for rule in _RULES:
            if rule in table:
                fix = f"leave it out: a trigger on erased tells of every erasure, without {rule}"
                raise BadTriggers(file, name, rule, table[rule], fix)
    for field, (check, default) in _CHECKS.items():
        given[field] = fields.take(field, check, default)
    return Trigger(**given)


def _segments(fields: _Fields, on: On) -> dict[str, SegmentName | None]:
    wanted = {"entering": ("segment",), "leaving": ("segment",), "moving": ("from", "to"), "erased": ()}[on]
    for field in ("segment", "from", "to"):
        if field in fields.table and field not in wanted:
            fix = f"leave it out: on = {on!r} {'has ' + ' and '.join(wanted) if wanted else 'has no segment'}"
            raise BadTriggers(fields.file, fields.trigger, field, fields.table[field], fix)
        if field in wanted and field not in fields.table:
            fix = "it is missing: give a segment's id or name, as `segue releases` shows them"
            raise BadTriggers(fields.file, fields.trigger, field, None, fix)
    found = {field: fields.take(field, _segment, None) for field in ("segment", "from", "to")}
    if on == "moving" and found["from"] == found["to"]:
        raise BadTriggers(
            fields.file, fields.trigger, "to", found["to"], "it equals from: name another segment"
        )
    return {"segment": found["segment"], "origin": found["from"], "target": found["to"]}


def _request(fields: _Fields) -> dict[str, Any]:
    file, name, table = fields.file, fields.trigger, fields.table
    if ("url" in table) == ("url_env" in table):
        fix = "give either url, an address with https:// or http://, or url_env, the variable that has it"
        raise BadTriggers(file, name, "url", None, fix)
    if "body" in table and "body_file" in table:
        raise BadTriggers(file, name, "body_file", table["body_file"], "there is body already: leave one out")
    body = fields.take("body", _text, None)
    body_file = fields.take("body_file", _text, None)
    if body_file is not None:
        try:
            body = (file.parent / body_file).read_text(encoding="utf-8")
        except OSError as error:
            fix = f"the file cannot be read ({error.strerror}): name a file beside {file.name}"
            raise BadTriggers(file, name, "body_file", body_file, fix) from None
        except UnicodeDecodeError:
            raise BadTriggers(file, name, "body_file", body_file, "the file is not UTF-8") from None
    return {
        "url": fields.take("url", _url, None),
        "url_env": fields.take("url_env", _variable, None),
        "secret_env": fields.take("secret_env", _variable, None),
        "headers": fields.take("headers", _headers, {}),
        "headers_env": fields.take("headers_env", _header_variables, {}),
        "body": body,
    }


class _Fields:
    """The fields of one table of the file."""

    def __init__(self, file: Path, trigger: str | None, table: Mapping[str, object]) -> None:
        self.file, self.trigger, self.table = file, trigger, table

    def only(self, known: tuple[str, ...]) -> None:
        """Refuse a field with another name."""
        for field, value in self.table.items():
            if field not in known:
                near = get_close_matches(field, known, 1)
                fix = f"there is no such field, {f'did you mean {near[0]}?' if near else f'use {_listed(known)}'}"
                # The value of a misspelled secret must not be shown either.
                del value
                raise BadTriggers(self.file, self.trigger, None, None, f"{_short(field)}: {fix}")

    def take(self, field: str, check: Callable[[Any], Any], default: Any) -> Any:
        """Return a field's checked value; the default if the field is missing."""
        if field not in self.table:
            return default
        value = self.table[field]
        try:
            return check(value)
        except ValueError as error:
            raise BadTriggers(self.file, self.trigger, field, value, str(error)) from None


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("give a whole number of at least 1")
    return value


def _zone(value: object) -> str:
    try:
        return ZoneInfo(_text(value)).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("give a time zone such as Europe/Madrid or UTC") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("give text, in quotes")
    return value


def _segment(value: object) -> SegmentName:
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError("give a segment's id (a whole number) or its name (text)")
    if isinstance(value, int) and value < 0:
        raise ValueError("a segment's id is at least 0")
    return value


def _url(value: object) -> str:
    return check_url(_text(value))


def check_url(text: str) -> str:
    """Return the address of a receiver.

    Raises:
        ValueError: the text is no address of HTTP.
    """
    example = "give an address such as https://crm.example.com/hooks"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(example) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(example)
    if not text.isprintable() or " " in text:
        raise ValueError(example)
    if "@" in parts.netloc:
        raise ValueError("leave the login out of the address: give the header Authorization by headers_env")
    return text


def _variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value) or value.upper().startswith("SEGUE_"):
        raise ValueError("give the name of an environment variable, such as WIN_BACK_SECRET, not its value")
    return value


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('give a table of texts, such as { X-Source = "segue" }')  # noqa: TRY004 - see take
    for name, text in value.items():
        check_header(name, text)
    return dict(value)


def _header_variables(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('give a table such as { Authorization = "CRM_AUTHORIZATION" }')  # noqa: TRY004
    for name, variable in value.items():
        check_header(name, "")
        _variable(variable)
    return dict(value)


def check_header(name: str, text: object) -> None:
    """Check a header of the request.

    Raises:
        ValueError: HTTP takes no such header, or Segue sets it by itself.
    """
    if not _HEADER.fullmatch(name):
        raise ValueError("a header's name takes letters, digits and -")
    if name.lower() in ("webhook-id", "webhook-timestamp", "webhook-signature", "content-length", "host"):
        raise ValueError(f"leave {name} out: Segue sets it by itself")
    if not isinstance(text, str) or not text.isascii() or (text and not text.isprintable()):
        raise ValueError(f"give {name} a text of printable ASCII")


def _reentry(value: object) -> str | timedelta:
    if value in ("never", "always"):
        return str(value)
    try:
        return _length(value)
    except ValueError:
        raise ValueError('use "never", "always" or a time to wait, such as "30d"') from None


def _length(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError('give a length of time, such as "90m" or "7d"')  # noqa: TRY004
    length = parse_length(value)
    if not length:
        raise ValueError("give more than 0")
    return length


def _timeout(value: object) -> timedelta:
    length = _length(value)
    if length > timedelta(minutes=5):
        raise ValueError("give at most 5m")
    return length


def _causes(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise ValueError(f"give a list of {_listed(sorted(_CAUSES))}")
    if unknown := [each for each in value if each not in _CAUSES]:
        raise ValueError(f"{_short(unknown[0])} is no cause: use {_listed(sorted(_CAUSES))}")
    return frozenset(value)


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("give true or false")  # noqa: TRY004
    return value


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError("give a share from 0 up to, but below, 1, such as 0.1")
    return float(value)


def _rate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100_000:
        raise ValueError("give requests a second, above 0 and at most 100000")
    return float(value)


def _concurrency(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 256:
        raise ValueError("give a whole number from 1 to 256")
    return value


def _one_of(literal: object) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in get_args(literal):
            raise ValueError(f"use {_listed(get_args(literal))}")
        return str(value)

    return check


_CHECKS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "reentry": (_reentry, "never"),
    "cooldown": (_length, None),
    "max_age": (_length, timedelta(days=2)),
    "causes": (_causes, BEHAVIOUR),
    "provisional": (_yes_or_no, False),
    "holdout": (_share, 0.0),
    "rate": (_rate, 10.0),
    "concurrency": (_concurrency, 4),
    "timeout": (_timeout, timedelta(seconds=30)),
    "give_up_after": (_length, timedelta(hours=4)),
}
_FIELDS = (
    *("on", "segment", "from", "to", "url", "url_env", "secret_env", "headers", "headers_env"),
    *("body", "body_file", *_CHECKS),
)


def _listed(names: Any) -> str:
    *firsts, last = names
    return f"{', '.join(firsts)} or {last}" if firsts else str(last)


def _short(value: object) -> str:
    if value is None:
        return "not given"
    text = repr(value)  # also escapes what is not printable
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
