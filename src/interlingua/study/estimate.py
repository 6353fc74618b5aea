"""What a study costs, before it starts: its cells, the tokens they run, disk, memory, and time from a short burst."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from interlingua.measures import embed, generate, token_losses
from interlingua.measures.embedding import MAX_LENGTH
from interlingua.measures.generation import BATCH_SIZE
from interlingua.measures.perplexity import windows
from interlingua.models import LanguageModel
from interlingua.models.batching import tokenise
from interlingua.models.quiet import quiet_transformers
from interlingua.progress import ProgressCallback, silent
from interlingua.study.cell_store import CellStore
from interlingua.study.cells.perplexity import first_tokens
from interlingua.study.config import StudyConfig, load_config
from interlingua.study.material import Material, load_material
from interlingua.study.plan import Cell, plan
from interlingua.study.run import default_folder, once

SCORES_BYTES = 8 + 8 + 7 * 4
"""Of a neuron and language on disk: two scores in float64, seven statistics in float32."""
BURST_SENTENCES, BURST_STEPS, BURST_CHARACTERS = 24, 8, 1500


@dataclass(frozen=True)
class Cost:
    """What a cell makes the model do.

    Attributes:
        read: Tokens that go through the model's body.
        scored: Tokens that also go through the vocabulary head.
        steps: Steps of generation, each of a batch of texts.
        batch: How many texts a step has.
        disk: Bytes that are kept.
    """

    read: int = 0
    scored: int = 0
    steps: int = 0
    batch: int = 0
    disk: int = 0

    @property
    def tokens(self) -> int:
        """Tokens that the model runs, read or generated."""
        return self.read + self.steps * self.batch


@dataclass(frozen=True)
class Speed:
    """Seconds on this machine, as measured: of a token read, of one scored, of a step of generation."""

    read: float
    scored: float
    step: float

    def seconds(self, cost: Cost) -> float:
        """Return how long a cell takes."""
        return cost.read * self.read + cost.scored * self.scored + cost.steps * self.step


@dataclass(frozen=True)
class Estimate:
    """What a study would do.

    Attributes:
        folder: Where.
        cells: Each cell, what it costs, and whether it is there already.
        speed: What the burst measured.
        model_bytes: Of the weights.
        response_bytes: Of the responses of all neurons to all probe sentences, in memory, or on disk where they do not
            fit there, while experts are found.
    """

    folder: Path
    cells: Sequence[tuple[Cell, Cost, bool]]
    speed: Speed
    model_bytes: int
    response_bytes: int

    @property
    def to_do(self) -> list[Cost]:
        """What the cells that are missing cost."""
        return [cost for _, cost, done in self.cells if not done]

    @property
    def seconds(self) -> float:
        """How long the missing cells take, but for what needs no model."""
        return sum(self.speed.seconds(cost) for cost in self.to_do)


def estimate_study(
    config: StudyConfig | str | Path,
    out: str | Path | None = None,
    *,
    progress: ProgressCallback = silent,
    say: Callable[[str], None] = lambda line: None,
) -> Estimate:
    """Say what a study would do and how long it would take, without starting it; nothing is written.

    Model and corpora are loaded, and downloaded where they are not there. The arguments are those of `run_study`.
    """
    if not isinstance(config, StudyConfig):
        config = load_config(config)
    folder = Path(out) if out is not None else default_folder(config)
    material = load_material(config, say, progress)
    store = CellStore(folder)
    costs: dict[str, Cost] = {}
    rows = []
    for cell in once(plan(config, material.identity, material.corpora)):
        alike = f"{cell.measure} {cell.language} {cell.parameters}"  # every condition reads the same
        if alike not in costs:
            costs[alike] = cost_of(cell, material)
        rows.append((cell, costs[alike], store.is_done(cell)))
    say("Measuring the model's speed for some seconds")
    speed = measured_speed(config, material, [cost for _, cost, done in rows if not done])
    probe = material.corpora.probe
    responses = len(probe) * len(probe.languages) * len(material.model.neurons) * 4
    weights = sum(parameter.numel() * parameter.element_size() for parameter in material.model.hf.parameters())
    return Estimate(folder, rows, speed, weights, responses)


def cost_of(cell: Cell, material: Material) -> Cost:
    """Return what a cell makes the model do."""
    model, corpora = material.model, material.corpora
    if cell.measure == "experts":
        sentences = [sentence for code in corpora.probe.languages for sentence in corpora.probe[code]]
        read = tokenise(model.tokenizer, sentences, cell.parameters["max_length"]).tokens
        return Cost(read, disk=len(corpora.probe.languages) * len(model.neurons) * SCORES_BYTES)
    if cell.measure == "texts":
        batches = ceil(cell.parameters["texts"] / BATCH_SIZE) * len(cell.parameters["seeds"])
        batch = min(BATCH_SIZE, cell.parameters["texts"])
        return Cost(steps=batches * cell.parameters["max_new_tokens"], batch=batch)
    if cell.measure == "perplexity":
        return _perplexity(cell, material)
    parts = {
        "embeddings": [corpora.evaluation[code] for code in corpora.evaluation.languages],
        "paraphrase embeddings": [side for own in corpora.paraphrases.values() for side in (own.left, own.right)],
        "bitext embeddings": [side for own in corpora.bitext.values() for side in (own.left, own.right)],
    }.get(cell.measure, [])
    sentences = [sentence for part in parts for sentence in part]
    return Cost(tokenise(model.tokenizer, sentences, MAX_LENGTH).tokens, disk=len(sentences) * model.hidden_size * 4)


def _perplexity(cell: Cell, material: Material) -> Cost:
    model, settings = material.model, cell.parameters
    paragraphs = first_tokens(model, material.corpora.texts[str(cell.language)].paragraphs, settings["tokens"])
    with quiet_transformers():
        tokens = len(model.tokenizer("\n".join(paragraphs))["input_ids"])
    longest = getattr(model.hf.config.get_text_config(), "max_position_embeddings", None)
    window = min(length for length in (longest, settings["window"], tokens) if length is not None)
    read = sum(own.end - 1 - own.begin for own in windows(tokens, window, settings["stride"]))
    return Cost(read, tokens - 1)


def measured_speed(config: StudyConfig, material: Material, costs: Sequence[Cost]) -> Speed:
    """Run the model for some seconds in each way that the missing cells need."""
    model, evaluation = material.model, material.corpora.evaluation
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
    """Return how long work takes the second time: the first warms up."""
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
