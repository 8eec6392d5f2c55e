"""One random series of faults, and what must hold after it."""

from __future__ import annotations

import random
from collections import Counter

from schemas.outputs.wire import decode_change, encode_change
from segue.triggers import ledger
from segue.triggers.policy import Entry, Outcome, User, decide
from segue.triggers.trigger_file import Trigger, Triggers
from streamer.in_memory import MemoryKafka
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Record
from tests.campaigns.trigger_simulation.actors import GROUP, TOPICS, Actor, Crash, Received
from tests.campaigns.trigger_simulation.history import NOW, History

TRIGGERS = Triggers(
    (
        Trigger(name="often", on="entering", segment="At risk", url="http://x", reentry="always"),
        Trigger(name="once", on="leaving", segment=0, url="http://x", provisional=True),
        Trigger(name="share", on="moving", origin=1, target=2, url="http://x", reentry="always", holdout=0.5),
        Trigger(name="gone", on="erased", url="http://x"),
    ),
    max_per_day=4,
)
NAMES = [each.name for each in TRIGGERS.triggers]


def run_series(seed: int, changes: int = 60) -> Counter[str]:
    """Run one series and check it; return what happened how often.

    Args:
        seed: the same seed gives the same series.
        changes: how many changes the log gets.

    Raises:
        AssertionError: a promise is broken.
    """
    rng = random.Random(seed)
    kafka = MemoryKafka()
    for topic in (TOPICS.changes, TOPICS.users, TOPICS.trigger_ledger, TOPICS.trigger_dead_letters):
        kafka.create(topic, 1)
    history = History(rng, users=rng.randint(1, 6))
    received: list[Received] = []
    happened: Counter[str] = Counter()
    share = rng.choice([0.0, 0.05, 0.3])
    given_up: set[str] = set()
    actors = [Actor(kafka, TRIGGERS, received, given_up, rng) for _ in range(2)]
    written = 0
    while written < changes:
        actor = rng.choice(actors)
        actor.log.crashes = rng.choice([0.0, 0.0, 0.2])
        kind = rng.random()
        try:
            if kind < 0.3:
                change = history.next()
                kafka.append(TOPICS.changes, 0, change.user_id.encode(), encode_change(change))
                written += 1
            elif kind < 0.35:
                happened["taken over"] += 1
                actor.live = False
                actor.take_over()
            elif kind < 0.37:
                raise Crash
            elif actor.live and kind < 0.7:
                actor.post.answer(rng, share)
            elif actor.live:
                actor.lane.step(0.0)
        except Crash:
            happened["crashed"] += 1
            actors[actors.index(actor)] = Actor(kafka, TRIGGERS, received, given_up, rng)
        except InDoubt:
            happened["fenced"] += 1
            actor.live = False
    last = actors[0]
    last.log.crashes = 0.0
    last.take_over()
    place = last.lane.ledger.place
    assert place is not None
    while place.offset < written:
        last.lane.step(0.0)
        while last.post.answer(rng, share):
            pass
        last.lane.step(0.0)
        place = last.lane.ledger.place
        assert place is not None
    check(kafka, received, given_up, place)
    happened["webhooks"] += len(received)
    happened["repeats"] += len(received) - len(set(received))
    return happened


def check(kafka: MemoryKafka, received: list[Received], given_up: set[str], place: ledger.Place) -> None:
    """Check all promises against one plain pass over the log.

    Raises:
        AssertionError: a promise is broken.
    """
    log = kafka.topics[TOPICS.changes].partitions[0]
    words = kafka.topics[TOPICS.trigger_ledger].partitions[0]
    letters = kafka.topics[TOPICS.trigger_dead_letters].partitions[0]
    expected, users, entries, counts = one_pass(log)

    # Each change has one outcome of each trigger, and the counts add up.
    assert place.changes == len(log)
    assert place.group == GROUP
    found = {name: Counter(place.counts[name]) for name in NAMES}
    dead = {(r.key or b"").decode() for r in letters}
    for name in NAMES:
        assert found[name].total() == len(log), name
        kept = found[name]["sent"] + found[name]["dead_letter"]
        assert kept == counts[name]["send"], name
        for outcome, count in counts[name].items():
            assert outcome == "send" or found[name][outcome] == count, (name, outcome)

    # Nothing is lost or invented: what was to be sent was received, or is a dead letter.
    ids = {each.webhook_id for each in expected}
    assert {each.webhook_id for each in received} <= ids
    assert ids <= {each.webhook_id for each in received} | dead

    # A user's webhooks of one trigger come in the order of the changes, all repeats apart. A webhook that was
    # given up has lost its turn; it may be sent again after a crash.
    orders: dict[tuple[str, str], list[str]] = {}
    for each in dict.fromkeys(received):
        if each.webhook_id in given_up:
            continue
        orders.setdefault((each.trigger, each.user_id), []).append(each.webhook_id)
    for (name, user_id), order in orders.items():
        wanted = [e.webhook_id for e in expected if (e.trigger, e.user_id) == (name, user_id)]
        assert order == [each for each in wanted if each in order], (name, user_id)

    # The ledger says "sent" once for each change, and at its end what one pass says.
    said = [(r.key, ledger.read_entry(r.value).event_id) for r in words if r.value and _is_entry(r)]
    assert len(said) == len(set(said))
    newest = {r.key: r.value for r in words if r.key != ledger.PLACE_KEY}
    for user_id, user in users.items():
        value = newest.get(ledger.user_key(user_id))
        assert value == (None if user is None else ledger.encode(user)), user_id
        for name in NAMES:
            value, entry = newest.get(ledger.entry_key(name, user_id)), entries[user_id].get(name)
            assert (value is None) == (entry is None), (name, user_id)
            if value is not None and entry is not None:
                read = ledger.read_entry(value)
                assert (read.event_id, read.times) == (entry.event_id, entry.times)
                assert read.outcome in (entry.outcome, "dead_letter")

    # Nothing of an erased user stays, but for the webhook that tells of the erasure.
    known = {
        letter
        for key, value in newest.items()
        if value is not None and key is not None and not key.startswith(b"/")
        for letter in ledger.read_entry(value).dead_letters
    }
    for key, value in {r.key: r.value for r in letters}.items():
        name = (key or b"").decode()
        assert value is None or name.endswith("-gone") or name in known, name


def _is_entry(record: Record) -> bool:
    return record.key != ledger.PLACE_KEY and not (record.key or b"").startswith(b"/")


def one_pass(
    log: list[Record],
) -> tuple[list[Received], dict[str, User | None], dict[str, dict[str, Entry]], dict[str, Counter[str]]]:
    """Return the webhooks, users, entries and counts that one pass over the changes gives."""
    users: dict[str, User | None] = {}
    entries: dict[str, dict[str, Entry]] = {}
    expected: list[Received] = []
    counts: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for record in log:
        assert record.value is not None
        change = decode_change(record.value)
        decided = decide(
            TRIGGERS, change, users.get(change.user_id), entries.setdefault(change.user_id, {}), NOW
        )
        users[change.user_id] = decided.user
        entries[change.user_id] = (
            {} if decided.user is None else {**entries[change.user_id], **decided.entries}
        )
        for name, outcome in decided.outcomes.items():
            counts[name][str(outcome)] += 1
            if outcome == Outcome("send"):
                expected.append(Received(name, change.user_id, f"{change.event_id}-{name}"))
    return expected, users, entries, counts
