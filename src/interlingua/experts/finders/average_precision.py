"""Average precision."""

from __future__ import annotations

import numpy as np

from interlingua.experts.statistics import NeuronScores


def average_precision(scores: NeuronScores) -> np.ndarray:
    """Score a neuron by the average precision of its response as a classifier of a language.

    Source: Suau et al. 2022; Kojima et al. 2024.

    Args:
        scores: Of the responses.

    Returns:
        Chance at the language's share of the sentences: float64 [languages, neurons].

    Example:
        Of `experts` of six neurons, for Spanish, whose best are neuron 1, then neuron 3:

        >>> average_precision(experts.scores).round(2)[1].argmax().item()
        1
    """
    return scores.average_precision
