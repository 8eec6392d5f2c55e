"""The release that a worker scores with, and the bootstrap that its log continues."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from schemas.release.model_release import ModelRelease
from streamer.segment.scoring import Scorer


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """A release made current. ``activation`` is the offset of its ``current`` record, ``topic_id`` the
    id of the topic that holds it, ``at`` the record's time.
    """

    release: ModelRelease
    scorer: Scorer
    activation: int
    topic_id: str
    at: datetime


class BootstrapRecord(Struct, frozen=True):
    """The record under the key ``bootstrap``: the users as of ``at`` came from a warehouse.

    ``places`` holds, by lane and input topic, the offset from which the log continues the snapshot, and
    ``snapshot`` says where the snapshot lies, if it was kept.
    """

    at: str
    places: dict[str, dict[str, int]]
    snapshot: str | None = None
