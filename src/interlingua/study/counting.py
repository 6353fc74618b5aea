"""What each cell of a study makes the model do, counted beforehand, and how fast the model does it here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from interlingua.measures import embed, generate, token_losses
from interlingua.measures.embedding import MAX_LENGTH
from interlingua.measures.generation import batches_of_one_length
from interlingua.measures.perplexity import windows
from interlingua.models import LanguageModel
from interlingua.models.batching import tokenise
from interlingua.models.quiet import quiet_transformers
from interlingua.study.cells.embeddings import READ_BY
from interlingua.study.cells.perplexity import first_tokens
from interlingua.study.config import StudyConfig
from interlingua.study.corpora import Corpora
from interlingua.study.cost import Cost, Speed
from interlingua.study.plan import Cell

SCORES_BYTES = 8 + 8 + 7 * 4
"""Bytes on disk of a neuron and language: two scores in float64, seven statistics in float32."""
BURST_SENTENCES, BURST_STEPS, BURST_CHARACTERS = 24, 8, 1500
BURSTS, LONGEST_BURST = 3, 5.0
"""How often each way of running the model is timed, and for how many seconds at most."""


def cost_of(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    """Return what a cell makes the model do: nothing where it only takes results of other cells.

    Raises:
        KeyError: It runs the model, and its measure has no line in `COSTS`.
    """
    return Cost() if cell.model is None else COSTS[cell.measure](cell, model, corpora)


def _experts(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    sentences = [sentence for code in corpora.probe.languages for sentence in corpora.probe[code]]
    read = tokenise(model.tokenizer, sentences, model.longest(cell.parameters["max_length"])).tokens
    return Cost(read, disk=len(corpora.probe.languages) * len(model.neurons) * SCORES_BYTES)


def _space(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    sentences = [sentence for part in READ_BY[cell.measure](corpora).values() for sentence in part]
    return Cost(tokenise(model.tokenizer, sentences, model.longest(MAX_LENGTH)).tokens)


def _embeddings(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    sentences = sum(map(len, READ_BY[cell.measure](corpora).values()))
    return replace(_space(cell, model, corpora), disk=sentences * model.hidden_size * 4)


def _texts(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    settings = cell.parameters
    return _generated([1] * settings["texts"], len(settings["seeds"]), settings["max_new_tokens"])


def _continuations(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    prompts = [text for code in cell.parameters["prompts"] for text in corpora.prompts[code].paragraphs]
    lengths = list(map(len, tokenise(model.tokenizer, prompts, sys.maxsize).ids))
    return _generated(lengths, 1, cell.parameters["max_new_tokens"])


def _generated(starts: Sequence[int], times: int, new: int) -> Cost:
    """Return what texts cost whose starts have so many tokens each: reading a start gives the first new token."""
    batches = list(batches_of_one_length(starts))
    return Cost(
        times * sum(starts),
        steps=times * len(batches) * (new - 1),
        written=times * len(starts) * (new - 1),
        batch=max(map(len, batches), default=0),
    )


def _perplexity(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    settings = cell.parameters
    paragraphs = first_tokens(model, corpora.texts[str(cell.language)].paragraphs, settings["tokens"])
    with quiet_transformers():
        tokens = len(model.tokenizer("\n".join(paragraphs))["input_ids"])
    window = min(length for length in (model.positions, settings["window"], tokens) if length is not None)
    read = sum(span.end - 1 - span.begin for span in windows(tokens, window, settings["stride"]))
    return Cost(read, tokens - 1)


COSTS: Mapping[str, Callable[[Cell, LanguageModel, Corpora], Cost]] = {
    "experts": _experts,
    "embeddings": _embeddings,
    "paraphrase embeddings": _embeddings,
    "bitext embeddings": _embeddings,
    "space": _space,
    "texts": _texts,
    "continuations": _continuations,
    "perplexity": _perplexity,
}
"""What each measure that runs the model makes it do."""


def measured_speed(config: StudyConfig, model: LanguageModel, corpora: Corpora, costs: Sequence[Cost]) -> Speed:
    """Run the model for some seconds in each way that the missing cells need."""
    evaluation = corpora.evaluation
    sentences = [evaluation[code][0] for code in evaluation.languages][:BURST_SENTENCES]
    read = scored = step = 0.0
    if any(cost.read for cost in costs):
        tokens = tokenise(model.tokenizer, sentences, config.max_length).tokens
        read = _seconds(lambda: embed(model, sentences)) / tokens
    if any(cost.scored for cost in costs):
        text = " ".join(" ".join(sentences).split())[:BURST_CHARACTERS]
        scored = max(0.0, _scoring(model, text) - read)
    if (batch := max((cost.batch for cost in costs), default=0)) > 0:
        step = _seconds(lambda: generate(model, batch, max_new_tokens=BURST_STEPS)) / BURST_STEPS
    return Speed(read, scored, step)


def _scoring(model: LanguageModel, text: str) -> float:
    """Return the seconds of reading and scoring a token."""
    tokens = len(model.tokenizer(text)["input_ids"])
    return _seconds(lambda: token_losses(model, text, stride=tokens // 2, max_length=tokens)) / tokens


def _seconds(work: Callable[[], object]) -> float:
    """Return how long work takes at its quickest, after it has warmed up: whatever else the machine does slows it."""
    work()
    taken: list[float] = []
    while len(taken) < BURSTS and sum(taken) < LONGEST_BURST:
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)
