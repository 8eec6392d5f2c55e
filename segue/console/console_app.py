"""The console as one web application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from segue.console.access.gate import Gate, Pass
from segue.console.actions.console_actions import ConsoleActions
from segue.console.facts.console_facts import ConsoleFacts
from segue.console.viewers.change_hub import ChangeHub
from segue.console.web import web_errors
from segue.console.web.action_routes import action_routes
from segue.console.web.api_routes import api_routes
from segue.console.web.api_schemas import describe_api
from segue.console.web.login_routes import login_routes
from segue.console.web.operator_api import operator_api
from segue.console.web.operator_routes import operator_routes
from segue.console.web.page_routes import page_routes
from segue.console.web.page_templates import Pages


def console_app(facts: ConsoleFacts, hub: ChangeHub, needed: Pass, actions: ConsoleActions) -> FastAPI:
    """Return the application.

    Args:
        facts: what it shows.
        hub: the changes as they happen; it runs as long as the application.
        needed: the tokens that people must give.
        actions: what people with the write token can do.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hub.start()
        yield
        await hub.stop()

    app = FastAPI(
        title="Segue's console",
        description="What Segue knows, read-only. An error is one sentence in the field `error`.",
        version=version("segue-live"),
        openapi_url="/api/openapi.json",
        docs_url=None,  # their pages load scripts from a stranger's server
        redoc_url=None,
        lifespan=lifespan,
    )
    pages = Pages(has_login=needed.has_tokens)
    web_errors.answer_errors(app, pages.error)
    describe_api(app)
    app.include_router(api_routes(facts, hub))
    app.include_router(operator_api(facts))
    app.include_router(page_routes(facts, hub, pages))
    app.include_router(operator_routes(facts, pages))
    app.include_router(action_routes(facts, actions, pages))
    if needed.has_tokens:
        app.include_router(login_routes(needed, pages))
    app.mount("/static", StaticFiles(directory=Path(web_errors.__file__).with_name("static")))
    app.add_middleware(Gate, token=needed)
    return app
