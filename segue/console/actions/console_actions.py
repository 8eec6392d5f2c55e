"""What the console can do, and what it asks before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Struct

from schemas.errors import SegueError

ActionName = Literal["publish", "roll-back", "retry-letters", "retry-webhooks"]


class ActionRuns(SegueError):
    """Another action on the same things runs."""

    def __init__(self) -> None:
        super().__init__("such an action runs already: wait until it has ended, then try again")


class Question(Struct, frozen=True):
    """What is asked before an action.

    Attributes:
        title: the page's title.
        words: what will happen, with the fields' names in braces.
        button: the words of the button.
        back: the page to go back to.
        fields: the fields of the form; each may be blank if it is not in ``needed``.
        needed: the fields that must have a value.
    """

    title: str
    words: str
    button: str
    back: str
    fields: tuple[str, ...]
    needed: tuple[str, ...] = ()


QUESTIONS: Mapping[ActionName, Question] = {
    "publish": Question(
        "Publish a release",
        "Release {version} becomes the current release, and workers decide every user by it. It is checked"
        " first, and refused if it moves too many users.",
        "Publish",
        "/releases",
        ("version",),
        ("version",),
    ),
    "roll-back": Question(
        "Roll back",
        "Release {version} becomes the current release again, and workers decide every user by it.",
        "Roll back",
        "/releases",
        ("version",),
        ("version",),
    ),
    "retry-letters": Question(
        "Send dead letters again",
        "The inputs of these dead letters are sent again, each to the topic that it came from. An input that"
        " was applied in the meantime changes nothing.",
        "Send again",
        "/dead-letters",
        ("reason", "topic"),
    ),
    "retry-webhooks": Question(
        "Send webhooks again",
        "The webhooks that became dead letters are sent again, each once, with the same id as before.",
        "Send again",
        "/triggers",
        ("trigger",),
    ),
}


class ConsoleActions(Protocol):
    """What the console can do. Each returns sentences: first what it did, then notes.

    Every method raises :class:`~schemas.errors.SegueError` if nothing, or not all, was done.
    """

    def act(self, action: ActionName, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Do one action.

        Args:
            action: the action.
            fields: the texts of the question's fields; blank for a field that was left out.

        Raises:
            ActionRuns: another action on the same things runs.
        """
        ...
