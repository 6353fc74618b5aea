"""Responses: what each neuron answers to each sentence, pooled over the sentence's tokens."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import torch

from interlingua.code_version import results_version
from interlingua.errors import ActivationError, InputError, SteeringError
from interlingua.experts.holding import Hold, ResponseType, held
from interlingua.files import sha256_of_json
from interlingua.models.attention import causal_by_products
from interlingua.models.batching import (
    Batch,
    TokenisedSentences,
    default_budget,
    for_each_batch,
    longest_first,
    split_rows,
    tokenise,
)
from interlingua.models.compiling import uncompiled
from interlingua.models.neurons import module_name, runs_in
from interlingua.models.pooling import Pooling, Recorded, counted_tokens, pool, pool_routed
from interlingua.progress import progress_bar

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from interlingua.models import LanguageModel

BLOCK_BYTES = 2**26
"""The most that is lost when a recording is killed."""


@dataclass(frozen=True)
class Responses:
    """What `record_responses` returns.

    Attributes:
        values: z[i, m], neuron m's pooled response to sentence i: [sentences, neurons], float32 unless asked otherwise;
            memory-mapped if held on disk, a tensor if held on the device. A neuron of an expert MLP answers over the
            tokens that are routed to it; with 0 where there are none, which `routed` tells.
        tokens: How many tokens the model read.
        truncated: How many sentences were cut to the limit.
        routed: How many of each sentence's tokens went to each expert MLP, in the order of the index: int64 [sentences,
            expert MLPs], which are none in a model without mixtures of experts.
    """

    values: np.ndarray | torch.Tensor
    tokens: int
    truncated: int
    routed: np.ndarray


def record_responses(
    model: LanguageModel,
    sentences: Sequence[str],
    *,
    pooling: Pooling = "mean",
    special_tokens: bool = False,
    max_length: int = 128,
    token_budget: int | None = None,
    hold: Hold = "auto",
    dtype: ResponseType = "float32",
    folder: str | Path | None = None,
) -> Responses:
    """Record the pooled response of every neuron to every sentence (paper, section 3.2).

    Args:
        model: The model as it is now.
        sentences: The sentences.
        pooling: `mean` (as Kojima et al. 2024), `max` (as Suau et al. 2024) or `last` over the sentence's tokens. The
            paper does not say which; with `max`, forced values are peak-sized, and generation collapses at fewer
            neurons.
        special_tokens: Whether tokens that the tokenizer adds count.
        max_length: Sentences are cut to this many tokens.
        token_budget: Padded tokens a batch; by default what suits the device.
        hold: Where the responses are held; see `record_poolings`.
        dtype: In which type they are kept.
        folder: For responses on disk; see `record_poolings`.

    Returns:
        Pooled responses, [sentences, neurons], with how many tokens were read and sentences cut.

    Raises:
        ActivationError: A response is NaN or infinite; the message names neuron and sentence.

    Example:
        With a `model` of 320 neurons:

        >>> recorded = record_responses(model, ["It rains.", "Llueve."])
        >>> recorded.values.shape, recorded.truncated
        ((2, 320), 0)
    """
    recorded = record_poolings(
        model, sentences, [pooling], special_tokens=special_tokens, max_length=max_length, token_budget=token_budget,
        hold=hold, dtype=dtype, folder=folder,
    )  # fmt: skip
    return recorded[pooling]


def record_poolings(
    model: LanguageModel,
    sentences: Sequence[str],
    poolings: Sequence[Recorded],
    *,
    special_tokens: bool = False,
    max_length: int = 128,
    token_budget: int | None = None,
    hold: Hold = "auto",
    dtype: ResponseType = "float32",
    folder: str | Path | None = None,
) -> dict[Recorded, Responses]:
    """Record responses pooled in several ways, in one pass of the model.

    Each sentence is read once, without the vocabulary head. Activations are pooled in float32 on the device as each
    layer runs, so that no more than one layer's activations are held at a time. When memory runs out, batches are
    halved.

    Args:
        model: The model as it is now.
        sentences: The sentences.
        poolings: `mean`, `max`, `last`, as for `record_responses`; and `active`, the share of the sentence's tokens at
            which a neuron is above 0.
        special_tokens: Whether tokens that the tokenizer adds count. Every sentence has the same response at BOS.
        max_length: Sentences are cut to this many tokens.
        token_budget: Padded tokens a batch; by default what suits the device.
        hold: Where responses are held: `device`, `memory`, `disk`, or `auto`, by what is free.
        dtype: In which type they are kept. Half precision rounds responses, so that some tie; see the benchmarks.
        folder: For responses on disk. A recording of the same sentences by the same model that was stopped goes on from
            the blocks that are there.

    Returns:
        For each pooling the responses, [sentences, neurons].

    Raises:
        ActivationError: A response is NaN or infinite; the message names neuron and sentence.
        OutOfMemoryError: One sentence alone does not fit in memory.
        StorageError: The responses fit nowhere, or the disk is full; finished blocks are kept.
    """
    if not poolings or not set(poolings) <= set(get_args(Recorded)):
        unknown = ", ".join(sorted(set(poolings) - set(get_args(Recorded))))
        raise InputError(f"unknown pooling '{unknown}'; use {', '.join(get_args(Pooling))}")
    tokenised = tokenise(model.tokenizer, sentences, model.longest(max_length))
    budget = token_budget or default_budget(model.device)
    width = len(model.neurons) + len(model.neurons.expert_mlps)
    shape = (len(poolings), len(sentences), width)
    blocks = _blocks(tokenised, budget, len(poolings) * width * 4)
    identity = {
        **(model.identity() if folder else {}),
        "code": results_version(),
        "sentences": sha256_of_json(list(sentences)),
        "poolings": list(poolings),
        "special_tokens": special_tokens,
        "max_length": max_length,
        "token_budget": budget,
        "blocks": len(blocks),
    }
    bar = progress_bar("Recording responses", total=tokenised.tokens, unit="token")
    with bar, held(hold, shape, dtype, model.device, Path(folder) if folder else None, identity) as matrix:

        def read(batch: Batch) -> None:
            counted = counted_tokens(batch, special_tokens, sentences)
            responses = _pooled(model, batch, counted, poolings).to(getattr(torch, dtype))
            _require_finite(model, responses, batch.rows)
            matrix.write(batch.rows, responses)
            bar.update(batch.tokens)

        for number, rows in enumerate(blocks):
            kept = matrix.finished(number, rows)
            if kept is None:
                budget = for_each_batch(tokenised, model.device, read, rows=rows, token_budget=budget)
                matrix.finish(number, rows, budget)
            else:
                budget = kept
                bar.update(sum(len(tokenised.ids[i]) for i in rows))
        values = matrix.values
    values, routed = values[..., : len(model.neurons)], values[0, :, len(model.neurons) :]
    routed = np.asarray(routed.cpu().float() if isinstance(routed, torch.Tensor) else routed).astype(np.int64)
    return {
        pooling: Responses(values[i], tokenised.tokens, tokenised.truncated, routed)
        for i, pooling in enumerate(poolings)
    }


def _blocks(tokenised: TokenisedSentences, budget: int, bytes_a_sentence: int) -> list[list[int]]:
    """Group whole batches into blocks of about `BLOCK_BYTES`."""
    blocks: list[list[int]] = []
    for rows in split_rows(tokenised, longest_first(tokenised), budget):
        if blocks and (len(blocks[-1]) + len(rows)) * bytes_a_sentence <= BLOCK_BYTES:
            blocks[-1].extend(rows)
        else:
            blocks.append(list(rows))
    return blocks


def _pooled(model: LanguageModel, batch: Batch, counted: torch.Tensor, poolings: Sequence[str]) -> torch.Tensor:
    """Run the model on a batch: float32 [poolings, sentences, neurons + expert MLPs], on the model's device.

    After the responses of a sentence stands how many of its tokens were routed to each expert MLP.
    """
    shape = (len(poolings), len(batch.rows), len(model.neurons) + len(model.neurons.expert_mlps))
    responses = torch.zeros(shape, dtype=torch.float32, device=counted.device)
    with (
        torch.inference_mode(),
        uncompiled(model),
        causal_by_products(model),
        _pooling_hooks(model, counted, poolings, responses) as ran,
    ):
        model.body(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
    silent_layers = [name for name in model.neurons.modules if runs_in(name) not in ran]
    if silent_layers:
        raise SteeringError(
            f"{silent_layers[0]} and {len(silent_layers) - 1} other layers did not run through their modules, so their "
            "neurons cannot be seen (with Bloom, set pretraining_tp to 1)"
        )
    return responses


@contextmanager
def _pooling_hooks(
    model: LanguageModel, counted: torch.Tensor, poolings: Sequence[str], responses: torch.Tensor
) -> Generator[set[str]]:
    """Hook every neuron linear so that a forward pass fills `responses`; yield the names of those that ran.

    Of a mixture of experts, its own name is among them where any of its experts ran.
    """
    ran: set[str] = set()
    parts: dict[tuple[str, bool], list[tuple[slice, slice]]] = {}
    for linear, first in zip(model.neurons.linears, model.neurons.offsets.tolist(), strict=False):
        units = slice(linear.start, linear.start + linear.units)
        parts.setdefault((linear.name, linear.inputs), []).append((slice(first, first + linear.units), units))

    routed = {path: len(model.neurons) + i for i, path in enumerate(model.neurons.expert_mlps)}

    def fill(name: str, inputs: bool, activations: torch.Tensor, tokens: tuple[torch.Tensor, ...]) -> None:
        for i, pooling in enumerate(poolings):
            if tokens:  # of a layer of an expert MLP
                pooled, responses[i, :, routed[name.rpartition(".")[0]]] = pool_routed(
                    activations, tokens[0], counted, pooling
                )
            else:
                pooled = pool(activations, counted, pooling)
            for neurons, units in parts[name, inputs]:
                responses[i, :, neurons] = pooled[:, units]
        ran.add(runs_in(name))

    def hooked(name: str, inputs: bool) -> RemovableHandle:
        module = model.hf.get_submodule(name)
        if inputs:
            return module.register_forward_pre_hook(lambda _, given: fill(name, inputs, given[0], given[1:]))
        return module.register_forward_hook(lambda _, given, output: fill(name, inputs, output, given[1:]))

    handles: list[RemovableHandle] = []
    try:
        handles.extend(hooked(*part) for part in parts)
        yield ran
    finally:
        for handle in handles:
            handle.remove()


def _require_finite(model: LanguageModel, responses: torch.Tensor, rows: list[int]) -> None:
    low, high = responses.aminmax()  # NaN if a response is; costs no array of flags
    if low.isfinite() and high.isfinite():
        return
    bad = (~responses.isfinite()).nonzero().cpu()
    pooling, row, neuron = bad[0].tolist()
    where = model.neurons.locate([neuron]).iloc[0]
    half = " or keep responses in float32" if responses.dtype == torch.float16 else ""
    raise ActivationError(
        f"neuron {where.unit} of {module_name(where)} in layer {where.layer} answers sentence {rows[row] + 1} with "
        f"{responses[pooling, row, neuron].item()}, and {len(bad) - 1} others with NaN or infinity; try dtype float32 "
        f"or bfloat16{half}"
    )
