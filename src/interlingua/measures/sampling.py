"""How the next token is chosen: transformers' settings by its names, checked, as processors of logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers.generation import LogitsProcessor, logits_process

from interlingua.errors import InputError

TIES = 14
"""So many words beyond `top_k` are looked at first: logits in bfloat16 tie often."""


@dataclass(frozen=True)
class Sampling:
    """Settings of sampling; the defaults are the paper's.

    Attributes:
        do_sample: Whether to sample; False takes the likeliest token each time.
        temperature: Divides the logits.
        top_p: Sample from the fewest tokens that hold this probability.
        top_k: Sample from this many tokens at most.
        min_p: Sample from tokens that have at least this part of the likeliest one's probability.
        repetition_penalty: Above 1, tokens that are there already become less likely (Keskar et al. 2019).

    Raises:
        InputError: A setting is out of range.
    """

    do_sample: bool = True
    temperature: float = 1.0
    top_p: float = 0.9
    top_k: int = 50
    min_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0 or self.top_k < 1 or not 0 < self.top_p <= 1:
            raise InputError("temperature must be above 0, top_k at least 1, and top_p above 0 and at most 1")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise InputError(f"min_p must lie between 0 and 1, not at {self.min_p}")
        if not self.repetition_penalty > 0:
            raise InputError(f"repetition_penalty must be above 0, not {self.repetition_penalty}; 1 changes nothing")

    def before(self) -> list[LogitsProcessor]:
        """Return what is done to the logits of all words."""
        if self.repetition_penalty == 1:
            return []
        return [logits_process.RepetitionPenaltyLogitsProcessor(float(self.repetition_penalty))]

    def warpers(self) -> list[LogitsProcessor]:
        """Return what is done to the likeliest words, in transformers' order."""
        steps = [
            logits_process.TemperatureLogitsWarper(float(self.temperature)),
            logits_process.TopKLogitsWarper(self.top_k),
            logits_process.TopPLogitsWarper(self.top_p),
        ]
        return steps if self.min_p is None else [*steps, logits_process.MinPLogitsWarper(self.min_p)]


class Sampler(LogitsProcessor):
    """Choose a word for each row by Gumbel noise, so that the greatest is a sample (Gumbel 1954): one generator a row.

    Only the `top_k` likeliest words are sorted, summed and given noise: transformers' `TopPLogitsWarper` would sort
    every word of every row.
    """

    def __init__(self, sampling: Sampling, generators: Sequence[torch.Generator]) -> None:
        self.top_k, self.warpers, self.generators = sampling.top_k, sampling.warpers(), generators

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores with that of the word that was chosen above all others."""
        likeliest, words = self._likeliest(scores.float())
        for warper in self.warpers:
            likeliest = warper(input_ids, likeliest)
        # A number for every word, kept or not: so a word's noise does not depend on which others were kept.
        uniform = torch.stack(
            [
                torch.rand(scores.shape[1], generator=generator, device=scores.device)[of_row]
                for generator, of_row in zip(self.generators, words, strict=True)
            ]
        )
        noise = -torch.log(-torch.log(uniform.clamp_min(torch.finfo(torch.float32).tiny)))
        chosen = words.gather(1, (likeliest + noise).argmax(dim=1, keepdim=True))
        return scores.scatter_(1, chosen, torch.inf)  # of what `generate` copied

    def _likeliest(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the `top_k` greatest scores of each row and all that tie with the last of them, and their words."""
        every = scores.shape[1]
        reach = min(self.top_k + TIES, every)
        while True:
            values, words = scores.topk(reach)
            last = values[:, min(self.top_k, every) - 1]
            if reach == every or bool((values[:, -1] < last).all()):
                return values, words
            reach = min(2 * reach, every)
