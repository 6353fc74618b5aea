"""Sentence embeddings: hidden states pooled over tokens (paper, section 5)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import torch

from interlingua.errors import ActivationError, InputError
from interlingua.models.batching import batches, tokenise
from interlingua.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

EmbeddingPool: TypeAlias = Literal["mean", "last"]


def embed(
    model: LanguageModel,
    sentences: Sequence[str],
    *,
    layer: int = -1,
    pool: EmbeddingPool = "mean",
    max_length: int = 512,
    token_budget: int | None = None,
    progress: ProgressCallback = silent,
    task: str = "Embedding",
) -> np.ndarray:
    """Embed sentences with the model as it is now.

    "For each sentence, we compute pre- and post-intervention embeddings by averaging over the last hidden state of the
    mLLM" (paper, section 5): the hidden state after the final norm, over all real tokens, special ones included.

    Args:
        model: The model.
        sentences: The sentences.
        layer: Which hidden state: 0 is the input of the first block, -1 (or the number of blocks) the last, after the
            final norm.
        pool: `mean` over the tokens, or the `last` token.
        max_length: Sentences are cut to this many tokens.
        token_budget: Padded tokens a batch; by default what suits the device.
        progress: Called with the number of tokens done.
        task: What to call this when telling progress.

    Returns:
        float32 [sentences, hidden size].

    Raises:
        InputError: The model has no such layer, or the pool is unknown.
        ActivationError: An embedding is NaN or infinite.
    """
    if pool not in get_args(EmbeddingPool):
        raise InputError(f"unknown pool '{pool}'; use {', '.join(get_args(EmbeddingPool))}")
    states = model.hf.config.get_text_config().num_hidden_layers + 1
    if not -states <= layer < states:
        raise InputError(f"layer must lie between {-states} and {states - 1}; {layer} does not")
    if isinstance(sentences, str):
        raise InputError("embed takes a list of sentences, not one string")
    max_length = min(max_length, getattr(model.hf.config.get_text_config(), "max_position_embeddings", max_length))
    tokenised = tokenise(model.tokenizer, sentences, max_length)
    if tokenised.truncated:
        warnings.warn(
            f"{tokenised.truncated} of {len(sentences)} sentences were cut to {max_length} tokens", stacklevel=2
        )
    result = np.empty((len(sentences), 0), dtype=np.float32)
    progress(task, done := 0, tokenised.tokens)
    for batch in batches(tokenised, model.device, token_budget):
        with torch.inference_mode():
            output = model.body(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                use_cache=False,
                output_hidden_states=layer % states != states - 1,
            )
            hidden = output.last_hidden_state if layer % states == states - 1 else output.hidden_states[layer]
            pooled = _pooled(hidden.float(), batch.attention_mask, pool).cpu().numpy()
        if not result.size:
            result = np.empty((len(sentences), pooled.shape[1]), dtype=np.float32)
        result[batch.rows] = pooled
        progress(task, done := done + batch.tokens, tokenised.tokens)
    if not np.isfinite(result.sum(dtype=np.float64)):
        row = int(np.flatnonzero(~np.isfinite(result).all(axis=1))[0])
        raise ActivationError(f"the embedding of sentence {row + 1} is NaN or infinite; try dtype float32 or bfloat16")
    return result


def _pooled(hidden: torch.Tensor, mask: torch.Tensor, pool: EmbeddingPool) -> torch.Tensor:
    lengths = mask.sum(dim=1).to(hidden.device)
    if pool == "last":
        return hidden[torch.arange(len(hidden), device=hidden.device), lengths - 1]
    return torch.bmm(mask.to(hidden).unsqueeze(1), hidden).squeeze(1) / lengths[:, None]
