from __future__ import annotations

import pytest

from segue.training import fit_settings
from trainer.settings import FitSettings


@pytest.mark.parametrize(
    ("preset", "k", "encoding", "components", "expected"),
    [
        ("label", None, None, None, FitSettings()),
        ("label", "auto", "one-hot", 3, FitSettings(k=None, encoding="one-hot", components=3)),
        (
            "recommended",
            "4",
            None,
            None,
            FitSettings(encoding="one-hot", rare=0.005, scaling="balanced", k=4),
        ),
    ],
)
def test_options_change_a_preset(
    preset: str, k: str | None, encoding: str | None, components: int | None, expected: FitSettings
) -> None:
    assert fit_settings(preset, k=k, encoding=encoding, components=components, compare=False) == expected


def test_controls_are_asked_for() -> None:
    asked = fit_settings("label", k=None, encoding=None, components=None, compare=True)
    assert asked == FitSettings(compare=True)
