"""How neurons respond to a language and to the others: what interventions need besides AUROC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class ResponseStatistics:
    """Statistics of responses to each language (positives) and to all others (negatives): float32 [languages, neurons].

    Attributes:
        mean: Of the positives.
        median: Of the positives.
        std: Of the positives (population).
        other_mean: Of the negatives.
        other_median: Of the negatives.
        other_std: Of the negatives.
        transport_slope: The slope of the line that carries the negatives to the positives with least squared error,
            their quantiles being matched (Rodriguez et al. 2024, linear transport); 1 where the negatives are constant.
    """

    mean: np.ndarray
    median: np.ndarray
    std: np.ndarray
    other_mean: np.ndarray
    other_median: np.ndarray
    other_std: np.ndarray
    transport_slope: np.ndarray

    @classmethod
    def stacked(cls, result: np.ndarray) -> ResponseStatistics:
        """Take the statistics, in the order of the attributes, out of one array: float32 [languages, 7, neurons]."""
        return cls(*(np.ascontiguousarray(result[:, i]) for i in range(len(STATISTICS))))

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Return the statistics by name."""
        return asdict(self)


@dataclass(frozen=True)
class NeuronScores:
    """What one ranking tells about every neuron and language; finders choose neurons from it.

    Attributes:
        auroc: Chance at 0.5: float64 [languages, neurons].
        average_precision: Chance at the language's share of the sentences: float64 [languages, neurons].
        statistics: Of the responses to each language and to the others.
        activity: The share of a language's tokens at which a neuron is above 0, where it was recorded: float32
            [languages, neurons].
        coverage: Of neurons of expert MLPs the share of all pairs of a sentence of the language and one of another that
            can be compared, by which the scores' distance from chance is multiplied: float64 [languages, neurons]; None
            where all can.
    """

    auroc: np.ndarray
    average_precision: np.ndarray
    statistics: ResponseStatistics
    activity: np.ndarray | None = None
    coverage: np.ndarray | None = None


CHANCE = 0.5
"""The AUROC of a neuron that tells nothing."""


STATISTICS = tuple(ResponseStatistics.__dataclass_fields__)
