"""What each cell of a study makes the model do, counted beforehand, and how fast the model does it here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import ceil

from interlingua.measures import embed, generate, token_losses
from interlingua.measures.embedding import MAX_LENGTH
from interlingua.measures.generation import BATCH_SIZE
from interlingua.measures.perplexity import windows
from interlingua.models import LanguageModel
from interlingua.models.batching import tokenise
from interlingua.models.quiet import quiet_transformers
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
    """Return what a cell makes the model do."""
    if cell.measure == "experts":
        sentences = [sentence for code in corpora.probe.languages for sentence in corpora.probe[code]]
        read = tokenise(model.tokenizer, sentences, model.longest(cell.parameters["max_length"])).tokens
        return Cost(read, disk=len(corpora.probe.languages) * len(model.neurons) * SCORES_BYTES)
    if cell.measure == "texts":
        batches = ceil(cell.parameters["texts"] / BATCH_SIZE) * len(cell.parameters["seeds"])
        batch = min(BATCH_SIZE, cell.parameters["texts"])
        return Cost(steps=batches * cell.parameters["max_new_tokens"], batch=batch)
    if cell.measure == "perplexity":
        return _perplexity(cell, model, corpora)
    parts = {
        "embeddings": [corpora.evaluation[code] for code in corpora.evaluation.languages],
        "space": [corpora.evaluation[code] for code in corpora.evaluation.languages],
        "paraphrase embeddings": [side for pairs in corpora.paraphrases.values() for side in (pairs.left, pairs.right)],
        "bitext embeddings": [side for pairs in corpora.bitext.values() for side in (pairs.left, pairs.right)],
    }.get(cell.measure, [])
    sentences = [sentence for part in parts for sentence in part]
    disk = 0 if cell.measure == "space" else len(sentences) * model.hidden_size * 4
    return Cost(tokenise(model.tokenizer, sentences, model.longest(MAX_LENGTH)).tokens, disk=disk)


def _perplexity(cell: Cell, model: LanguageModel, corpora: Corpora) -> Cost:
    settings = cell.parameters
    paragraphs = first_tokens(model, corpora.texts[str(cell.language)].paragraphs, settings["tokens"])
    with quiet_transformers():
        tokens = len(model.tokenizer("\n".join(paragraphs))["input_ids"])
    window = min(length for length in (model.positions, settings["window"], tokens) if length is not None)
    read = sum(span.end - 1 - span.begin for span in windows(tokens, window, settings["stride"]))
    return Cost(read, tokens - 1)


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
