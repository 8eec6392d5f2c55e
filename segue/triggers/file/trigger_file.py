"""Reads the file of triggers, such as `triggers.toml`; every error names trigger, field, value and fix."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct

from schemas.errors import SegueError
from segue.triggers.file.trigger_values import (
    check_address,
    check_causes,
    check_concurrency,
    check_header_variables,
    check_headers,
    check_length,
    check_one_of,
    check_rate,
    check_reentry,
    check_segment,
    check_share,
    check_text,
    check_timeout,
    check_variable,
    check_whole,
    check_yes_or_no,
    check_zone,
    list_names,
    shorten,
)

_MOST_NEAR = 3
"""How many names of fields a message about a misspelled field has."""
On = Literal["entering", "leaving", "moving", "erased"]
SegmentName = int | str
"""A segment's id, or its name."""

BEHAVIOUR: frozenset[str] = frozenset({"signup", "order", "time"})
"""The causes that a trigger acts on by default: the user did something, or time passed."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOP = ("max_per_day", "time_zone", "triggers")
# Their values may be secrets or whole texts, so a message leaves them out.
_HIDDEN = frozenset({"url", "secret", "secret_env", "headers", "headers_env", "body", "url_env"})
_RULES = ("reentry", "cooldown", "max_age", "causes", "provisional", "holdout")


class BadTriggers(SegueError):
    """The file of triggers cannot be used."""

    exit_code = 2

    def __init__(self, file: Path, trigger: str | None, field: str | None, value: object, fix: str) -> None:
        where = f"trigger {trigger}, " if trigger else ""
        shown = "not usable" if field is None or field.partition(".")[0] in _HIDDEN else shorten(value)
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
    except UnicodeDecodeError:
        raise BadTriggers(file, None, None, None, "the file is not UTF-8: save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or such a nesting
        raise BadTriggers(file, None, None, None, f"the file is not TOML ({error})") from None
    top = _Fields(file, None, table)
    top.only(_TOP)
    most = top.take("max_per_day", check_whole, 0)
    zone = top.take("time_zone", check_zone, "UTC")
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
    on = fields.take("on", check_one_of(On), None)
    if on is None:
        raise BadTriggers(file, name, "on", None, f"it is missing: use {list_names(get_args(On))}")
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
    found = {field: fields.take(field, check_segment, None) for field in ("segment", "from", "to")}
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
    body = fields.take("body", check_text, None)
    body_file = fields.take("body_file", check_text, None)
    if body_file is not None:
        try:
            # Editors may begin a file with a byte order mark, which is no JSON.
            body = (file.parent / body_file).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise BadTriggers(
                file, name, "body_file", body_file, "the file is not UTF-8: save it as UTF-8"
            ) from None
        except (OSError, ValueError) as error:  # no system has a file with a NUL in its name
            why = (error.strerror if isinstance(error, OSError) else None) or error
            fix = f"the file cannot be read ({why}): name a file beside {file.name}"
            raise BadTriggers(file, name, "body_file", body_file, fix) from None
    headers = fields.take("headers", check_headers, {})
    headers_env = fields.take("headers_env", check_header_variables, {})
    for header, times in Counter(each.lower() for each in (*headers, *headers_env)).items():
        if times > 1:
            fix = f"{header} is given twice, perhaps by headers_env; the case does not count: leave one out"
            raise BadTriggers(file, name, "headers", None, fix)
    return {
        "url": fields.take("url", check_address, None),
        "url_env": fields.take("url_env", check_variable, None),
        "secret_env": fields.take("secret_env", check_variable, None),
        "headers": headers,
        "headers_env": headers_env,
        "body": body,
    }


class _Fields:
    """The fields of one table of the file."""

    def __init__(self, file: Path, trigger: str | None, table: Mapping[str, object]) -> None:
        self.file, self.trigger, self.table = file, trigger, table

    def only(self, known: tuple[str, ...]) -> None:
        """Refuse a field with another name."""
        for field in self.table:
            if field not in known:
                near = get_close_matches(field, known, _MOST_NEAR)
                fix = f"did you mean {list_names(near)}?" if near else "docs/triggers.md lists the fields"
                fix = f"there is no such field, {fix}"
                # Without the value, which may be a misspelled secret's.
                raise BadTriggers(self.file, self.trigger, None, None, f"{shorten(field)}: {fix}")

    def take(self, field: str, check: Callable[[Any], Any], default: Any) -> Any:
        """Return a field's checked value; the default if the field is missing."""
        if field not in self.table:
            return default
        value = self.table[field]
        try:
            return check(value)
        except ValueError as error:
            raise BadTriggers(self.file, self.trigger, field, value, str(error)) from None


_CHECKS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "reentry": (check_reentry, "never"),
    "cooldown": (check_length, None),
    "max_age": (check_length, timedelta(days=2)),
    "causes": (check_causes, BEHAVIOUR),
    "provisional": (check_yes_or_no, False),
    "holdout": (check_share, 0.0),
    "rate": (check_rate, 10.0),
    "concurrency": (check_concurrency, 4),
    "timeout": (check_timeout, timedelta(seconds=30)),
    "give_up_after": (check_length, timedelta(hours=4)),
}
_FIELDS = (
    *("on", "segment", "from", "to", "url", "url_env", "secret_env", "headers", "headers_env"),
    *("body", "body_file", *_CHECKS),
)
