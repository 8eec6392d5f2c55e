"""The facts that a fold could not apply: by user, their number and the first reason."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.input_events import Event


class Refusal(Struct, frozen=True):
    """The number of a user's refused facts, and the reason of the first one."""

    user_id: str
    facts: int
    reason: str


class Refusals:
    """The refused facts of a command that folds facts again, by user."""

    def __init__(self) -> None:
        self._of_user: dict[str, Refusal] = {}

    def __iter__(self) -> Iterator[Refusal]:
        return iter(self._of_user.values())

    @property
    def facts(self) -> int:
        """How many facts were refused."""
        return sum(refusal.facts for refusal in self)

    def add(self, event: Event, error: Exception) -> None:
        """Note that an event was refused."""
        self._note(Refusal(event.user_id, 1, str(bad_event(error))))

    def merge(self, other: "Refusals") -> None:
        """Add the refusals of another part of the command."""
        for refusal in other:
            self._note(refusal)

    def _note(self, refusal: Refusal) -> None:
        known = self._of_user.get(refusal.user_id)
        self._of_user[refusal.user_id] = (
            refusal if known is None else replace(known, facts=known.facts + refusal.facts)
        )


def bad_event(error: Exception) -> BadEvent:
    """The error as a BadEvent, for the dead letter of an event that always raises it."""
    if isinstance(error, BadEvent):
        return error
    return BadEvent("", f"the event cannot be applied ({type(error).__name__}: {error})")
