"""The content of the topic ``segment-models``, record by record. Pure."""

from collections.abc import Mapping

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from schemas import times
from schemas.errors import BadRelease
from schemas.features import FEATURES, Feature
from schemas.outputs.wire import decode_release
from schemas.release.release_checks import check_declared, check_statuses, check_time_zone
from schemas.topics import MODELS_CURRENT_KEY
from streamer.interfaces.lane_interfaces import Record
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.scoring import Scorer

BOOTSTRAP_KEY = "bootstrap"

log = structlog.get_logger("segue.releases")

# Made at import: see the decoder in streamer/place/place.py.
_decoder = msgspec.json.Decoder(BootstrapRecord)


class ReleaseView(Struct, frozen=True):
    """The content of the topic up to some record.

    Attributes:
        topic_id: the id of the topic.
        current: the newest usable activation; it may come from a former topic of this name.
        known_activation: the offset of the newest ``current`` record, used or refused; -1 before the first.
        refused: why the newest ``current`` record is not used; None if it is used.
        bootstrap: the undecoded value of the record ``bootstrap``; None if there is none.
        versions: the undecoded releases, by version.
        features: the features that the fold makes; a release with other features is refused.
        exclude_statuses: the statuses that the fold excludes; a release that was trained with others is
            refused. None accepts any.
        time_zone: the zone of the fold's days; a release with features of time from another zone is refused.
            None accepts any.
    """

    topic_id: str = ""
    current: ActiveModel | None = None
    known_activation: int = -1
    refused: str | None = None
    bootstrap: bytes | None = None
    versions: Mapping[str, bytes] = {}
    features: tuple[Feature, ...] = FEATURES
    exclude_statuses: frozenset[str] | None = None
    time_zone: str | None = None

    def of_topic(self, topic_id: str) -> "ReleaseView":
        """An empty view to read a topic from its beginning; it keeps the current model until the next one."""
        return ReleaseView(
            topic_id=topic_id,
            current=self.current,
            features=self.features,
            exclude_statuses=self.exclude_statuses,
            time_zone=self.time_zone,
        )

    def after(self, record: Record) -> "ReleaseView":
        """The view after one more record. A record that cannot be used is refused, and the model stays."""
        key = (record.key or b"").decode(errors="replace")
        if key == MODELS_CURRENT_KEY:
            return self._activated(record)
        if key == BOOTSTRAP_KEY:
            return replace(self, bootstrap=record.value)
        versions = {version: value for version, value in self.versions.items() if version != key}
        return replace(self, versions=versions if record.value is None else {**versions, key: record.value})

    def bootstrap_standing(self) -> BootstrapRecord | None:
        """The bootstrap that the log continues; None if the log holds the whole past.

        Raises:
            BadRelease: the record cannot be read. Without it, the users of the bootstrap would be lost.
        """
        if self.bootstrap is None:
            return None
        try:
            return _decoder.decode(self.bootstrap)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRelease(
                f"the record {BOOTSTRAP_KEY} of the releases' topic cannot be read ({error}): run"
                " `segue bootstrap` again"
            ) from None

    def _activated(self, record: Record) -> "ReleaseView":
        if record.value is None:
            log.warning("a null record names no release, so the one in use stays", offset=record.offset)
            return self
        seen = replace(self, known_activation=record.offset)
        try:
            release = decode_release(record.value)
            check_declared(release, self.features)
            if self.exclude_statuses is not None:
                check_statuses(release, self.exclude_statuses)
            if self.time_zone is not None:
                check_time_zone(release, self.time_zone)
            at = times.from_millis(record.timestamp_ms)
            model = ActiveModel(release, Scorer(release), record.offset, self.topic_id, at)
        except BadRelease as error:
            return replace(seen, refused=str(error))
        except (ArithmeticError, ValueError) as error:
            # A bad record must not stop the reading, or a later good release could not be read.
            return replace(seen, refused=f"a release cannot be scored with ({error}): publish another one")
        return replace(seen, current=model, refused=None)
