"""As many viewers as the console serves, over real connections: each gets every change."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

from segue.console.viewers.change_hub import MOST_VIEWERS, ChangeHub
from tests.support.inputs.made_change import a_change
from tests.support.worlds.made_up_console import MadeUpFacts, MadeUpFeed, made_up_app

SENT = [f"{number:032x}" for number in range(50)]


async def ask(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for the changes; the status line comes first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/changes HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return reader, writer


async def ids_seen(stream: asyncio.StreamReader) -> list[str]:
    seen: list[str] = []
    async for line in stream:
        if line.startswith(b"id: "):
            seen.append(line[4:].decode().strip())
        if seen[-1:] == SENT[-1:]:
            break
    return seen


def test_two_hundred_viewers_each_get_every_change_and_the_next_is_refused() -> None:
    async def run() -> tuple[list[list[str]], bytes]:
        feed = MadeUpFeed()
        hub = ChangeHub(feed.open())
        config = uvicorn.Config(made_up_app(MadeUpFacts(), hub), log_config=None, access_log=False, ws="none")
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0), backlog=MOST_VIEWERS) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            port = listener.getsockname()[1]
            viewers = [await ask(port) for _ in range(MOST_VIEWERS)]
            streams = [stream for stream, _ in viewers]
            for stream in streams:
                assert await stream.readline() == b"HTTP/1.1 200 OK\r\n"
            late = await ask(port)
            refused = await late[0].readline()
            feed.send(*(a_change(event_id=event_id) for event_id in SENT))
            seen = await asyncio.gather(*map(ids_seen, streams))
            for _, writer in (*viewers, late):
                writer.close()
            server.should_exit = True
            await serving
        return seen, refused

    seen, refused = asyncio.run(run())
    assert seen == [SENT] * MOST_VIEWERS
    assert refused.startswith(b"HTTP/1.1 429 ")
