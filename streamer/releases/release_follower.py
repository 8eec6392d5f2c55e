"""Follows the published releases, in its own thread and outside the worker's group."""

import threading
from collections.abc import Callable, Mapping

import structlog

from schemas.errors import SegueError
from schemas.features import Feature
from schemas.outputs.wire import decode_release
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from streamer.interfaces.lane_errors import InDoubt, NotReady
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import Reader
from streamer.kafka.kafka_watch import TopicWatch
from streamer.releases.release_view import ReleaseView
from streamer.segment.active_model import ActiveModel, BootstrapRecord

_POLL_S = 0.2
_RETRY_S = 0.5
_BATCH = 100

NONE_PUBLISHED = "waiting for a first release: run `segue publish`"

log = structlog.get_logger("segue.releases")


class Releases:
    """The newest usable release, and the other content of ``segment-models``.

    The content is kept as one immutable view, so any thread may call at any time.
    """

    def __init__(
        self,
        client: Mapping[str, str],
        topics: Topics,
        features: tuple[Feature, ...],
        *,
        exclude_statuses: frozenset[str] | None = None,
        time_zone: str | None = None,
        on_change: Callable[[ActiveModel], None] = lambda _model: None,
        log_every_refusal: bool = True,
        deadlines: Deadlines | None = None,
    ) -> None:
        """
        Args:
            client: librdkafka's settings of a client.
            topics: the names of the topics.
            features: the features that the fold makes; a release with other features is refused.
            exclude_statuses: the statuses that the fold excludes; a release that was trained with others is
                refused. None accepts any.
            time_zone: the zone of the fold's days; a release with features of time from another zone is
                refused. None accepts any.
            on_change: called with each release that comes into use, in the reader's thread.
            log_every_refusal: whether a refused release is logged also if no release is in use, so that
                the caller reports :meth:`problem`.
            deadlines: how long to wait for Kafka.
        """
        self._client = client
        self._topic = topics.models
        self._on_change = on_change
        self._log_every_refusal = log_every_refusal
        self._deadlines = deadlines or Deadlines()
        self._view = ReleaseView(features=features, exclude_statuses=exclude_statuses, time_zone=time_zone)
        self._trouble: str | None = None
        self._closing = threading.Event()
        self._started = threading.Event()
        self._failed: SegueError | None = None
        self._thread = threading.Thread(target=self._run, name="releases", daemon=True)
        self._join_s = self._deadlines.request_s

    def start(self) -> None:
        """Read the topic to its end, and follow it from then on. If the topic does not exist, keep trying.

        Raises:
            Unreachable: no broker answers.
            BadSetting: librdkafka refuses these settings.
        """
        self._thread.start()
        try:
            self._started.wait()
        except KeyboardInterrupt:
            self._join_s = 0.0  # do not wait: the thread may still wait for Kafka
            raise
        if self._failed is not None:
            raise self._failed

    def current(self) -> ActiveModel | None:
        """The release to score with; None if there is none yet."""
        return self._view.current

    def known_activation(self) -> int:
        """The newest activation that was read, even if it was refused; -1 before the first."""
        return self._view.known_activation

    def problem(self) -> str | None:
        """Why there is no release, or why the newest release is not used; None if all is well."""
        view, trouble = self._view, self._trouble
        if trouble is not None:
            return trouble
        if view.refused is not None:
            return f"the newest release is refused: {view.refused}"
        return NONE_PUBLISHED if view.current is None else None

    def bootstrap_standing(self) -> BootstrapRecord | None:
        """The bootstrap that the log continues; None if the log holds the whole past.

        Raises:
            BadRelease: the record cannot be read.
        """
        return self._view.bootstrap_standing()

    def release_by_version(self, version: str) -> ModelRelease | None:
        """The published release with this version; None if it was never published.

        Raises:
            BadRelease: the release's record cannot be read.
        """
        value = self._view.versions.get(version)
        return None if value is None else decode_release(value)

    def ended(self) -> list[str]:
        """The name of the following thread, if it has ended although it should run."""
        if not self._started.is_set() or self._closing.is_set() or self._thread.is_alive():
            return []
        return [self._thread.name]

    def close(self) -> None:
        """Stop following; the releases that were read stay available."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(self._join_s)

    def _run(self) -> None:
        try:
            while not self._closing.is_set() and self._failed is None:
                self._try_to_follow()
        finally:
            self._started.set()  # even if this thread ends early, start() must not wait for ever

    def _try_to_follow(self) -> None:
        try:
            self._follow()
        except (InDoubt, NotReady) as reason:
            self._wait(str(reason))
        except SegueError as error:
            if self._started.is_set():
                self._wait(str(error))
            else:
                self._failed = error
        except Exception as error:
            # If this thread ended without a report, the worker would keep an old model for ever.
            self._wait(f"reading the releases failed: {error!r}")
            log.debug("reading the releases failed", exc_info=error)

    def _follow(self) -> None:
        """Read from the topic's beginning, and continue until an error occurs."""
        admin = Admin(self._client, self._deadlines.request_s)
        facts = admin.describe([self._topic]).get(self._topic)
        if facts is None:
            raise NotReady(f"topic {self._topic} does not exist yet: run `segue publish`, which makes it")
        watch = TopicWatch(admin, self._client, self._deadlines)
        watch.expect(self._topic, facts)
        bounds = admin.bounds(self._topic, 0, facts.topic_id)
        # librdkafka needs a group's name; nothing is ever committed for this group.
        reader = Reader(0, f"{self._topic}-reader", self._client, self._deadlines)
        try:
            reader.read_from({self._topic: bounds.begin})
            view = self._view.of_topic(facts.topic_id)
            # Do not publish the view before the end: the records on the way are older releases.
            while not reader.at_end({self._topic: bounds.end}) and not self._closing.is_set():
                watch.look()
                view = _read(reader, view)
            while not self._closing.is_set():
                self._publish(view)
                watch.look()
                view = _read(reader, view)
        finally:
            reader.close()

    def _publish(self, view: ReleaseView) -> None:
        before, self._view = self._view, view
        if self._trouble is not None:
            self._trouble = None
            log.info("releases are read again")
        new = view.known_activation != before.known_activation
        if new and view.refused is not None and (self._log_every_refusal or view.current is not None):
            log.error("release refused", activation=view.known_activation, reason=view.refused)
        model = view.current
        if (
            model is not None
            and model is not before.current
            and _activation(model) != _activation(before.current)
        ):
            log.info("release in use", version=model.release.version, activation=model.activation)
            self._on_change(model)
        self._started.set()

    def _wait(self, reason: str) -> None:
        before, self._trouble = self._trouble, reason
        self._started.set()
        if reason != before:
            log.warning("releases are waited for", reason=reason)
        self._closing.wait(_RETRY_S)


def _read(reader: Reader, view: ReleaseView) -> ReleaseView:
    for record in reader.poll(_BATCH, _POLL_S):
        view = view.after(record)
    return view


def _activation(model: ActiveModel | None) -> tuple[str, int] | None:
    return None if model is None else (model.topic_id, model.activation)
