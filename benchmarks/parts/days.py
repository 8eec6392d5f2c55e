"""Measures what features of time add to an event: the preset rfm beside features that no day changes."""

import json
from dataclasses import replace
from datetime import date
from importlib.resources import files

from benchmarks.parts.backlog_lane import OneModel, backlog_lane, seconds_each_event
from benchmarks.parts.measure import RUNS, Comparison, compare
from schemas.features import RFM, Feature, declared
from segue.services import NoServices, find_services
from trainer.fit import Fit, fit
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select
from trainer.warehouse import open_warehouse

# As rfm, with the mean of the orders in place of recency.
_WITHOUT_TIME = (Feature("average", "mean", "order_value", log=True), *RFM[1:])
_K = 5
_EVENTS = 4_000  # of a run
_LAST_DAY = date(2024, 12, 31)


def cost_of_days() -> Comparison | str:
    """Seconds for each event with the preset rfm, and without a feature of time; a reason if it cannot be
    measured.
    """
    with find_services(kafka=None, redis=None, say=print) as services:
        if isinstance(services, NoServices):
            return f"not measured: {services.reason}"
        events = RUNS * _EVENTS
        with_days = backlog_lane(services, OneModel(_fit(RFM)), events, {"preset": "rfm"})
        without = backlog_lane(services, OneModel(_fit(_WITHOUT_TIME)), events, _declared(_WITHOUT_TIME))
        return compare(
            "apply one event with features of time, Kafka and Redis included",
            ("the preset rfm, with each user's due day", lambda: seconds_each_event(with_days, _EVENTS)),
            ("three features that no day changes", lambda: seconds_each_event(without, _EVENTS)),
        )


def _fit(features: tuple[Feature, ...]) -> Fit:
    settings: FitSettings = replace(PRESETS["rfm"], preset="article", features=features, k=_K)
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        table = warehouse.features(features=declared(features), day=_LAST_DAY)
    return fit(select(table, settings), settings)


def _declared(features: tuple[Feature, ...]) -> dict[str, object]:
    """The settings of a lane with these features."""
    return {
        "declare": json.dumps(
            {each.name: {"kind": each.kind, "source": each.source, "log": each.log} for each in features}
        ),
        "features": ",".join(each.name for each in features),
    }
