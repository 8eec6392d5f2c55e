from __future__ import annotations

import io

from msgspec.structs import replace
from rich.console import Console

from segue.show.releases_text import releases_as_json, releases_table
from tests.support.worlds.made_up_release import a_release
from trainer.publish.release_history import Publication, Published

OLD = Publication(replace(a_release(), version="old"), None, None)
NEW = Publication(
    replace(a_release(), version="new", continues="old", metrics={"silhouette": 0.12345, "sse": 7.0}),
    "2024-04-30T01:02:03Z",
    "2024-05-01T00:00:00Z",
    (1, 7),
)
KNOWN = Published((OLD, NEW), NEW, 7)


def test_the_table_has_the_one_in_use_first() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(releases_table(KNOWN))
    assert isinstance(console.file, io.StringIO)
    _, *rows = (" ".join(line.split()) for line in console.file.getvalue().splitlines())
    space = a_release().space
    assert rows == [
        f"2 current new 2024-04-30 01:02 2024-05-01 00:00 1, 7 0, 1, 2, 3 90 {space} 0.123",
        f"1 old 0, 1, 2, 3 90 {space}",
    ]


def test_nothing_is_cut_where_there_is_little_room() -> None:
    version = "0123456789ab"
    users = replace(a_release().training, users_used=1_234_567)
    wide = replace(a_release(), version=version, space=version[::-1], training=users)
    each = Publication(wide, "2024-04-30T01:02:03Z", "2024-05-01T00:00:00Z", tuple(range(100, 140)))
    # As the command prints, and as a pipe or a usual terminal is.
    console = Console(file=io.StringIO(), width=80, soft_wrap=True)
    console.print(releases_table(Published((each,), each, 7)))
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    for word in (
        version,
        version[::-1],
        "2024-04-30 01:02",
        "2024-05-01 00:00",
        "current",
        "1,234,567",
        "139",
    ):
        assert word in told
    assert "…" not in told


def test_a_line_of_json_a_release() -> None:
    new, old = releases_as_json(KNOWN)
    assert (new["version"], new["current"], new["continues"], new["activations"]) == (
        "new",
        True,
        "old",
        (1, 7),
    )
    assert (new["created_at"], new["published_at"]) == ("2024-04-30T01:02:03Z", "2024-05-01T00:00:00Z")
    assert new["metrics"] == {"silhouette": 0.12345, "sse": 7.0}
    segments = new["segments"]
    assert isinstance(segments, list)
    assert segments[0] == {"id": 0, "name": "segment 0", "size": 10}
    assert (old["version"], old["current"], old["created_at"]) == ("old", False, None)
