"""The model served is the model fitted: a score equals the scikit-learn pipeline's result."""

from collections import Counter
from math import isfinite, log1p
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import EncodedFeature, Encoding, ModelRelease, Segment, Training
from schemas.release.release_checks import LARGEST, SMALLEST_SCALE
from streamer.segment.scoring import Scorer
from tests.support.inputs.laws import examples

pytestmark = pytest.mark.property

Kind = Encoding | Literal["pooled"]
Row = dict[str, int | float | str | None]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

COUNTRIES = ("Brasil", "España", "Japan", "日本", "a", "Ω")
BRANDS = ("Allegra K", "Calvin Klein", "Levi's", "b", "ü")
known_rows = st.fixed_dictionaries(
    {
        "age": st.integers(0, 150) | st.floats(0, 150),
        "country": st.sampled_from(COUNTRIES),
        "orders": st.integers(1, 1_000),
        "brand": st.sampled_from(BRANDS),
    }
)
any_rows = st.fixed_dictionaries(
    {
        "age": st.none() | st.integers(0, 150) | st.floats(0, 150),
        "country": st.none() | st.sampled_from((*COUNTRIES, "Narnia", "ESPAÑA", " Japan")),
        "orders": st.none() | st.integers(-3, 2**40),
        "brand": st.none() | st.sampled_from((*BRANDS, "New")),
    }
)
encodings = st.sampled_from(("label", "frequency", "one-hot", "pooled"))
number_encodings = st.sampled_from(("number", "log", "quantile"))


def declared(name: str, encoding: Kind, values: list[object]) -> EncodedFeature:
    counts = Counter(value for value in values if isinstance(value, str))
    categories = tuple(sorted(counts, key=str.encode))
    if encoding in ("number", "log"):
        return EncodedFeature(name, encoding)
    if encoding == "quantile":
        # Two groups: the smallest number, and all above it.
        least = min(float(value) for value in values if isinstance(value, int | float))
        return EncodedFeature(name, encoding, quantile=2, borders=(least,))
    if encoding == "label":
        return EncodedFeature(name, encoding, categories, tuple(map(float, range(len(categories)))))
    if encoding == "frequency":
        return EncodedFeature(name, encoding, categories, tuple(counts[c] / len(values) for c in categories))
    if encoding == "pooled":
        # Two columns, the commonest value's and the others'; one where there is one value.
        common = counts.most_common(1)[0][0]
        codes = tuple(float(category != common) for category in categories)
        return EncodedFeature(name, "one-hot", categories, codes)
    return EncodedFeature(name, encoding, categories)


def columns_of(feature: EncodedFeature, value: FeatureValue) -> list[float] | None:
    """The encoded columns of a value, written from the definition; None where it is missing or unseen."""
    if feature.encoding == "number":
        return None if value is None else [float(value)]
    if feature.encoding == "log":
        return None if value is None or float(value) < 0 else [log1p(float(value))]
    if feature.encoding == "quantile":
        return None if value is None else [1.0 if float(value) <= feature.cuts[0] else 2.0]
    if value not in feature.categories:
        return None
    if feature.encoding == "one-hot":
        if feature.codes:
            own = feature.codes[feature.categories.index(str(value))]
            return [float(column == own) for column in range(len(set(feature.codes)))]
        return [float(value == category) for category in feature.categories]
    return [feature.codes[feature.categories.index(str(value))]]


def encoded(features: tuple[EncodedFeature, ...], rows: list[Row], means: list[float]) -> Matrix:
    """The rows as columns, a missing value as the training means of its columns."""
    matrix = []
    for row in rows:
        line: list[float] = []
        for feature in features:
            columns = columns_of(feature, row[feature.name])
            line += means[len(line) : len(line) + feature.width] if columns is None else columns
        matrix.append(line)
    return np.array(matrix, dtype=np.float64)


def released(features: tuple[EncodedFeature, ...], pipeline: Pipeline) -> ModelRelease:
    scaler, pca, kmeans = (step for _, step in pipeline.steps)
    return ModelRelease(
        version="v",
        space="s",
        features=features,
        mean=tuple(map(float, scaler.mean_)),
        scale=tuple(map(float, scaler.scale_)),
        projection_mean=tuple(map(float, pca.mean_)),
        projection=tuple(tuple(map(float, axis)) for axis in pca.components_),
        # Ids are not indices: 0, 10, 20…
        segments=tuple(
            Segment(10 * i, f"s{i}", tuple(map(float, c)), 1) for i, c in enumerate(kmeans.cluster_centers_)
        ),
        next_segment=10 * len(kmeans.cluster_centers_),
        training=Training(None, 1, 1, ""),
    )


@examples(60)
@given(
    training=st.lists(known_rows, min_size=10, max_size=25),
    rows=st.lists(any_rows, min_size=1, max_size=8),
    country=encodings,
    brand=encodings,
    age=number_encodings,
    orders=number_encodings,
    d=st.integers(1, 4),
    k=st.integers(1, 8),
    seed=st.integers(0, 9),
)
def test_a_score_equals_the_pipelines(
    training: list[Row],
    rows: list[Row],
    country: Kind,
    brand: Kind,
    age: Kind,
    orders: Kind,
    d: int,
    k: int,
    seed: int,
) -> None:
    kinds: dict[str, Kind] = {"age": age, "country": country, "orders": orders, "brand": brand}
    features = tuple(declared(n, kind, [row[n] for row in training]) for n, kind in kinds.items())
    matrix = encoded(features, training, [])
    scaler = StandardScaler().fit(matrix)
    assume(scaler.scale_.min() >= SMALLEST_SCALE)  # ages such as 0 and 1e-60, which nobody has
    scaled = scaler.transform(matrix)
    # PCA divides by the variance; ages of 0 and 5e-324 differ, but have none.
    assume(scaled.var() > 0)
    pca = PCA(d, random_state=seed).fit(scaled)
    space = Pipeline([("scale", scaler), ("project", pca)])
    components_of_training = space.transform(matrix)
    assume(len(np.unique(components_of_training.round(6), axis=0)) >= k)
    kmeans = KMeans(k, n_init=1, random_state=seed).fit(components_of_training)
    pipeline = Pipeline([*space.steps, ("assign", kmeans)])
    release = released(features, pipeline)
    query = encoded(features, rows, list(release.mean))

    scorer = Scorer(release)
    scores = [scorer.score(row) for row in rows]

    expected = space.transform(query)
    distances = np.sort(pipeline.transform(query), axis=1)
    for row, score, components, predicted, near in zip(
        rows, scores, expected, pipeline.predict(query), distances, strict=True
    ):
        scale = max(1.0, float(np.abs(components).max()))
        assert score.components == pytest.approx(components, rel=0, abs=1e-9 * scale)
        assert score.distance == pytest.approx(near[0], rel=1e-6, abs=1e-6 * scale)
        if k == 1:
            assert score.margin == 1.0
        else:
            margin = (near[1] - near[0]) / near[1] if near[1] else 0.0
            if near[1] > 1e-3 * scale:
                assert score.margin == pytest.approx(margin, abs=1e-6)
        # On a border, within rounding, either segment is right.
        if k == 1 or near[1] - near[0] > 1e-6 * scale:
            assert score.segment == 10 * predicted
        assert score.missing == tuple(f.name for f in features if columns_of(f, row[f.name]) is None)


extremes = st.sampled_from((LARGEST, -LARGEST, 0.0))
scales = st.sampled_from((SMALLEST_SCALE, LARGEST))


@given(data=st.data(), brand=encodings, d=st.integers(1, 3), k=st.integers(1, 3))
def test_whatever_release_passes_its_checks_gives_finite_scores(
    data: st.DataObject, brand: Kind, d: int, k: int
) -> None:
    codes = tuple(data.draw(st.lists(extremes, min_size=5, max_size=5)))
    features = (
        EncodedFeature("orders", "number"),
        EncodedFeature("brand", "one-hot", BRANDS, (0.0, 1.0, 1.0, 2.0, 0.0))
        if brand == "pooled"
        else EncodedFeature("brand", brand, BRANDS, () if brand == "one-hot" else codes),
    )
    columns = sum(feature.width for feature in features)

    def numbers(of: st.SearchStrategy[float], count: int) -> tuple[float, ...]:
        return tuple(data.draw(st.lists(of, min_size=count, max_size=count)))

    release = ModelRelease(
        version="v",
        space="s",
        features=features,
        mean=numbers(extremes, columns),
        scale=numbers(scales, columns),
        projection_mean=numbers(extremes, columns),
        projection=tuple(numbers(extremes, columns) for _ in range(d)),
        segments=tuple(Segment(i, f"s{i}", numbers(extremes, d), 1) for i in range(k)),
        next_segment=k,
        training=Training(None, 1, 1, ""),
    )

    scorer = Scorer(release)
    rows: list[Row] = [{"orders": 2**63, "brand": BRANDS[0]}, {"orders": 1}, {}]
    for score in map(scorer.score, rows):
        assert all(map(isfinite, (*score.components, score.distance)))
        assert 0.0 <= score.margin <= 1.0
