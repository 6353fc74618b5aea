"""What computes cells, one after the other, and keeps between them the model and the latest results."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from interlingua.errors import ArtifactError, InterlinguaError, ModelError, StorageError
from interlingua.models import LanguageModel
from interlingua.models.compiling import compiled_passes
from interlingua.study.cell_store import RUNNING, CellStore, Record
from interlingua.study.cells import ARRAYS, EXPERTS, TABLES, Work
from interlingua.study.config import StudyConfig
from interlingua.study.corpora import Corpora
from interlingua.study.counting import cost_of
from interlingua.study.model import KnownModel, load_study_model
from interlingua.study.outcome import End, Outcome
from interlingua.study.plan import Cell

HELD = 6
"""Results held in memory: experts, and the embeddings of the original and of one condition."""


LIGHT = 1000
"""Tokens that a cell counts for, besides those that the model runs in it."""


@dataclass(frozen=True)
class Assignment:
    """What every worker of a study is given.

    Attributes:
        config: The study.
        corpora: What is read.
        folder: The run folder, absolute.
        begun: When, in seconds since 1970.
    """

    config: StudyConfig
    corpora: Corpora
    folder: Path
    begun: float = field(default_factory=time.time)


class Worker:
    """Computes cells of a study in this process.

    Args:
        assignment: What all workers of the study are given.
        device: Where the model is loaded.
    """

    def __init__(self, assignment: Assignment, device: str) -> None:
        self.assignment, self.device = assignment, device
        self.store = CellStore(assignment.folder)
        self.held: OrderedDict[str, Any] = OrderedDict()

    @cached_property
    def model(self) -> LanguageModel:
        """The study's model; it is loaded when a cell first needs it."""
        return load_study_model(self.assignment.config, self.device)

    @cached_property
    def known(self) -> KnownModel:
        """Which model it is."""
        return KnownModel.of(self.model)

    def tokens(self, cells: Sequence[Cell]) -> dict[str, int]:
        """Return what each cell costs, by key: the tokens that the model runs, and a little for everything else."""
        counted: dict[str, int] = {}
        for cell in cells:
            if cell.model is not None and cell.reads not in counted:
                counted[cell.reads] = cost_of(cell, self.model, self.assignment.corpora).tokens
        return {cell.key: LIGHT + counted.get(cell.reads, 0) for cell in cells}

    def compute(self, cell: Cell) -> Outcome:
        """Compute a cell and keep its result, or record why it failed."""
        started, restarted = time.monotonic(), False
        try:
            self._require_model_of(cell)
            needs = {name: self._result(need) for name, need in cell.needs.items()}
            restarted = self._is_restarted(cell)
            self.store.mark(cell, Record(cell.name, RUNNING))
            work = Work(cell, needs, self.assignment.corpora, lambda: self.model)
            before = self._compiled_passes()
            paths = self._keep(cell, work)
            compiled = self._compiled_passes() > before
            self.store.finish(cell, paths, time.monotonic() - started, compiled=compiled)
        except _UnfitError as error:
            return Outcome(cell, End.UNFIT, str(error))
        except _DamagedError as error:
            return Outcome(cell, End.DAMAGED, str(error), damaged=error.cell)
        except StorageError as error:
            return Outcome(cell, End.UNKEPT, str(error))
        except Exception as error:  # whatever a model or a library raises, the other cells go on
            return Outcome(cell, End.FAILED, reason_of(error), time.monotonic() - started, restarted=restarted)
        return Outcome(cell, End.DONE, seconds=time.monotonic() - started, restarted=restarted)

    def _compiled_passes(self) -> int:
        return compiled_passes(self.model) if "model" in vars(self) else 0

    def _is_restarted(self, cell: Cell) -> bool:
        """Tell whether another worker began the cell in this study, and died."""
        record = self.store.record(cell.key)
        return record is not None and record.state == RUNNING and record.started >= self.assignment.begun

    def _require_model_of(self, cell: Cell) -> None:
        """Load the model, if the cell runs it, and see that it is the one that the study was planned with."""
        if cell.model is None:
            return
        try:
            identity = self.known.identity
        except Exception as error:  # whatever a library raises, no cell that runs the model can be computed here
            raise _UnfitError(reason_of(error)) from error
        items = [(name, identity[name], planned) for name, planned in cell.model.items()]
        others = [f"{name} {found}, not {planned}" for name, found, planned in items if found != planned]
        if others:
            raise _UnfitError(f"its model is not the one that the study was planned with: {'; '.join(others)}")

    def _result(self, cell: Cell) -> Any:
        if cell.key not in self.held:
            try:
                return self._hold(cell, self.store.load(cell))
            except ArtifactError as error:
                raise _DamagedError(cell, str(error)) from error
        self.held.move_to_end(cell.key)
        return self.held[cell.key]

    def _hold(self, cell: Cell, result: Any) -> Any:
        self.held[cell.key] = result
        while len(self.held) > HELD:
            self.held.popitem(last=False)
        return result

    def _keep(self, cell: Cell, work: Work) -> list[Path]:
        if cell.measure in EXPERTS:
            folder = self.store.experts_folder(cell)
            EXPERTS[cell.measure](work, folder, self.store.recording_folder(cell))
            return sorted(folder.iterdir())
        if cell.measure in ARRAYS:
            return self.store.save_arrays(cell, self._hold(cell, ARRAYS[cell.measure](work)))
        return self.store.save_tables(cell, self._hold(cell, TABLES[cell.measure](work)))


def reason_of(error: Exception) -> str:
    """Return an error in a line: its message alone where it is one of ours."""
    message = " ".join(str(error).split()) or type(error).__name__
    return message if isinstance(error, InterlinguaError) else f"{type(error).__name__}: {message}"


class _UnfitError(ModelError):
    """A worker cannot load the model that a cell runs."""


class _DamagedError(ArtifactError):
    """A result that a cell needs is no longer whole."""

    def __init__(self, cell: Cell, reason: str) -> None:
        super().__init__(reason)
        self.cell = cell
