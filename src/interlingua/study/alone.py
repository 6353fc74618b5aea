"""One worker, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from interlingua.study.crew import Assignment, Seat, no_worker_left
from interlingua.study.model import KnownModel
from interlingua.study.plan import Cell
from interlingua.study.schedule import End, Outcome, Takes
from interlingua.study.worker import Worker


class Alone(AbstractContextManager["Alone"]):
    """Computes a cell when it is waited for (see `Crew`)."""

    def __init__(self, assignment: Assignment, device: str) -> None:
        self._worker = Worker(assignment, device)
        self._seats = [Seat("", Takes.ALL)]
        self._cell: Cell | None = None
        self._unfit: list[str] = []

    def __exit__(self, *error: object) -> None:
        """Do nothing: the worker ends with this process."""

    def identify(self) -> KnownModel:
        """Load the model."""
        return self._worker.known

    def free(self) -> Sequence[Seat]:
        """Return the one seat."""
        return self._seats

    def start(self, seat: Seat, cell: Cell) -> None:
        """Take the cell that `wait` computes."""
        self._cell = cell

    def wait(self) -> Outcome:
        """Compute the cell."""
        if self._cell is None:
            raise no_worker_left(self._unfit)
        outcome, self._cell = self._worker.compute(self._cell), None
        if outcome.end is End.UNFIT:
            self._seats, self._unfit = [], [outcome.reason]
        return outcome
