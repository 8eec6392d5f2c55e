"""The actions on a running Segue, by its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock

from schemas.counted import counted
from schemas.errors import Refused
from schemas.printable import printable
from segue.config.command_line import BadUsage, bad_option
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.connect.wait_for_servers import short_patience
from segue.console.actions.console_actions import ActionName, ActionRuns
from segue.console.facts.console_facts import DEADLINE_S
from segue.console.facts.console_files import ConsoleFiles
from segue.events.dead_letter_topic import DeadLetters, Selection
from segue.events.resend_letters import Resend, older_words, resent_words
from segue.releases.release_topic import carry_out, known_releases, plan, roll_back, unusable_here
from segue.triggers.file.trigger_file import load_triggers
from trainer.publish.rollback_target import choose

_MOST_NOTES = 20


class LiveActions:
    """:class:`~segue.console.actions.console_actions.ConsoleActions` of the Kafka of the settings.

    Args:
        settings: name the Kafka, the topics and the group.
        files: the folder of releases, and the file of triggers.
        say: called with each sentence about what was done, for the console's own terminal.
    """

    def __init__(self, settings: Settings, files: ConsoleFiles, say: Callable[[str], None]) -> None:
        self._settings, self._files, self._say = settings, files, say
        of_releases = Lock()
        # Webhooks may wait for their receiver for hours: meanwhile, a release can be rolled back.
        self._running: Mapping[ActionName, Lock] = {
            "publish": of_releases,
            "roll-back": of_releases,
            "retry-letters": Lock(),
            "retry-webhooks": Lock(),
        }

    def act(self, action: ActionName, fields: Mapping[str, str]) -> tuple[str, ...]:
        running = self._running[action]
        if not running.acquire(blocking=False):
            raise ActionRuns
        try:
            # With a command's patience, it would be done minutes after the person has seen a failure.
            with short_patience(DEADLINE_S):
                sentences = self._act(action, fields)
        finally:
            running.release()
        self._say(sentences[0])
        return sentences

    def _act(self, action: ActionName, fields: Mapping[str, str]) -> tuple[str, ...]:
        match action:
            case "publish":
                return self._publish(fields["version"])
            case "roll-back":
                return self._roll_back(fields["version"])
            case "retry-letters":
                return self._retry_letters(fields["reason"] or None, fields["topic"] or None)
            case "retry-webhooks":
                return self._retry_webhooks(fields["trigger"] or None)

    def _publish(self, version: str) -> tuple[str, ...]:
        folder = self._files.folder_of(version)
        if folder is None:
            raise BadUsage(
                f"release {version} is not in the folder {self._files.releases}: `segue train` writes there"
            )
        planned = plan(folder, self._settings)
        if planned.is_done(None):
            return (f"Release {version} is current already: nothing was published.",)
        if planned.refusal is not None:
            raise Refused(planned.refusal)
        activation = carry_out(planned, self._settings, None, force=False)
        done = f"Published release {version} on {self._settings.topics.models}: activation {activation}."
        problem = unusable_here(planned, self._settings)
        if problem is None:
            return (done,)
        return done, f"Workers with these settings would not use it: {problem}."

    def _roll_back(self, version: str) -> tuple[str, ...]:
        known = known_releases(self._settings)
        target = choose(known, version)
        activation = roll_back(known, target, self._settings)
        return (f"Release {version} is current again: activation {activation}.",)

    def _retry_letters(self, reason: str | None, topic: str | None) -> tuple[str, ...]:
        topics = self._settings.topics
        known = (topics.signups, topics.orders, *topics.sources)
        if topic is not None and topic not in known:
            raise bad_option("topic", topic, f"use one of {', '.join(known)}")
        resend = Resend(self._settings, DeadLetters(self._settings), Selection(reason=reason, topic=topic))
        resend.look()
        sentences = [resent_words(resend.send())]
        if resend.older:
            sentences.append(older_words(resend.older))
        not_sent = [f"Dead letter {place} is not sent: {why}." for place, why in resend.not_sent.items()]
        return *sentences, *_first(not_sent)

    def _retry_webhooks(self, trigger: str | None) -> tuple[str, ...]:
        file = self._files.triggers
        if file is None:
            raise BadUsage("the console has no file of triggers: start it with --triggers FILE")
        with installed("triggers"):
            # Not every console has this extra.
            from segue.triggers.service.retry_letters import retry_letters  # noqa: PLC0415
        triggers = load_triggers(file)
        names = [each.name for each in triggers.triggers]
        if trigger is not None and trigger not in names:
            raise bad_option("trigger", trigger, f"{file} has {', '.join(names)}")
        done = retry_letters(self._settings, file, triggers, trigger, self._say)
        not_sent = [
            f"Webhook {printable(name)} is not sent: {printable(reason)}."
            for name, reason in done.not_sent.items()
        ]
        total = counted(done.sent + len(not_sent), "dead letter")
        return f"{done.sent:,} of {total} sent.", *_first(not_sent)


def _first(notes: list[str]) -> tuple[str, ...]:
    """Return the first notes, and how many more there are."""
    if len(notes) <= _MOST_NOTES:
        return tuple(notes)
    return *notes[:_MOST_NOTES], f"And {len(notes) - _MOST_NOTES:,} more."
