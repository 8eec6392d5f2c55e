from datetime import UTC, datetime
from typing import cast

import pytest

from segue.proposals import make_proposal as module
from segue.proposals.try_settings import Tried
from trainer.proposal import propose
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.open_tables import ShopTables
from trainer.proposal.proposed_settings import Proposal
from trainer.warehouse import Csv


def test_a_feature_that_most_lack_does_not_make_the_others_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few who have it may be alike in all else; without it the others differ."""
    proposal = Proposal({"features": ["country", "tier"]})
    with_tier = Tried(90, 90, 0, 90, 40, 1, {"tier": 50}, ("country",), {}, ())
    without = Tried(90, 90, 0, 90, 90, 3, {}, (), {}, ())
    monkeypatch.setattr(propose, "propose", lambda *_: proposal)
    monkeypatch.setattr(
        module, "_try", lambda _warehouse, text, _now: with_tier if "tier" in _features(text) else without
    )

    shop = ShopTables("shop", "duckdb", (), Csv())
    made = module.make_proposal("shop", shop, cast(Desk, None), datetime(2024, 1, 1, tzinfo=UTC))

    assert made.proposal.settings["features"] == ["country"]
    assert made.tried == without


def _features(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("features"))
