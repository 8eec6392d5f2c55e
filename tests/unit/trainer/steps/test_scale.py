from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from trainer.steps.scale import BalancedScaler, scaler_for

# A number, and the two indicators of a text that one row in four has.
ROWS = np.array([[10.0, 1.0, 0.0], [20.0, 0.0, 1.0], [30.0, 0.0, 1.0], [40.0, 0.0, 1.0]])


def test_a_number_by_its_deviation_and_an_indicator_by_the_root_of_its_share() -> None:
    scaled = BalancedScaler().fit(ROWS)
    assert scaled.mean_.tolist() == [25.0, 0.25, 0.75]
    # (225 + 25 + 25 + 225) / 4 = 125; the roots of 1/4 and 3/4.
    assert scaled.scale_ == pytest.approx([125**0.5, 0.5, 0.75**0.5])
    assert scaled.transform(ROWS)[0] == pytest.approx([-15 / 125**0.5, 1.5, -0.75 / 0.75**0.5])


def test_no_text_adds_more_than_one_to_an_axis() -> None:
    # Whatever the number of values: the eigenvalues of one feature's indicators are 1, and one 0.
    texts = np.random.default_rng(1).integers(0, 6, 500)
    scaled = BalancedScaler().fit_transform(np.eye(6)[texts])
    assert np.linalg.eigvalsh(scaled.T @ scaled / 500) == pytest.approx([0, 1, 1, 1, 1, 1], abs=1e-9)


def test_without_scaling_the_columns_are_centred() -> None:
    assert scaler_for("none").fit_transform(ROWS)[:, 0].tolist() == [-15, -5, 5, 15]


def test_standard_scaling_is_the_articles() -> None:
    assert scaler_for("standard").fit_transform(ROWS).std(axis=0) == pytest.approx([1, 1, 1])


def test_scikit_learn_can_clone_it() -> None:
    assert isinstance(clone(scaler_for("balanced")), BalancedScaler)
