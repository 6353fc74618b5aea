"""Which cells can be computed now, and what becomes of those that need one that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from interlingua.study.plan import Cell

TRIES = 3
"""How often a cell is begun whose worker is lost, or which finds a result that it needs damaged."""


class End(Enum):
    """How a worker's work on a cell ended."""

    DONE = "done"
    FAILED = "failed"  # the cell raised an error
    DAMAGED = "damaged"  # a result that the cell needs is no longer whole
    LOST = "lost"  # the worker died
    UNFIT = "unfit"  # the worker cannot load the study's model
    UNKEPT = "unkept"  # the result cannot be written


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes:
        cell: The cell.
        end: How the work on it ended.
        reason: Why, where it is not done.
        seconds: How long it took.
        damaged: The cell whose result is damaged, where one is.
    """

    cell: Cell
    end: End
    reason: str = ""
    seconds: float = 0.0
    damaged: Cell | None = None


class Takes(Enum):
    """Which cells a worker computes."""

    ALL = "all, in the order of the plan"
    MODEL_FIRST = "those that run the model, and others when there is none of these"
    WITHOUT_MODEL = "those that run no model"


class Schedule:
    """The cells that are to be computed, and how far that is.

    Args:
        cells: In the order of the plan. A need that is not among them is done.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._waiting = {cell.key: cell for cell in cells}
        self._in_work: set[str] = set()
        self._failed: set[str] = set()
        self._tries: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        """Whether no cell waits and none is in work."""
        return not self._waiting and not self._in_work

    def take(self, takes: Takes = Takes.ALL) -> Cell | None:
        """Return a cell whose needs are all done, which from now on is in work; None where there is none."""
        ready = [cell for cell in self._waiting.values() if self._is_ready(cell)]
        if takes is Takes.WITHOUT_MODEL:
            ready = [cell for cell in ready if cell.model is None]
        if takes is Takes.MODEL_FIRST:
            ready.sort(key=lambda cell: cell.model is None)
        if not ready:
            return None
        self._in_work.add(ready[0].key)
        return self._waiting.pop(ready[0].key)

    def end(self, outcome: Outcome) -> Outcome:
        """Note how the work on a cell ended; where that is neither done nor failed, the cell waits again.

        Returns:
            The outcome, as a failure where the cell was tried often enough.
        """
        cell = outcome.cell
        self._in_work.discard(cell.key)
        if outcome.end in (End.LOST, End.DAMAGED):
            self._tries[cell.key] += 1
            if self._tries[cell.key] >= TRIES:
                outcome = replace(outcome, end=End.FAILED, reason=f"{outcome.reason}, {TRIES} times")
        if outcome.end is End.FAILED:
            self._failed.add(cell.key)
        elif outcome.end is not End.DONE:
            self._put_first(cell)
        damaged = outcome.damaged
        if damaged is not None and damaged.key not in self._in_work | self._failed:
            self._put_first(damaged)
        return outcome

    def _put_first(self, cell: Cell) -> None:
        self._waiting = {cell.key: cell} | self._waiting

    def lacking(self) -> list[tuple[Cell, list[str]]]:
        """Take out the cells that wait for a failed one, and return each with the names of what it lacks."""
        found = []
        for cell in list(self._waiting.values()):
            absent = [need.name for need in cell.needs.values() if need.key in self._failed]
            if absent:
                self._failed.add(cell.key)  # so that those that need it are found too: they come after it
                del self._waiting[cell.key]
                found.append((cell, list(dict.fromkeys(absent))))
        return found

    def _is_ready(self, cell: Cell) -> bool:
        return not any(need.key in self._waiting or need.key in self._in_work for need in cell.needs.values())
