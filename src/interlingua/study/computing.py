"""Have the missing cells computed by a crew, each as soon as those that it needs are done."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.errors import StorageError
from interlingua.progress import ProgressCallback
from interlingua.study.cell_store import FAILED, CellStore, Record
from interlingua.study.crew import Crew
from interlingua.study.log import Log
from interlingua.study.plan import Cell
from interlingua.study.schedule import End, Outcome, Schedule


def compute_cells(cells: Sequence[Cell], crew: Crew, store: CellStore, log: Log, progress: ProgressCallback) -> None:
    """Compute cells, and record those that fail.

    Args:
        cells: In the order of the plan.
        crew: Who computes them.
        store: Where they are kept.
        log: Told what is begun and what failed.
        progress: Called with the number of cells that are done or failed.

    Raises:
        StorageError: A result cannot be kept.
        InterlinguaError: No worker is left.
    """
    schedule = Schedule(cells)
    unbegun, over = {cell.key for cell in cells}, 0
    progress("Cells", 0, len(cells))
    while not schedule.is_over:
        for seat in crew.free():
            cell = schedule.take(seat.takes)
            if cell is None:
                continue
            first = cell.key in unbegun
            unbegun.discard(cell.key)
            number = f"[{len(cells) - len(unbegun)}/{len(cells)}]" if first else "again:"
            log(f"{number} {cell.name}{f' ({seat.name})' if seat.name else ''}")
            crew.start(seat, cell)
        outcome = crew.wait()
        if outcome is None:
            continue
        over += _note(schedule.end(outcome), store, log)
        for cell, absent in schedule.lacking():
            reason = f"it needs {' and '.join(absent)}, which failed"
            over += _note(Outcome(cell, End.FAILED, reason), store, log, needed=True)
        progress("Cells", min(over, len(cells)), len(cells))


def _note(outcome: Outcome, store: CellStore, log: Log, *, needed: bool = False) -> int:
    """Record and tell how the work on a cell ended; return 1 if it is over with the cell, 0 if it is begun again."""
    cell, reason = outcome.cell, outcome.reason
    if outcome.end is End.UNKEPT:
        raise StorageError(reason)
    if outcome.end is End.DONE:
        log.write(f"done: {cell.name}, {outcome.seconds:.1f} s")
    elif outcome.end is End.FAILED:
        store.mark(cell, Record(cell.name, FAILED, round(outcome.seconds, 3), reason, needed))
        log(f"failed: {cell.name}: {reason}")
    elif outcome.end is End.UNFIT:
        log(f"warning: a worker is left out: {reason}")
    else:
        log(f"warning: {cell.name} is begun again: {reason}")
    return int(outcome.end in (End.DONE, End.FAILED))
