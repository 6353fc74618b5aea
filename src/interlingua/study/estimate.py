"""What a study costs, before it starts: its cells, the tokens they run, disk, memory, and time from a short burst."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.study.cell_store import CellStore
from interlingua.study.cluster import devices_of
from interlingua.study.config import StudyConfig, load_config
from interlingua.study.corpora import load_corpora
from interlingua.study.cost import Cost, Speed
from interlingua.study.model import Checkpoint, KnownModel, load_study_model, require_fits
from interlingua.study.plan import Cell, once, plan
from interlingua.study.run import default_folder, measurable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Estimate:
    """What a study would do.

    Attributes:
        folder: Where.
        cells: Each cell, what it costs, and whether it is there already.
        speed: What the burst measured; nothing where no cell is missing.
        model_bytes: Of the weights.
        response_bytes: Of the responses of all neurons to all probe sentences, in memory, or on disk where they do not
            fit there, while experts are found.
        workers: How many devices the study names.
    """

    folder: Path
    cells: Sequence[tuple[Cell, Cost, bool]]
    speed: Speed
    model_bytes: int
    response_bytes: int
    workers: int = 1

    @property
    def to_do(self) -> list[Cost]:
        """What the cells that are missing cost."""
        return [cost for _, cost, done in self.cells if not done]

    @property
    def seconds(self) -> float:
        """How long one worker takes for the missing cells, without those that need no model."""
        return sum(self.speed.seconds(cost) for cost in self.to_do)

    @property
    def seconds_together(self) -> float:
        """How long the study's workers take, each on a device as fast as the one that was measured."""
        return seconds_by(self.workers, (self.speed.seconds(cost) for cost in self.to_do))


def seconds_by(workers: int, cells: Iterable[float]) -> float:
    """Return how long workers take for cells that take so many seconds each, the longest first.

    That cells wait for others is left out: apart from the experts, which come first, they hardly wait.

    Example:
        >>> seconds_by(2, [3.0, 3.0, 2.0, 2.0, 2.0])
        7.0
    """
    busy = [0.0] * workers
    for seconds in sorted(cells, reverse=True):
        heapq.heapreplace(busy, busy[0] + seconds)
    return max(busy)


def estimate_study(config: StudyConfig | str | Path, out: str | Path | None = None) -> Estimate:
    """Say what a study would do and how long it would take one worker, without starting it; nothing is written.

    Corpora are loaded, and downloaded where they are missing; so is the model if a cell is missing. The arguments are
    those of `run_study`.
    """
    config = config if isinstance(config, StudyConfig) else load_config(config)
    folder = Path(out) if out is not None else default_folder(config)
    store = CellStore(folder)
    corpora = load_corpora(config)
    measured = measurable(config)
    known = Checkpoint.of(config, None).recall(folder)
    if known is not None:
        cells = once(plan(measured, known.identity, corpora))
        if all(map(store.is_done, cells)):
            return Estimate(folder, [(cell, Cost(), True) for cell in cells], Speed(0.0, 0.0, 0.0), 0, 0)

    from interlingua.study.counting import cost_of, measured_speed  # here, since it imports torch

    devices = devices_of(config)
    model = load_study_model(config, devices[0])
    known = KnownModel.of(model)
    require_fits(config, known)
    costs: dict[str, Cost] = {}
    rows = []
    for cell in once(plan(measured, known.identity, corpora)):
        if cell.reads not in costs:
            costs[cell.reads] = cost_of(cell, model, corpora)
        rows.append((cell, costs[cell.reads], store.is_done(cell)))
    logger.info("Measuring the model's speed for some seconds")
    speed = measured_speed(config, model, corpora, [cost for _, cost, done in rows if not done])
    neurons = max(known.sites[site] for site in config.neurons)  # sites are recorded one after the other
    responses = len(corpora.probe) * len(corpora.probe.languages) * neurons * 4
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.hf.parameters())
    return Estimate(folder, rows, speed, weights, responses, len(devices))
