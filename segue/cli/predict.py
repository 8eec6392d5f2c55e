"""`segue predict`: the segment of an imagined user."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import data, write_json

if TYPE_CHECKING:
    from schemas.release.model_release import ModelRelease


@command(
    "kafka",
    "topic_prefix",
    "redis",
    "redis_prefix",
    "similar_users",
    example="segue predict --age 34 --gender F --country Brasil --total-orders 3",
)
def predict(
    settings: Settings,
    age: Annotated[str | None, typer.Option(metavar="YEARS", help="0 to 150")] = None,
    gender: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    country: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    traffic_source: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    total_orders: Annotated[str | None, typer.Option(metavar="N", help="distinct orders")] = None,
    most_frequent_brand: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    most_frequent_category: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="a declared feature; may be given several times"),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="score with this release; unset: with the current release in Kafka"),
    ] = None,
    as_json: Annotated[bool, flag("--json", "as JSON")] = False,
) -> int | None:
    """Score an imagined user.

    A feature without a value counts as missing: the training mean takes its place.
    """
    from segue.look.explain_user import imagined_user
    from segue.look.what_if import check_features, features_for
    from segue.show.user_card import card_text

    features = {
        "age": age,
        "gender": gender,
        "country": country,
        "traffic_source": traffic_source,
        "total_orders": total_orders,
        "most_frequent_brand": most_frequent_brand,
        "most_frequent_category": most_frequent_category,
    }
    check_features(features)  # reports a wrong value before Kafka is asked
    model = _release(None if release is None else Path(release), settings)
    card = imagined_user(features_for(model, features, feature or ()), model, settings)
    if as_json:
        write_json(card.as_json())
    else:
        data.print(card_text(card))
    return None


def _release(folder: Path | None, settings: Settings) -> ModelRelease:
    if folder is None:
        from segue.connect.release_in_use import current_model

        return current_model(settings).release
    from segue.config.trainer_extra import load_folder

    return load_folder(folder)
