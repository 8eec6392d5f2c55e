"""A shop's past from its tables, and its later facts as a stream: then Redis is as the tables say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segue.config.load_settings import load_settings
from segue.config.trainer_extra import open_warehouse
from tests.support.servers.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Streamed:
    """What Redis holds at the end, and what the tables say; features by user id.

    Attributes:
        verified: what `verify --json` says.
        sent: what `ingest --json` says.
        redis: the features of every user in Redis.
        tables: the features of every user by SQL over the tables, if there are any.
        moved: the users whose features as of the bootstrap were others.
    """

    verified: dict[str, Any]
    sent: dict[str, Any]
    redis: dict[str, dict[str, Any]]
    tables: dict[str, dict[str, Any]]
    moved: set[str]


def stream_later(deployment: Deployment, settings: str, tables: Path, as_of: str) -> Streamed:
    """Train and bootstrap as of a day, run a worker, and ingest what the tables have since.

    Args:
        deployment: an empty deployment; its folder gets the settings.
        settings: the text of segue.toml.
        tables: the warehouse.
        as_of: the day, as 2020-07-01.
    """
    file = deployment.folder / "segue.toml"
    file.write_text(settings, encoding="utf-8")
    where = ("--warehouse", tables)
    trained = deployment.segue("train", *where, "--as-of", as_of, "--current", "none", "--no-compare")
    deployment.segue("publish", trained.stdout.strip().splitlines()[-1])
    deployment.segue("bootstrap", *where, "--as-of", as_of)
    deployment.worker().ready()
    sent = json.loads(deployment.segue("ingest", *where, "--since", as_of, "--json").stdout)
    deployment.caught_up()
    lines = deployment.segue("user", "--all", "--json").stdout.splitlines()
    before = _by_tables(file, tables, datetime.fromisoformat(as_of).replace(tzinfo=UTC))
    after = _by_tables(file, tables, None)
    return Streamed(
        verified=json.loads(deployment.segue("verify", *where, "--json", check=False).stdout),
        sent=sent,
        redis={user["user_id"]: user["features"] for user in map(json.loads, lines)},
        tables=after,
        moved={user_id for user_id, row in after.items() if before.get(user_id) != row},
    )


def _by_tables(file: Path, tables: Path, as_of: datetime | None) -> dict[str, dict[str, Any]]:
    loaded = load_settings(file)
    with open_warehouse(str(tables), loaded, datetime.now(UTC)) as warehouse:
        rows = warehouse.features(as_of, loaded.exclude_statuses, loaded.model_features).to_pylist()
    found = {row.pop("user_id"): row for row in rows}
    # A user whose rows are all left out has a row, and no fact.
    return {user_id: row for user_id, row in found.items() if set(row.values()) != {None}}
