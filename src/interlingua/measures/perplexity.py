"""Perplexity of a text under a sliding window (paper, section 3.3 and figure 3, bottom)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from interlingua.errors import ActivationError, InputError, ModelError
from interlingua.models.attention import causal_by_products
from interlingua.models.batching import default_budget
from interlingua.models.compiling import compiled_blocks
from interlingua.models.quiet import quiet_transformers
from interlingua.progress import progress_bar

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

STRIDE = 512
HEAD_BYTES = 2**28
"""The most that logits take in the model's type: with 262,144 words in bfloat16, those of 512 tokens."""
SOFTMAX_BYTES = 2**24
"""The most that logits take in float32, so that their softmax stays in cache."""
CHECKED_TOKENS = 8


@dataclass(frozen=True)
class PerplexityResult:
    """What `perplexity` returns.

    Attributes:
        tokens: How many tokens were scored: all but the first.
        log_perplexity: The mean negative log-likelihood of a token, in nats.
        standard_error: Of `log_perplexity`, by batch means; NaN for one token.
        window: The most tokens of a window, that of the last scored token included.
        stride: By how many tokens a window starts after the one before.
    """

    tokens: int
    log_perplexity: float
    standard_error: float
    window: int
    stride: int


class Window(NamedTuple):
    """The tokens `begin` to `end - 1`, of which those from `scored` on are scored."""

    begin: int
    scored: int
    end: int


def perplexity(
    model: LanguageModel,
    text: str,
    *,
    stride: int = STRIDE,
    max_length: int | None = None,
    token_budget: int | None = None,
) -> PerplexityResult:
    """Measure the log perplexity of a text with the model as it is now.

    "The context length is set to the model's maximum input size (in tokens) and a stride [...] of 512 tokens is used"
    (paper, section 3.3). Windows and scores are those of the sliding window that the documentation of transformers
    describes: every token but the first is scored once, with all the context that its window has, which is
    `max_length - stride` tokens or more from the second window on. The tokenizer's special tokens stand at the start of
    the text, not of every window.

    The standard error is that of batch means with batches of sqrt(tokens) tokens (Flegal and Jones 2010), since
    neighbouring tokens are not independent.

    Args:
        model: The model.
        text: The text.
        stride: By how many tokens a window starts after the one before.
        max_length: The most tokens of a window; by default, and at most, as many as the model was made for.
        token_budget: Tokens of all windows in a batch; by default what suits the device, and always one window.

    Returns:
        Log perplexity in nats, its standard error, and what it was measured with.

    Raises:
        InputError: The text has fewer than two tokens, or stride and window do not fit.
        ModelError: The model does not say what it was made for, or its logits are not those of its head.
        ActivationError: A score is NaN or infinite.

    Example:
        With a `model` whose tokens are bytes, and which puts a special one before a text:

        >>> result = perplexity(model, "el gato duerme", max_length=8, stride=4)
        >>> result.tokens, result.window, result.stride
        (14, 8, 4)
    """
    losses = token_losses(model, text, stride=stride, max_length=max_length, token_budget=token_budget)
    window = _window(model, max_length, stride)
    return PerplexityResult(len(losses), float(losses.mean()), batch_means_error(losses), window, stride)


def token_losses(
    model: LanguageModel,
    text: str,
    *,
    stride: int = STRIDE,
    max_length: int | None = None,
    token_budget: int | None = None,
) -> np.ndarray:
    """Return the negative log-likelihood of every token of a text but the first, in nats: float64 [tokens - 1].

    The arguments and errors are those of `perplexity`. Between two states of a model, the differences token by token
    say more than two perplexities.
    """
    window = _window(model, max_length, stride)
    with quiet_transformers():  # which would warn of a text longer than the model takes
        ids = torch.tensor(model.tokenizer(text)["input_ids"])
    if len(ids) < 2:
        raise InputError(f"perplexity needs a text of at least two tokens; this one has {len(ids)}")
    budget = token_budget or default_budget(model.device)
    losses, all_windows = np.empty(len(ids) - 1), list(windows(len(ids), window, stride))
    read = sum(w.end - 1 - w.begin for w in all_windows)
    bar = progress_bar("Scoring", total=len(losses), unit="token")
    with bar, causal_by_products(model), compiled_blocks(model, read), torch.inference_mode():
        _require_same_logits(model, ids[:CHECKED_TOKENS])
        buffer = _logits_buffer(model)
        for batch in _batches(all_windows, max(1, budget // window)):
            # A window's last token is only predicted, so the model need not read it.
            inputs = torch.stack([ids[w.begin : w.end - 1] for w in batch]).to(model.device)
            for w, states in zip(batch, _hidden(model, inputs), strict=True):
                scored_states = states[w.scored - 1 - w.begin :]
                losses[w.scored - 1 : w.end - 1] = _losses(model, scored_states, ids[w.scored : w.end], buffer)
            bar.update(batch[-1].end - batch[0].scored)
    if not np.isfinite(losses).all():
        token = int(np.flatnonzero(~np.isfinite(losses))[0])
        raise ActivationError(f"the score of token {token + 2} is NaN or infinite; try dtype float32 or bfloat16")
    return losses


def windows(tokens: int, window: int, stride: int) -> Iterator[Window]:
    """Yield the windows over a text so that each token but the first is scored once.

    Example:
        >>> [tuple(w) for w in windows(11, window=6, stride=2)]
        [(0, 1, 6), (2, 6, 8), (4, 8, 10), (6, 10, 11)]
    """
    scored = 1
    for begin in range(0, tokens, stride):
        end = min(begin + window, tokens)
        yield Window(begin, scored, end)
        if end == tokens:
            return
        scored = end


def batch_means_error(values: np.ndarray) -> float:
    """Return the standard error of the mean of a series whose neighbours depend on each other (Flegal and Jones 2010).

    Args:
        values: [n]; the batches are of floor(sqrt(n)) values, and values past the last full batch are left out.

    Example:
        >>> batch_means_error(np.array([1.0, 1.0, 3.0, 3.0]))
        1.0
    """
    size = int(np.sqrt(len(values)))
    count = len(values) // size
    means = values[: count * size].reshape(count, size).mean(axis=1)
    return float(means.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")


def _window(model: LanguageModel, max_length: int | None, stride: int) -> int:
    window = model.positions if max_length is None else model.longest(max_length)
    if window is None:
        raise ModelError(f"{model.name} does not say how many tokens it was made for; give max_length")
    if not 1 <= stride < window:
        raise InputError(f"stride must lie between 1 and {window - 1}, below the window of {window}; {stride} does not")
    return window


def _batches(all_windows: Sequence[Window], size: int) -> Iterator[list[Window]]:
    """Yield up to `size` windows of one length; only the last window can be shorter than the others."""
    for _, alike in groupby(all_windows, key=lambda window: window.end - window.begin):
        batch: list[Window] = []
        for window in alike:
            batch.append(window)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


def _hidden(model: LanguageModel, inputs: torch.Tensor) -> torch.Tensor:
    return model.body(input_ids=inputs, attention_mask=torch.ones_like(inputs), use_cache=False).last_hidden_state


def _losses(model: LanguageModel, hidden: torch.Tensor, targets: torch.Tensor, buffer: torch.Tensor) -> np.ndarray:
    """Return the negative log-likelihood of each target after its hidden state: the head in parts, the softmax too."""
    softmax_rows = max(1, SOFTMAX_BYTES // (buffer.shape[1] * 4))
    losses = []
    for states, wanted in zip(hidden.split(len(buffer)), targets.split(len(buffer)), strict=True):
        logits = _raw_logits(model, states, buffer)
        for part, words_of_part in zip(logits.split(softmax_rows), wanted.split(softmax_rows), strict=True):
            final = _final_logits(model, part).float()
            losses.append(
                torch.nn.functional.cross_entropy(final, words_of_part.to(final.device), reduction="none").cpu()
            )
    return torch.cat(losses).double().numpy()


def _logits_buffer(model: LanguageModel) -> torch.Tensor:
    """Return memory for the logits of as many tokens as are allowed: [tokens, words]."""
    words, dtype = model.hf.config.get_text_config().vocab_size, model.hf.dtype
    return torch.empty(max(1, HEAD_BYTES // (words * dtype.itemsize)), words, dtype=dtype, device=model.device)


def _raw_logits(model: LanguageModel, hidden: torch.Tensor, buffer: torch.Tensor | None = None) -> torch.Tensor:
    """Return what the head makes of hidden states [tokens, dimensions]; a plain one writes over `buffer`.

    Memory that is new for every product, gigabytes in all, took a tenth of the time.
    """
    head: Any = model.hf.get_output_embeddings()
    if head is None:
        raise ModelError(f"{model.name} has no vocabulary head, so that it gives no token a probability")
    if buffer is None or not _writes_over(head, buffer):
        return head(hidden)
    return torch.mm(hidden, head.weight.t(), out=buffer[: len(hidden)])


def _writes_over(head: Any, buffer: torch.Tensor) -> bool:
    """Tell whether a head is a product without anything around it, whose logits have the buffer's width and type."""
    if type(head) is not torch.nn.Linear or head.bias is not None or "forward" in vars(head):
        return False
    same = (len(head.weight), head.weight.dtype, head.weight.device) == (buffer.shape[1], buffer.dtype, buffer.device)
    return same and not head._forward_hooks and not head._forward_pre_hooks


def _final_logits(model: LanguageModel, logits: torch.Tensor) -> torch.Tensor:
    """Do to logits what families do after the head: Cohere and Granite scale them, Gemma 2 caps them softly."""
    config = model.hf.config.get_text_config()
    if (scale := getattr(config, "logit_scale", None)) is not None:
        logits = logits * scale
    if (divisor := getattr(config, "logits_scaling", None)) is not None:
        logits = logits / divisor
    if (cap := getattr(config, "final_logit_softcapping", None)) is not None:
        logits = torch.tanh(logits / cap) * cap
    return logits


def _require_same_logits(model: LanguageModel, ids: torch.Tensor) -> None:
    """Compare our way from text to logits with the model's own, since a family may do something else after its head."""
    inputs = ids[None].to(model.device)
    ours = _final_logits(model, _raw_logits(model, _hidden(model, inputs))).float()
    theirs = model.hf(input_ids=inputs, attention_mask=torch.ones_like(inputs), use_cache=False).logits.float()
    if float((ours.to(theirs.device) - theirs).abs().max()) > 0.01 * float(theirs.abs().max()):  # NaN comes later
        raise ModelError(
            f"{type(model.hf).__name__} changes its logits after the head in a way that is not known here, so that its "
            "perplexity cannot be measured"
        )
