"""The metadata of a committed offset: the id of its topic, and the former topic of the same name.

A group's offsets outlive a deleted topic. If Redis is lost too, only this note shows that there were facts
that the log no longer holds.
"""

import re

from streamer.interfaces.lane_interfaces import Committed, Former

_NOTE = re.compile(r"(?P<id>\S+)(?: after (?P<former>\S+)@(?P<offset>\d+)(?P<earlier>\+?))?")


def note(topic_id: str, former: Former | None) -> str:
    """The metadata to commit with an offset of the topic with this id.

    >>> note("b2", None), note("b2", Former("a1", 70)), note("c3", Former("b2", 0, earlier=True))
    ('b2', 'b2 after a1@70', 'c3 after b2@0+')
    """
    if former is None:
        return topic_id
    return f"{topic_id} after {former.topic_id}@{former.offset}{'+' if former.earlier else ''}"


def committed(offset: int, metadata: str | None) -> Committed:
    """A committed offset with its decoded metadata; an offset that a tool committed has no topic id.

    >>> committed(3, "b2 after a1@70")
    Committed(offset=3, topic_id='b2', former=Former(topic_id='a1', offset=70, earlier=False))
    >>> committed(3, None)
    Committed(offset=3, topic_id=None, former=None)
    """
    read = _NOTE.fullmatch(metadata or "")
    if read is None:
        return Committed(offset, metadata or None)
    former = read["former"] and Former(read["former"], int(read["offset"]), read["earlier"] == "+")
    return Committed(offset, read["id"], former or None)
