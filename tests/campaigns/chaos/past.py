"""The facts in a shop's warehouse from before Kafka; `segue bootstrap` reads them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from schemas.input_events import Event, Order, Signup
from tests.campaigns.chaos.commands import run_command
from tests.campaigns.chaos.customers import a_signup, an_order
from tests.campaigns.chaos.gremlin import Say
from tests.support.checks.read_records import read_topic, value_of
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.deployment import Deployment

_BEGIN = datetime(2023, 11, 1, tzinfo=UTC)
_MINUTES = 60 * 24 * 60
_SIGNED_UP, _MOST_ORDERS = 0.8, 4
_MARGIN_S = 1.0
_BOOTSTRAP_KEY = b"bootstrap"

At = tuple[str, int]
"""A topic and a partition."""


@dataclass(frozen=True, slots=True)
class Past:
    """The facts before the log.

    Attributes:
        facts: all facts in the warehouse, by user.
        warehouse: the folder of the warehouse; None without a bootstrap.
        since: the first offset that the lanes read.
    """

    facts: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    warehouse: Path | None = None
    since: Mapping[At, int] = field(default_factory=dict)

    def of(self, user_id: str) -> Sequence[Event]:
        return self.facts.get(user_id, ())


def past_facts(random: Random, users: int) -> list[Signup | Order]:
    """Return a signup and some orders of each user; some users lack one of both.

    Each order comes once, in its present version.
    """
    facts: list[Signup | Order] = []
    for number in range(users):
        user_id = str(number)
        if random.random() < _SIGNED_UP:
            facts.append(a_signup(user_id, _moment(random), random))
        orders = {
            one.order_id: one
            for one in (an_order(user_id, _moment(random), random) for _ in range(_MOST_ORDERS))
        }
        facts += random.sample([*orders.values()], random.randint(0, len(orders)))
    return facts


def _moment(random: Random) -> datetime:
    return _BEGIN + timedelta(minutes=random.randrange(_MINUTES))


def write_warehouse(facts: Iterable[Signup | Order], folder: Path) -> Path:
    """Write the facts as a shop's tables in CSV; return the folder."""
    shop = Shop()
    for fact in facts:
        at = f"{fact.created_at:%Y-%m-%d %H:%M:%S}"
        if isinstance(fact, Signup):
            profile = (_text(fact.age), fact.gender, fact.country, fact.traffic_source)
            names = ("age", "gender", "country", "traffic_source")
            shop.user(fact.user_id, at, **dict(zip(names, profile, strict=True)))
            continue
        shop.order(fact.order_id, fact.user_id, (), at, fact.status)
        for item in fact.items:
            of = f"{item.brand or ''}/{item.category or ''}"
            shop.item(fact.order_id, of, sale_price=_text(item.price), quantity=_text(item.quantity))
    return write_csv(shop, folder)


def _text(value: float | None) -> str | None:
    return None if value is None else str(value)


def bootstrapped(
    deployment: Deployment, facts: Sequence[Signup | Order], folder: Path, random: Random, say: Say
) -> Past:
    """Bootstrap from a warehouse; the command may be killed, and then runs again."""
    warehouse = write_warehouse(facts, folder)
    time.sleep(2 * _MARGIN_S)  # earlier events then lie before the margin
    as_of = datetime.now(UTC).isoformat()
    options = ("--warehouse", warehouse, "--as-of", as_of, "--margin", f"{_MARGIN_S:.0f}s")
    ended = run_command(deployment, "bootstrap", *options, kill=random)
    if ended.code is None:
        say("the bootstrap was killed")
        ended = run_command(deployment, "bootstrap", *options)
    # A bootstrap that was killed at the last moment had already finished.
    assert ended.code == 0 or "has a place in Redis already" in ended.told, ended
    of_user: dict[str, list[Event]] = defaultdict(list)
    for fact in facts:
        of_user[fact.user_id].append(fact)
    return Past(of_user, warehouse, _continued_at(deployment))


def _continued_at(deployment: Deployment) -> dict[At, int]:
    """Return the offsets in the newest record of a bootstrap."""
    (*_, newest) = [
        json.loads(value_of(message))
        for message in read_topic(deployment.bootstrap, deployment.topics.models)
        if message.key() == _BOOTSTRAP_KEY
    ]
    return {
        (topic, int(lane)): offset
        for lane, of_lane in newest["places"].items()
        for topic, offset in of_lane.items()
    }
