"""A user who moves with each signup, and the user's changes."""

from schemas.input_events import Signup
from schemas.outputs.segment_change import SegmentChange
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import World

# The components and segments are those of the handmade release (tests/support/worlds/made_up_release.py).
YOUNG = Signup("7", START, age=20, gender="F")  # (-0.8, 0.2): segment 2
OLD = Signup("7", START.replace(hour=1), age=100)  # (0.4, -1.4): segment 3
YOUNG_AGAIN = Signup("7", START.replace(hour=2), age=20)  # segment 2


def segments(world: World, user_id: str = "7") -> list[tuple[int | None, int]]:
    """Return the old and new segment of each change, in the order of the topic."""
    return [
        (change.previous_segment, change.segment)
        for change in world.changes(user_id)
        if isinstance(change, SegmentChange)
    ]
