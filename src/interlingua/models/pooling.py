"""Activations of tokens to one vector a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from numba import njit

from interlingua.errors import InputError
from interlingua.models.batching import Batch

Pooling: TypeAlias = Literal["mean", "max", "last"]

Recorded: TypeAlias = Literal["mean", "max", "last", "active"]
"""What can be recorded of a sentence: its response pooled, or the share of its tokens at which a unit is above 0."""

ACTIVE: Recorded = "active"


def counted_tokens(batch: Batch, special_tokens: bool, sentences: Sequence[str]) -> torch.Tensor:
    """Return which tokens of a batch count: bool [sentences, tokens].

    Args:
        batch: The batch.
        special_tokens: Whether tokens that the tokenizer added count; padding never does.
        sentences: All sentences, for the message of an error.

    Raises:
        InputError: A sentence has no token that counts.
    """
    counted = batch.attention_mask.bool()
    if not special_tokens:
        counted &= ~batch.special
    nothing = (~counted.any(dim=1)).nonzero()
    if len(nothing):
        raise InputError(f"a sentence has no tokens but special ones: {sentences[batch.rows[int(nothing[0])]]!r}")
    return counted


def weighted_mean(activations: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Average activations over tokens.

    Args:
        activations: [sentences, tokens, units], any float type.
        weights: [sentences, tokens], not negative, on any device; above 0 at least once in each sentence.

    Returns:
        float32 [sentences, units].
    """
    weights = weights.to(activations.device, torch.float32)
    shares = weights / weights.sum(dim=1, keepdim=True)
    values = activations.reshape(*weights.shape, -1)
    if values.dtype == torch.bfloat16 and values.device.type == "cpu":
        means = np.zeros((len(values), values.shape[2]), dtype=np.float32)
        _add_bfloat16(values.detach().contiguous().view(torch.uint16).numpy(), shares.numpy(), means)
        return torch.from_numpy(means)
    return torch.bmm(shares.unsqueeze(1), values.float()).squeeze(1)


@njit(nogil=True, cache=True)
def _add_bfloat16(bits: np.ndarray, shares: np.ndarray, sums: np.ndarray) -> None:
    """Add up tokens times their shares, a token at a time in cache: a third of the time of a copy in float32.

    Args:
        bits: Bfloat16 seen as integers, the upper half of a float32's: uint16 [sentences, tokens, units].
        shares: float32 [sentences, tokens]; tokens whose share is 0 are not read.
        sums: Added to: float32 [sentences, units].
    """
    token = np.empty(bits.shape[2], np.uint32)
    numbers = token.view(np.float32)
    for i in range(bits.shape[0]):
        for t in range(bits.shape[1]):
            share = shares[i, t]
            if share != 0:
                for unit in range(len(token)):
                    token[unit] = np.uint32(bits[i, t, unit]) << np.uint32(16)
                for unit in range(len(token)):
                    sums[i, unit] += share * numbers[unit]


def pool(activations: torch.Tensor, counted: torch.Tensor, pooling: str) -> torch.Tensor:
    """Pool activations over the tokens that count.

    Args:
        activations: [sentences, tokens, units], any float type.
        counted: bool [sentences, tokens], on any device; true at least once in each sentence.
        pooling: `mean`, `max`, `last` or `active`.

    Returns:
        float32 [sentences, units].

    Example:
        >>> pool(torch.tensor([[[1.0], [4.0], [9.0]]]), torch.tensor([[True, True, False]]), "mean").tolist()
        [[2.5]]
    """
    counted = counted.to(activations.device)
    values = activations.reshape(*counted.shape, -1)
    if pooling == ACTIVE:
        values = values > 0
    if pooling in ("mean", ACTIVE):
        return weighted_mean(values, counted)
    if pooling == "max":
        return values.masked_fill(~counted.unsqueeze(-1), float("-inf")).amax(dim=1).float()
    positions = torch.arange(counted.shape[1], device=counted.device)
    last = torch.where(counted, positions, -1).amax(dim=1)
    return values[torch.arange(len(values), device=values.device), last].float()


def pool_routed(
    activations: torch.Tensor, tokens: torch.Tensor, counted: torch.Tensor, pooling: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pool what an expert MLP answers to the tokens of a batch that are routed to it.

    Args:
        activations: [n, units], any float type.
        tokens: Which tokens of the batch, its sentences one after the other: int64 [n], ascending.
        counted: bool [sentences, tokens]: which of them count.
        pooling: `mean`, `max`, `last` over those that count and are routed to it; or `active`, whose share is of all
            that count: a neuron that does not run is not above 0.

    Returns:
        Float32 [sentences, units], 0 where there are no such tokens; and how many there are, int64 [sentences].

    Example:
        Of two sentences of two tokens, both of the first are routed to an expert, and none of the second:

        >>> counted = torch.ones(2, 2, dtype=torch.bool)
        >>> pooled, routed = pool_routed(torch.tensor([[3.0], [5.0]]), torch.tensor([0, 1]), counted, "mean")
        >>> pooled.tolist(), routed.tolist()
        ([[4.0], [0.0]], [2, 0])
    """
    tokens, counted = tokens.to(activations.device), counted.to(activations.device)
    kept = counted.flatten()[tokens]
    activations, sentence = activations[kept], tokens[kept] // counted.shape[1]
    routed = torch.bincount(sentence, minlength=len(counted))
    place = torch.arange(len(sentence), device=sentence.device) - (routed.cumsum(0) - routed)[sentence]
    shape = (len(counted), int(routed.max()))
    values, there = activations.new_zeros(*shape, activations.shape[1]), counted.new_zeros(shape)
    values[sentence, place], there[sentence, place] = activations, True
    seen = routed > 0
    pooled = torch.zeros(len(counted), activations.shape[1], device=activations.device)
    if seen.any():
        pooled[seen] = pool(values[seen], there[seen], pooling)
    if pooling == ACTIVE:
        pooled *= (routed / counted.sum(dim=1))[:, None]
    return pooled, routed
