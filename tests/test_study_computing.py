"""What becomes of cells whose work ends badly: plans and the ends of work drawn at random."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import listening
from interlingua.errors import InterlinguaError, StorageError
from interlingua.progress import progress_bar
from interlingua.study.computing import InProcess
from interlingua.study.log import study_log
from interlingua.study.outcome import End, Outcome
from interlingua.study.plan import Cell
from interlingua.study.tracker import TRIES, Tracker


def cell(number, *needs, model=False):
    parameters = {"number": number, **({"model": {"weights": "0"}} if model else {})}
    return Cell(f"cell {number}", parameters, needs={str(i): need for i, need in enumerate(needs)})


@st.composite
def plans(draw):
    cells = []
    for number in range(draw(st.integers(1, 12))):
        needs = draw(st.lists(st.sampled_from(cells), max_size=3, unique_by=lambda c: c.key)) if cells else []
        cells.append(cell(number, *needs, model=draw(st.booleans())))
    return cells


class Worker:
    """Computes nothing, and ends as a plan of ends says."""

    def __init__(self, ends):
        self.ends, self.taken, self.done = ends, [], set()

    def compute(self, cell):
        assert all(need.key in self.done for need in cell.needs.values()), "a cell starts when its needs are done"
        self.taken.append(cell.key)
        end = self.ends.get((cell.key, self.taken.count(cell.key)), End.DONE)
        damaged = next(iter(cell.needs.values()), None) if end is End.DAMAGED else None
        if end is End.DONE:
            self.done.add(cell.key)
        if damaged is not None:
            self.done.discard(damaged.key)
        return Outcome(cell, end, end.value, damaged=damaged)


class Store(dict):
    def mark(self, cell, record):
        self[cell.key] = record


def compute(cells, worker, tmp_path):
    store, tokens = Store(), {planned.key: number + 1 for number, planned in enumerate(cells)}
    here = InProcess.__new__(InProcess)
    here._worker = worker
    with study_log(tmp_path / "log") as log, progress_bar("Study", sum(tokens.values()), "token") as bar:
        here.compute(cells, Tracker(cells, tokens, store, log, bar))
        assert bar.disable or bar.n == bar.total
    return store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("logs")


@given(plans(), st.data())
def test_every_cell_ends_done_or_recorded_as_failed(folder, cells, data):
    keys = st.tuples(st.sampled_from([planned.key for planned in cells]), st.integers(1, TRIES))
    ends = data.draw(st.dictionaries(keys, st.sampled_from([End.FAILED, End.DAMAGED])))
    worker = Worker(ends)
    records = compute(cells, worker, folder)
    damaged = {
        planned.needs["0"].key for planned in cells for n in range(1, 99) if planned.needs and (planned.key, n) in ends
    }
    for planned in cells:
        assert planned.key in worker.done or planned.key in records or planned.key in damaged, planned.name
        assert planned.key not in records or records[planned.key].state == "failed"
        if any((planned.key, n) in ends for n in range(1, 99)) or planned.key in damaged:
            continue
        lacking = any(need.key in records for need in planned.needs.values())
        assert planned.key in worker.done or lacking
    assert max(Counter(worker.taken).values()) <= 99


def test_cells_are_computed_in_the_order_of_the_plan(folder):
    cells = [a := cell(0), b := cell(1, a, model=True), cell(2, b), cell(3, a)]
    worker = Worker({})
    with listening() as said:
        assert compute(cells, worker, folder) == {}
    assert worker.taken == [planned.key for planned in cells]
    assert said == ["[1/4] cell 0", "[2/4] cell 1", "[3/4] cell 2", "[4/4] cell 3"]


def test_a_cell_that_fails_does_not_stop_others_and_those_that_need_it_are_not_begun(folder):
    cells = [a := cell(0), b := cell(1, a), cell(2, b), cell(3)]
    worker = Worker({(a.key, 1): End.FAILED})
    records = compute(cells, worker, folder)
    assert worker.taken == [a.key, cells[3].key]
    assert (records[a.key].error, records[a.key].needed) == ("failed", False)
    assert (records[b.key].error, records[b.key].needed) == ("it needs cell 0, which failed", True)
    assert records[cells[2].key].error == "it needs cell 1, which failed"
    assert records[cells[2].key].needed


def test_a_damaged_result_is_computed_again_and_three_times_at_most(folder):
    cells = [a := cell(0), b := cell(1, a), cell(2)]
    worker = Worker({(b.key, 1): End.DAMAGED})
    with listening() as said:
        assert compute(cells, worker, folder) == {}
    assert worker.taken == [a.key, b.key, a.key, b.key, cells[2].key]
    assert "warning: cell 1 is computed again: damaged" in said
    assert said.count("again: cell 0") == said.count("again: cell 1") == 1
    worker = Worker({(b.key, n): End.DAMAGED for n in range(1, TRIES + 1)})
    records = compute(cells, worker, folder)
    assert worker.taken.count(b.key) == TRIES
    assert records[b.key].error == f"damaged, {TRIES} times"
    assert cells[2].key in worker.done


def test_a_model_that_cannot_be_had_ends_the_study_with_the_reason(folder):
    a = cell(0, model=True)
    with pytest.raises(InterlinguaError, match=r"no worker is left(.|\n)*unfit"):
        compute([a, cell(1, model=True)], Worker({(a.key, 1): End.UNFIT}), folder)


def test_a_result_that_cannot_be_kept_ends_the_study(folder):
    with pytest.raises(StorageError, match="unkept"):
        compute([cell(0)], Worker({(cell(0).key, 1): End.UNKEPT}), folder)


def test_a_log_that_cannot_be_written_ends_the_study(tmp_path):
    (tmp_path / "log").mkdir()
    with pytest.raises(StorageError, match="cannot write the log"):
        compute([cell(0)], Worker({}), tmp_path)
