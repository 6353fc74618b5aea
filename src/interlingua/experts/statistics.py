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


STATISTICS = tuple(ResponseStatistics.__dataclass_fields__)
