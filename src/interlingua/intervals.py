"""Intervals of 95 % for shares and for means, in closed form: no interval is ever NaN."""

from __future__ import annotations

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
Z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return the score interval of a share of n trials (Wilson 1927).

    Unlike mean +- 1.96 standard errors it has a width at 0 and at 1, where accuracies of retrieval often lie.

    Example:
        >>> low, high = wilson(0.0, 100)
        >>> print(f"{low:.3f} {high:.3f}")
        0.000 0.037
    """
    if n == 0:
        return 0.0, 1.0
    centre = share + Z**2 / (2 * n)
    half = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return max(0.0, float((centre - half) / scale)), min(1.0, float((centre + half) / scale))


def newcombe(before: float, n_before: int, after: float, n_after: int) -> tuple[float, float]:
    """Return the interval of the difference `after - before` of two shares (Newcombe 1998, method 10).

    The shares are taken as independent; where the same sentences made both, it is wider than it need be.
    """
    low_before, high_before = wilson(before, n_before)
    low_after, high_after = wilson(after, n_after)
    difference = after - before
    return (
        difference - float(np.hypot(after - low_after, high_before - before)),
        difference + float(np.hypot(high_after - after, before - low_before)),
    )


def paired(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Return the interval of the difference `after - before` of two shares of the same trials.

    Half a trial is added to each of the four outcomes (Agresti and Min 2005), so that it has a width where nothing
    changed.

    Args:
        before: Which trials succeeded: bool [n].
        after: The same: bool [n].

    Example:
        >>> low, high = paired(np.array([True] * 9 + [False]), np.array([True] * 10))
        >>> print(f"{low:.2f} {high:.2f}")
        -0.14 0.31
    """
    n = len(before) + 2
    gained, lost = np.sum(after & ~before) + 0.5, np.sum(before & ~after) + 0.5
    difference = (gained - lost) / n
    half = Z * np.sqrt(gained + lost - n * difference**2) / n
    return max(-1.0, float(difference - half)), min(1.0, float(difference + half))


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Return Student's interval of the mean of at least two values."""
    if len(values) < 2:
        raise ValueError("an interval of a mean needs two values")
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - half), float(np.mean(values) + half)


def mean_of_pairs_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the jackknife interval of the mean over ordered pairs of different languages.

    Pairs that share a language are not independent: 22 languages make 462 pairs but hardly more than 22 observations.
    So the jackknife leaves out one language, with all its pairs, at a time (Arvesen 1969, U-statistics of degree two),
    and Student's quantile has the number of languages minus one for its degrees of freedom.

    Args:
        values: The value of the pair (row, column), NaN where there is none: float64 [languages, languages]. The
            diagonal does not count. Every language must be without a value in fewer pairs than it has.

    Returns:
        The lower and the upper end.
    """
    kept = values.copy()
    np.fill_diagonal(kept, np.nan)
    n = len(kept)
    if n < 3:
        raise ValueError("leaving a language out needs at least three")
    without = np.array([np.nanmean(np.delete(np.delete(kept, i, axis=0), i, axis=1)) for i in range(n)])
    error = np.sqrt((n - 1) / n * np.square(without - without.mean()).sum())
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1) * error
    return float(np.nanmean(kept) - half), float(np.nanmean(kept) + half)
