"""Many live pages, as browsers have them: each reads the changes, and renews its figures each five seconds.

It ends when its input ends and no change comes any more. Then it has written what each page saw.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from benchmarks.ways.way_job import DONE, READY, say

SEEN = "seen.json"
_QUIET_S = 3.0
_RENEW_S = 5.0
_OK, _CHANGE, _END = b"HTTP/1.1 200 ", b"event: fragment\n", b"event: end\n"


class Watch(Struct, frozen=True):
    """What to watch: the console's address, how many pages there are, and where their results go."""

    address: str
    pages: int
    folder: str


class Seen(Struct):
    """What one page saw: its changes, and whether the console ended it with a sentence."""

    changes: int = 0
    is_dropped: bool = False


async def watch(watched: Watch) -> list[Seen]:
    """Watch until the input ends."""
    address = urlsplit(watched.address)
    pages = [_Page(str(address.hostname), int(address.port or 80)) for _ in range(watched.pages)]
    for page in pages:
        await page.open()
    say(READY)
    work = [asyncio.create_task(each) for page in pages for each in (page.read(), page.renew())]
    await asyncio.to_thread(sys.stdin.read)
    closed_s = time.monotonic()
    while True:
        last_s = max(closed_s, *(page.last_s for page in pages))
        left_s = last_s + _QUIET_S - time.monotonic()
        if left_s <= 0:
            break
        await asyncio.sleep(left_s)
    for task in work:
        task.cancel()
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return [page.seen for page in pages]


class _Page:
    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self.seen, self.last_s = Seen(), 0.0

    async def open(self) -> None:
        """Begin to read the changes."""
        # The connection ends with its writer, so the writer is kept.
        self._changes, self._writer = await self._get("/live/changes")
        if not (await self._changes.readline()).startswith(_OK):
            raise RuntimeError("the console refused a viewer")

    async def read(self) -> None:
        """Count the changes until the console ends the stream."""
        async for line in self._changes:
            if line == _CHANGE:
                self.seen.changes += 1
                self.last_s = time.monotonic()
            elif line == _END:
                self.seen.is_dropped = True

    async def renew(self) -> None:
        """Renew the figures again and again."""
        while True:
            await asyncio.sleep(_RENEW_S)
            answer, writer = await self._get("/live/figures")
            if not (await answer.readline()).startswith(_OK):
                raise RuntimeError("the console did not answer with the figures")
            await answer.read()
            writer.close()

    async def _get(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._where)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return reader, writer


if __name__ == "__main__":
    # Browsers run on other machines: here they leave the cores to what is measured.
    os.nice(19)
    what = msgspec.json.decode(sys.argv[1], type=Watch)
    result = asyncio.run(watch(what))
    (Path(what.folder) / SEEN).write_bytes(msgspec.json.encode(result))
    say(DONE)
