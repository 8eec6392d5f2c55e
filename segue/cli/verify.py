"""`segue verify`: compare Redis with the log."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Annotated

import msgspec

from schemas.counted import counted
from schemas.errors import SegueError
from segue.cli.command import BootstrapWarehouse, command, flag
from segue.config.settings import Settings
from segue.show.refused_text import refused_lines
from segue.show.terminal import progress, say, warn, write, write_json_of

if TYPE_CHECKING:
    from segue.refill.run_verify import Verified


@command(
    "kafka",
    "topic_prefix",
    "redis",
    "redis_prefix",
    "group",
    "partitioner",
    "exclude_statuses",
    example="segue verify",
)
def verify(
    settings: Settings,
    warehouse: BootstrapWarehouse = None,
    as_json: Annotated[bool, flag("--json", "the counts and the differences as JSON")] = False,
) -> int:
    """Fold the log again and compare it with Redis, user by user. Workers may run meanwhile.

    It names each user that differs, with the differences. The exit code is 1 if a user differs. It also names
    users with events that could not be applied, for example because a state was full. It writes nothing.
    """
    from segue.refill.run_verify import verify as compared
    from segue.refill.warehouse_facts import warehouse_facts
    from streamer.refill.spill import Spill

    with closing(Spill()) as spill:
        with ExitStack() as stack:
            facts_as_of = None if warehouse is None else warehouse_facts(stack, warehouse, settings)
            bar = stack.enter_context(progress())
            task = bar.add_task("Comparing", note="")
            found = compared(
                settings,
                facts_as_of,
                lambda records, users: bar.update(
                    task, note=f"{records:,} records read, {users:,} users compared"
                ),
                spill,
            )
        if as_json:
            _write(found)
        else:
            _say(found, settings)
        return 0 if found.whole else 1


def _write(found: Verified) -> None:
    fields = {
        "users": found.users,
        "erased": found.erased,
        "records": found.records,
        "lanes_without_place": found.lanes_without_place,
        "refused": list(found.refusals),
    }
    write_json_of(
        fields,
        "differing",
        ({"user_id": user_id, "differences": differs} for user_id, differs in found.differing),
    )


def _say(found: Verified, settings: Settings) -> None:
    for user_id, differs in found.differing:
        for difference in differs:
            write(
                user_id,
                difference.field,
                f"log {_json(difference.log)}",
                f"Redis {_json(difference.redis)}",
            )
    for line in refused_lines(found.refusals, "events", every=True):
        warn(line)
    count = found.count
    differ = "0 differences" if not count else f"{count:,} {'user differs' if count == 1 else 'users differ'}"
    erased = f" and {found.erased:,} erased" if found.erased else ""
    users = f"{counted(found.users - found.erased, 'user')}{erased}"
    say(f"{users} compared with {counted(found.records, 'record')}: {differ}.")
    _say_lanes(settings, found.lanes_without_place)


def _say_lanes(settings: Settings, lanes: Sequence[int]) -> None:
    """Say which lanes were not compared, and whether a worker would make their places."""
    if not lanes:
        return
    from segue.connect.kafka_access import lanes_of
    from segue.doctor.places import refused_lanes

    refused: dict[int, str] = {}
    with suppress(SegueError):  # what was compared is said already
        refused = refused_lanes(settings, lanes_of(settings), lanes)
    for lane in lanes:
        why = f". segue doctor says: {refused[lane]}" if lane in refused else ": start a worker"
        say(f"Lane {lane} has no place in Redis, so its users were not compared{why}.")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
