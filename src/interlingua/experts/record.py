"""Responses: what each neuron answers to each sentence, pooled over the sentence's tokens."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import torch

from interlingua.errors import ActivationError, InputError, SteeringError
from interlingua.models.batching import Batch, batches, tokenise
from interlingua.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

Pooling: TypeAlias = Literal["mean", "max", "last"]


@dataclass(frozen=True)
class Responses:
    """What `record_responses` returns.

    Attributes:
        values: z[i, m], neuron m's pooled response to sentence i: float32 [sentences, neurons].
        tokens: How many tokens the model read.
        truncated: How many sentences were cut to the limit.
    """

    values: np.ndarray
    tokens: int
    truncated: int


def record_responses(
    model: LanguageModel,
    sentences: Sequence[str],
    *,
    pooling: Pooling = "mean",
    special_tokens: bool = False,
    max_length: int = 128,
    token_budget: int | None = None,
    progress: ProgressCallback = silent,
) -> Responses:
    """Record the pooled response of every neuron to every sentence (paper, section 3.2).

    Each sentence is read once, without the vocabulary head. Activations are pooled in float32 as each layer runs, so
    that no more than one layer's activations are held at a time.

    Args:
        model: The model as it is now.
        sentences: The sentences.
        pooling: `mean` (as Kojima et al. 2024), `max` (as Suau et al. 2024) or `last` over the sentence's tokens. The
            paper does not say which; with `max`, forced values are peak-sized, and generation collapses at fewer
            neurons.
        special_tokens: Whether tokens that the tokenizer adds count. Every sentence has the same response at BOS.
        max_length: Sentences are cut to this many tokens.
        token_budget: Padded tokens a batch; by default what suits the device.
        progress: Called with the number of tokens done.

    Raises:
        ActivationError: A response is NaN or infinite; the message names neuron and sentence.
    """
    if pooling not in get_args(Pooling):
        raise InputError(f"unknown pooling '{pooling}'; use {', '.join(get_args(Pooling))}")
    tokenised = tokenise(model.tokenizer, sentences, max_length)
    values = np.empty((len(sentences), len(model.neurons)), dtype=np.float32)
    task = "Recording responses"
    progress(task, done := 0, tokenised.tokens)
    for batch in batches(tokenised, model.device, token_budget):
        weights = _counted(batch, special_tokens, sentences)
        with torch.inference_mode(), _pooled_outputs(model, weights, pooling) as pooled:
            model.body(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
        _require_all_layers(model, pooled)
        for position, linear in enumerate(model.neurons.linears):
            first, beyond = model.neurons.offsets[position : position + 2]
            own = pooled[linear.name][:, linear.start : linear.start + linear.units]
            values[batch.rows, first:beyond] = own.cpu().numpy()
        _require_finite(model, values, batch.rows)
        progress(task, done := done + batch.tokens, tokenised.tokens)
    return Responses(values, tokenised.tokens, tokenised.truncated)


def _counted(batch: Batch, special_tokens: bool, sentences: Sequence[str]) -> torch.Tensor:
    """Return which tokens count: bool [sentences, tokens]."""
    counted = batch.attention_mask.bool()
    if not special_tokens:
        counted &= ~batch.special
    nothing = (~counted.any(dim=1)).nonzero()
    if len(nothing):
        raise InputError(f"a sentence has no tokens but special ones: {sentences[batch.rows[int(nothing[0])]]!r}")
    return counted


@contextmanager
def _pooled_outputs(
    model: LanguageModel, counted: torch.Tensor, pooling: Pooling
) -> Generator[dict[str, torch.Tensor]]:
    """Hook every neuron linear so that a forward pass fills the yielded dict: name to float32 [sentences, units]."""
    pooled: dict[str, torch.Tensor] = {}

    def hook_for(name: str):
        def hook(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
            pooled[name] = pool(output, counted.to(output.device), pooling)

        return hook

    handles = []
    try:
        for name in model.neurons.modules:
            handles.append(model.hf.get_submodule(name).register_forward_hook(hook_for(name)))
        yield pooled
    finally:
        for handle in handles:
            handle.remove()


def pool(activations: torch.Tensor, counted: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Pool activations over the tokens that count.

    Args:
        activations: [sentences, tokens, units], any float type.
        counted: bool [sentences, tokens]; true at least once in each sentence.
        pooling: `mean`, `max` or `last`.

    Returns:
        float32 [sentences, units].

    Example:
        >>> pool(torch.tensor([[[1.0], [4.0], [9.0]]]), torch.tensor([[True, True, False]]), "mean").tolist()
        [[2.5]]
    """
    values = activations.reshape(*counted.shape, -1).float()
    if pooling == "mean":
        weights = counted / counted.sum(dim=1, keepdim=True)
        return torch.bmm(weights.float().unsqueeze(1), values).squeeze(1)
    if pooling == "max":
        return values.masked_fill(~counted.unsqueeze(-1), float("-inf")).amax(dim=1)
    positions = torch.arange(counted.shape[1], device=counted.device)
    last = torch.where(counted, positions, -1).amax(dim=1)
    return values[torch.arange(len(values), device=values.device), last]


def _require_all_layers(model: LanguageModel, pooled: dict[str, torch.Tensor]) -> None:
    silent_layers = [name for name in model.neurons.modules if name not in pooled]
    if silent_layers:
        raise SteeringError(
            f"{silent_layers[0]} and {len(silent_layers) - 1} other layers did not run through their modules, so their "
            "neurons cannot be seen (with Bloom, set pretraining_tp to 1)"
        )


def _require_finite(model: LanguageModel, values: np.ndarray, rows: list[int]) -> None:
    # A sum is NaN or infinite if a term is, and costs no array of flags; only then look for the place.
    if np.isfinite(values[rows].sum(dtype=np.float64)):
        return
    for row in rows:
        bad = np.flatnonzero(~np.isfinite(values[row]))
        if len(bad):
            where = model.neurons.locate(bad[:1]).iloc[0]
            raise ActivationError(
                f"neuron {where.unit} of {where.module} in layer {where.layer} answers sentence {row + 1} with "
                f"{values[row, bad[0]]}, and {len(bad) - 1} others with NaN or infinity; try dtype float32 or bfloat16"
            )
