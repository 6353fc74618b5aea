"""Records and logs each cell's outcome, and says which to compute again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tqdm.std import tqdm

from interlingua.errors import InterlinguaError, StorageError
from interlingua.study.cell_store import FAILED, CellStore, Record
from interlingua.study.log import StudyLog
from interlingua.study.outcome import End, Outcome
from interlingua.study.plan import Cell

TRIES = 3
"""How often a cell is tried whose worker dies, or which finds a result that it needs damaged."""

logger = logging.getLogger(__name__)


class Tracker:
    """Records, logs and counts what becomes of cells, and tells which are to be computed again.

    Args:
        cells: All that are to be computed.
        tokens: What each costs, by key.
        store: Where failures are recorded.
        log: Where finished cells are noted.
        bar: Advanced by the tokens of each cell that is over.
    """

    def __init__(
        self, cells: Sequence[Cell], tokens: Mapping[str, int], store: CellStore, log: StudyLog, bar: tqdm
    ) -> None:
        self._total, self._left = len(cells), dict(tokens)
        self._store, self._log, self._bar = store, log, bar
        self._begun: set[str] = set()
        self._failed: set[str] = set()
        self._tries: Counter[str] = Counter()

    def begin(self, cell: Cell, worker: str = "") -> None:
        """Log that work on a cell begins."""
        first = cell.key not in self._begun
        self._begun.add(cell.key)
        number = f"[{len(self._begun)}/{self._total}]" if first else "again:"
        logger.info("%s %s%s", number, cell.name, f" ({worker})" if worker else "")

    def lacking(self, cell: Cell) -> Outcome | None:
        """Return the failure of a cell that needs one that failed; None where it needs none."""
        absent = dict.fromkeys(need.name for need in cell.needs.values() if need.key in self._failed)
        reason = f"it needs {' and '.join(absent)}, which failed"
        return Outcome(cell, End.FAILED, reason, needed=True) if absent else None

    def end(self, outcome: Outcome) -> list[Cell]:
        """Record how the work on a cell ended.

        Returns:
            What is to be computed again, each cell after those that it needs.

        Raises:
            StorageError: The result cannot be kept.
        """
        cell = outcome.cell
        if outcome.end is End.UNKEPT:
            raise StorageError(outcome.reason)
        if outcome.end is End.DAMAGED:
            self._tries[cell.key] += 1
            if self._tries[cell.key] >= TRIES:
                outcome = replace(outcome, end=End.FAILED, reason=f"{outcome.reason}, {TRIES} times")
        if outcome.restarted:
            logger.warning("%s is computed again, since its worker died", cell.name)
        again = [outcome.damaged] if outcome.damaged is not None and outcome.damaged.key not in self._failed else []
        if outcome.end is End.DONE:
            self._log.write(f"done: {cell.name}, {outcome.seconds:.1f} s")
        elif outcome.end is End.FAILED:
            self._failed.add(cell.key)
            record = Record(cell.name, FAILED, round(outcome.seconds, 3), outcome.reason, outcome.needed)
            self._store.mark(cell, record)
            logger.info("failed: %s: %s", cell.name, outcome.reason)
        else:
            if outcome.end is not End.WAITING:
                logger.warning("%s is computed again: %s", cell.name, outcome.reason)
            return [*again, cell]
        self._bar.update(self._left.pop(cell.key, 0))
        return again


def no_worker_left(reasons: Sequence[str]) -> InterlinguaError:
    """Return the error of a study that no worker can go on with, and what the workers said."""
    listed = "".join(f"\n  {reason}" for reason in reasons)
    return InterlinguaError(
        f"no worker is left that can compute what remains; what was finished is kept, run the study again{listed}"
    )
