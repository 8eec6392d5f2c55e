"""Controls of each encoding's segments: are they clearer than those of shuffled data, and are they stable?

A silhouette measures how clear the clusters are *in one encoding*, and an encoding can make clear clusters of
meaningless data. So each encoding is compared with shuffled data: each feature is shuffled among the users by
itself. This keeps the distribution of every feature and removes all relations between features. The
comparison is repeated over random halves of the users, because with one sample the difference can be an
accident. At most USERS training users take part. All random numbers have fixed seeds.
"""

import warnings
from dataclasses import dataclass, replace
from typing import Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from trainer.controls.encoding_picture import Users, has_arbitrary_codes, picture
from trainer.controls.evaluate import Labels, elbow, sample, silhouette
from trainer.steps.cluster import cluster
from trainer.steps.encode import Matrix
from trainer.steps.fit_settings import CategoryEncoding, FitSettings
from trainer.steps.presets import PRESETS, RECOMMENDED, RFM

USERS = 10_000
LEAST_USERS = 100
RESAMPLES = 10
PERMUTATIONS = 10
HALVES = 15
# Nearly no half lies this far from the mean. On thelook, 999 of 1,000 seeds gave the same verdict.
DEVIATIONS = 3
SILHOUETTE_ROWS = 2_000  # of each half
# "Good recovery" in Steinley, "Properties of the Hubert-Arabie adjusted Rand index", 2004.
STABLE_ARI = 0.8
AS_SET = "as set"
_SEED = 666

Verdict = Literal["clearer", "no clear difference", "less clear"]


@dataclass(frozen=True, slots=True)
class EncodingControl:
    """The controls of one encoding.

    It has no silhouette: the only silhouette of a model is in its metrics.

    Attributes:
        encoding: its name; ``recommended`` and ``rfm`` for these presets; ``as set`` for the fit's own
            settings, if they are none of these and not the default preset with one of the encodings.
        k: the number of segments.
        explained_variance: the share of each component, 0 to 1.
        bootstrap_ari: the mean adjusted Rand index between these segments and those of RESAMPLES bootstrap
            resamples, over the users in each resample. All steps (encode, scale, project, cluster) are
            fitted again to each resample.
        permuted_codes_ari: the same over PERMUTATIONS random permutations of the label codes. A low index
            means that the segments depend on the alphabetical order of the values. None if no feature has
            label codes.
        gain: the silhouette minus that of the shuffled values, the mean over HALVES halves of the users. Each
            half is fitted as it is and shuffled.
        margin: how much the gain varies between halves: DEVIATIONS standard deviations of the silhouettes
            plus as many of the shuffled silhouettes.
        verdict: ``clearer`` if the gain is above the margin, ``less clear`` if it is below minus the margin.
    """

    encoding: str
    k: int
    explained_variance: tuple[float, ...]
    bootstrap_ari: float
    permuted_codes_ari: float | None
    gain: float
    margin: float
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Whether the encoding passes the controls: clearer than shuffled data, and stable (STABLE_ARI)."""
        steady = self.bootstrap_ari >= STABLE_ARI
        spelled = self.permuted_codes_ari is not None and self.permuted_codes_ari < STABLE_ARI
        return steady and not spelled and self.verdict == "clearer"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The controls of all encodings.

    Attributes:
        encodings: the encodings, the recommended preset last. Encodings that cannot be fitted to these users
            are left out. Empty for fewer than LEAST_USERS users.
        used: the control of the fit's own encoding; None if it is not among them.
        recommended: the control of the recommended preset; None if it does not pass.
        users: the number of training users in the comparison; 0 if the settings ask for no comparison.
    """

    encodings: tuple[EncodingControl, ...]
    used: EncodingControl | None
    recommended: EncodingControl | None
    users: int


class _ReportPart(Struct, frozen=True):
    comparison: Comparison


def comparison_in(report: bytes) -> Comparison:
    """The comparison in ``report.json``."""
    return msgspec.json.decode(report, type=_ReportPart).comparison


def compare(rows: pa.Table, settings: FitSettings, k: int) -> Comparison:
    """Fit each encoding and compute its controls.

    Args:
        rows: the training rows.
        settings: the settings of the fit.
        k: the number of segments of the fit. All encodings use it except the recommended preset, which
            searches its own k.
    """
    if not settings.compare:
        return Comparison(encodings=(), used=None, recommended=None, users=0)
    places = sample(np.arange(rows.num_rows), USERS)
    users = Users.of(rows.take(pa.array(places)), settings.features)
    candidates = _candidates(settings, k) if len(users) >= LEAST_USERS else {}
    controls = {
        name: control
        for name, varied in candidates.items()
        if (control := _control(name, users, varied)) is not None
    }
    own = next((name for name, varied in candidates.items() if varied == replace(settings, k=k)), "")
    found = controls.get(RECOMMENDED)
    return Comparison(
        encodings=tuple(controls.values()),
        used=controls.get(own),
        recommended=found if found is not None and found.holds else None,
        users=len(users),
    )


def _candidates(settings: FitSettings, k: int) -> dict[str, FitSettings]:
    """The settings to compare, by name: each encoding with standard scaling, the fit's own settings if they
    are different from these, and the recommended preset. Of rfm, whose features are numbers, only itself.
    """
    own = replace(settings, k=k)
    if settings.preset == RFM:
        return {RFM: own}
    candidates = {
        encoding: replace(own, encoding=encoding, rare=0.0, scaling="standard")
        for encoding in get_args(CategoryEncoding)
    }
    preset = PRESETS[RECOMMENDED]
    recommended = replace(
        own,
        encoding=preset.encoding,
        rare=preset.rare,
        scaling=preset.scaling,
        components=preset.components,
        k=preset.k,
    )
    if recommended == replace(own, k=preset.k):
        recommended = own
    elif own not in candidates.values():
        candidates[AS_SET] = own
    return {**candidates, RECOMMENDED: recommended}


def _control(name: str, users: Users, settings: FitSettings) -> EncodingControl | None:
    """The controls of one encoding; None if it cannot be fitted to these users or gives no segments."""
    shown = picture(users, settings)
    k = None if shown is None else settings.k or _elbow(shown.components, settings)
    if shown is None or k is None:
        return None
    labels = _segments(shown.components, k)
    rng = np.random.default_rng(_SEED)
    found = gain_of(users, settings, k, rng)
    resampled = _resampled(users, settings, labels, k, rng)
    if found is None or not resampled:
        return None
    return EncodingControl(
        encoding=name,
        k=k,
        explained_variance=tuple(shown.explained.tolist()),
        bootstrap_ari=float(np.mean(resampled)),
        permuted_codes_ari=_permuted(users, settings, labels, k, rng),
        gain=found[0],
        margin=found[1],
        verdict=verdict_of(*found),
    )


def verdict_of(gain: float, margin: float) -> Verdict:
    """The verdict that holds for any sample of the users.

    >>> verdict_of(0.031, 0.055), verdict_of(0.28, 0.14), verdict_of(-0.3, 0.1)
    ('no clear difference', 'clearer', 'less clear')
    """
    if abs(gain) <= margin:
        return "no clear difference"
    return "clearer" if gain > 0 else "less clear"


def _elbow(components: Matrix, settings: FitSettings) -> int | None:
    ks = range(settings.k_min, settings.k_max + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return elbow(ks, [float(cluster(components, k).inertia_) for k in ks])


def _segments(components: Matrix, k: int) -> Labels:
    with warnings.catch_warnings():
        # Fewer different positions than k give fewer segments; this may happen here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels: Labels = cluster(components, k).labels_
    return labels


def gain_of(
    users: Users, settings: FitSettings, k: int, rng: np.random.Generator
) -> tuple[float, float] | None:
    """The gain and its margin (see :class:`EncodingControl`).

    Args:
        users: the users to draw halves from.
        settings: how the users are encoded, scaled and projected.
        k: the number of segments.
        rng: draws the halves and shuffles.

    Returns:
        (gain, margin); None if a half has no segments.
    """
    figures = np.full((HALVES, 2), np.nan)
    for row in figures:
        half = users.half(rng)
        for place, each in enumerate((half, half.shuffled(rng))):
            shown = picture(each, settings)
            figure = None if shown is None else _silhouette(shown.components, k)
            if figure is None:
                return None
            row[place] = figure
    own, shuffled = figures.mean(axis=0)
    return float(own - shuffled), DEVIATIONS * float(figures.std(axis=0, ddof=1).sum())


def _silhouette(components: Matrix, k: int) -> float | None:
    labels = _segments(components, k)
    return silhouette(sample(components, SILHOUETTE_ROWS), sample(labels, SILHOUETTE_ROWS))


def _resampled(
    users: Users, settings: FitSettings, labels: Labels, k: int, rng: np.random.Generator
) -> list[float]:
    found = []
    for _ in range(RESAMPLES):
        resample, places = users.resampled(rng)
        shown = picture(resample, settings)
        if shown is not None:
            found.append(adjusted_rand_score(labels[places], _segments(shown.components, k)))
    return found


def _permuted(
    users: Users, settings: FitSettings, labels: Labels, k: int, rng: np.random.Generator
) -> float | None:
    if not has_arbitrary_codes(users, settings):
        return None
    pictures = [picture(users, settings, permute=rng) for _ in range(PERMUTATIONS)]
    return float(
        np.mean(
            [
                adjusted_rand_score(labels, _segments(shown.components, k))
                for shown in pictures
                if shown is not None
            ]
        )
    )
