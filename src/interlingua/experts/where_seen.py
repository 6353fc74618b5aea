"""Scores of neurons that do not answer every sentence: those of an expert MLP answer the tokens routed to it.

They are ranked over the sentences of which the expert saw a token. An expert that saw few could tell languages apart by
luck. So a score's distance from chance is multiplied by the neuron's coverage (`Routing.coverage`), the share of all
pairs of a sentence of the language and one of another that can be compared. For AUROC that counts all others as ties.
"""

from __future__ import annotations

import numpy as np
import torch

from interlingua.experts.ranking import score_neurons
from interlingua.experts.routing import Routing
from interlingua.experts.statistics import CHANCE, STATISTICS, NeuronScores, ResponseStatistics
from interlingua.models.neurons import NeuronIndex
from interlingua.progress import tracked


def score_where_seen(
    responses: np.ndarray | torch.Tensor,
    labels: np.ndarray,
    languages: int,
    neurons: NeuronIndex,
    routed: np.ndarray,
    device: torch.device | str = "cpu",
) -> NeuronScores:
    """Score all neurons as `score_neurons` does, those of an expert MLP over the sentences of which it saw tokens.

    Args:
        responses: z[i, m], finite: [sentences, neurons].
        labels: The language of each sentence, from 0, as many of each: int [sentences].
        languages: How many languages there are.
        neurons: The index.
        routed: Tokens routed to each expert MLP: int [sentences, expert MLPs].
        device: Where to rank.

    Returns:
        The scores. Where an expert saw no sentence of a language, or of no other, its neurons are at chance, and their
        statistics are those of all sentences that it saw, on both sides; 0 if it saw none.
    """
    mlps = neurons.expert_mlps
    if not mlps:
        return score_neurons(responses, labels, languages, device)
    in_no_mlp = np.setdiff1d(np.arange(len(neurons)), np.concatenate(list(mlps.values())))
    groups = [(in_no_mlp, np.ones(len(labels), dtype=bool)), *zip(mlps.values(), routed.T > 0, strict=True)]
    shape = (languages, len(neurons))
    auroc, precision = np.empty(shape), np.empty(shape)
    statistics = np.empty((languages, len(STATISTICS), len(neurons)), dtype=np.float32)
    for ids, seen in tracked([group for group in groups if len(group[0])], "Ranking expert MLPs", "MLP"):
        part = _score(responses[:, ids][seen], labels[seen], languages, device)
        auroc[:, ids], precision[:, ids], statistics[..., ids] = part
    covered = Routing.counted(routed, labels, languages).coverage(neurons, len(labels) // languages)
    share = 1 / languages
    return NeuronScores(
        CHANCE + covered * auroc, share + covered * precision, ResponseStatistics.stacked(statistics), coverage=covered
    )


def _score(
    responses: np.ndarray | torch.Tensor, labels: np.ndarray, languages: int, device: torch.device | str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score some neurons over sentences in which languages may be missing.

    Returns:
        By how much AUROC and average precision exceed chance: [languages, neurons] each; and the statistics: float32
        [languages, statistics, neurons].
    """
    present, positions = np.unique(labels, return_inverse=True)
    above = np.zeros((2, languages, responses.shape[1]))
    statistics = np.tile(_alike(responses), (languages, 1, 1))
    if len(present) > 1:
        scores = score_neurons(responses, positions, len(present), device)
        above[0, present] = scores.auroc - CHANCE
        above[1, present] = scores.average_precision - (np.bincount(positions) / len(positions))[:, None]
        statistics[present] = np.stack(list(scores.statistics.arrays().values()), axis=1)
    return above[0], above[1], statistics


def _alike(responses: np.ndarray | torch.Tensor) -> np.ndarray:
    """Return the statistics of neurons that answer every language alike: float32 [statistics, neurons]."""
    values = responses.float().cpu().numpy() if isinstance(responses, torch.Tensor) else responses.astype(np.float32)
    values = values if len(values) else np.zeros((1, values.shape[1]), dtype=np.float32)
    of_all = (values.mean(axis=0), np.median(values, axis=0), values.std(axis=0))
    return np.stack([*of_all, *of_all, np.ones(values.shape[1])]).astype(np.float32)
