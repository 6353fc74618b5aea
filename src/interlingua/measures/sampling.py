"""How the next token is chosen: transformers' settings by its names, checked, as processors of logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.errors import InputError

if TYPE_CHECKING:
    from transformers import LogitsProcessorList


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

    def processors(self) -> LogitsProcessorList:
        """Return what is done to logits, in transformers' order."""
        from transformers.generation import logits_process

        steps = logits_process.LogitsProcessorList()
        if self.repetition_penalty != 1:
            steps.append(logits_process.RepetitionPenaltyLogitsProcessor(float(self.repetition_penalty)))
        if self.do_sample:
            steps.append(logits_process.TemperatureLogitsWarper(float(self.temperature)))
            steps.append(logits_process.TopKLogitsWarper(self.top_k))
            steps.append(logits_process.TopPLogitsWarper(self.top_p))
            if self.min_p is not None:
                steps.append(logits_process.MinPLogitsWarper(self.min_p))
        return steps
