from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from msgspec.structs import replace
from sklearn.base import clone
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from schemas.features import FEATURE_NAMES, Feature
from schemas.release.model_release import EncodedFeature
from tests.support.worlds.trained_shops import a_shop, features_named
from trainer.steps.encode import FeatureEncoder
from trainer.steps.fit_settings import CategoryEncoding

COUNTRIES = pd.DataFrame({"country": ["Spain", "España", "Spain", "Österreich"]})


def encoded(encoding: CategoryEncoding, frame: pd.DataFrame, learned_from: pd.DataFrame) -> list[list[float]]:
    rows: list[list[float]] = (
        FeatureEncoder(features_named("country"), encoding).fit(learned_from).transform(frame).tolist()
    )
    return rows


def test_labels_follow_the_bytes_of_the_values() -> None:
    # Bytes: E 45 s 73, S 53, Ö C3 96; and "a" after "Z", which a collation would turn round.
    assert encoded("label", COUNTRIES, COUNTRIES) == [[1], [0], [1], [2]]
    mixed = pd.DataFrame({"country": ["a", "Z", "😀", "\uffff"]})
    # In UTF-16 the emoji would come before U+FFFF.
    assert encoded("label", mixed, mixed) == [[1], [0], [3], [2]]


def test_frequency_is_the_share_of_rows() -> None:
    assert encoded("frequency", COUNTRIES, COUNTRIES) == [[0.5], [0.25], [0.5], [0.25]]


def test_one_hot_is_a_column_a_value() -> None:
    assert encoded("one-hot", COUNTRIES, COUNTRIES) == [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("unknown", [None, np.nan, "Narnia"])
def test_what_is_not_known_is_the_mean_of_its_columns(unknown: object) -> None:
    row = pd.DataFrame({"country": pd.Series([unknown], dtype=object)})
    assert encoded("label", row, COUNTRIES) == [[1.0]]  # (1 + 0 + 1 + 2) / 4
    assert encoded("frequency", row, COUNTRIES) == [[0.375]]  # (0.5 + 0.25 + 0.5 + 0.25) / 4
    assert encoded("one-hot", row, COUNTRIES) == [[0.25, 0.5, 0.25]]


@pytest.mark.parametrize("encoding", ["label", "frequency", "one-hot"])
def test_what_is_not_known_scales_to_exactly_zero(encoding: CategoryEncoding) -> None:
    rows = a_shop().to_pandas().dropna()
    encoder = FeatureEncoder(encoding=encoding).fit(rows)
    scaler = StandardScaler().fit(encoder.transform(rows))
    nothing = pd.DataFrame([dict.fromkeys(FEATURE_NAMES)])
    assert not scaler.transform(encoder.transform(nothing)).any()


def groups(quantile: int, *values: float | None) -> tuple[tuple[float, ...], list[float]]:
    """The borders learned from these values, and the values' inputs."""
    age = replace(features_named("age")[0], quantile=quantile)
    ages = pd.DataFrame({"age": pd.Series(values, dtype=object)})
    encoder = FeatureEncoder((age,)).fit(ages)
    return encoder.encoded_[0].cuts, encoder.transform(ages)[:, 0].tolist()


def test_groups_are_of_equal_size_and_a_border_belongs_to_the_lower() -> None:
    assert groups(2, 4, 1, 3, 2) == ((2.0,), [2, 1, 2, 1])
    assert groups(5, *range(10, 0, -1)) == ((2.0, 4.0, 6.0, 8.0), [5, 5, 4, 4, 3, 3, 2, 2, 1, 1])
    # 100 groups of one user each: a share such as 0.07 must not slip to its neighbour.
    assert groups(100, *range(100)) == (tuple(map(float, range(99))), [float(n) for n in range(1, 101)])


def test_equal_borders_are_one() -> None:
    # Of ten users six have one order, so the first three of four borders are 1.
    assert groups(5, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5) == ((1.0, 3.0), [1, 1, 1, 1, 1, 1, 2, 2, 3, 3])
    # Nobody lies above the largest number, so it is no border.
    assert groups(5, 1, 1, 9, 9, 9) == ((1.0,), [1, 1, 2, 2, 2])
    assert groups(2, -3.5, 0, -3.5, -3.5) == ((-3.5,), [1, 2, 1, 1])


def test_one_value_is_one_group() -> None:
    assert groups(5, 7, 7, 7) == ((), [1, 1, 1])
    assert groups(5, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2) == ((), [1] * 10)


def test_a_missing_number_has_no_group_and_takes_no_part() -> None:
    # The mean of 1, 1, 2 and 2 stands in.
    assert groups(2, 1, None, 2, 3, np.nan, 4) == ((2.0,), [1, 1.5, 1, 2, 1.5, 2])


def test_a_logarithm_and_below_0_the_mean() -> None:
    log_age = replace(features_named("age")[0], log=True)
    encoder = FeatureEncoder((log_age,)).fit(pd.DataFrame({"age": [0.0, np.e - 1]}))
    asked = pd.DataFrame({"age": pd.Series([0, np.e - 1, -1, None], dtype=object)})
    assert encoder.transform(asked)[:, 0] == pytest.approx([0, 1, 0.5, 0.5])
    assert encoder.encoded_ == (EncodedFeature("age", "log"),)


def test_numbers_stay_and_a_missing_one_is_the_mean() -> None:
    ages = pd.DataFrame({"age": [20.0, 40.0]})
    encoder = FeatureEncoder(features_named("age")).fit(ages)
    assert encoder.transform(ages).tolist() == [[20], [40]]
    asked = pd.DataFrame({"age": pd.Series([None, np.inf, 25], dtype=object)})
    assert encoder.transform(asked).tolist() == [[30], [30], [25]]
    assert encoder.encoded_ == (EncodedFeature("age", "number"),)


def test_as_scikit_learn_encodes() -> None:
    rows = a_shop().to_pandas().dropna()
    texts = ["gender", "country", "traffic_source", "most_frequent_brand", "most_frequent_category"]
    labels = np.column_stack([LabelEncoder().fit_transform(rows[name]) for name in texts])
    assert (
        FeatureEncoder(features_named(*texts), "label").fit(rows).transform(rows).tolist() == labels.tolist()
    )
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(rows[texts])
    assert (
        FeatureEncoder(features_named(*texts), "one-hot").fit(rows).transform(rows).tolist()
        == one_hot.tolist()
    )


def test_arrow_and_pandas_are_encoded_alike() -> None:
    table = a_shop()
    encoder = FeatureEncoder().fit(table)
    assert encoder.transform(table).tolist() == encoder.transform(table.to_pandas()).tolist()
    assert isinstance(table, pa.Table)


def test_what_was_learned_is_the_wire_form() -> None:
    learned = FeatureEncoder(features_named("country"), "frequency").fit(COUNTRIES).encoded_
    assert learned == (
        EncodedFeature("country", "frequency", ("España", "Spain", "Österreich"), (0.25, 0.5, 0.25)),
    )
    learned = FeatureEncoder(features_named("country"), "one-hot").fit(COUNTRIES).encoded_
    assert learned == (EncodedFeature("country", "one-hot", ("España", "Spain", "Österreich")),)


# Ten rows: a 5, b 3, c 1, d 1.
TEN = pd.DataFrame({"country": list("aaaaabbbcd")})


@pytest.mark.parametrize(
    ("rare", "codes"),
    [
        (0.0, ()),
        # Nobody is below one in ten.
        (0.1, ()),
        # c and d are, and share the last column: two in ten, which is enough for a column.
        (0.2, (0.0, 1.0, 2.0, 2.0)),
        # They alone would be below a quarter, so b joins them.
        (0.25, (0.0, 1.0, 1.0, 1.0)),
        # The commonest never joins.
        (0.49, (0.0, 1.0, 1.0, 1.0)),
    ],
)
def test_rare_values_share_a_column(rare: float, codes: tuple[float, ...]) -> None:
    encoder = FeatureEncoder(features_named("country"), "one-hot", rare).fit(TEN)
    assert encoder.encoded_ == (EncodedFeature("country", "one-hot", ("a", "b", "c", "d"), codes),)


def test_the_column_that_rare_values_share() -> None:
    encoder = FeatureEncoder(features_named("country"), "one-hot", 0.2).fit(TEN)
    asked = pd.DataFrame({"country": ["a", "d", "c", "b", "e"]})
    # Never seen is not rare: it lies at the means, 5, 3 and 2 in ten.
    assert encoder.transform(asked).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0], [0.5, 0.3, 0.2]]


def test_of_equally_rare_values_the_first_stays() -> None:
    # a, b and c have three in ten each, which is just enough.
    even = pd.DataFrame({"country": list("aaabbbcccd")})
    encoder = FeatureEncoder(features_named("country"), "one-hot", 0.3).fit(even)
    # d alone has one in ten, so another joins: c, the last of the three.
    assert encoder.encoded_[0].codes == (0.0, 1.0, 2.0, 2.0)


def test_a_features_own_encoding_wins() -> None:
    feature = Feature("country", "attribute", "country", "frequency")
    assert FeatureEncoder((feature,), "label").fit(COUNTRIES).encoded_[0].encoding == "frequency"


def test_any_declared_feature_can_be_encoded() -> None:
    spend = Feature("total_spend", "sum", "order_value")
    table = pa.table({"total_spend": [1.5, None, 4.0]})
    encoder = FeatureEncoder((spend,)).fit(pa.table({"total_spend": [1.0, 2.0]}))
    assert encoder.transform(table).tolist() == [[1.5], [1.5], [4.0]]


def test_scikit_learn_can_clone_it() -> None:
    copy = clone(FeatureEncoder(features_named("age"), "one-hot").fit(pd.DataFrame({"age": [1, 2]})))
    assert (copy.features, copy.encoding) == (features_named("age"), "one-hot")
    assert not hasattr(copy, "encoded_")
