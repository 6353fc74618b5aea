"""LAPE: language activation probability entropy."""

from __future__ import annotations

import numpy as np

from interlingua.errors import InputError
from interlingua.experts.statistics import NeuronScores

QUANTILE = 0.95
"""As published: a neuron must be active more often than this share of all pairs of neuron and language."""


def lape(scores: NeuronScores) -> np.ndarray:
    """Score a neuron by how much its being active is confined to few languages, the scored one among them.

    Source: Tang et al. 2024, LAPE, of hidden units.

    P(m, l) is the share of language l's tokens at which neuron m is above 0. The entropy of P(m, .), normalised over
    languages, is low where the neuron belongs to few. A neuron belongs to each language for which P(m, l) exceeds the
    95th percentile of all P.

    Args:
        scores: Of the responses, with `activity`.

    Returns:
        For a language that a neuron belongs to, ln(languages) minus its entropy, at least 0 and a little more; for
        others below 0: float64 [languages, neurons]. So languages' neurons stand in the order of their entropy.

    Raises:
        InputError: The activity was not recorded.

    Example:
        Of 40 neurons, number 7 is active in the second language alone, and number 3 in all:

        >>> from dataclasses import replace
        >>> activity = np.full((3, 40), 0.1)
        >>> activity[1, 7], activity[:, 3] = 0.9, 0.8
        >>> np.argsort(-lape(replace(experts.scores, activity=activity))[1], kind="stable")[:2].tolist()
        [7, 3]
    """
    activity = _activity(scores)
    entropy = _entropy(activity)
    above = activity > _threshold(activity)
    return np.where(above, np.log(len(activity)) - entropy + np.finfo(np.float32).eps, -np.log(len(activity)))


def language_specific(scores: NeuronScores, top_rate: float = 0.01) -> np.ndarray:
    """Return which neurons are a language's own, as published, with no k.

    Source: Tang et al. 2024, section 2.

    Of all neurons but those that no language activates often, they are the `top_rate` share of least entropy (1 %; 2 %
    in Gurgurov et al. 2025).

    Args:
        scores: Of the responses, with `activity`.
        top_rate: Of all neurons.

    Returns:
        bool [languages, neurons].

    Raises:
        InputError: The activity was not recorded.
    """
    activity = _activity(scores)
    above = activity > _threshold(activity)
    entropy = np.where(above.any(axis=0), _entropy(activity), np.inf)
    chosen = np.zeros(activity.shape[1], dtype=bool)
    chosen[np.argsort(entropy, kind="stable")[: round(top_rate * activity.shape[1])]] = True
    return above & chosen & np.isfinite(entropy)


def _activity(scores: NeuronScores) -> np.ndarray:
    if scores.activity is None:
        raise InputError("LAPE needs to know how often neurons are active: find the experts with activity=True")
    return scores.activity.astype(np.float64)


def _threshold(activity: np.ndarray) -> float:
    """Return the 95th percentile of all P, one of them."""
    flat = np.sort(activity, axis=None)
    return float(flat[round(QUANTILE * len(flat)) - 1])


def _entropy(activity: np.ndarray) -> np.ndarray:
    """Return the entropy over languages, in nats; a neuron that is never active tells nothing: ln(languages)."""
    total = activity.sum(axis=0)
    share = np.divide(activity, total, out=np.full_like(activity, 1 / len(activity)), where=total > 0)
    return -(share * np.log(np.where(share > 0, share, 1))).sum(axis=0)
