"""What became of the work on a cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from interlingua.study.plan import Cell


class End(Enum):
    """How the work on a cell ended."""

    DONE = "done"
    FAILED = "failed"  # the cell raised an error
    DAMAGED = "damaged"  # a result that the cell needs is no longer whole
    WAITING = "waiting"  # a cell that it needs is not done
    UNFIT = "unfit"  # the worker cannot load the study's model, or does not see the run folder
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
        worker: Node and process that computed it, or the node that is unfit; nothing in one process.
        restarted: Whether an earlier worker died while it computed the cell.
        needed: Whether it failed only since a cell that it needs did.
    """

    cell: Cell
    end: End
    reason: str = ""
    seconds: float = 0.0
    damaged: Cell | None = None
    worker: str = ""
    restarted: bool = False
    needed: bool = False
