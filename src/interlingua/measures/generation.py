"""Free generation from the start token alone (paper, section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from interlingua.errors import InputError
from interlingua.models.quiet import quiet_transformers
from interlingua.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

BATCH_SIZE = 32


def generate(
    model: LanguageModel,
    n: int = 8,
    *,
    seed: int = 0,
    max_new_tokens: int = 64,
    temperature: float = 1.0,
    top_p: float = 0.9,
    top_k: int = 50,
    progress: ProgressCallback = silent,
) -> list[str]:
    """Sample texts from the model as it is now, its start token being the whole prompt.

    The defaults are the paper's: temperature 1 and top_p 0.9, and top_k 50, which was transformers' own default at the
    version that the paper used. Each text draws from a stream of random numbers of its own, made from `seed` and its
    position, so that n and the batches do not change which numbers text i draws. In float32 the texts are then the
    same; in bfloat16 the logits of another batch size differ by rounding, and a text may part from there.

    Args:
        model: The model.
        n: How many texts.
        seed: Of the random numbers.
        max_new_tokens: How long a text may be.
        temperature: Divides the logits.
        top_p: Sample from the fewest tokens that hold this probability.
        top_k: Sample from this many tokens at most.
        progress: Called with the number of texts done.

    Returns:
        n texts, without special tokens.
    """
    from transformers import GenerationConfig, LogitsProcessorList
    from transformers.generation.logits_process import (
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    if temperature <= 0 or top_k < 1 or not 0 < top_p <= 1:
        raise InputError("temperature must be above 0, top_k at least 1, and top_p above 0 and at most 1")
    if n < 1 or max_new_tokens < 1 or seed < 0:
        raise InputError(
            f"generation needs at least one text, one token and a seed of 0 or more, not {n}, {max_new_tokens}, {seed}"
        )
    warpers = [TemperatureLogitsWarper(float(temperature)), TopKLogitsWarper(top_k), TopPLogitsWarper(top_p)]
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=model.hf.generation_config.eos_token_id if model.hf.generation_config else None,
        pad_token_id=model.tokenizer.pad_token_id,
    )
    texts: list[str] = []
    progress("Generating", 0, n)
    for start in range(0, n, BATCH_SIZE):
        rows = range(start, min(start + BATCH_SIZE, n))
        prompt = torch.full((len(rows), 1), _start_token(model), device=model.device)
        sampler = _GumbelSampler([torch.Generator(model.device).manual_seed(_stream(seed, row)) for row in rows])
        with torch.inference_mode(), quiet_transformers():
            output = model.hf.generate(  # ty: ignore
                prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=config,
                logits_processor=LogitsProcessorList([*warpers, sampler]),
            )
        texts.extend(model.tokenizer.batch_decode(output[:, 1:], skip_special_tokens=True))
        progress("Generating", len(texts), n)
    return texts


class _GumbelSampler:
    """Add Gumbel noise to the logits, so that the greatest is a sample (Gumbel 1954): one generator a row."""

    def __init__(self, generators: list[torch.Generator]) -> None:
        self.generators = generators

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.float()
        for row, generator in enumerate(self.generators):
            # A number for every word, kept or not: so a word's noise does not depend on which others were kept.
            uniform = torch.rand(scores.shape[1], generator=generator, device=scores.device)
            kept = scores[row].isfinite()
            scores[row, kept] -= torch.log(-torch.log(uniform[kept].clamp_min(torch.finfo(torch.float32).tiny)))
        return scores


def _stream(seed: int, row: int) -> int:
    """Return a seed for one text: mixed, since torch's generator on CPU uses only 32 bits of what it is given."""
    return int(np.random.SeedSequence([seed, row]).generate_state(1)[0])


def _start_token(model: LanguageModel) -> int:
    """Return the model's documented start token: BOS, or EOS or the pad token where there is none."""
    for token in (model.tokenizer.bos_token_id, model.tokenizer.eos_token_id, model.tokenizer.pad_token_id):
        if token is not None:
            return token
    raise InputError(f"the tokenizer of {model.name} has no start token to generate from")
