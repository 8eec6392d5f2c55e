"""What does not fit into memory: kept in order, found again, gone in the end, and bounded in memory."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from schemas.errors import NoRoom
from streamer.refill.spill import Shelf, Spill

_A_MEGABYTE = b"x" * 1_000_000


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with closing(Spill()) as spill:
        yield spill.shelf()


def all_of(shelf: Shelf) -> list[tuple[str, bytes]]:
    return [entry for entries in shelf.batches() for entry in entries]


def test_texts_stand_in_the_order_in_which_they_first_came(shelf: Shelf) -> None:
    shelf.put([("b", b"1"), ("a", b"2")])
    shelf.put([("c", b"3"), ("b", b"4")])
    assert all_of(shelf) == [("b", b"4"), ("a", b"2"), ("c", b"3")]
    assert shelf.keys_after(0) == (3, ["b", "a", "c"])
    assert shelf.keys_after(1) == (3, ["a", "c"])
    assert shelf.keys_after(3) == (3, [])


def test_what_was_put_is_found_until_it_is_removed(shelf: Shelf) -> None:
    assert shelf.get("a") is None
    shelf.remove("a")
    shelf.put([("a", b"1"), ("b", b"2")])
    shelf.remove("a")
    assert (shelf.get("a"), shelf.get("b")) == (None, b"2")
    assert all_of(shelf) == [("b", b"2")]


def test_adding_tells_who_is_new(shelf: Shelf) -> None:
    assert shelf.add(["a", "b", "a"]) == ["a", "b"]
    assert shelf.add(["b", "c"]) == ["c"]


def test_texts_that_look_alike_are_not_the_same(shelf: Shelf) -> None:
    alike = ["7", "07", "7 ", "a\x00b", "a\x00c", "a", "ñ", "n\u0303", "日", "😀"]
    assert shelf.add(alike) == alike
    assert shelf.keys_after(0)[1] == alike


def test_what_comes_while_all_is_read_is_read_too(shelf: Shelf) -> None:
    shelf.add(str(number) for number in range(1_500))
    found = []
    for entries in shelf.batches():
        found += entries
        shelf.add(["later"])
    assert [key for key, _ in found] == [*map(str, range(1_500)), "later"]


def test_shelves_of_one_spill_are_apart() -> None:
    with closing(Spill()) as spill:
        one, other = spill.shelf(), spill.shelf()
        one.put([("a", b"1")])
        assert (other.get("a"), other.add(["a"]), one.get("a")) == (None, ["a"], b"1")


def nameless_files() -> set[str]:
    """The open files of this process that no folder has any more."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.add(str(link.readlink()))
    return {told for told in found if told.endswith("(deleted)")}


def test_the_disk_is_used_only_for_what_is_more_and_by_a_file_without_a_name() -> None:
    before = nameless_files()
    with closing(Spill()) as spill:
        shelf = spill.shelf()
        shelf.put([("a", _A_MEGABYTE)])
        assert nameless_files() == before
        shelf.put((str(number), _A_MEGABYTE) for number in range(40))
        (file,) = nameless_files() - before
        assert not Path(file.removesuffix(" (deleted)")).exists()
        assert shelf.get("39") == _A_MEGABYTE
    assert nameless_files() == before


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_is_told_in_a_sentence(shelf: Shelf) -> None:
    with files_of_at_most(1_000_000), pytest.raises(NoRoom) as told:
        shelf.put((str(number), _A_MEGABYTE) for number in range(40))
    assert str(told.value) == (
        "what does not fit into memory cannot be written to the folder for temporary files (disk I/O error): "
        "make room there, or set TMPDIR to a folder that has some"
    )
    assert told.value.exit_code == 74


_FILL = """
from pathlib import Path
from streamer.refill.spill import Spill
spill = Spill()
shelf = spill.shelf()
for number in range(200):
    shelf.put((f"{number} {one}", b"x" * 1_000) for one in range(1_000))
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
"""


def test_memory_is_bounded_however_much_is_kept() -> None:
    kib = int(subprocess.run([sys.executable, "-c", _FILL], capture_output=True, check=True).stdout)
    assert kib < 100_000, f"{kib:,} KiB were taken to keep 200 MB"
