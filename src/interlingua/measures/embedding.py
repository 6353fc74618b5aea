"""Sentence embeddings: hidden states of any layer pooled over tokens (paper, sections 4 to 6, tables 1 to 7)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, get_args

import numpy as np
import torch

from interlingua.errors import ActivationError, InputError, ModelError
from interlingua.models.attention import causal_by_products
from interlingua.models.batching import Batch, default_budget, for_each_batch, tokenise
from interlingua.models.compiling import compiled_blocks, uncompiled
from interlingua.models.pooling import Pooling, counted_tokens, pool, weighted_mean
from interlingua.progress import progress_bar

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

MAX_LENGTH = 512

PoolAll: TypeAlias = Callable[[torch.Tensor], list[torch.Tensor]]
"""From hidden states, [sentences, tokens, units], to each way of pooling them, [sentences, units]."""


@dataclass(frozen=True)
class Embeddings:
    """What `embed_layers` returns.

    Attributes:
        of_layer: For each layer asked for, numbered from 0, the embeddings of the sentences: float32
            [sentences, dimensions]. In a few families the last layer has more or fewer dimensions than the rest.
        tokens: How many tokens the model read.
        truncated: How many sentences were cut to the limit.
        weighted: The same layers, as means weighted by token, where token weights were given.
    """

    of_layer: dict[int, np.ndarray]
    tokens: int
    truncated: int
    weighted: dict[int, np.ndarray] = field(default_factory=dict)


def embed(
    model: LanguageModel,
    sentences: Sequence[str],
    *,
    layer: int = -1,
    pooling: Pooling = "mean",
    special_tokens: bool = True,
    max_length: int = MAX_LENGTH,
    token_budget: int | None = None,
) -> np.ndarray:
    """Embed sentences with the model as it is now.

    "For each sentence, we compute pre- and post-intervention embeddings by averaging over the last hidden state of the
    mLLM" (paper, section 5): the hidden state after the final norm, over all real tokens, special ones included. All
    geometry and retrieval of the paper starts from these (tables 1 to 7, figures 4 to 15).

    Args:
        model: The model.
        sentences: The sentences.
        layer: Which hidden state: 0 is the input of the first block, -1 (or the number of blocks) the last, after the
            final norm. For several, `embed_layers` reads the sentences once.
        pooling: `mean` over the tokens, their `max` in each dimension, or the `last` token.
        special_tokens: Whether tokens that the tokenizer adds count.
        max_length: Sentences are cut to this many tokens, with a warning.
        token_budget: Padded tokens a batch; by default what suits the device.

    Returns:
        float32 [sentences, hidden size].

    Raises:
        InputError: The model has no such layer, or the pooling is unknown.
        ActivationError: An embedding is NaN or infinite.

    Example:
        With a `model` of 32 dimensions:

        >>> embed(model, ["It rains.", "Llueve."]).shape
        (2, 32)
    """
    result = embed_layers(
        model, sentences, layers=[layer], pooling=pooling, special_tokens=special_tokens, max_length=max_length,
        token_budget=token_budget,
    )  # fmt: skip
    if result.truncated:
        limit = model.longest(max_length)
        warnings.warn(f"{result.truncated} of {len(sentences)} sentences were cut to {limit} tokens", stacklevel=2)
    return next(iter(result.of_layer.values()))


def embed_layers(
    model: LanguageModel,
    sentences: Sequence[str],
    *,
    layers: Iterable[int] | None = None,
    pooling: Pooling = "mean",
    special_tokens: bool = True,
    token_weights: np.ndarray | None = None,
    max_length: int = MAX_LENGTH,
    token_budget: int | None = None,
) -> Embeddings:
    """Embed sentences with the hidden states of several layers, all in one pass.

    Hidden states are pooled in float32 as each layer runs, so that those of one layer at a time are held.

    Args:
        model: The model as it is now.
        sentences: The sentences.
        layers: Which hidden states, numbered as in `embed`; by default all, which is one more than blocks.
        pooling: See `embed`.
        special_tokens: See `embed`.
        token_weights: A weight above 0 for each token of the vocabulary: float [vocabulary]. With them, each layer is
            also pooled by the mean weighted so, in the same pass.
        max_length: Sentences are cut to this many tokens; those that were are counted.
        token_budget: See `embed`.

    Returns:
        For each layer float32 [sentences, hidden size], and how many tokens were read and sentences cut.

    Raises:
        InputError: The model has no such layer, or the pooling is unknown.
        ModelError: The model's blocks cannot be found from its neurons' names.
        ActivationError: An embedding is NaN or infinite.
        OutOfMemoryError: One sentence alone does not fit in memory; batches that do not are halved.

    Example:
        With a `model` of two blocks, which have three hidden states:

        >>> embedded = embed_layers(model, ["It rains.", "Llueve."])
        >>> {layer: space.shape for layer, space in embedded.of_layer.items()}
        {0: (2, 32), 1: (2, 32), 2: (2, 32)}
    """
    if pooling not in get_args(Pooling):
        raise InputError(f"unknown pooling '{pooling}'; use {', '.join(get_args(Pooling))}")
    if isinstance(sentences, str):
        raise InputError("embed takes a list of sentences, not one string")
    wanted = layer_numbers(model, layers)
    tokenised = tokenise(model.tokenizer, sentences, model.longest(max_length))
    weights = None if token_weights is None else torch.from_numpy(token_weights.astype(np.float32))
    ways = 1 if weights is None else 2
    result: list[dict[int, np.ndarray]] = [
        {layer: np.empty((len(sentences), 0), dtype=np.float32) for layer in wanted} for _ in range(ways)
    ]

    def read(batch: Batch) -> None:
        counted = counted_tokens(batch, special_tokens, sentences)
        weighted = None if weights is None else counted * weights.to(counted.device)[batch.input_ids]

        def pool_all(activations: torch.Tensor) -> list[torch.Tensor]:
            means = [] if weighted is None else [weighted_mean(activations, weighted)]
            return [pool(activations, counted, pooling), *means]

        for layer, pooled in _embed_batch(model, batch, wanted, pool_all).items():
            for of_layer, values in zip(result, pooled, strict=True):
                if not of_layer[layer].size:
                    of_layer[layer] = np.empty((len(sentences), values.shape[1]), dtype=np.float32)
                of_layer[layer][batch.rows] = values.cpu().numpy()
        bar.update(batch.tokens)

    bar = progress_bar("Embedding", total=tokenised.tokens, unit="token")
    with bar, causal_by_products(model), compiled_blocks(model, tokenised.tokens) as compiled:
        budget = token_budget or default_budget(model.device, model.hf.dtype if compiled else None)
        for_each_batch(tokenised, model.device, read, token_budget=budget)
    for of_layer in result:
        for layer, embedded in of_layer.items():
            _require_finite(layer, embedded)
    return Embeddings(result[0], tokenised.tokens, tokenised.truncated, *result[1:])


def layer_numbers(model: LanguageModel, layers: Iterable[int] | None) -> list[int]:
    """Return hidden states as numbers from 0, each once; all where none is named.

    Raises:
        InputError: The model has no such layer, or none is asked for.
    """
    states = model.hf.config.get_text_config().num_hidden_layers + 1
    asked = range(states) if layers is None else list(layers)
    for layer in asked:
        if not -states <= layer < states:
            raise InputError(f"layer must lie between {-states} and {states - 1}; {layer} does not")
    if not asked:
        raise InputError("no layer to embed with")
    return list(dict.fromkeys(layer % states for layer in asked))


def _embed_batch(
    model: LanguageModel, batch: Batch, layers: list[int], pool_all: PoolAll
) -> dict[int, list[torch.Tensor]]:
    last = model.hf.config.get_text_config().num_hidden_layers
    inner = [layer for layer in layers if layer != last]
    with torch.inference_mode(), _pooled_inputs(model, inner, pool_all) as pooled:
        output = model.body(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
        if last in layers:
            pooled[last] = pool_all(output.last_hidden_state)
    silent_layers = [layer for layer in layers if layer not in pooled]
    if silent_layers:
        raise ModelError(f"block {silent_layers[0]} of {model.name} did not run, so that it has no hidden states")
    return pooled


@contextmanager
def _pooled_inputs(
    model: LanguageModel, layers: list[int], pool_all: PoolAll
) -> Generator[dict[int, list[torch.Tensor]]]:
    """Hook the blocks so that a forward pass fills the yielded dict: layer to the pooled input of that block."""
    pooled: dict[int, list[torch.Tensor]] = {}

    def hook_for(layer: int):
        def hook(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
            pooled[layer] = pool_all(args[0] if args else kwargs["hidden_states"])

        return hook

    with ExitStack() as stack:
        if layers:
            stack.enter_context(uncompiled(model))
        blocks = model.blocks if layers else []
        for layer in layers:
            stack.callback(blocks[layer].register_forward_pre_hook(hook_for(layer), with_kwargs=True).remove)
        yield pooled


def _require_finite(layer: int, embedded: np.ndarray) -> None:
    if np.isfinite(embedded.sum(dtype=np.float64)):
        return
    row = int(np.flatnonzero(~np.isfinite(embedded).all(axis=1))[0])
    raise ActivationError(
        f"the embedding of sentence {row + 1} in layer {layer} is NaN or infinite; try dtype float32 or bfloat16"
    )
