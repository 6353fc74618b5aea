"""AUROC of every neuron for every language, from one ranking of its responses.

The sentences are the same for every language; only the labels change. So each neuron's responses are sorted once, and
the area under the ROC curve follows for each language from the sum of its sentences' ranks (Mann and Whitney 1947).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from interlingua.errors import InputError
from interlingua.experts.kernels import pack, rank_sums
from interlingua.progress import ProgressCallback, silent

CHUNK_NEURONS = 16
"""Neurons sorted at a time: their responses then lie in a cache line, and their keys in a core's cache."""


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
    doubled = np.empty((languages, responses.shape[1]), dtype=np.int64)

    def score(keys: np.ndarray, neurons: slice) -> None:
        rank_sums(keys, doubled[:, neurons])

    for_sorted_keys(responses, labels, score, "Ranking neurons", progress)
    positives = sentences[:, None].astype(np.int64)
    negatives = sentences.sum() - positives
    # (R - n+ (n+ + 1) / 2) / (n+ n-), with everything doubled: exact integers until the one division.
    return (doubled - positives * (positives + 1)) / (2 * positives * negatives)


def for_sorted_keys(
    responses: np.ndarray,
    labels: np.ndarray,
    use: Callable[[np.ndarray, slice], None],
    task: str,
    progress: ProgressCallback,
) -> None:
    """Sort the responses of all neurons, some at a time and on all cores, and hand them over.

    Args:
        responses: Finite: float32 [sentences, neurons].
        labels: The language of each sentence: int [sentences].
        use: Called with sorted keys, uint64 [neurons, sentences], and which neurons these are; from several threads.
        task: What to call this when telling progress.
        progress: Called with the number of neurons done.
    """
    sentences, neurons = responses.shape
    bits = responses.astype(np.float32, copy=False).view(np.uint32)
    labels = labels.astype(np.int64, copy=False)
    workers = os.cpu_count() or 1
    share = -(-neurons // (8 * workers))
    progress(task, 0, neurons)

    def work(start: int) -> int:
        stop = min(start + share, neurons)
        room = np.empty((CHUNK_NEURONS, sentences), dtype=np.uint64)
        for first in range(start, stop, CHUNK_NEURONS):
            chunk = slice(first, min(first + CHUNK_NEURONS, stop))
            keys = room[: chunk.stop - chunk.start]
            pack(bits[:, chunk], labels, keys)
            keys.sort(axis=1)
            use(keys, chunk)
        return stop

    with ThreadPoolExecutor(workers) as pool:
        for done in pool.map(work, range(0, neurons, share)):
            progress(task, done, neurons)
