"""A random order."""

from __future__ import annotations

import numpy as np

from interlingua.experts.statistics import NeuronScores


def random(scores: NeuronScores, seed: int = 0) -> np.ndarray:
    """Score neurons at random: what is made of them edits random neurons by their own statistics.

    Source: a control of this project; `random_control` is the paper's, which moves the experts' values.

    Args:
        scores: Of the responses; only their shape counts.
        seed: Of the order, another for each language.

    Returns:
        Uniform between 0 and 1: float64 [languages, neurons].

    Example:
        Of `experts` of six neurons, for Spanish, whose best are neuron 1, then neuron 3:

        >>> random(experts.scores, 1).shape
        (3, 6)
    """
    return np.random.default_rng(seed).random(scores.auroc.shape)
