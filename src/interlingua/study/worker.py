"""What computes cells, one after the other, and keeps between them the model and the latest results."""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

from interlingua.errors import ArtifactError, InterlinguaError, ModelError, StorageError
from interlingua.models import LanguageModel
from interlingua.study.cell_store import RUNNING, CellStore, Record
from interlingua.study.cells import ARRAYS, EXPERTS, TABLES, Work
from interlingua.study.crew import Assignment
from interlingua.study.model import KnownModel, load_study_model
from interlingua.study.plan import Cell
from interlingua.study.schedule import End, Outcome

HELD = 6
"""Results held in memory: experts, and the embeddings of the original and of one condition."""


class Worker:
    """Computes cells of a study in this process.

    Args:
        assignment: What all workers of the study are given.
        device: Where the model is loaded, instead of the study's own.
    """

    def __init__(self, assignment: Assignment, device: str | None = None) -> None:
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

    def compute(self, cell: Cell) -> Outcome:
        """Compute a cell and keep its result, or record why it failed."""
        started = time.monotonic()
        try:
            self._require_model_of(cell)
            self.store.mark(cell, Record(cell.name, RUNNING))
            needs = {name: self._result(need) for name, need in cell.needs.items()}
            work = Work(cell, needs, self.assignment.corpora, lambda: self.model)
            self.store.finish(cell, self._keep(cell, work), time.monotonic() - started)
        except _UnfitError as error:
            return Outcome(cell, End.UNFIT, str(error))
        except _DamagedError as error:
            return Outcome(cell, End.DAMAGED, str(error), damaged=error.cell)
        except StorageError as error:
            return Outcome(cell, End.UNKEPT, str(error))
        except Exception as error:  # whatever a model or a library raises, the other cells go on
            return Outcome(cell, End.FAILED, _reason(error), time.monotonic() - started)
        return Outcome(cell, End.DONE, seconds=time.monotonic() - started)

    def _require_model_of(self, cell: Cell) -> None:
        """Load the model, if the cell runs it, and see that it is the one that the study was planned with."""
        if cell.model is None:
            return
        try:
            own = self.known.identity
        except Exception as error:  # whatever a library raises, no cell that runs the model can be computed here
            raise _UnfitError(_reason(error)) from error
        others = [f"{name} {own[name]}, not {planned}" for name, planned in cell.model.items() if own[name] != planned]
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


def _reason(error: Exception) -> str:
    """Return an error in a line: its message alone where it is one of ours."""
    message = " ".join(str(error).split()) or type(error).__name__
    return message if isinstance(error, InterlinguaError) else f"{type(error).__name__}: {message}"


class _UnfitError(ModelError):
    """A worker cannot have the model that a cell runs."""


class _DamagedError(ArtifactError):
    """A result that a cell needs is no longer whole."""

    def __init__(self, cell: Cell, reason: str) -> None:
        super().__init__(reason)
        self.cell = cell
