"""Causal attention in blocks of queries, for long windows on a CPU, where torch's own takes most of the time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

NAME = "interlingua_blocks"
BLOCK = 256


@contextmanager
def attention_in_blocks(model: LanguageModel) -> Generator[None]:
    """Let a model on a CPU compute its attention in blocks while the context lasts; leave other models as they are.

    Only for batches without padding on the left: the attention mask is ignored, since in a causal model no token sees
    those after it. Families that do not take an attention function, cap their attention logits, or do not run
    torch's `scaled_dot_product_attention` keep their own.
    """
    hf: Any = model.hf
    implementation = hf.config._attn_implementation
    capped = getattr(hf.config.get_text_config(), "attn_logit_softcapping", None) is not None
    if model.device.type != "cpu" or implementation != "sdpa" or capped or not hf._supports_attention_backend:
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
    """Attend to the tokens before, at most `sliding_window` of them, one block of queries at a time.

    A block reads only the keys that it can see: half of them on average, fewer with a sliding window. Its scores are
    products of two large matrices, which share keys between grouped queries, and stay in cache for the softmax.

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
    sentences, heads, tokens, dimensions = query.shape
    groups = key.shape[1]
    scaling = dimensions**-0.5 if scaling is None else scaling
    result = torch.empty_like(query)
    positions = torch.arange(tokens, device=query.device)
    for start in range(0, tokens, BLOCK):
        end = min(start + BLOCK, tokens)
        first = 0 if sliding_window is None else max(0, start - sliding_window + 1)
        seen = positions[None, first:end] <= positions[start:end, None]
        if sliding_window is not None:
            seen &= positions[None, first:end] > positions[start:end, None] - sliding_window
        shape = (sentences * groups, heads // groups * (end - start), dimensions)
        # In float32, as in torch's own: weights rounded to bfloat16 shifted log perplexity in the third digit.
        queries = query[:, :, start:end].reshape(shape).float().mul_(scaling)
        scores = torch.bmm(queries, key[:, :, first:end].flatten(0, 1).transpose(1, 2).float())
        scores = scores.view(sentences, heads, end - start, end - first).masked_fill_(~seen, float("-inf"))
        weights = torch.softmax(scores, dim=-1).view(*shape[:2], end - first)
        attended = torch.bmm(weights, value[:, :, first:end].flatten(0, 1).float())
        result[:, :, start:end] = attended.view(sentences, heads, end - start, dimensions)
    return result.transpose(1, 2).contiguous(), None
