"""Sentences to padded batches: longest first, as many a batch as a token budget allows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from interlingua.errors import InputError, OutOfMemoryError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKEN_BUDGET = {"cpu": 512, "cuda": 16384, "mps": 4096}
"""Padded tokens a batch, by kind of device: on CPU, larger batches fall out of cache."""
COMPILED_BUDGET = 1536
"""On a CPU with compiled blocks in half precision, which pass over a batch less often."""


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


_SURROGATE = re.compile("[\\ud800-\\udfff]")


def tokenise(tokenizer: PreTrainedTokenizerBase, sentences: Sequence[str], max_length: int) -> TokenisedSentences:
    """Tokenise sentences, each cut to `max_length` tokens.

    A token counts as special where it is one of those that the tokenizer adds to a sentence: also where it stands in
    the text, `</s>` for example, since other tools tell tokens by their ids alone.

    Raises:
        InputError: A sentence is not text, or has no token at all.
    """
    texts = list(sentences)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"sentence {i + 1} is not text: {text!r}")
        if (broken := _SURROGATE.search(text)) is not None:
            raise InputError(f"sentence {i + 1} has U+{ord(broken[0]):X}, one half of a character, and is not text")
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
    added = set(added_ids(tokenizer))
    for i, tokens in enumerate(ids):
        if not tokens:
            raise InputError(f"sentence {i + 1} has no tokens: {texts[i]!r}")
        if added:
            special[i] = [int(mask or token in added) for token, mask in zip(tokens, special[i], strict=True)]
    return TokenisedSentences(ids, special, len(too_long))


def added_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens that a tokenizer adds to every sentence."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    return [i for i, special in zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True) if special]


def longest_first(sentences: TokenisedSentences) -> list[int]:
    """Return the order of batches: by length, so that what does not fit in memory fails at once."""
    return sorted(range(len(sentences.ids)), key=lambda i: (-len(sentences.ids[i]), i))


def default_budget(device: torch.device, compiled: torch.dtype | None = None) -> int:
    """Return how many padded tokens a batch has by default, where blocks run compiled in some type or not."""
    if compiled is not None and compiled.itemsize == 2 and device.type == "cpu":
        return COMPILED_BUDGET
    return TOKEN_BUDGET.get(device.type, TOKEN_BUDGET["cpu"])


def split_rows(sentences: TokenisedSentences, rows: Sequence[int], token_budget: int) -> Iterator[Sequence[int]]:
    """Yield parts of `rows`, which are longest first, of at most `token_budget` padded tokens each.

    A sentence longer than the budget is a part by itself.
    """
    start = 0
    while start < len(rows):
        part = rows[start : start + max(1, token_budget // len(sentences.ids[rows[start]]))]
        start += len(part)
        yield part


def batches(sentences: TokenisedSentences, device: torch.device, token_budget: int | None = None) -> Iterator[Batch]:
    """Yield batches of sentences of like length, longest first, each of at most `token_budget` padded tokens."""
    for rows in split_rows(sentences, longest_first(sentences), token_budget or default_budget(device)):
        yield pad(sentences, rows, device)


def for_each_batch(
    sentences: TokenisedSentences,
    device: torch.device,
    use: Callable[[Batch], None],
    *,
    rows: Sequence[int] | None = None,
    token_budget: int | None = None,
) -> int:
    """Call `use` with batches of like length, longest first, and halve the batches when memory runs out.

    Args:
        sentences: The sentences.
        device: Where the batches go.
        use: Runs the model. It is called again with parts of a batch that did not fit.
        rows: Which sentences, longest first; by default all.
        token_budget: Padded tokens a batch; by default what suits the device.

    Returns:
        The budget that fitted, for the sentences that come next.

    Raises:
        OutOfMemoryError: One sentence alone does not fit.
    """
    rows = longest_first(sentences) if rows is None else rows
    budget = token_budget or default_budget(device)
    start = 0
    while start < len(rows):
        part = next(split_rows(sentences, rows[start:], budget))
        try:
            use(pad(sentences, part, device))
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            fits = False
        else:
            fits = True
        if fits:
            start += len(part)
        else:  # outside of the handler, which keeps the failed batch's tensors alive
            budget = _smaller_budget(len(part), len(sentences.ids[part[0]]), device)
    return budget


def _is_out_of_memory(error: Exception) -> bool:
    words = ("not enough memory", "can't allocate memory", "out of memory")
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(word in str(error) for word in words)


def _smaller_budget(sentences: int, length: int, device: torch.device) -> int:
    if sentences == 1:
        raise OutOfMemoryError(
            f"out of memory on {device} with one sentence of {length} tokens; use a smaller dtype, another device, "
            "device_map, or shorter sentences (max_length)"
        )
    if device.type == "cuda":
        torch.cuda.empty_cache()
    budget = sentences * length // 2
    warnings.warn(
        f"out of memory on {device} with {sentences * length:,} tokens; going on with {budget:,}", stacklevel=3
    )
    return budget


def pad(sentences: TokenisedSentences, rows: Sequence[int], device: torch.device) -> Batch:
    """Return sentences as a batch, padded to the longest of them."""
    length = max(len(sentences.ids[i]) for i in rows)
    input_ids = torch.zeros(len(rows), length, dtype=torch.long)
    attention_mask = torch.zeros(len(rows), length, dtype=torch.long)
    special = torch.zeros(len(rows), length, dtype=torch.bool)
    for row, i in enumerate(rows):
        n = len(sentences.ids[i])
        input_ids[row, :n] = torch.tensor(sentences.ids[i])
        attention_mask[row, :n] = 1
        special[row, :n] = torch.tensor(sentences.special[i], dtype=torch.bool)
    return Batch(list(rows), input_ids.to(device), attention_mask.to(device), special.to(device))
