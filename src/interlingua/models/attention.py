"""Causal attention as products of large matrices, on a CPU, where torch's own takes twice the time in bfloat16.

Heads that share keys are read as one, so that a product is large enough to run at the speed of the model's others. A
sentence is one such product with its softmax; a long window is cut into blocks of queries.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch

from interlingua.models.compiling import is_compiled

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

NAME = "interlingua"
BLOCK = 256
SPECIAL = ("attn_logit_softcapping", "use_bidirectional_attention", "attention_chunk_size")
"""What in a config says that attention is not just causal."""

_LOCK = threading.Lock()
_DEPTHS: WeakKeyDictionary[torch.nn.Module, int] = WeakKeyDictionary()
_IN_CONTEXT = threading.local()


@contextmanager
def causal_by_products(model: LanguageModel) -> Generator[None]:
    """Let a model on a CPU compute its attention by products while the context lasts; leave other models as they are.

    Only for batches without padding on the left: this thread's attention masks are left out, since in a causal model no
    token sees those after it. Other threads keep torch's attention and their masks. Families that do not take an
    attention function, do something else with scores or masks, or do not run torch's `scaled_dot_product_attention`
    keep their own; so do models that their user has compiled.
    """
    hf: Any = model.hf
    implementation, config = hf.config._attn_implementation, hf.config.get_text_config()
    special = any(getattr(config, name, None) for name in SPECIAL)
    taken = implementation in ("sdpa", NAME) and hf._supports_attention_backend
    if model.device.type != "cpu" or special or not taken or is_compiled(hf):
        yield
        return
    _enter(hf)
    before, _IN_CONTEXT.now = getattr(_IN_CONTEXT, "now", False), True
    try:
        yield
    finally:
        _IN_CONTEXT.now = before
        _leave(hf)


def _enter(hf: Any) -> None:
    from transformers import AttentionInterface, AttentionMaskInterface

    with _LOCK:
        AttentionInterface.register(NAME, causal_attention)
        AttentionMaskInterface.register(NAME, _mask)
        if not _DEPTHS.get(hf):
            hf.set_attn_implementation(NAME)
        _DEPTHS[hf] = _DEPTHS.get(hf, 0) + 1


def _leave(hf: Any) -> None:
    with _LOCK:
        _DEPTHS[hf] -= 1
        if not _DEPTHS[hf]:
            hf.set_attn_implementation("sdpa")


def _mask(*args: Any, **kwargs: Any) -> torch.Tensor | None:
    """Return no mask inside of the context, and elsewhere that of torch's attention."""
    from transformers.masking_utils import sdpa_mask

    return None if getattr(_IN_CONTEXT, "now", False) else sdpa_mask(*args, **kwargs)


def causal_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attend to the tokens before, at most `sliding_window` of them; with a mask, or a cache, as torch does.

    Args:
        module: The attention layer.
        query: [sentences, heads, tokens, dimensions].
        key: [sentences, groups of heads, tokens, dimensions].
        value: As `key`; its dimensions may be others.
        attention_mask: That of another thread.
        scaling: Of the scores; by default 1 / sqrt(dimensions).
        sliding_window: How many tokens a query sees, itself included; by default all before it.
        others: What else transformers passes.

    Returns:
        [sentences, tokens, heads, dimensions of the values], and no attention weights.
    """
    if attention_mask is not None or query.shape[2] != key.shape[2]:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    attend = _of_sentences if query.shape[2] <= BLOCK else _in_blocks
    return attend(query, key, value, scaling, sliding_window), None


def _of_sentences(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, sliding_window: int | None
) -> torch.Tensor:
    """Attend with all queries of a sentence at once.

    Scores are in the model's type and their softmax in float32, as in the attention that transformers calls eager.
    """
    sentences, heads, tokens, dimensions = query.shape
    groups = sentences * key.shape[1]
    queries = query.reshape(groups, -1, dimensions)
    products = torch.bmm(queries, key.reshape(groups, tokens, dimensions).transpose(1, 2))
    unseen = _made_unseen if torch.compiler.is_compiling() else _unseen  # compiled, it is a part of the softmax
    products = products.view(sentences, heads, tokens, tokens)
    scores = torch.add(unseen(tokens, tokens, sliding_window), products, alpha=scaling)
    weights = torch.softmax(scores, dim=-1).to(query.dtype).view(groups, -1, tokens)
    attended = torch.bmm(weights, value.reshape(groups, tokens, -1))
    return attended.view(sentences, heads, tokens, -1).transpose(1, 2).contiguous()


@torch.library.custom_op(  # one node in the graph of a compiled block
    "interlingua::causal_attention",
    mutates_args=(),
    schema="(Tensor query, Tensor key, Tensor value, float scaling, int? sliding_window) -> Tensor",
)
def _in_blocks(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, sliding_window: int | None
) -> torch.Tensor:
    """Attend one block of queries at a time.

    A block reads only the keys that it can see: half of them on average, fewer with a sliding window. Its scores are
    products of two large matrices, which share keys between grouped queries, and stay in cache for the softmax.
    """
    sentences, heads, tokens, dimensions = query.shape
    of_group = heads // key.shape[1]
    keys, values = key.flatten(0, 1).transpose(1, 2).float(), value.flatten(0, 1).float()
    result = query.new_empty(sentences, heads, tokens, value.shape[-1])
    with _products_of(query.dtype):
        for start in range(0, tokens, BLOCK):
            end = min(start + BLOCK, tokens)
            first = 0 if sliding_window is None else max(0, start - sliding_window + 1)
            queries = query[:, :, start:end].reshape(len(keys), of_group * (end - start), dimensions).float()
            scores = torch.bmm(queries, keys[:, :, first:end]).mul_(scaling)
            scores.add_(_unseen(end - start, end - first, sliding_window).repeat(of_group, 1))
            attended = torch.bmm(torch.softmax(scores, dim=-1), values[:, first:end])
            result[:, :, start:end] = attended.view(sentences, heads, end - start, -1)
    return result.transpose(1, 2).contiguous()


@_in_blocks.register_fake
def _shape_of_blocks(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *others: Any) -> torch.Tensor:
    sentences, heads, tokens, _ = query.shape
    return query.new_empty(sentences, tokens, heads, value.shape[-1])


def _made_unseen(queries: int, keys: int, sliding_window: int | None) -> torch.Tensor:
    """Return what is added to the scores of the last tokens of `keys`: 0, and -inf for keys that one does not see."""
    position, at = torch.arange(keys), torch.arange(keys - queries, keys)[:, None]
    unseen = position > at
    if sliding_window is not None:
        unseen |= position <= at - sliding_window
    return torch.zeros(queries, keys).masked_fill_(unseen, float("-inf"))


_unseen = lru_cache(maxsize=32)(_made_unseen)


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
