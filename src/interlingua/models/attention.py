"""Causal attention in blocks of queries, for long windows on a CPU, where torch's own takes twice the time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from interlingua.models.compiling import is_compiled

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

NAME = "interlingua_blocks"
BLOCK = 256
SPECIAL = ("attn_logit_softcapping", "use_bidirectional_attention", "attention_chunk_size")
"""What in a config says that attention is not just causal."""


@contextmanager
def attention_in_blocks(model: LanguageModel) -> Generator[None]:
    """Let a model on a CPU compute its attention in blocks while the context lasts; leave other models as they are.

    Only for batches without padding on the left: the attention mask is ignored, since in a causal model no token sees
    those after it. Families that do not take an attention function, do something else with scores or masks, or do not
    run torch's `scaled_dot_product_attention` keep their own; so do models that their user has compiled.
    """
    hf: Any = model.hf
    implementation, config = hf.config._attn_implementation, hf.config.get_text_config()
    special = any(getattr(config, name, None) for name in SPECIAL)
    if model.device.type != "cpu" or implementation != "sdpa" or special or not hf._supports_attention_backend:
        yield
        return
    if is_compiled(hf):
        yield
        return
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, causal_attention)
    try:
        hf.set_attn_implementation(NAME)
        yield
    finally:
        hf.set_attn_implementation(implementation)


def causal_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **unused: Any,
) -> tuple[torch.Tensor, None]:
    """Attend to the tokens before, at most `sliding_window` of them.

    Args:
        module: The attention layer.
        query: [sentences, heads, tokens, dimensions].
        key: [sentences, groups of heads, tokens, dimensions].
        value: As `key`.
        attention_mask: Ignored.
        scaling: Of the scores; by default 1 / sqrt(dimensions).
        sliding_window: How many tokens a query sees, itself included; by default all before it.
        unused: What else transformers passes.

    Returns:
        [sentences, tokens, heads, dimensions], and no attention weights.
    """
    return _attended(query, key, value, query.shape[-1] ** -0.5 if scaling is None else scaling, sliding_window), None


@torch.library.custom_op(  # one node in the graph of a compiled block
    "interlingua::causal_attention",
    mutates_args=(),
    schema="(Tensor query, Tensor key, Tensor value, float scaling, int? sliding_window) -> Tensor",
)
def _attended(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, sliding_window: int | None
) -> torch.Tensor:
    """Attend one block of queries at a time.

    A block reads only the keys that it can see: half of them on average, fewer with a sliding window. Its scores are
    products of two large matrices, which share keys between grouped queries, and stay in cache for the softmax.
    """
    sentences, heads, tokens, dimensions = query.shape
    of_group = heads // key.shape[1]
    keys, values = key.flatten(0, 1).transpose(1, 2).float(), value.flatten(0, 1).float()
    result = torch.empty_like(query, memory_format=torch.contiguous_format)
    with _products_of(query.dtype):
        for start in range(0, tokens, BLOCK):
            end = min(start + BLOCK, tokens)
            first = 0 if sliding_window is None else max(0, start - sliding_window + 1)
            queries = query[:, :, start:end].reshape(len(keys), of_group * (end - start), dimensions).float()
            scores = torch.bmm(queries, keys[:, :, first:end]).mul_(scaling)
            scores.add_(_unseen(end - start, end - first, sliding_window).repeat(of_group, 1))
            attended = torch.bmm(torch.softmax(scores, dim=-1), values[:, first:end])
            result[:, :, start:end] = attended.view(sentences, heads, end - start, dimensions)
    return result.transpose(1, 2).contiguous()


@_attended.register_fake
def _shape_of_attended(query: torch.Tensor, *others: Any) -> torch.Tensor:
    sentences, heads, tokens, dimensions = query.shape
    return query.new_empty(sentences, tokens, heads, dimensions)


@lru_cache(maxsize=32)
def _unseen(queries: int, keys: int, sliding_window: int | None) -> torch.Tensor:
    """Return what is added to the scores of the last tokens of `keys`: 0, and -inf for keys that one does not see."""
    position, at = torch.arange(keys), torch.arange(keys - queries, keys)[:, None]
    unseen = position > at
    if sliding_window is not None:
        unseen |= position <= at - sliding_window
    return torch.zeros(queries, keys).masked_fill_(unseen, float("-inf"))


@contextmanager
def _products_of(dtype: torch.dtype) -> Generator[None]:
    """Let products of float32 matrices take their factors in bfloat16 where the model is in it, sums in float32.

    Queries, keys and values are exact in it, and scores are not rounded, as those of products in bfloat16 would be.
    Weights of attention are: against the model in float32, losses of tokens stay as far as they were.
    """
    matmul: Any = getattr(torch.backends.mkldnn, "matmul", None)  # since torch 2.9
    if dtype != torch.bfloat16 or matmul is None:
        yield
        return
    before, matmul.fp32_precision = matmul.fp32_precision, "bf16"
    try:
        yield
    finally:
        matmul.fp32_precision = before
