from __future__ import annotations

import msgspec

from schemas.features import FEATURES, Feature
from tests.support.worlds.trained_shops import QUICK, fitted_shop
from trainer.controls.traits import traits_of
from trainer.release.pipeline_numbers import release_of
from trainer.report import Shop, report_of
from trainer.report.units import currency_of


def test_prices_and_order_values_are_money() -> None:
    fitted = fitted_shop(QUICK)
    traits = traits_of(fitted.selection.rows, fitted.labels, FEATURES)
    report = report_of(fitted, release_of(fitted, list("abcde")), {}, traits, shop=Shop(currency="EUR"))
    features = (
        *FEATURES,
        Feature("spend", "sum", "order_value"),
        Feature("top_price", "max", "price"),
        Feature("pieces", "sum", "quantity"),
        Feature("values", "distinct", "order_value"),
    )
    settings = msgspec.convert(
        {**msgspec.to_builtins(report.settings), "features": msgspec.to_builtins(features)}, type(QUICK)
    )
    report = msgspec.structs.replace(report, settings=settings)
    money = {feature.name for feature in features if currency_of(report, feature.name)}
    assert money == {"spend", "top_price"}
    assert currency_of(report, "spend") == "EUR"
    assert currency_of(report, "unknown") == ""
    assert currency_of(msgspec.structs.replace(report, shop=Shop()), "spend") == ""
