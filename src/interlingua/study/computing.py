"""Have the missing cells computed by a crew, each as soon as those that it needs are done."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.errors import StorageError
from interlingua.progress import progress_bar
from interlingua.study.cell_store import FAILED, CellStore, Record
from interlingua.study.corpora import Corpora
from interlingua.study.crew import Crew
from interlingua.study.effort import effort
from interlingua.study.log import Log
from interlingua.study.plan import Cell
from interlingua.study.schedule import End, Outcome, Schedule


def compute_cells(cells: Sequence[Cell], crew: Crew, store: CellStore, log: Log, corpora: Corpora) -> None:
    """Compute cells, and record those that fail.

    Args:
        cells: In the order of the plan.
        crew: Who computes them.
        store: Where they are kept.
        log: Told what is begun and what failed.
        corpora: What the cells read, for the bar: it counts work, since some cells take a hundred times as long.

    Raises:
        StorageError: A result cannot be kept.
        InterlinguaError: No worker is left.
    """
    schedule = Schedule(cells)
    unbegun, work = {cell.key for cell in cells}, {cell.key: effort(cell, corpora) for cell in cells}

    def note(outcome: Outcome, *, needed: bool = False) -> None:
        if _note(outcome, store, log, needed=needed):
            bar.update(work.pop(outcome.cell.key, 0))

    with progress_bar("Study", total=sum(work.values()), unit="token") as bar:
        while not schedule.is_over:
            for seat in crew.free():
                cell = schedule.take(seat.takes)
                if cell is None:
                    continue
                first = cell.key in unbegun
                unbegun.discard(cell.key)
                number = f"[{len(cells) - len(unbegun)}/{len(cells)}]" if first else "again:"
                log.info(f"{number} {cell.name}{f' ({seat.name})' if seat.name else ''}")
                crew.start(seat, cell)
            outcome = crew.wait()
            if outcome is None:
                continue
            note(schedule.end(outcome))
            for cell, absent in schedule.lacking():
                note(Outcome(cell, End.FAILED, f"it needs {' and '.join(absent)}, which failed"), needed=True)


def _note(outcome: Outcome, store: CellStore, log: Log, *, needed: bool = False) -> bool:
    """Record and log how the work on a cell ended; return whether it is over, or begun again."""
    cell, reason = outcome.cell, outcome.reason
    if outcome.end is End.UNKEPT:
        raise StorageError(reason)
    if outcome.end is End.DONE:
        log.write(f"done: {cell.name}, {outcome.seconds:.1f} s")
    elif outcome.end is End.FAILED:
        store.mark(cell, Record(cell.name, FAILED, round(outcome.seconds, 3), reason, needed))
        log.info(f"failed: {cell.name}: {reason}")
    elif outcome.end is End.UNFIT:
        log.warning(f"a worker is left out: {reason}")
    else:
        log.warning(f"{cell.name} is begun again: {reason}")
    return outcome.end in (End.DONE, End.FAILED)
