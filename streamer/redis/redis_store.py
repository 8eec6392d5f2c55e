"""A lane's store on Redis; :class:`streamer.interfaces.lane_interfaces.Store` states its promises."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import date
from functools import cached_property
from importlib.resources import files
from itertools import chain, islice
from typing import Any, cast

import msgspec
from redis.commands.core import Script

from streamer.interfaces import lane_errors
from streamer.interfaces.lane_errors import TooMuchToLoad, Torn
from streamer.interfaces.lane_interfaces import (
    Due,
    Loaded,
    LoadedEnds,
    LoadedOrders,
    Neighbour,
    StoredUser,
    Unswept,
    UserWrite,
)
from streamer.place.place_marks import moved_to
from streamer.place.redis_keys import ORDER_PREFIX, STATE, Keys, due_score
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import TIMEOUT_S, Client, connect, reaching, scan_keys, server_of
from streamer.redis.save_arguments import (
    angles_in,
    due_in,
    entries_of,
    fields_in,
    spaces_of,
    swept_in,
)
from streamer.redis.save_count import place_in, split
from streamer.user.user_state import Ask

_CLEAR_BATCH = 1_000
_KEY_IS_GONE = -1

_pack = msgspec.msgpack.Encoder().encode
unpack_neighbours = msgspec.msgpack.Decoder(list[Neighbour]).decode


class RedisStore:
    """One lane's states, place and index in Redis; its connections are used by one thread."""

    def __init__(self, url: str, lane: int, prefix: str = "segue:", timeout_s: float = TIMEOUT_S) -> None:
        """Prepare the store; the first call connects.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``.
            lane: the lane's partition number.
            prefix: the prefix of all keys.
            timeout_s: after this many seconds without an answer, Redis counts as unreachable.
        """
        self._url = url
        self._timeout_s = timeout_s
        self._lane = lane
        self._doubt: str | None = None
        self._doubted: set[str] = set()
        self._connected = ExitStack()
        self._home = Keys(prefix, tagged=is_cluster(url))
        self._at(self._home)

    @cached_property
    def _redis(self) -> Client:
        return self._connected.enter_context(closing(connect(self._url, self._timeout_s)))

    @cached_property
    def _load(self) -> Script:
        return self._script("load")

    @cached_property
    def _save(self) -> Script:
        return self._script("save")

    @cached_property
    def _neighbours(self) -> Script:
        return self._script("neighbours")

    @cached_property
    def _clear(self) -> Script:
        return self._script("clear")

    def _script(self, name: str) -> Script:
        text = files("streamer.redis").joinpath("lua", f"{name}.lua").read_text()
        return self._redis.register_script(text)

    def _at(self, keys: Keys) -> None:
        self._keys = keys
        self._place_key = keys.place(self._lane)
        self._saves_key = keys.saves(self._lane)
        self._swept_key = keys.swept(self._lane)
        self._due_key = keys.due(self._lane)

    @property
    def prefix(self) -> str:
        """The prefix of the keys: the configured prefix, or the prefix that :meth:`follow` reached last."""
        return self._keys.prefix

    def follow(self) -> bytes | None:
        """Move to the present prefix of the lane's states, and return the lane's place there.

        Each call begins at the configured prefix. So if Redis loses the mark that points to another prefix,
        the lane comes back. Every takeover begins with this call.
        """
        self._at(self._home)
        while True:
            with reaching(self._url):
                stored, saves = self._read_place()
            prefix = moved_to(split(stored)[1])
            if prefix is None:
                return self._believed(stored, saves)
            self._at(replace(self._keys, prefix=prefix))

    def places(self, partitions: Collection[int]) -> list[bytes]:
        """The places of these lanes; a lane that has no place or is torn is left out."""
        pipeline = self._redis.pipeline(transaction=False)
        for lane in partitions:
            pipeline.execute_command("MGET", self._keys.place(lane), self._keys.saves(lane))
        with reaching(self._url):
            read = pipeline.execute()
        found = []
        for stored, saves in read:
            with suppress(Torn):
                found.append(place_in(stored, saves))
        return [place for place in found if place is not None]

    def load(self, wanted: Mapping[str, Collection[str]]) -> Loaded:
        """These users, each with these orders, and the place."""
        requested = {user_id: tuple(order_ids) for user_id, order_ids in wanted.items()}
        fields = [[STATE, *(ORDER_PREFIX + o for o in order_ids)] for order_ids in requested.values()]
        of_lane = (self._place_key, self._saves_key, self._swept_key)
        keys = [*of_lane, *(self._user_key(user_id) for user_id in requested)]
        fields_and_ids = _pack(fields), _pack(list(requested))
        with reaching(self._url):
            answer = self._load(keys=keys, args=[lane_errors.MAX_LOAD_BYTES, *fields_and_ids])
        if isinstance(answer, int):
            raise TooMuchToLoad(answer)
        *rows, listed, (stored, saves) = cast(list[Any], answer)
        place = self._believed(stored, saves)
        users = {
            user_id: StoredUser(
                row[0], dict(zip(order_ids, row[1:-1], strict=True)), listed=row[-1] is not None
            )
            for (user_id, order_ids), row in zip(requested.items(), rows, strict=True)
        }
        return Loaded(place, users, listed)

    def load_orders(self, user_ids: Collection[str]) -> LoadedOrders:
        """Every order of these users, and the place."""
        pipeline = self._own_pipeline()
        for user_id in user_ids:
            pipeline.hgetall(self._user_key(user_id))
        rows, place = self._with_place(pipeline)
        begin = len(ORDER_PREFIX)
        orders = {
            user_id: {
                name.decode()[begin:]: value
                for name, value in row.items()
                if name.startswith(ORDER_PREFIX.encode())
            }
            for user_id, row in zip(user_ids, rows, strict=True)
        }
        return LoadedOrders(place, orders)

    def load_ends(self, user_id: str, asks: Mapping[Ask, int]) -> LoadedEnds:
        """The entries of the user's index of orders that answer these questions, and the place.

        Args:
            user_id: the user.
            asks: by question, the most entries to read.
        """
        pipeline, key = self._own_pipeline(), self._keys.orders(user_id, self._lane)
        for ask, most in asks.items():
            # UTF-8 text never has a byte of 255, so this is above every entry with this beginning.
            first, last = f"[{ask.beginning}".encode(), f"[{ask.beginning}".encode() + b"\xff"
            pipeline.zrange(
                key,
                *((last, first) if ask.last else (first, last)),
                desc=ask.last,
                bylex=True,
                offset=0,
                num=most,
            )
        pipeline.exists(key)
        (*rows, exists), place = self._with_place(pipeline)
        ends = {ask: [entry.decode() for entry in row] for ask, row in zip(asks, rows, strict=True)}
        return LoadedEnds(place, ends, bool(exists))

    def unswept(self, sweep: int, most: int) -> Unswept:
        """At most ``most`` of the lane's users that this sweep has not reached."""
        return Unswept(*self._first(self._swept_key, f"({sweep}", most))

    def due(self, day: date, most: int) -> Due:
        """At most ``most`` of the lane's users who are due on this day or before it."""
        return Due(*self._first(self._due_key, str(due_score(day)), most))

    def neighbours(
        self, space: str, angles: Sequence[float], n: int, exclude: Collection[str]
    ) -> list[Neighbour]:
        """The nearest ``n`` users of every angle, by angular distance and then by user id.

        Args:
            space: the space of the index.
            angles: the directions to search from, in radians.
            n: how many users each search must find.
            exclude: the ids of users to leave out.

        Returns:
            The users of all searches together, each once, in no order. There may be others among them.
        """
        # Users without orders often share one angle, so each distinct angle is searched once.
        distinct = [repr(at) for at in dict.fromkeys(angles)]
        return self._search(space, [n, _pack(list(exclude)), _pack(distinct)]) if distinct else []

    def _search(self, space: str, args: list[int | bytes]) -> list[Neighbour]:
        """Run the search of :meth:`neighbours`; ``args`` are the script's, but for the users' prefix."""
        key, users = self._keys.angles(space, self._lane), self._user_key("")
        with reaching(self._url):
            return unpack_neighbours(cast(bytes, self._neighbours(keys=[key], args=[users, *args])))

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        """Write the place, the users, their index entries, sweep numbers and due days: all or nothing.

        Returns:
            False if the stored place is not ``expected``; then nothing was written.

        Raises:
            Torn: a key that must exist is gone; nothing was written.
        """
        condition = "none" if expected is None else "place"
        return self._run_save([condition, expected or b"", ""], place, writes)

    def doubt(self, user_id: str) -> Torn | None:
        """Treat the lane as torn until its place is replaced; None if this user made the lane torn before."""
        if user_id in self._doubted:
            return None
        self._doubted.add(user_id)
        self._doubt = lane_errors.CONTRADICTS
        return Torn(self._doubt, None, None, None)

    def lost_key(self) -> Torn:
        """Treat the lane as torn until its place is replaced, because a user's key is gone."""
        self._doubt = lane_errors.LOST_KEY
        return Torn(self._doubt, None, None, None)

    def replace_torn(self, torn: Torn, place: bytes) -> bool:
        """Write this place over the place of a torn lane; False if another worker wrote there meanwhile."""
        done = self._run_save(["torn", torn.stored or b"", torn.saves or b""], place, [])
        if done:
            self._doubt = None
        return done

    def seize(self, place: bytes) -> None:
        """Write this place under the present prefix, whatever place or mark stands there."""
        done = False
        while not done:
            with reaching(self._url):
                stored, saves = self._read_place()
            done = self.replace_torn(Torn("", stored, saves, None), place)

    def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> int | None:
        """Delete the lane's users, their entries in every index, their sweep numbers and due days.

        Args:
            mark: the mark that must stand in the lane's place.
            is_ours: whether a user id belongs to the lane.

        Returns:
            How much was deleted. None if the lane's place is no longer ``mark``: the deletion stops there.
        """
        deleted = 0
        with reaching(self._url):
            for keys, members in self._held(is_ours):
                if not self._delete(mark, keys, members):
                    return None
                deleted += len(members or keys)
        return deleted

    def _held(self, is_ours: Callable[[str], bool]) -> Iterator[tuple[Sequence[bytes], Sequence[bytes]]]:
        """What Redis holds of the lane but its place: keys, or one key and the lane's members in it."""
        lane = self._lane
        for kind in (self._keys.every_user(lane), self._keys.every_orders(lane)):
            found = chain.from_iterable(scan_keys(self._redis, kind, _CLEAR_BATCH))
            for keys in _in_batches(key for key in found if is_ours(self._keys.user_of(key))):
                yield keys, ()
        for index in list(chain(*scan_keys(self._redis, self._keys.every_angles(lane), _CLEAR_BATCH))):
            members = (member for member, _ in self._redis.zscan_iter(index, count=_CLEAR_BATCH))
            for some in _in_batches(member for member in members if is_ours(member.decode())):
                yield [index], some
        for key in (self._swept_key, self._due_key):
            if self._redis.exists(key):
                yield [key.encode()], ()

    def clear(self, mark: bytes) -> int | None:
        """Delete every user, index, sweep number and due day of all lanes, but not the places.

        Returns:
            As in :meth:`empty`.
        """
        deleted, keys = 0, self._keys
        of_lanes = (keys.every_swept(), keys.every_due())
        for kind in (keys.every_user(), keys.every_orders(), keys.every_angles(), *of_lanes):
            with reaching(self._url):
                for some in _in_batches(chain.from_iterable(scan_keys(self._redis, kind, _CLEAR_BATCH))):
                    if not self._delete_of_all(mark, some):
                        return None
                    deleted += len(some)
        return deleted

    def drop_place(self, mark: bytes) -> bool:
        """Delete the lane's place and its count of saves, if the place is still ``mark``; whether it was."""
        with reaching(self._url):
            return self._delete(mark, [self._place_key.encode(), self._saves_key.encode()])

    def close(self) -> None:
        """Close the connections."""
        self._connected.close()

    def _user_key(self, user_id: str) -> str:
        return self._keys.user(user_id, self._lane)

    def _own_pipeline(self) -> Any:
        """A pipeline for the lane's own keys; its commands run in their order, on one server."""
        with reaching(self._url):
            return server_of(self._redis, self._place_key).pipeline(transaction=False)

    def _read_place(self) -> tuple[bytes | None, bytes | None]:
        """The value of the place's key and the count of saves, of one moment."""
        stored, saves = cast(list[bytes | None], self._redis.mget(self._place_key, self._saves_key))
        return stored, saves

    def _first(self, key: str, highest: str, most: int) -> tuple[list[str], int]:
        """The first members of a sorted set up to a score, and the count of all of these."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zrange(key, "-inf", highest, byscore=True, offset=0, num=most)
        pipeline.zcount(key, "-inf", highest)
        with reaching(self._url):
            user_ids, left = pipeline.execute()
        return [user_id.decode() for user_id in user_ids], left

    def _with_place(self, pipeline: Any) -> tuple[list[Any], bytes | None]:
        """The answers of the pipeline, and the place, which is read last."""
        pipeline.execute_command("MGET", self._place_key, self._saves_key)
        with reaching(self._url):
            *rows, (stored, saves) = pipeline.execute()
        return rows, self._believed(stored, saves)

    def _believed(self, stored: bytes | None, saves: bytes | None) -> bytes | None:
        if self._doubt is not None:
            raise Torn(self._doubt, stored, saves, split(stored)[1])
        return place_in(stored, saves)

    def _delete(self, mark: bytes, keys: Sequence[bytes], members: Sequence[bytes] = ()) -> bool:
        """Delete the lane's keys, or members of the one key, if the lane's place is still ``mark``."""
        return bool(self._clear(keys=[self._place_key, *keys], args=[mark, *members]))

    def _delete_of_all(self, mark: bytes, keys: Sequence[bytes]) -> bool:
        """Delete keys of any lanes, if this lane's place is still ``mark``."""
        return self._delete(mark, keys)

    def _run_save(self, expected: list[bytes | str], place: bytes, writes: Sequence[UserWrite]) -> bool:
        spaces = spaces_of(writes)
        due = due_in(writes)
        indexed = [(write.user_id, write.index) for write in writes if write.index is not None]
        keys = [
            self._place_key,
            self._saves_key,
            *(self._user_key(write.user_id) for write in writes),
            *(self._keys.angles(space, self._lane) for space in spaces),
            self._swept_key,
            *([self._due_key] if due else ()),
            *(self._keys.orders(user_id, self._lane) for user_id, _ in indexed),
        ]
        angles = [entries_of(angles_in(space, writes)) for space in spaces]
        orders = [
            ([part for one in index.add for part in ("0", one)], index.remove, index.anew, index.existing)
            for _, index in indexed
        ]
        of_lane = [entries_of(swept_in(writes)), *([entries_of(due)] if due else ())]
        users, sets = [fields_in(write) for write in writes], [*angles, *of_lane, *orders]
        with reaching(self._url):
            done = self._save(keys=keys, args=[*expected, place, _pack(users), _pack(sets)])
        if done == _KEY_IS_GONE:
            raise self.lost_key()
        return bool(done)


def _in_batches(keys: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    rest = iter(keys)
    while batch := tuple(islice(rest, _CLEAR_BATCH)):
        yield batch
