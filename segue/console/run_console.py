"""Listens, and serves the console until a signal ends it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing

import uvicorn
from msgspec import Struct

from schemas.errors import SegueError
from segue.config.command_line import BadUsage, bad_option
from segue.config.settings import Settings
from segue.connect.kafka_access import patiently
from segue.console.access.gate import Pass, is_loopback
from segue.console.actions.live_actions import LiveActions
from segue.console.console_app import console_app
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.live_facts import LiveFacts
from segue.console.viewers.change_hub import ChangeHub
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.subscription import Subscription

SHORTEST_TOKEN = 16
_CLOSE_S = 1.0
# Lanes on the same machine go first: `nice` of the console's process.
_NICE = 10
_WAITING_CONNECTIONS = 256


class ConsoleOptions(Struct, frozen=True):
    """Where the console listens, who may use it, and which files it may read.

    Attributes:
        host: the address to listen on.
        port: the port; 0 takes any free port.
        files: the folder of releases, and the file of triggers.
        token: the token that readers must give; None for none.
        write_token: the token of those who may write; None lets nobody write.
    """

    host: str
    port: int
    files: ConsoleFiles
    token: str | None = None
    write_token: str | None = None


def run_console(settings: Settings, options: ConsoleOptions, say: Callable[[str], None]) -> None:
    """Serve the console until a signal.

    Args:
        settings: name the Kafka, the Redis, the topics and the group.
        options: where it listens, who may use it, and which files it may read.
        say: called with the console's address, and with sentences about a wait for Kafka and about
            what writers do.

    Raises:
        BadUsage: the host needs a token, or the address cannot be used.
        Unreachable: Kafka does not answer.
    """
    host = options.host
    check_token(host, options.token)
    check_write_token(options.token, options.write_token)
    with (
        closing(listening(host, options.port)) as listener,
        closing(patiently(settings, lambda: LiveFacts(settings, options.files))) as facts,
    ):
        os.nice(_NICE)
        app = console_app(
            facts,
            ChangeHub(lambda: open_feed(settings, say)),
            Pass(options.token, options.write_token),
            LiveActions(settings, options.files, say),
        )
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
            )
        )
        # The main thread takes the signals, as in every command; the server takes none in a thread.
        serving = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
        serving.start()
        say(f"The console is at {address_of(host, listener)}; ctrl-C ends it.")
        try:
            serving.join()
        finally:
            server.should_exit = server.force_exit = True
            serving.join(_CLOSE_S)
    raise SegueError("the console's web server has ended: run it again with --debug to see more")


def check_token(host: str, token: str | None) -> None:
    """Check that whoever reaches the console must give a token that is not guessed.

    Raises:
        BadUsage: a token is needed, or it is too short.
    """
    if token is None:
        if not is_loopback(host):
            raise bad_option(
                "--host",
                host,
                "others reach this address, so readers must give a token: set SEGUE_CONSOLE_TOKEN",
            )
    else:
        _check_length("token", token)


def check_write_token(token: str | None, write_token: str | None) -> None:
    """Check that nobody guesses the token of those who may write, and that readers do not have it.

    Raises:
        BadUsage: it is too short, or it is the readers' token.
    """
    if write_token is None:
        return
    _check_length("write token", write_token)
    if write_token == token:
        raise BadUsage("the write token is the readers' token: give another, or all readers may write")


def _check_length(name: str, token: str) -> None:
    if len(token) < SHORTEST_TOKEN:
        raise BadUsage(
            f"the {name} has {len(token)} characters: give at least {SHORTEST_TOKEN}, such as from"
            " `openssl rand -hex 16`"
        )


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        BadUsage: it cannot listen there.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, where = found[0]
        return socket.create_server(where[:2], family=family, backlog=_WAITING_CONNECTIONS)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while attempting")[0]
        raise bad_option(
            "--port", port, f"cannot listen on {host}:{port} ({reason}): give another, or 0 for any free one"
        ) from None


def address_of(host: str, listener: socket.socket) -> str:
    """Return the console's address for a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def open_feed(settings: Settings, say: Callable[[str], None]) -> ChangeFeed:
    """Open the changes from now on, outside every group.

    Args:
        settings: name the Kafka and the topics.
        say: called with each sentence about a wait for Kafka.
    """
    return ChangeFeed(
        Subscription(
            settings.kafka,
            topic_prefix=settings.topic_prefix,
            kafka_options=settings.kafka_options,
            provisional=True,
            workers_group=settings.group,
        ),
        say,
    )
