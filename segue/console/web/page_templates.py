"""Renders the pages. Every value is escaped, and characters that hide or turn text are shown as escapes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from schemas.printable import printable
from segue.console.access.gate import RIGHT
from segue.console.access.logins import Right
from segue.console.shown.shown_release import moved_words, rehearsed_rows
from segue.show.change_text import similar_text, what_happened
from segue.show.letter_text import bytes_words
from segue.show.user_card import history_rows

_LONGEST_WORD = 14
_COLOURS = 7
"""The report has as many colours of segments."""


def _shown(value: object) -> object:
    """Return a value as the templates print it. A template's own markup is a subclass of str."""
    return printable(value) if type(value) is str else value


def _number(value: float) -> str:
    return f"{value:,}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _index(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S}"


def _minute(time: str | None) -> str:
    return (time or "")[:16].replace("T", " ")


def _minute_of(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _is_short(text: object) -> bool:
    """Return whether every word of a text fits into a narrow column."""
    return all(len(word) <= _LONGEST_WORD for word in str(text).split())


def _colour(segment: int) -> str:
    return f"c{segment % _COLOURS}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_shown,
)
_TEMPLATES.filters.update(
    number=_number,
    percent=_percent,
    index=_index,
    when=_when,
    time=_time,
    minute=_minute,
    minute_of=_minute_of,
    rehearsed=rehearsed_rows,
    colour=_colour,
    is_short=_is_short,
    entered=history_rows,
    happened=lambda change: what_happened(change).plain,
    short=bytes_words,
    moved=moved_words,
    similar=lambda users: similar_text(users).plain,
)


def rendered(template: str, **values: object) -> str:
    """Return a template's HTML.

    Args:
        template: the file's name without `.html`.
        **values: the values that the template names.
    """
    return _TEMPLATES.get_template(f"{template}.html").render(**values)


class Pages:
    """Renders whole pages.

    Args:
        has_login: whether people can log in and out.
    """

    def __init__(self, *, has_login: bool) -> None:
        self._has_login = has_login

    def page(self, template: str, title: str, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page.

        Args:
            template: as for :func:`rendered`.
            title: the page's title.
            status: the answer's status.
            **values: as for :func:`rendered`.
        """
        right = RIGHT.get()
        return HTMLResponse(
            rendered(
                template,
                title=title,
                has_login=self._has_login,
                is_in=right > Right.NOTHING,
                may_write=right is Right.WRITE,
                **values,
            ),
            status,
        )

    def error(self, status: int, sentence: str) -> HTMLResponse:
        """Return a page that says what is wrong."""
        return self.page("error", "Not shown", status, sentence=sentence)
