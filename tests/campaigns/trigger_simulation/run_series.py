"""One random series of faults, and what must hold after it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from schemas.errors import Unreachable
from schemas.outputs.segment_change import Change, SegmentChange
from schemas.outputs.wire import decode_change
from segue.triggers import ledger_records as ledger
from segue.triggers.file.trigger_file import Trigger, Triggers
from segue.triggers.firm_segment import after, first_met
from segue.triggers.policy import Entry, Outcome, User, decide
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Record
from tests.campaigns.trigger_simulation.actors import GROUP, TOPICS, Actor, Crash, Received, Shop

TRIGGERS = Triggers(
    (
        Trigger(
            name="often",
            on="entering",
            segment="At risk",
            url="http://x",
            reentry="always",
            cooldown=timedelta(hours=1),
        ),
        Trigger(
            name="once",
            on="leaving",
            segment=0,
            url="http://x",
            provisional=True,
            max_age=timedelta(hours=1),
        ),
        Trigger(name="again", on="entering", segment=2, url="http://x", reentry=timedelta(hours=2)),
        Trigger(name="share", on="moving", origin=1, target=2, url="http://x", reentry="always", holdout=0.5),
        Trigger(name="gone", on="erased", url="http://x"),
    ),
    max_per_day=4,
)
NAMES = [each.name for each in TRIGGERS.triggers]
OF_LANE = (ledger.PLACE_KEY, ledger.DECIDING_KEY)


def run_series(seed: int, changes: int = 60) -> Counter[str]:
    """Run one series and check it; return what happened how often.

    Args:
        seed: the same seed gives the same series.
        changes: how many changes the log gets.

    Raises:
        AssertionError: a promise is broken.
    """
    rng = random.Random(seed)
    shop = Shop(rng)
    from_beginning = rng.random() < 0.5
    received: list[Received] = []
    happened: Counter[str] = Counter()
    share, befalls = rng.choice([0.0, 0.05, 0.3]), rng.choice([0.0, 0.05, 0.2])
    given_up: set[str] = set()

    def new_actor() -> Actor:
        return Actor(shop, TRIGGERS, received, given_up, rng, from_beginning=from_beginning)

    actors = [new_actor(), new_actor()]
    while shop.written < changes:
        shop.pass_time()
        actor = rng.choice(actors)
        actor.fails(rng.choice([0.0, 0.0, 0.2]))
        shop.compact()
        if rng.random() < befalls:
            happened[shop.befall_copy()] += 1
        try:
            if rng.random() < 0.3:
                shop.write()
            else:
                happened += _turn(actor, rng, share)
        except Crash:
            happened["crashed"] += 1
            actors[actors.index(actor)] = new_actor()
        except (InDoubt, Unreachable):
            happened["in doubt"] += 1
            actor.live = False
    last = actors[0]
    last.fails(0.0)
    last.take_over()
    place = last.lane.place
    assert place is not None
    while place.offset < shop.written:
        last.lane.step(0.0)
        while last.post.answer(rng, share):
            pass
        last.lane.step(0.0)
        place = last.lane.place
        assert place is not None
    check(shop, received, given_up, place)
    happened["webhooks"] += len(received)
    happened["repeats"] += len(received) - len(set(received))
    return happened


def _turn(actor: Actor, rng: random.Random, share: float) -> Counter[str]:
    """Let a process take over, die, get an answer or take a step; return what happened."""
    kind = rng.random()
    if kind < 0.07:
        actor.live = False
        actor.take_over()
        return Counter(["taken over"])
    if kind < 0.1:
        raise Crash
    if actor.live and kind < 0.57:
        actor.post.answer(rng, share)
    elif actor.live:
        actor.lane.step(0.0)
    return Counter()


def check(shop: Shop, received: list[Received], given_up: set[str], place: ledger.Place) -> None:
    """Check all promises against one plain pass over the log, with the times of the committed decisions.

    Raises:
        AssertionError: a promise is broken.
    """
    log, words, letters = (
        shop.kafka.topics[topic].partitions[0]
        for topic in (TOPICS.changes, TOPICS.trigger_ledger, TOPICS.trigger_dead_letters)
    )
    first = next(ledger.read_place(r.value) for r in words if r.key == ledger.PLACE_KEY and r.value)
    log, before = log[first.offset :], log[: first.offset]
    users = baseline(before, shop.states_end)
    expected, entries, counts = one_pass(log, users, shop.decided_at)

    # Each change has one outcome of each trigger, and the counts add up.
    assert place.changes == len(log)
    assert place.group == GROUP
    found = {name: Counter(place.counts.get(name, {})) for name in NAMES}
    dead = {(r.key or b"").decode() for r in letters}
    for name in NAMES:
        assert found[name].total() == len(log), name
        mine = {each.webhook_id for each in expected if each.trigger == name} & dead
        assert found[name]["dead_letter"] == len(mine), name
        assert found[name]["sent"] == counts[name]["send"] - len(mine), name
        for outcome, count in counts[name].items():
            assert outcome == "send" or found[name][outcome] == count, (name, outcome)

    # Nothing is lost or invented: what was to be sent was received, or is a dead letter.
    ids = {each.webhook_id for each in expected}
    assert dead <= ids & given_up
    # A dead letter without a record of its own was erased in the transaction that it belonged to.
    written = {(r.key or b"").decode() for r in letters if r.value is not None}
    erased = {c.user_id for c in map(_change, log) if not isinstance(c, SegmentChange)}
    assert {each.user_id for each in expected if each.webhook_id in dead - written} <= erased
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
    newest = {r.key: r.value for r in words if r.key not in OF_LANE}
    for user_id, user in users.items():
        value = newest.get(ledger.user_key(user_id))
        assert value == (None if user is None else ledger.encode(user)), user_id
        for name in NAMES:
            value, entry = newest.get(ledger.entry_key(name, user_id)), entries[user_id].get(name)
            assert (value is None) == (entry is None), (name, user_id)
            if value is not None and entry is not None:
                read = ledger.read_entry(value)
                assert (read.event_id, read.at, read.times) == (entry.event_id, entry.at, entry.times)
                assert read.outcome in (entry.outcome, "dead_letter")

    # The copy is the ledger.
    ledger_holds = {r.key: r.value for r in words if r.key is not None}
    assert shop.copy.held.values == {key: value for key, value in ledger_holds.items() if value is not None}

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
    return record.key not in OF_LANE and not (record.key or b"").startswith(b"/")


def _change(record: Record) -> Change:
    return decode_change(record.value or b"")


def baseline(before: list[Record], states_end: int) -> dict[str, User | None]:
    """Return where users are before the first change that counts.

    Args:
        before: the changes before it.
        states_end: how many of them were in the users' states when these were read.
    """
    users: dict[str, User | None] = {}
    for number, record in enumerate(before):
        change = _change(record)
        user = users.get(change.user_id)
        known = None if user is None or number < states_end else user.where
        users[change.user_id] = (
            User(after(known or first_met(change), change)) if isinstance(change, SegmentChange) else None
        )
    return users


def one_pass(
    log: list[Record], users: dict[str, User | None], decided_at: Mapping[int, datetime]
) -> tuple[list[Received], dict[str, dict[str, Entry]], dict[str, Counter[str]]]:
    """Return the webhooks, entries and counts that one pass over the changes gives.

    Args:
        log: the changes.
        users: where users are before; afterwards, what the ledger must have of them.
        decided_at: by offset, the time to decide a change with.
    """
    entries: dict[str, dict[str, Entry]] = {user_id: {} for user_id in users}
    expected: list[Received] = []
    counts: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for record in log:
        change = _change(record)
        user_id, at = change.user_id, decided_at[record.offset]
        known = entries.setdefault(user_id, {})
        decided = decide(TRIGGERS, change, users.get(user_id), known, at)
        users[user_id] = decided.user
        entries[user_id] = {} if decided.user is None else {**known, **decided.entries}
        for name, outcome in decided.outcomes.items():
            counts[name][str(outcome)] += 1
            if outcome == Outcome("send"):
                expected.append(Received(name, user_id, f"{change.event_id}-{name}"))
    return expected, entries, counts
