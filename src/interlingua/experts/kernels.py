"""The inner loops of ranking, compiled: sorting keys, sums of ranks, statistics of a sorted row.

A key is a response and its sentence's label in one 64-bit integer: the response's bits, mapped so that their order is
that of the numbers, above the label. One plain sort of keys, which numpy vectorises, carries the labels along.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SIGN = np.uint32(0x80000000)
LABEL = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


@njit(nogil=True, cache=True)
def pack(bits: np.ndarray, labels: np.ndarray, keys: np.ndarray) -> None:
    """Write the keys of responses, one row a neuron.

    Args:
        bits: Finite float32 responses seen as integers: uint32 [sentences, neurons].
        labels: The language of each sentence: int64 [sentences].
        keys: Filled: uint64 [neurons, sentences].
    """
    sentences, neurons = bits.shape
    for i in range(sentences):
        label = np.uint64(labels[i])
        for m in range(neurons):
            number = bits[i, m]
            if number == SIGN:  # -0.0 and 0.0 are one number
                number = np.uint32(0)
            ordered = ~number if number & SIGN else number | SIGN
            keys[m, i] = (np.uint64(ordered) << HALF) | label


@njit(nogil=True, cache=True)
def rank_sums(keys: np.ndarray, sums: np.ndarray) -> None:
    """Add up twice the midranks of each language's sentences; doubled, they are integers.

    Args:
        keys: Ascending in each row: uint64 [neurons, sentences].
        sums: Filled: int64 [languages, neurons].
    """
    neurons, sentences = keys.shape
    sums[:] = 0
    for m in range(neurons):
        row = keys[m]
        first = 0
        while first < sentences:
            value = row[first] >> HALF
            beyond = first + 1
            while beyond < sentences and row[beyond] >> HALF == value:
                beyond += 1
            for i in range(first, beyond):
                sums[row[i] & LABEL, m] += first + 1 + beyond
            first = beyond


@njit(nogil=True, cache=True)
def describe(keys: np.ndarray, language: int, values: np.ndarray, others: np.ndarray, result: np.ndarray) -> None:
    """Describe each neuron's responses to one language (positives) and to the others (negatives).

    Args:
        keys: Ascending in each row: uint64 [neurons, sentences].
        language: The label of the positives.
        values: Room for the positives of a row: uint32 [positives].
        others: Room for the negatives of a row, a whole multiple of the positives: uint32 [negatives].
        result: Filled with mean, median and standard deviation of the positives, the same of the negatives, and the
            slope of the least-squares line through their matched quantiles: float32 [7, neurons].
    """
    own, other = values.view(np.float32), others.view(np.float32)
    n, n_other = len(values), len(others)
    ratio = n_other // n
    for m in range(keys.shape[0]):
        i = j = 0
        for key in keys[m]:
            ordered = np.uint32(key >> HALF)
            number = ordered ^ SIGN if ordered & SIGN else ~ordered
            if key & LABEL == language:
                values[i] = number
                i += 1
            else:
                others[j] = number
                j += 1
        mean = other_mean = 0.0
        for i in range(n):
            mean += np.float64(own[i]) / n
        for j in range(n_other):
            other_mean += np.float64(other[j]) / n_other
        square = other_square = covariance = 0.0
        for i in range(n):
            square += (own[i] - mean) ** 2 / n
        for j in range(n_other):
            # The optimal coupling of two samples in one dimension matches them in order: the j-th negative with the
            # (j / ratio)-th positive.
            away = other[j] - other_mean
            other_square += away * away / n_other
            covariance += away * (own[j // ratio] - mean) / n_other
        result[0, m] = mean
        result[1, m] = (np.float64(own[(n - 1) // 2]) + own[n // 2]) / 2
        result[2, m] = np.sqrt(square)
        result[3, m] = other_mean
        result[4, m] = (np.float64(other[(n_other - 1) // 2]) + other[n_other // 2]) / 2
        result[5, m] = np.sqrt(other_square)
        result[6, m] = covariance / other_square if other_square > 0 else 1.0
