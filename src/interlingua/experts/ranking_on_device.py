"""The ranking of `ranking`, in torch, for responses that are ranked on an accelerator."""

from __future__ import annotations

import numpy as np
import torch

NUMBERS_AT_A_TIME = 2**25
"""Responses sorted in one call: enough to fill an accelerator, and a few GB of room."""


def rank_on_device(
    values: torch.Tensor, labels: torch.Tensor, counts: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rank some neurons and describe them for every language.

    Args:
        values: Finite responses on the device: float32 [sentences, neurons].
        labels: The language of each sentence, on the device: int64 [sentences].
        counts: How many sentences each language has.

    Returns:
        Twice the sums of midranks, int64 [languages, neurons]; the sums of precisions, float64 [languages, neurons];
        and the statistics in the order of `ResponseStatistics`, float64 [languages, 7, neurons].
    """
    ordered, order = values.t().contiguous().sort(dim=1)
    languages = labels[order]
    sentences = ordered.shape[1]
    ranks = torch.arange(sentences, device=values.device).expand_as(ordered)
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = torch.where(new, ranks, 0).cummax(dim=1).values
    last = torch.ones_like(new)
    last[:, :-1] = new[:, 1:]
    beyond = torch.where(last, ranks + 1, sentences).flip(1).cummin(dim=1).values.flip(1)
    doubled, precision, statistics = [], [], []
    for language, n in enumerate(counts.tolist()):
        mask = languages == language
        doubled.append((first + 1 + beyond)[mask].view(-1, n).sum(dim=1))
        before = (mask.cumsum(dim=1) - mask.long()).gather(1, first)
        precision.append(((n - before).double() / (sentences - first))[mask].view(-1, n).sum(dim=1))
        positives = ordered[mask].view(-1, n).double()
        negatives = ordered[~mask].view(-1, sentences - n).double()
        statistics.append(_describe(positives, negatives))
    return torch.stack(doubled), torch.stack(precision), torch.stack(statistics)


def _describe(positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """Return the statistics of sorted samples, each [neurons, sentences]: float64 [7, neurons]."""
    mean, other_mean = positives.mean(dim=1), negatives.mean(dim=1)
    away, other_away = positives - mean[:, None], negatives - other_mean[:, None]
    square = other_away.square().sum(dim=1)
    # The negatives that each positive stands for, in order; one that straddles two is split (`_coupling`).
    n, others = positives.shape[1], negatives.shape[1]
    shares = torch.arange(1, n + 1, device=positives.device) * others
    running = torch.nn.functional.pad(other_away.cumsum(dim=1), (1, 0))
    parts = (shares / n - shares // n) * torch.nn.functional.pad(other_away, (0, 1))[:, shares // n]
    reached = torch.nn.functional.pad(running[:, shares // n] + parts, (1, 0))
    coupled = (away * reached.diff(dim=1)).sum(dim=1)
    constant = negatives[:, 0] == negatives[:, -1]
    return torch.stack(
        [
            mean,
            _median(positives),
            away.square().mean(dim=1).sqrt(),
            other_mean,
            _median(negatives),
            (square / others).sqrt(),
            torch.where(constant, 1.0, coupled / square),
        ]
    )


def _median(ordered: torch.Tensor) -> torch.Tensor:
    n = ordered.shape[1]
    return (ordered[:, (n - 1) // 2] + ordered[:, n // 2]) / 2
