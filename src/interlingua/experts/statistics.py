"""What neurons answer to a language and to the others: what interventions need beside AUROC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from interlingua.experts.kernels import describe
from interlingua.experts.ranking import for_sorted_keys
from interlingua.progress import ProgressCallback, silent


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

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Return the statistics by name."""
        return asdict(self)


def response_statistics(
    responses: np.ndarray, languages: int, progress: ProgressCallback = silent
) -> ResponseStatistics:
    """Compute the statistics of all neurons for all languages.

    Args:
        responses: z[i, m], the sentences of one language after those of another, as many of each: float32
            [languages * sentences, neurons].
        languages: How many, at least two.
        progress: Called with the number of neurons done.

    Example:
        >>> statistics = response_statistics(np.array([[1.0], [2.0], [10.0], [14.0]], dtype=np.float32), 2)
        >>> statistics.mean.ravel().tolist(), statistics.other_median.ravel().tolist()
        ([1.5, 12.0], [12.0, 1.5])
        >>> statistics.transport_slope.ravel().tolist()
        [0.25, 4.0]
    """
    sentences, neurons = responses.shape
    labels = np.repeat(np.arange(languages), sentences // languages)
    names = list(ResponseStatistics.__dataclass_fields__)
    result = np.empty((languages, len(names), neurons), dtype=np.float32)

    def compute(keys: np.ndarray, chunk: slice) -> None:
        positives = np.empty(sentences // languages, dtype=np.uint32)
        negatives = np.empty(sentences - len(positives), dtype=np.uint32)
        for language in range(languages):
            describe(keys, language, positives, negatives, result[language, :, chunk])

    for_sorted_keys(responses, labels, compute, "Statistics of responses", progress)
    return ResponseStatistics(*(np.ascontiguousarray(result[:, i]) for i in range(len(names))))
