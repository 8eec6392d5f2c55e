"""The steps of the demo: servers, model, states, worker, events, summary."""

from __future__ import annotations

import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from schemas.features import of_time
from schemas.outputs.segment_change import FeatureValue, SegmentChange
from schemas.release.model_release import ModelRelease
from segue.config.settings import Settings
from segue.config.trainer_extra import open_warehouse
from segue.demo.demo_summary import explanation, summary
from segue.demo.demo_view import View
from segue.demo.kafka_stage import KafkaStage
from segue.demo.memory_stage import MemoryStage
from segue.demo.stage import Played, Stage
from segue.demo.story import Story, bad_events, story_until, with_bad_events
from segue.demo.tally import Tally, by_time, clearest_move, usual_move_by_time
from segue.events.warehouse_events import outgoing
from segue.releases.release_topic import carry_out, plan
from segue.releases.training_settings import FitOptions, fit_settings, train_release
from segue.services import NoServices, Services, find_services
from segue.show.release_text import release_text
from segue.show.terminal import progress
from trainer.steps.training_window import Window
from trainer.warehouse import Warehouse

DIRECTORY = Path("segue-demo")
_FROM_WRITING = "from the writing of an event to the reading of its change"
_IN_MEMORY = "in memory, without network and disk: this says nothing of the service"


def demo(settings: Settings, console: Console, *, rate: float, keep: bool, install: bool) -> None:
    """Run the whole demo; at its end, also after an error, it stops all that it started.

    Args:
        settings: if Kafka or Redis is set, the demo uses it, with its own names for topics, keys and group;
            the preset is that of the model.
        console: where the demo prints.
        rate: events a second.
        keep: whether to leave all running at the end, until ctrl-C.
        install: whether to install missing servers.
    """
    narrator = _Narrator(console)
    with ExitStack() as stack, narrator.interruption():
        directory = _directory()
        narrator.step("Kafka and Redis")
        named = settings.model_fields_set
        found = stack.enter_context(
            find_services(
                kafka=settings.kafka if "kafka" in named else None,
                redis=settings.redis if "redis" in named else None,
                kafka_options=settings.kafka_options,
                allow_install=install,
                say=narrator.say,
            )
        )
        narrator.services(found)
        run_settings = _settings_of(settings, found)
        timed = of_time(run_settings.model_features)
        now = datetime.now(UTC)
        story = story_until(now.date(), directory / "shop") if timed else Story()
        narrator.step(f"A model, from the history before {story.as_of:%Y-%m-%d}")
        if timed:
            narrator.say(
                f"The shop's times are moved by {story.moved_days:,} days, so that it ends yesterday."
            )
        tables = stack.enter_context(open_warehouse(str(story.warehouse), run_settings, now))
        path, release = train_release(
            tables,
            run_settings,
            directory / "releases",
            narrator.say,
            window=Window(story.as_of, day=story.as_of.date()),
            fit=fit_settings(run_settings, FitOptions(compare=False)),
        )
        console.print(Padding(release_text(release, run_settings.time_zone), (0, 0, 0, 3)))
        narrator.say(f"The report: {path / 'report.html'}")
        stage = _stage(stack, run_settings, found, path, release, story, directory, narrator)
        tally = Tally({segment.id: segment.name for segment in release.segments})
        _populate(stage, tables, tally, story, narrator)
        played = _play(stage, tables, run_settings, tally, story, rate, narrator)
        console.print()
        in_memory = isinstance(found, NoServices)
        console.print(summary(tally, played, _IN_MEMORY if in_memory else _FROM_WRITING, console.width))
        move = usual_move_by_time(tally.changes, {key for key, _ in played.written}) or clearest_move(
            tally.changes, played.first_events()
        )
        if move is not None:
            console.print()
            before = _features_before(tables, run_settings, story, move)
            console.print(explanation(move, tally.names, before))
        console.print()
        log = "" if in_memory else ", the worker's log and settings"
        shop = ", the shop" if timed else ""
        narrator.say(
            f"{narrator.seconds:.0f} s in all. In {directory}: the release with report.html{shop}{log}."
        )
        if keep and not in_memory:
            narrator.keep(
                directory,
                imagined="--feature recency=3 --feature frequency=2" if timed else "--age 30 --gender F",
            )
            threading.Event().wait()


class _Narrator:
    """Prints the demo's steps and sentences."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._steps = 0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the demo began."""
        return time.monotonic() - self._began

    def step(self, title: str) -> None:
        self._steps += 1
        self.console.print(Text(f"\n{self._steps}. {title}", style="bold"))

    def say(self, sentence: str) -> None:
        # A terminal gets lines broken between words; a file gets one line for each sentence.
        self.console.print(Padding(Text(sentence), (0, 0, 0, 3)), soft_wrap=not self.console.is_terminal)

    @contextmanager
    def interruption(self) -> Iterator[None]:
        """Announce the end after an interruption, because it takes a moment."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit):  # a signal, or a closed pipe
            self.say("Ending what was started…")
            raise

    def services(self, found: Services | NoServices) -> None:
        if isinstance(found, Services):
            self.say(f"Kafka: {found.kafka.how}, {found.kafka.bootstrap}")
            self.say(f"Redis: {found.redis.how}")
            return
        self.say(found.reason)
        self.say("So everything runs in this one process, in memory: this shows the logic, not the service.")
        if found.install:
            self.say(f"For the service, install: {' '.join(found.install)}")

    def keep(self, directory: Path, imagined: str) -> None:
        self.say("Everything goes on until ctrl-C. In another terminal:")
        for words in ("doctor", "tail", "user --all", f"predict {imagined}"):
            self.say(f"   segue {words} --config {directory / 'segue.toml'}")


def _settings_of(settings: Settings, found: Services | NoServices) -> Settings:
    """Return the demo's own settings, with unique names on servers that the demo did not start."""
    own: dict[str, object] = {} if settings.preset is None else {"preset": settings.preset}
    if isinstance(found, NoServices):
        return Settings.model_validate(own)
    own |= {"kafka": found.kafka.bootstrap, "redis": found.redis.url, "web_port": 0}
    if settings.kafka_options and "kafka" in settings.model_fields_set:
        own["kafka_options"] = settings.kafka_options
    if settings.model_fields_set & {"kafka", "redis"}:
        name = f"segue-demo-{uuid.uuid4().hex[:8]}"
        own |= {"topic_prefix": f"{name}.", "redis_prefix": f"{name}:", "group": name}
    return Settings.model_validate({**own, "log_format": "json"})


def _stage(
    stack: ExitStack,
    settings: Settings,
    found: Services | NoServices,
    path: Path,
    release: ModelRelease,
    story: Story,
    directory: Path,
    narrator: _Narrator,
) -> Stage:
    if isinstance(found, NoServices):
        return MemoryStage(release, settings, story.as_of)
    stage = KafkaStage(settings, story.as_of, directory, narrator.say)
    if settings.topic_prefix:
        narrator.say(f"Topics and keys of this run begin with {settings.topic_prefix} and go when it ends.")
        stack.callback(stage.remove)
    stack.enter_context(closing(stage))
    planned = plan(path, settings)
    activation = carry_out(planned, settings, None, force=False)
    narrator.say(f"Published release {planned.release.version}: activation {activation}.")
    return stage


def _populate(stage: Stage, tables: Warehouse, tally: Tally, story: Story, narrator: _Narrator) -> None:
    narrator.step(f"Every user's state as of {story.as_of:%Y-%m-%d}, from the warehouse")
    with progress(narrator.console) as bar:
        task = bar.add_task("   Filling", note="")
        users = stage.populate(
            story.facts(tables.events(as_of=story.as_of, ordered="user")),
            lambda count: bar.update(task, completed=count, note=f"{count:,} users"),
        )
    tally.populated(stage.users_by_segment())
    narrator.say(f"{users:,} users.")


def _play(
    stage: Stage,
    tables: Warehouse,
    settings: Settings,
    tally: Tally,
    story: Story,
    rate: float,
    narrator: _Narrator,
) -> Played:
    bad = bad_events(settings.topics, signups=story.signups)
    events = with_bad_events(outgoing(story.facts(tables.events(since=story.as_of)), settings.topics), bad)
    narrator.step(f"The {len(events):,} events that followed, {rate:,.0f} a second")
    narrator.say(f"Three of them are bad on purpose: {', '.join(event.origin for event in bad)}.")
    if of_time(settings.model_features):
        narrator.say("The worker decides as of today: some users move because time passed, without an event.")
    stage.open()
    with View(narrator.console, tally, len(events)) as view:
        return stage.play(events, rate, view)


def _features_before(
    tables: Warehouse, settings: Settings, story: Story, move: SegmentChange
) -> dict[str, FeatureValue]:
    """Return the user's features of the history: as of its end, if time moved the user, else as of today."""
    day = story.as_of.date() if by_time(move) else datetime.now(UTC).date()
    features = tables.features(story.as_of, features=settings.read_features, day=day)
    (row,) = features.filter(pc.equal(features["user_id"], move.user_id)).to_pylist()
    return {name: _whole(value) for name, value in row.items()}


def _whole(value: FeatureValue) -> FeatureValue:
    """Convert a whole double to an int: the warehouse's ages are doubles, but in events 25.0 is 25."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _directory() -> Path:
    try:
        DIRECTORY.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=DIRECTORY):
            return DIRECTORY
    except OSError:
        return Path(tempfile.mkdtemp(prefix="segue-demo-"))
