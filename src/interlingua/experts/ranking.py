"""AUROC of every neuron for every language, from one ranking of its responses.

The sentences are the same for every language; only the labels change. So each neuron's responses are sorted once, and
the area under the ROC curve follows for each language from the sum of its sentences' ranks (Mann and Whitney 1947).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from interlingua.errors import InputError
from interlingua.progress import ProgressCallback, silent

CHUNK_VALUES = 2**21
SIGN = np.uint32(0x80000000)


def auroc_by_language(
    responses: np.ndarray, labels: np.ndarray, languages: int, progress: ProgressCallback = silent
) -> np.ndarray:
    """Score every neuron as a classifier of "the sentence is in language c" against all other sentences.

    Ties have midranks, so that a neuron which answers all sentences alike scores 0.5.

    Args:
        responses: z[i, m], finite: float32 [sentences, neurons].
        labels: The language of each sentence, from 0: int [sentences].
        languages: How many languages there are; each has a sentence, and there are at least two.
        progress: Called with the number of neurons done.

    Returns:
        AUROC, chance at 0.5: float64 [languages, neurons].

    Raises:
        InputError: Fewer than two languages, or a language without sentences.

    Example:
        >>> auroc_by_language(np.array([[1.0], [3.0], [2.0], [2.0]], dtype=np.float32), np.array([0, 0, 1, 1]), 2)
        array([[0.5],
               [0.5]])
    """
    sentences = np.bincount(labels, minlength=languages)
    if languages < 2 or (sentences == 0).any():
        raise InputError("experts need sentences in at least two languages, to tell one from the others")
    neurons = responses.shape[1]
    result = np.empty((languages, neurons), dtype=np.float64)
    size = max(1, CHUNK_VALUES // len(responses))
    starts = range(0, neurons, size)
    task = "Ranking neurons"
    progress(task, 0, neurons)

    def score(start: int) -> int:
        chunk = responses[:, start : start + size].T
        result[:, start : start + size] = _auroc_from_rank_sums(_doubled_rank_sums(chunk, labels, languages), sentences)
        return min(start + size, neurons)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(score, starts):
            progress(task, done, neurons)
    return result


def _auroc_from_rank_sums(doubled_rank_sums: np.ndarray, sentences: np.ndarray) -> np.ndarray:
    positives = sentences[:, None].astype(np.int64)
    negatives = sentences.sum() - positives
    # (R - n+ (n+ + 1) / 2) / (n+ n-), with everything doubled: exact integers until the one division.
    return (doubled_rank_sums - positives * (positives + 1)) / (2 * positives * negatives)


def _doubled_rank_sums(values: np.ndarray, labels: np.ndarray, languages: int) -> np.ndarray:
    """Return twice the sum of midranks of each language's sentences: int64 [languages, neurons].

    Twice a midrank is an integer: the first and the last rank of a run of equal values, added.

    Args:
        values: float32 [neurons, sentences].
        labels: int [sentences].
        languages: How many.
    """
    neurons, sentences = values.shape
    ascending, sorted_labels = sorted_with_labels(values, labels)
    rank = np.arange(1, sentences + 1)
    starts = np.ones(values.shape, dtype=bool)
    np.not_equal(ascending[:, 1:], ascending[:, :-1], out=starts[:, 1:])
    first = np.maximum.accumulate(np.where(starts, rank, 0), axis=1)
    ends = np.roll(starts, -1, axis=1)
    ends[:, -1] = True
    last = np.minimum.accumulate(np.where(ends, rank, sentences)[:, ::-1], axis=1)[:, ::-1]
    cells = (np.arange(neurons)[:, None] * languages + sorted_labels).ravel()
    # Weights are float64 in bincount: exact, since every sum is an integer far below 2**53.
    sums = np.bincount(cells, weights=(first + last).ravel(), minlength=neurons * languages)
    return sums.astype(np.int64).reshape(neurons, languages).T


def sorted_with_labels(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort each row of finite values, and carry the labels along.

    Args:
        values: float32 [rows, sentences].
        labels: int [sentences], at least 0.

    Returns:
        The values ascending, and the label of each: float32 and int64 [rows, sentences].
    """
    # Value and label in one integer: one plain sort, which numpy vectorises, is faster than argsort.
    keys = _ordered_bits(values).astype(np.uint64) << np.uint64(32)
    packed = np.sort(keys | labels.astype(np.uint64), axis=1)
    ascending = _values_of_bits((packed >> np.uint64(32)).astype(np.uint32))
    return ascending, (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _ordered_bits(values: np.ndarray) -> np.ndarray:
    """Map finite float32 to uint32 of the same order; -0.0 and 0.0 are one number."""
    bits = (np.ascontiguousarray(values, dtype=np.float32) + np.float32(0.0)).view(np.uint32)
    return np.where(bits & SIGN, ~bits, bits | SIGN)


def _values_of_bits(bits: np.ndarray) -> np.ndarray:
    return np.where(bits & SIGN, bits ^ SIGN, ~bits).view(np.float32)
