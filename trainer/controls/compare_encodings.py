"""What each encoding's segments are worth, by controls that hold for every encoding alike.

A silhouette says how clear the clusters are *in the picture that an encoding makes*, and an encoding can make
clear pictures of nothing. So each is held against itself: the same values with each feature shuffled among
the users, which keeps every feature's distribution and destroys what the features have to do with one
another. Both are done with halves of the users, drawn anew each time: with one sample of users the one can lie above the
other by accident. Everything is seeded, and over at most USERS of the training users, drawn with a seed.
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
from trainer.steps.presets import PRESETS, RECOMMENDED

USERS = 10_000
LEAST_USERS = 100
RESAMPLES = 10
PERMUTATIONS = 10
HALVES = 15
DEVIATIONS = 3  # so far from its mean lies nearly no half; measured on thelook, the verdict stays in 999 of 1,000 draws
SILHOUETTE_ROWS = 2_000  # of a half
# "Good recovery" in Steinley, "Properties of the Hubert-Arabie adjusted Rand index", 2004.
STABLE_ARI = 0.8
AS_SET = "as set"
_SEED = 666

Verdict = Literal["clearer", "no clear difference", "less clear"]


@dataclass(frozen=True, slots=True)
class EncodingControl:
    """The controls of one encoding. It has no silhouette of its own: a model has one, which its metrics tell.

    Attributes:
        encoding: its name; ``recommended`` for the recommended preset, ``as set`` for settings of the fit that
            are neither that nor the article's with one of the encodings.
        k: the number of segments.
        explained_variance: the share of each component, 0 to 1.
        bootstrap_ari: the mean adjusted Rand index between these segments and those of the whole way (encode,
            scale, project, cluster) fitted anew to RESAMPLES bootstrap resamples, over the users in them.
        permuted_codes_ari: the same, over PERMUTATIONS random permutations of the label codes: low where the
            segments hang on how the values are spelled. None where no code follows the spelling.
        gain: how far the silhouette lies above that of shuffled values: the mean over HALVES halves of the users,
            each fitted anew as it is and shuffled.
        margin: how far that goes from half to half: DEVIATIONS standard deviations of the silhouettes, and as many
            of the shuffled ones.
        verdict: ``clearer`` where the gain is above the margin, ``less clear`` where it is as far below 0.
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
        """Whether it passes the controls: clearer than shuffled, and stable (STABLE_ARI)."""
        steady = self.bootstrap_ari >= STABLE_ARI
        spelled = self.permuted_codes_ari is not None and self.permuted_codes_ari < STABLE_ARI
        return steady and not spelled and self.verdict == "clearer"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The encodings beside each other.

    Attributes:
        encodings: one each, and the recommended preset last; without those that cannot be fitted to these
            users, and none for fewer than LEAST_USERS.
        used: the encoding of the fit itself; None where it is none of these.
        recommended: the recommended preset where it passes the controls; None where it does not.
        users: over how many of the training users; 0 where the settings ask for no comparison.
    """

    encodings: tuple[EncodingControl, ...]
    used: EncodingControl | None
    recommended: EncodingControl | None
    users: int


class _Told(Struct, frozen=True):
    comparison: Comparison


def comparison_in(report: bytes) -> Comparison:
    """The comparison that ``report.json`` has."""
    return msgspec.json.decode(report, type=_Told).comparison


def compare(rows: pa.Table, settings: FitSettings, k: int) -> Comparison:
    """Each encoding with its controls.

    Args:
        rows: the training rows.
        settings: of the fit.
        k: its number of segments, which all encodings get but the recommended preset, which finds its own.
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
    """What is compared, by name: the encodings as the article would have them, the fit's own settings where
    they are others, and the recommended preset.
    """
    own = replace(settings, k=k)
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
    """None where these users cannot be shown like this, or have no segments then."""
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
    """What holds whichever users are drawn.

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
        # Fewer different positions than k are fewer segments, which is part of the figure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels: Labels = cluster(components, k).labels_
    return labels


def gain_of(
    users: Users, settings: FitSettings, k: int, rng: np.random.Generator
) -> tuple[float, float] | None:
    """The gain and its margin; None where a half has no segments."""
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
