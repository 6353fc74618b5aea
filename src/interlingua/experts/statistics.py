"""What neurons answer to a language and to the others: what interventions need beside AUROC."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np

from interlingua.experts.ranking import CHUNK_VALUES, sorted_with_labels
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
    neurons = responses.shape[1]
    labels = np.repeat(np.arange(languages), len(responses) // languages)
    names = ResponseStatistics.__dataclass_fields__
    result = {name: np.empty((languages, neurons), dtype=np.float32) for name in names}
    size = max(1, CHUNK_VALUES // len(responses))
    task = "Statistics of responses"
    progress(task, 0, neurons)

    def compute(start: int) -> int:
        values, value_labels = sorted_with_labels(responses[:, start : start + size].T, labels)
        for language in range(languages):
            own = value_labels == language
            for name, array in _of_language(values, own).items():
                result[name][language, start : start + size] = array
        return min(start + size, neurons)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(compute, range(0, neurons, size)):
            progress(task, done, neurons)
    return ResponseStatistics(**result)


def _of_language(values: np.ndarray, own: np.ndarray) -> dict[str, np.ndarray]:
    """Return the statistics of one language for some neurons.

    Args:
        values: Responses of each neuron, ascending: float32 [neurons, all sentences].
        own: Which are the language's: bool [neurons, all sentences], equally many in each row.
    """
    positives = values[own].reshape(len(values), -1).astype(np.float64)
    negatives = values[~own].reshape(len(values), -1).astype(np.float64)
    mean, other_mean = positives.mean(axis=1), negatives.mean(axis=1)
    other_std = negatives.std(axis=1)
    # The optimal coupling of two samples in one dimension matches them in order: here a positive with as many
    # negatives as there are other languages.
    matched = (negatives - other_mean[:, None]).reshape(*positives.shape, -1).sum(axis=2)
    covariance = ((positives - mean[:, None]) * matched).sum(axis=1) / negatives.shape[1]
    slope = np.divide(covariance, other_std**2, out=np.ones_like(covariance), where=other_std > 0)
    return {
        "mean": mean,
        "median": _middle(positives),
        "std": positives.std(axis=1),
        "other_mean": other_mean,
        "other_median": _middle(negatives),
        "other_std": other_std,
        "transport_slope": slope,
    }


def _middle(ascending: np.ndarray) -> np.ndarray:
    n = ascending.shape[1]
    return (ascending[:, (n - 1) // 2] + ascending[:, n // 2]) / 2
