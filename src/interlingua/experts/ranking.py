"""Scores of every neuron for every language, from one ranking of its responses.

The sentences are the same for every language; only the labels change. So each neuron's responses are sorted once, and
the area under the ROC curve follows for each language from the sum of its sentences' ranks (Mann and Whitney 1947), as
do average precision and the statistics that interventions need.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from interlingua.errors import ActivationError, InputError
from interlingua.experts.kernels import HALF, describe, pack, rank_sums, turn, unpack
from interlingua.experts.ranking_on_device import NUMBERS_AT_A_TIME, rank_on_device
from interlingua.experts.statistics import STATISTICS, NeuronScores, ResponseStatistics
from interlingua.progress import progress_bar, tracked

SORTED_NEURONS = 16
"""Neurons sorted at a time: their keys then stay in a core's cache."""
TURNED_NEURONS = 64
"""Neurons transposed at a time."""
SLAB_BYTES = 2**28
"""How much of a file a thread reads at a time: a long stretch, since pages would else be read many times over."""
LEAST, GREATEST = np.uint64(0x00800000), np.uint64(0xFF7FFFFF)
"""The upper halves of the keys of finite responses."""


def auroc_by_language(responses: np.ndarray, labels: np.ndarray, languages: int) -> np.ndarray:
    """Score every neuron as a classifier of "the sentence is in language c" against all other sentences.

    Ties get midranks, so that a neuron which answers all sentences alike scores 0.5.

    Args:
        responses: z[i, m], finite, of any float type: [sentences, neurons].
        labels: The language of each sentence, from 0: int [sentences].
        languages: How many languages there are; each has a sentence, and there are at least two.

    Returns:
        AUROC, chance at 0.5: float64 [languages, neurons].

    Raises:
        InputError: Fewer than two languages, or a language without sentences.
        ActivationError: A response is NaN or infinite; the message names neuron and sentence.

    Example:
        >>> auroc_by_language(np.array([[1.0], [3.0], [2.0], [2.0]], dtype=np.float32), np.array([0, 0, 1, 1]), 2)
        array([[0.5],
               [0.5]])
    """
    ranking = _Ranking(responses, labels, languages)
    ranking.on_cpu(describing=False)
    return ranking.scores().auroc


def score_neurons(
    responses: np.ndarray | torch.Tensor,
    labels: np.ndarray,
    languages: int,
    device: torch.device | str = "cpu",
) -> NeuronScores:
    """Compute AUROC, average precision and statistics of all neurons for all languages.

    Args:
        responses: z[i, m], finite, of any float type: [sentences, neurons]. A memory-mapped array is read in stretches.
        labels: The language of each sentence, from 0: int [sentences].
        languages: How many languages there are; each has a sentence, and there are at least two.
        device: Where to rank. On a CPU compiled loops do it on all cores, elsewhere torch.

    Raises:
        InputError: Fewer than two languages, or a language without sentences.
        ActivationError: A response is NaN or infinite; the message names neuron and sentence.

    Example:
        >>> responses = np.array([[1.0], [2.0], [10.0], [14.0]], dtype=np.float32)
        >>> scores = score_neurons(responses, np.array([0, 0, 1, 1]), 2)
        >>> scores.auroc.ravel().tolist(), scores.average_precision.round(3).ravel().tolist()
        ([0.0, 1.0], [0.417, 1.0])
        >>> scores.statistics.mean.ravel().tolist(), scores.statistics.other_median.ravel().tolist()
        ([1.5, 12.0], [12.0, 1.5])
        >>> scores.statistics.transport_slope.ravel().tolist()
        [0.25, 4.0]
    """
    ranking = _Ranking(responses, labels, languages)
    if torch.device(device).type == "cpu":
        ranking.on_cpu(describing=True)
    else:
        ranking.on_device(torch.device(device))
    return ranking.scores()


class _Ranking:
    """One matrix of responses on its way to scores: sums that are filled neuron by neuron, on whichever device."""

    def __init__(self, responses: np.ndarray | torch.Tensor, labels: np.ndarray, languages: int) -> None:
        self.counts = np.bincount(labels, minlength=languages).astype(np.int64)
        if languages < 2 or (self.counts == 0).any():
            raise InputError("experts need sentences in at least two languages, to tell one from the others")
        self.responses, self.labels = responses, labels.astype(np.uint64)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])
        sentences, neurons = responses.shape
        self.per_rank = 1.0 / (sentences - np.arange(sentences))
        self.doubled = np.empty((languages, neurons), dtype=np.int64)
        self.precision = np.empty((languages, neurons))
        self.statistics = np.empty((languages, len(STATISTICS), neurons), dtype=np.float32)

    def on_cpu(self, describing: bool) -> None:
        def score(keys: np.ndarray, neurons: slice) -> None:
            bad = np.flatnonzero((keys[:, 0] >> HALF < LEAST) | (keys[:, -1] >> HALF > GREATEST))
            if len(bad):
                raise self._not_finite(neurons.start + int(bad[0]))
            rank_sums(keys, self.starts, self.per_rank, self.doubled[:, neurons], self.precision[:, neurons])
            if describing:
                rows = np.empty(keys.shape, dtype=np.uint32)
                unpack(keys, rows)
                describe(keys, rows.view(np.float32), self.starts, self.statistics[:, :, neurons])

        responses = self.responses.numpy() if isinstance(self.responses, torch.Tensor) else self.responses
        _for_sorted_keys(responses, self.labels, score)

    def on_device(self, device: torch.device) -> None:
        sentences, neurons = self.responses.shape
        width = max(1, NUMBERS_AT_A_TIME // sentences)
        labels = torch.from_numpy(self.labels.astype(np.int64)).to(device)
        for start in tracked(range(0, neurons, width), "Ranking neurons", "part"):
            chunk = slice(start, min(start + width, neurons))
            part = self.responses[:, chunk]
            if isinstance(part, np.ndarray):
                part = torch.from_numpy(part.astype(np.float32))
            values = part.to(device, torch.float32)
            bad = (~values.isfinite()).any(dim=0).nonzero()
            if len(bad):
                raise self._not_finite(start + int(bad[0]))
            doubled, precision, statistics = rank_on_device(values, labels, self.counts)
            self.doubled[:, chunk] = doubled.cpu().numpy()
            self.precision[:, chunk] = precision.cpu().numpy()
            self.statistics[:, :, chunk] = statistics.cpu().numpy()

    def scores(self) -> NeuronScores:
        positives = self.counts[:, None]
        negatives = positives.sum() - positives
        # (R - n+ (n+ + 1) / 2) / (n+ n-), with everything doubled: exact integers until the one division.
        auroc = (self.doubled - positives * (positives + 1)) / (2 * positives * negatives)
        return NeuronScores(auroc, self.precision / positives, ResponseStatistics.stacked(self.statistics))

    def _not_finite(self, neuron: int) -> ActivationError:
        column = self.responses[:, neuron]
        values = column.float().cpu().numpy() if isinstance(column, torch.Tensor) else column.astype(np.float32)
        sentence = int(np.flatnonzero(~np.isfinite(values))[0])
        return ActivationError(f"neuron {neuron} answers sentence {sentence + 1} with {values[sentence]}")


def _for_sorted_keys(
    responses: np.ndarray,
    labels: np.ndarray,
    use: Callable[[np.ndarray, slice], None],
) -> None:
    """Sort the responses of all neurons, some at a time and on all cores, and hand them over, from several threads."""
    sentences, neurons = responses.shape
    workers = os.cpu_count() or 1
    share = -(-neurons // (8 * workers))
    on_disk = isinstance(responses, np.memmap)
    if on_disk:
        share = min(share, max(1, SLAB_BYTES // (sentences * responses.itemsize)))
    share = -(-share // TURNED_NEURONS) * TURNED_NEURONS

    def work(start: int) -> int:
        slab = responses[:, start : start + share]
        slab = np.array(slab) if on_disk else slab
        rows = np.empty((TURNED_NEURONS, sentences), dtype=np.uint32)
        keys = np.empty((SORTED_NEURONS, sentences), dtype=np.uint64)
        for turned in range(0, slab.shape[1], TURNED_NEURONS):
            part = slab[:, turned : turned + TURNED_NEURONS].astype(np.float32, copy=False)
            turn(part.view(np.uint32), rows)
            for first in range(0, part.shape[1], SORTED_NEURONS):
                chunk = keys[: min(SORTED_NEURONS, part.shape[1] - first)]
                pack(rows[first : first + len(chunk)], labels, chunk)
                chunk.sort(axis=1)
                use(chunk, slice(begin := start + turned + first, begin + len(chunk)))
        return slab.shape[1]

    threads = ThreadPoolExecutor(workers)
    try:
        with progress_bar("Ranking neurons", total=neurons, unit="neuron") as bar:
            for ranked in threads.map(work, range(0, neurons, share)):
                bar.update(ranked)
    finally:
        threads.shutdown(cancel_futures=True)
