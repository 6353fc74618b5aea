"""The standardised difference of means."""

from __future__ import annotations

import numpy as np

from interlingua.experts.statistics import NeuronScores


def mean_difference(scores: NeuronScores) -> np.ndarray:
    """Score a neuron by how far its mean response to a language lies above that to the others, in standard deviations.

    Source: Cohen's d (1988), of whose numerator mean shift and contrastive activation addition make their directions.

    It is multiplied by the coverage of a neuron that does not see every sentence (`NeuronScores`).

    Args:
        scores: Of the responses.

    Returns:
        Signed: float64 [languages, neurons]. Where a neuron does not vary, 0, or the largest number where the means
        differ.

    Example:
        Of `experts` of six neurons, for Spanish, whose best are neuron 1, then neuron 3:

        >>> mean_difference(experts.scores)[1].argmax().item()
        1
    """
    statistics, languages = scores.statistics, len(scores.auroc)
    own, others = np.square(statistics.std, dtype=np.float64), np.square(statistics.other_std, dtype=np.float64)
    pooled = np.sqrt((own + (languages - 1) * others) / languages)
    difference = statistics.mean.astype(np.float64) - statistics.other_mean
    constant = np.sign(difference) * np.finfo(np.float32).max
    standardised = np.divide(difference, pooled, out=np.where(difference == 0, 0.0, constant), where=pooled > 0)
    return standardised if scores.coverage is None else standardised * scores.coverage
