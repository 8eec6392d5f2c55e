"""One release with its impact, as the pages and the API show it. Pure but for the files of the release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from schemas.errors import SegueError
from segue.console.facts.console_facts import ConsoleFacts
from segue.console.facts.console_files import ConsoleFiles, Impact, Moves
from segue.rehearsal.kept_rehearsal import KeptRehearsal
from segue.show.releases_text import releases_as_json
from trainer.publish.release_history import Publication, Published


class UnknownRelease(SegueError):
    """There is no such release."""


class ShownRelease(Struct, frozen=True):
    """A release.

    Attributes:
        fields: the release's fields, as `segue releases --json` has them.
        is_published: whether workers ever used it.
        impact: whom it moves against the release that it was trained to follow; None if not known.
        rehearsal: its newest rehearsal; None if it was not rehearsed.
        has_page: whether the folder of releases has its report.
    """

    fields: dict[str, Any]
    is_published: bool
    impact: Impact | None
    rehearsal: KeptRehearsal | None
    has_page: bool


class MovedRow(Struct, frozen=True):
    """The moves that a release makes from one segment to another, by what moves the users."""

    previous: int
    segment: int
    by_model: int
    by_behaviour: int


def unpublished(facts: ConsoleFacts, known: Published) -> tuple[dict[str, Any], ...]:
    """Return the releases in the folder that were never published, the newest first, as fields."""
    found = [each for each in facts.folder().found() if known.by_version(each.release.version) is None]
    return tuple(_fields(Publication(each.release, each.created_at, None)) for each in found)


def shown_release(facts: ConsoleFacts, version: str) -> ShownRelease:
    """Return a release that was published, or that is in the folder of releases.

    Raises:
        UnknownRelease: there is no such release.
    """
    known, files = facts.releases(), facts.folder()
    publication = known.by_version(version)
    if publication is not None:
        fields = next(each for each in releases_as_json(known) if each["version"] == version)
        return _shown(publication, fields, files, is_published=True)
    for each in files.found():
        if each.release.version == version:
            made = Publication(each.release, each.created_at, None)
            return _shown(made, _fields(made), files, is_published=False)
    raise UnknownRelease(f"there is no release {version!r}: the page of releases lists them")


def names_ever(known: Published) -> dict[int, str]:
    """Return the newest name of every segment that a published release has or had."""
    newest = known.current
    releases = [*known.releases, *([] if newest is None else [newest])]
    return {segment.id: segment.name for each in releases for segment in each.release.segments}


def moved_rows(impact: Impact) -> Sequence[MovedRow]:
    """Return the moves of an impact, those by the model first."""
    model, behaviour = (
        {} if moves is None else {(pair.previous, pair.segment): pair.users for pair in moves.pairs}
        for moves in (impact.by_model, impact.by_behaviour)
    )
    ways = dict.fromkeys([*model, *behaviour])
    rows = [MovedRow(*way, model.get(way, 0), behaviour.get(way, 0)) for way in ways]
    return sorted(rows, key=lambda row: (-row.by_model, -row.by_behaviour, row.previous, row.segment))


def moved_words(moves: Moves | None) -> str:
    """Say how many users move.

    >>> moved_words(Moves(200, ()))
    '0 of 200 users (0.0%)'
    """
    return "not known" if moves is None else f"{moves.moved:,} of {moves.users:,} users ({moves.share:.1%})"


def rehearsed_rows(kept: KeptRehearsal) -> list[tuple[str, int, int]]:
    """Return the rows of a rehearsal: words, then the number by the current and by the new release."""
    causes = [
        (f"by {words}", kept.current.movers.get(cause, 0), kept.new.movers.get(cause, 0))
        for cause, words in (("signup", "a signup"), ("order", "an order"), ("time", "a new day"))
    ]
    return [
        ("users who move", kept.current.moving_users, kept.new.moving_users),
        *(row for row in causes if row[1] or row[2]),
        ("moves", sum(kept.current.moves.values()), sum(kept.new.moves.values())),
        ("users who flap", kept.current.flapping_users, kept.new.flapping_users),
        ("flaps", kept.current.flaps, kept.new.flaps),
        ("first segments", kept.current.new_users, kept.new.new_users),
        ("erased users", kept.current.erased_users, kept.new.erased_users),
    ]


def _shown(
    publication: Publication, fields: dict[str, Any], files: ConsoleFiles, *, is_published: bool
) -> ShownRelease:
    release = publication.release
    impact, page = files.impact(release), files.page(release)
    return ShownRelease(fields, is_published, impact, files.rehearsal(release.version), page is not None)


def _fields(publication: Publication) -> dict[str, Any]:
    return {**next(iter(releases_as_json(Published((publication,))))), "place": None}
