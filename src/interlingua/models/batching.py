"""Sentences to padded batches: longest first, as many a batch as a token budget allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from interlingua.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKEN_BUDGET = {"cpu": 512, "cuda": 16384, "mps": 4096}
"""Padded tokens a batch, by kind of device: on CPU, larger batches fall out of cache."""


@dataclass(frozen=True)
class TokenisedSentences:
    """The tokens of sentences.

    Attributes:
        ids: For each sentence its token ids, with the special tokens that the tokenizer adds.
        special: For each sentence and token, whether the tokenizer added it.
        truncated: How many sentences were longer than the limit.
    """

    ids: list[list[int]]
    special: list[list[int]]
    truncated: int

    @property
    def tokens(self) -> int:
        """The number of tokens of all sentences."""
        return sum(map(len, self.ids))


@dataclass(frozen=True)
class Batch:
    """Sentences padded on the right to one length, on the model's device.

    Attributes:
        rows: Which sentences these are: positions in the list that was tokenised.
        input_ids: int64 [sentences, tokens].
        attention_mask: int64 [sentences, tokens]; 0 where padded.
        special: bool [sentences, tokens]; true where the tokenizer added the token.
    """

    rows: list[int]
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    special: torch.Tensor

    @property
    def tokens(self) -> int:
        """The number of tokens, padding left out."""
        return int(self.attention_mask.sum())


def tokenise(tokenizer: PreTrainedTokenizerBase, sentences: Sequence[str], max_length: int) -> TokenisedSentences:
    """Tokenise sentences, each cut to `max_length` tokens.

    Raises:
        InputError: A sentence has no token at all.
    """
    texts = list(sentences)
    encoded = (
        tokenizer(texts, return_special_tokens_mask=True) if texts else {"input_ids": [], "special_tokens_mask": []}
    )
    ids, special = list(encoded["input_ids"]), list(encoded["special_tokens_mask"])
    too_long = [i for i, tokens in enumerate(ids) if len(tokens) > max_length]
    if too_long:
        cut = tokenizer(
            [texts[i] for i in too_long],
            return_special_tokens_mask=True,
            truncation=True,
            max_length=max_length,
        )
        for i, tokens, mask in zip(too_long, cut["input_ids"], cut["special_tokens_mask"], strict=True):
            ids[i], special[i] = tokens, mask
    for i, tokens in enumerate(ids):
        if not tokens:
            raise InputError(f"sentence {i + 1} has no tokens: {texts[i]!r}")
    return TokenisedSentences(ids, special, len(too_long))


def batches(sentences: TokenisedSentences, device: torch.device, token_budget: int | None = None) -> Iterator[Batch]:
    """Yield batches of sentences of like length, longest first, each of at most `token_budget` padded tokens.

    Longest first, so that what does not fit in memory fails at once. A sentence longer than the budget is a batch of
    its own.
    """
    budget = token_budget or TOKEN_BUDGET.get(device.type, TOKEN_BUDGET["cpu"])
    order = sorted(range(len(sentences.ids)), key=lambda i: (-len(sentences.ids[i]), i))
    start = 0
    while start < len(order):
        length = len(sentences.ids[order[start]])
        rows = order[start : start + max(1, budget // length)]
        start += len(rows)
        yield _pad(sentences, rows, length, device)


def _pad(sentences: TokenisedSentences, rows: list[int], length: int, device: torch.device) -> Batch:
    input_ids = torch.zeros(len(rows), length, dtype=torch.long)
    attention_mask = torch.zeros(len(rows), length, dtype=torch.long)
    special = torch.zeros(len(rows), length, dtype=torch.bool)
    for row, i in enumerate(rows):
        n = len(sentences.ids[i])
        input_ids[row, :n] = torch.tensor(sentences.ids[i])
        attention_mask[row, :n] = 1
        special[row, :n] = torch.tensor(sentences.special[i], dtype=torch.bool)
    return Batch(rows, input_ids.to(device), attention_mask.to(device), special.to(device))
