"""A ledger's copy in memory, as the records of an append-only file that can lose its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from segue.triggers.ledger_records import Writes


class Held(Struct):
    """What a server holds: the records, the mark with its number, and the count of saves."""

    values: dict[bytes, bytes] = {}
    mark: tuple[int, bytes] | None = None
    saves: int | None = None


Effect = Callable[[Held], None]


class CopyFile:
    """The server: its blocks of effects. A block runs whole, unless a crash cuts the file inside it."""

    def __init__(self) -> None:
        self.blocks: list[list[Effect]] = []
        self.held = Held()

    def run(self, effects: Sequence[Effect]) -> None:
        """Run a block and write it to the file."""
        self.blocks.append(list(effects))
        for effect in effects:
            effect(self.held)

    def lose(self, blocks: int, kept: int) -> None:
        """Restart without the last blocks; of the first of these, ``kept`` effects stay in the file.

        They do not run now, but at the next restart.
        """
        if not self.blocks:
            return
        lost = self.blocks[-blocks:]
        del self.blocks[-blocks:]
        self._load()
        self.blocks.append(lost[0][:kept])

    def restart(self) -> None:
        """Restart in peace, which runs what a crash has left of a lost block."""
        self._load()

    def _load(self) -> None:
        self.held = Held(values={})
        for block in self.blocks:
            for effect in block:
                effect(self.held)


class MemoryCopy:
    """Implements :class:`~segue.triggers.ledger_copy.Copy` on a file that several may share."""

    def __init__(self, file: CopyFile | None = None) -> None:
        self.file = CopyFile() if file is None else file

    def read(self, keys: Sequence[bytes]) -> tuple[bytes | None, list[bytes | None]]:
        held = self.file.held
        mark = held.mark[1] if held.mark and self.is_whole() else None
        return mark, [held.values.get(key) for key in keys]

    def is_whole(self) -> bool:
        """Whether no part of a lost save came back."""
        held = self.file.held
        return held.mark is not None and held.mark[0] == held.saves

    def save(self, expected: bytes | None, mark: bytes, writes: Writes) -> bool:
        held, count = self.file.held, self.file.held.saves or 0
        if expected is None:
            if held != Held(values={}):
                return False
        elif held.mark is None or held.mark[1] != expected or not self.is_whole():
            return False
        effects: list[Effect] = [
            lambda held: setattr(held, "saves", (held.saves or 0) + 1),
            lambda held: delete(held, [key for key, value in writes.items() if value is None]),
            lambda held: held.values.update({k: v for k, v in writes.items() if v is not None}),
            lambda held: setattr(held, "mark", (count + 1, mark)),
        ]
        self.file.run(effects)
        return True

    def empty(self) -> None:
        if self.file.held != Held(values={}):  # Redis writes only what has an effect to its file
            self.file.run([emptied])

    def close(self) -> None:
        pass


def delete(held: Held, keys: Sequence[bytes]) -> None:
    """Delete records, as HDEL."""
    for key in keys:
        held.values.pop(key, None)


def emptied(held: Held) -> None:
    """Delete the copy, as FLUSHALL."""
    held.values, held.mark, held.saves = {}, None, None
