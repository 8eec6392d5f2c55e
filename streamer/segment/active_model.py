"""The release that a worker scores with, and the bootstrap that the log continues."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from schemas.release.model_release import ModelRelease
from streamer.segment.scoring import Scorer


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """A release that was made current.

    Attributes:
        release: the release.
        scorer: scores users by this release.
        activation: the offset of the release's ``current`` record.
        topic_id: the id of the topic that holds this record.
        at: the record's time.
    """

    release: ModelRelease
    scorer: Scorer
    activation: int
    topic_id: str
    at: datetime


class BootstrapRecord(Struct, frozen=True):
    """The record under the key ``bootstrap``: a warehouse gave the users as of ``at``.

    ``places`` holds, by lane and input topic, the offset from which the log continues the snapshot.
    ``snapshot`` is None; records of old versions may have the path or address of the snapshot.
    """

    at: str
    places: dict[str, dict[str, int]]
    snapshot: str | None = None
