"""What a model reads in place of a number: the number itself, its logarithm, or its group.

Workers and the trainer use this one function, so a score equals the fitted pipeline's. States, changes and
reports keep the number itself.
"""

from bisect import bisect_left
from math import frexp, log, sqrt

from schemas.release.model_release import EncodedFeature

_LN_2 = log(2)
_SQRT_HALF = sqrt(0.5)
# 1/3, 1/5, 1/7, … 1/23: enough for the last bit of a double.
_SERIES = tuple(1.0 / odd for odd in range(23, 1, -2))


def number_input(feature: EncodedFeature, value: float) -> float | None:
    """Return the model's input for a finite number; None if the number counts as missing.

    Args:
        feature: a feature that is a number.
        value: the feature's value.

    >>> number_input(EncodedFeature("spend", "log"), 0.0)
    0.0
    >>> [number_input(EncodedFeature("spend", "quantile", borders=(10.0, 20.0)), x) for x in (10, 10.5, 99)]
    [1.0, 2.0, 3.0]
    """
    if feature.encoding == "log":
        return ln_1p(value) if value >= 0 else None
    if feature.encoding == "quantile":
        # A number on a border is in the lower group.
        return 1.0 + bisect_left(feature.cuts, value)
    return value


def ln_1p(value: float) -> float:
    """Return ln(1 + value) for a value of at least 0, to 1e-15 of 1 or of the result.

    It uses only operations that every machine rounds alike, so the result is the same to the last bit
    everywhere. The logarithm of a machine's C library is not.
    """
    fraction, exponent = frexp(1.0 + value)
    if fraction < _SQRT_HALF:
        fraction, exponent = 2.0 * fraction, exponent - 1
    # ln(fraction) = 2 artanh(ratio) = 2 (ratio + ratio³/3 + ratio⁵/5 + …); the ratio is at most 0.172.
    ratio = (fraction - 1.0) / (fraction + 1.0)
    square = ratio * ratio
    series = 0.0
    for part in _SERIES:
        series = (series + part) * square
    return exponent * _LN_2 + 2.0 * ratio * (1.0 + series)
