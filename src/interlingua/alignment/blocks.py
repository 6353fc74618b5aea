"""A block of a sentence's embedding: one hidden state, pooled over tokens by their mean or by SIF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from interlingua.measures.embedding import MAX_LENGTH, embed_layers
from interlingua.models import LanguageModel
from interlingua.models.batching import tokenise

RARE = 1e-4
"""The constant of SIF; Arora et al. 2017 take 1e-3 to 1e-4. A token's share is smaller among many languages' tokens."""


class Sif(NamedTuple):
    """A layer in whose mean over tokens those that are rare in the probe weigh more."""

    layer: int

    def __str__(self) -> str:
        return f"{self.layer} SIF"


Block: TypeAlias = int | Sif
"""A layer whose tokens all count alike, by its number from 0, or `Sif(number)`."""


def layer_of(block: Block) -> int:
    """Return the number of a block's layer."""
    return block.layer if isinstance(block, Sif) else block


def sif_weights(model: LanguageModel, sentences: Iterable[Sequence[str]]) -> np.ndarray:
    """Return the weight of each token of the vocabulary, `a / (a + p)`, p being its share among those of sentences.

    Source: Arora, Liang and Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", with a = 0.0001.
    The common direction that they remove is left to the map.

    Args:
        model: The model, for its tokenizer.
        sentences: The sentences of each language. Tokens that the tokenizer adds are not counted.

    Returns:
        float32 [vocabulary].
    """
    counts = np.zeros(model.hf.config.get_text_config().vocab_size)
    for lines in sentences:
        read = tokenise(model.tokenizer, lines, model.longest(MAX_LENGTH))
        ids, added = (np.array([token for row in rows for token in row]) for rows in (read.ids, read.special))
        counts += np.bincount(ids[added == 0], minlength=len(counts))
    return (RARE / (RARE + counts / counts.sum())).astype(np.float32)


def embed_blocks(
    model: LanguageModel,
    sentences: Sequence[str],
    blocks: Iterable[Block],
    *,
    special_tokens: bool = False,
    token_weights: np.ndarray | None = None,
) -> dict[Block, np.ndarray]:
    """Embed sentences, all blocks in one pass.

    Args:
        model: The model as it is now.
        sentences: The sentences.
        blocks: What is read.
        special_tokens: Whether tokens that the tokenizer adds count.
        token_weights: Those of `sif_weights`, which blocks of SIF need.

    Returns:
        For each block float32 [sentences, dimensions].
    """
    blocks = list(blocks)
    layers = sorted({layer_of(block) for block in blocks})
    weights = token_weights if any(isinstance(block, Sif) for block in blocks) else None
    read = embed_layers(model, sentences, layers=layers, special_tokens=special_tokens, token_weights=weights)
    return {block: read.weighted[block.layer] if isinstance(block, Sif) else read.of_layer[block] for block in blocks}
