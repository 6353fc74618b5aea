"""AUROC: the paper's finder."""

from __future__ import annotations

import numpy as np

from interlingua.experts.statistics import NeuronScores


def auroc(scores: NeuronScores) -> np.ndarray:
    """Score a neuron by how well its response tells a language's sentences from the others'.

    Source: Sundar et al. 2025, section 3.2; Suau et al. 2024.

    Args:
        scores: Of the responses.

    Returns:
        Chance at 0.5: float64 [languages, neurons].

    Example:
        Of `experts` of six neurons, for Spanish, whose best are neuron 1, then neuron 3:

        >>> auroc(experts.scores).round(2)[1]
        array([0.5 , 1.  , 0.25, 0.88, 0.25, 0.81])
    """
    return scores.auroc
