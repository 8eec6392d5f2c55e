"""Saves of lanes: users whose fields, orders and angles are set or deleted."""

from datetime import date, timedelta

from hypothesis import strategies as st
from msgspec import UNSET

from streamer.interfaces.lane_interfaces import IndexWrite, UserWrite
from streamer.user.user_state import Ask
from tests.support.strategies.angles import angles, user_ids

DUE = date(2024, 3, 1)
orders = ("1", "2", "é")
beginnings = ("f:a:", "f:b:", "t:é:")
# The lanes' values are JSON, so they are text.
_values = st.text(max_size=5).map(str.encode)
asks = {Ask(beginning, last): 2 for beginning in beginnings for last in (False, True)}
_entries = st.builds("{}{}".format, st.sampled_from(beginnings), st.text(max_size=3))

_writes = st.builds(
    UserWrite,
    user_id=user_ids,
    fields=st.fixed_dictionaries(
        {}, optional={"state": st.none() | _values, "segment": st.none() | st.integers(0, 9).map(str)}
    ),
    orders=st.dictionaries(st.sampled_from(orders), st.none() | _values),
    angles=st.dictionaries(st.sampled_from(("s1", "s2")), st.none() | angles),
    swept=st.none() | st.integers(0, 3),
    due=st.none() | st.just(UNSET) | st.dates(DUE - timedelta(days=2), DUE + timedelta(days=2)),
    index=st.none()
    | st.builds(
        IndexWrite,
        anew=st.booleans(),
        add=st.lists(_entries, max_size=4, unique=True),
        remove=st.lists(_entries, max_size=4, unique=True),
    ),
)
saves = st.lists(_writes, max_size=12, unique_by=lambda write: write.user_id)
