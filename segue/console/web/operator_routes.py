"""The pages of operators: releases, dead letters and triggers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from schemas.errors import SegueError
from segue.console.facts.console_facts import ConsoleFacts
from segue.console.shown.shown_release import UnknownRelease, moved_rows, shown_release, unpublished
from segue.console.web.known_parameters import check_names
from segue.console.web.page_templates import Pages
from segue.console.web.web_errors import sentence_of, status_of
from segue.events.dead_letter_topic import Selection
from segue.show.releases_text import releases_as_json
from segue.triggers.report.holdout_text import report_lines

_MOST_LETTERS = 50
_OF_REPORTS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
"""A report has its styles inside, and no script."""


def operator_routes(facts: ConsoleFacts, pages: Pages) -> APIRouter:
    """Return the routes of these pages.

    Args:
        facts: what is shown.
        pages: renders them.
    """
    routes = APIRouter(include_in_schema=False)
    page = pages.page

    @routes.get("/releases")
    def releases() -> Response:
        known = facts.releases()
        return page(
            "releases",
            "Releases",
            releases=list(releases_as_json(known)),
            waiting=unpublished(facts, known),
            problem=known.problem,
        )

    @routes.get("/releases/{version}")
    def release(version: str) -> Response:
        shown = shown_release(facts, version)
        rows = () if shown.impact is None else moved_rows(shown.impact)
        return page("release", f"Release {version}", shown=shown, rows=rows)

    @routes.get("/releases/{version}/report")
    def report(version: str) -> Response:
        known = facts.releases().by_version(version)
        made = [each.release for each in facts.folder().found() if each.release.version == version]
        released = known.release if known is not None else next(iter(made), None)
        content = None if released is None else facts.folder().page(released)
        if content is None:
            raise UnknownRelease(f"the folder of releases has no report of release {version!r}")
        return HTMLResponse(content, headers={"Content-Security-Policy": _OF_REPORTS})

    @routes.get("/dead-letters")
    def dead_letters(request: Request) -> Response:
        check_names(request.query_params, ["reason", "topic"])
        reason, topic = (request.query_params.get(name, "").strip() for name in ("reason", "topic"))
        found = facts.letters()
        chosen = found.chosen(Selection(reason=reason or None, topic=topic or None))
        topics = sorted({letter.topic for letter in found.letters})
        return page(
            "dead_letters",
            "Dead letters",
            found=found,
            chosen=len(chosen),
            letters=chosen[:_MOST_LETTERS],
            topics=topics,
            reason=reason,
            topic=topic,
        )

    @routes.get("/triggers")
    def triggers() -> Response:
        return page(
            "triggers", "Triggers", found=facts.triggers(), has_file=facts.folder().triggers is not None
        )

    @routes.get("/triggers/lift")
    def lift() -> Response:
        title = "What the triggers changed"
        try:
            reports = facts.lift()
        except SegueError as error:
            return page("lift", title, status_of(error), reports={}, problem=sentence_of(error))
        texts = {
            each.trigger: [line.strip().removeprefix(f"{each.trigger}: ") for line in report_lines(each)]
            for each in reports
        }
        return page("lift", title, reports=texts, problem=None)

    return routes
