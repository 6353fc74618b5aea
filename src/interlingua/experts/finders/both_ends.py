"""The best and the worst classifiers of a language."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from interlingua.experts.statistics import NeuronScores


def both_ends(scores: NeuronScores) -> np.ndarray:
    """Choose the k / 2 neurons of highest and the k / 2 of lowest average precision.

    Source: Kojima et al. 2024, who find that neurons which are silent in a language alone belong to it too.

    Args:
        scores: Of the responses.

    Returns:
        How far a neuron's rank by average precision lies from the middle: float64 [languages, neurons]. Of the two at
        one distance, the higher stands first.

    Example:
        Of `experts` of six neurons, for Spanish, whose best are neuron 1, then neuron 3:

        >>> np.argsort(-both_ends(experts.scores)[1], kind="stable")[:2].tolist() == [
        ...     int(experts.average_precision[1].argmax()), int(experts.average_precision[1].argmin())]
        True
    """
    ranks = rankdata(scores.average_precision, method="ordinal", axis=1)
    middle = (ranks.shape[1] + 1) / 2
    return np.abs(ranks - middle) + (ranks > middle) * 0.25
