"""The metadata of a committed offset: the id of its topic, the former topic of the same name, and the day.

A group's offsets outlive a deleted topic. If Redis is lost too, only this note shows that there were facts
that the log no longer holds, and on which day the lane decided.
"""

import re
from datetime import date

from streamer.interfaces.lane_interfaces import Committed, Former

_NOTE = re.compile(
    r"(?P<id>\S+)(?: after (?P<former>\S+)@(?P<offset>\d+)(?P<earlier>\+?))?(?: on (?P<day>\d{4}-\d\d-\d\d))?"
)


def note(topic_id: str, former: Former | None, day: date | None = None) -> str:
    """The metadata to commit with an offset of the topic with this id; ``day`` is the lane's day.

    >>> note("b2", None), note("b2", Former("a1", 70)), note("c3", Former("b2", 0, earlier=True))
    ('b2', 'b2 after a1@70', 'c3 after b2@0+')
    >>> note("b2", None, date(2024, 3, 1))
    'b2 on 2024-03-01'
    """
    after = (
        "" if former is None else f" after {former.topic_id}@{former.offset}{'+' if former.earlier else ''}"
    )
    return f"{topic_id}{after}{'' if day is None else f' on {day}'}"


def committed(offset: int, metadata: str | None) -> Committed:
    """A committed offset with its decoded metadata; an offset that a tool committed has no topic id.

    >>> committed(3, "b2 after a1@70")
    Committed(offset=3, topic_id='b2', former=Former(topic_id='a1', offset=70, earlier=False), day=None)
    >>> committed(3, "b2 on 2024-03-01").day, committed(3, None)
    (datetime.date(2024, 3, 1), Committed(offset=3, topic_id=None, former=None, day=None))
    """
    read = _NOTE.fullmatch(metadata or "")
    if read is None:
        return Committed(offset, metadata or None)
    former = read["former"] and Former(read["former"], int(read["offset"]), read["earlier"] == "+")
    day = None if read["day"] is None else date.fromisoformat(read["day"])
    return Committed(offset, read["id"], former or None, day)
