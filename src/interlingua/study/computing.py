"""Compute the missing cells of a study: in this process, or on Ray."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from interlingua.study.cluster import Cluster, devices_of
from interlingua.study.model import KnownModel
from interlingua.study.outcome import End
from interlingua.study.plan import Cell
from interlingua.study.tracker import Tracker, no_worker_left
from interlingua.study.worker import Assignment, Worker


class Executor(AbstractContextManager["Executor"], Protocol):
    """What computes the cells of a study; it is there while its context lasts."""

    def identify(self) -> KnownModel:
        """Load the model, and say which it is."""
        ...

    def tokens(self, cells: Sequence[Cell]) -> dict[str, int]:
        """Return what each cell costs, by key, in tokens."""
        ...

    def compute(self, cells: Sequence[Cell], tracker: Tracker) -> None:
        """Compute cells, given in the order of the plan.

        Raises:
            StorageError: A result cannot be kept.
            InterlinguaError: No worker is left that could go on.
        """
        ...


class InProcess(AbstractContextManager["InProcess"]):
    """Computes one cell after the other in this process (see `Executor`)."""

    def __init__(self, assignment: Assignment, device: str) -> None:
        self._worker = Worker(assignment, device)

    def __exit__(self, *error: object) -> None:
        """Do nothing: the model goes with this object."""

    def identify(self) -> KnownModel:
        """Load the model."""
        return self._worker.known

    def tokens(self, cells: Sequence[Cell]) -> dict[str, int]:
        """Count the tokens of cells."""
        return self._worker.tokens(cells)

    def compute(self, cells: Sequence[Cell], tracker: Tracker) -> None:
        """Compute cells in their order."""
        waiting = deque(cells)
        while waiting:
            cell = waiting.popleft()
            outcome = tracker.lacking(cell)
            if outcome is None:
                tracker.begin(cell)
                outcome = self._worker.compute(cell)
            if outcome.end is End.UNFIT:
                raise no_worker_left([outcome.reason])
            waiting.extendleft(reversed(tracker.end(outcome)))


def executor_of(assignment: Assignment, cluster: Cluster | None) -> Executor:
    """Return what computes a study: this process, or Ray on several devices or a cluster."""
    devices = devices_of(assignment.config) if cluster is None else []
    if len(devices) == 1:
        return InProcess(assignment, devices[0])
    from interlingua.study.ray_graph import RayGraph

    return RayGraph(assignment, cluster, devices)
