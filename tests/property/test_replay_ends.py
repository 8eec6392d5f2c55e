"""Whatever happened, a replay ends where the workers left each user, and Redis holds the folded log."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.features import FEATURES
from schemas.input_events import Event, Order, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import partition_of
from schemas.release.model_release import ModelRelease
from streamer.in_memory import MemoryRedis
from streamer.interfaces.lane_interfaces import Record
from streamer.refill.bootstrap_lanes import Fact
from tests.support.inputs.laws import examples
from tests.support.strategies.events import START, erasures, orders, signups
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.lane_world import World, drain
from tests.support.worlds.made_up_release import CENTRES, TIMED, a_release, an_active_model, timed
from tests.support.worlds.rebuilds import committed_in, rebuilt
from tests.support.worlds.refolding import a_lane_log, a_past, differing, position_of
from tests.support.worlds.replays import replayed

USERS = ("7", "21", "España")
RELEASES = (
    a_release(),
    a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3])),
    a_release(scale=2.0),
)
facts = st.sampled_from(USERS).flatmap(lambda user_id: signups(user_id) | orders(user_id))
events = st.lists(facts | facts | facts | st.sampled_from(USERS).flatmap(erasures), max_size=6)
some_settings = examples(20)
Segments = Mapping[str, int | None]


class Shop:
    """A world of two lanes, what befell it, and where its users were at each stop."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        of_time = data.draw(st.booleans(), "features of time")
        self.world = World(
            2,
            rekey=data.draw(st.booleans(), "rekey"),
            max_batch=data.draw(st.integers(1, 4)),
            features=(*FEATURES, *TIMED) if of_time else FEATURES,
        )
        self.releases = tuple(map(timed, RELEASES)) if of_time else RELEASES
        self.world.models.model = an_active_model(release=self.releases[0])
        self.world.now = START + timedelta(days=1)
        self.warehouse: list[Fact] | None = None
        self.stops: list[tuple[list[dict[str, int]], Segments]] = []
        self.nulls_dropped = False

    def work(self) -> None:
        """Producers write, and workers, started anew, do all there is."""
        for event in self.data.draw(events, "events"):
            self._send(event)
        lanes = [self.world.take_over(lane) for lane in range(2)]
        for _ in range(4):
            for lane in lanes:
                drain(lane)
        self.stops.append(([lane.positions for lane in lanes], {u: self.segment(u) for u in USERS}))

    def publish(self) -> None:
        """Another release, or again one from before."""
        release: ModelRelease = self.data.draw(st.sampled_from(self.releases), "release")
        model = self.world.models.model
        assert model is not None
        self.world.models.model = an_active_model(model.activation + 1, release)
        self.work()

    def pass_days(self) -> None:
        """Some days pass, with or without a worker."""
        for _ in range(self.data.draw(st.integers(1, 9), "days")):
            self.world.now += timedelta(days=1)
            if self.data.draw(st.booleans(), "a worker is there"):
                self.work()

    def rebuild(self) -> None:
        committed = [committed_in(self.world, lane) for lane in range(2)]
        known = [offsets for offsets in committed if offsets is not None]
        if len(known) == 2:
            anew = self.data.draw(st.booleans(), "anew")
            self.world.redis = rebuilt(self.world, *known, anew=anew, warehouse=self.warehouse)
        self.work()

    def compact(self) -> None:
        """Of each user's records the newest stays, and in time no null."""
        for records in self.world.kafka.topics[self.world.topics.users].partitions:
            newest = {record.key: record.offset for record in records}
            dropped = self.data.draw(st.booleans(), "nulls dropped")
            self.nulls_dropped |= dropped
            for offset, record in enumerate(records):
                if newest[record.key] != offset or (dropped and record.value is None):
                    records[offset] = Record(record.topic, record.partition, offset, None, None, 0)

    def bootstrap(self) -> None:
        """A new group begins from the warehouse, which has what the log has, and somewhere in the log.

        A bootstrap learns erasures from the nulls of `user-segments` alone. Where compaction has removed one,
        and Redis is lost, it does not know it, unless the warehouse was cleaned (docs/guarantees.md).
        """
        if self.nulls_dropped:
            self.work()
            return
        self.world.kafka.offsets.clear()
        self.world.redis = MemoryRedis()
        start = {
            lane: {
                topic: self.data.draw(st.integers(0, len(self.world.kafka.topics[topic].partitions[lane])))
                for topic in self.world.topics.inputs
            }
            for lane in range(2)
        }
        known = [fact for facts in self.world.events().values() for fact in facts]
        drawn = self.data.draw(st.lists(facts, max_size=4), "more that the warehouse has")
        warehouse = [fact for fact in (*known, *drawn) if not isinstance(fact, UserErased)]
        self.warehouse = sorted([*(self.warehouse or ()), *warehouse], key=lambda fact: fact.user_id)
        fill(self.world, self.warehouse, positions=start)
        self.stops.clear()
        self.work()

    def segment(self, user_id: str) -> int | None:
        """The user's segment now."""
        decided = self.world.state(user_id).decided if user_id in self.world.redis.users else None
        return None if decided is None else decided.segment

    def _send(self, event: Event) -> None:
        if not self.world.topics.rekey:
            self.world.send(event)
            return
        topics, ours = self.world.topics, partition_of(event.user_id, 2)
        partition = self.data.draw(st.integers(0, 1), "partition")
        key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
        topic = topics.orders if isinstance(event, Order) else topics.signups
        key = key if partition == ours else b"any"
        self.world.kafka.append(topic, partition, key, value, self.world.record_ms)


def happens(shop: Shop, *whats: Callable[[Shop], None]) -> None:
    shop.work()
    for what in shop.data.draw(st.lists(st.sampled_from(whats), max_size=4), "befalls"):
        what(shop)


@some_settings
@given(st.data())
def test_whatever_befell_every_user_ends_where_the_workers_left_it(data: st.DataObject) -> None:
    shop = Shop(data)
    happens(shop, Shop.work, Shop.pass_days, Shop.publish, Shop.rebuild, Shop.compact, Shop.bootstrap)
    shop.work()
    begins, _ = data.draw(st.sampled_from(shop.stops), "begin")

    for lane in range(2):
        for begin in (None, begins[lane]):
            for user_id, one in replayed(shop.world, begin, lane=lane, warehouse=shop.warehouse).items():
                assert one.ends_alike, one
                assert one.replayed_segment == shop.segment(user_id), one
        past = a_past(shop.world, a_lane_log(shop.world, lane), shop.warehouse, decisions=True)
        past.go_to(position_of(shop.world, lane))
        assert differing(shop.world, past, lane) == {}


@some_settings
@given(st.data())
def test_under_one_release_every_window_ends_where_the_workers_were_then(data: st.DataObject) -> None:
    shop = Shop(data)
    happens(shop, Shop.work, Shop.pass_days, Shop.rebuild, Shop.bootstrap)
    first = data.draw(st.integers(0, len(shop.stops) - 1), "first")
    begins, _ = shop.stops[first]
    ends, _ = data.draw(st.sampled_from(shop.stops[first:]), "end")

    # After a bootstrap, workers read records of earlier days. A replay decides them on the date of the record
    # if no change names the day, so it knows the live day only at the end.
    is_later = shop.world.config.rules.of_time and shop.warehouse is not None
    for lane in range(2):
        # Offsets do not tell apart the days that passed without events.
        then = [segments for offsets, segments in shop.stops if offsets[lane] == ends[lane]][-1]
        for begin in (None, begins[lane]):
            found = replayed(shop.world, begin, ends[lane], lane, warehouse=shop.warehouse)
            for user_id, one in found.items():
                if not is_later or ends == shop.stops[-1][0]:
                    assert one.replayed_segment == then[user_id], one
                    assert one.ends_alike, one
