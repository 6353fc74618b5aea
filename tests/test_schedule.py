"""Which cells are ready, whoever computes them: plans and the ends of work drawn at random."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import seen_bars
from interlingua.errors import InterlinguaError, StorageError
from interlingua.study.computing import compute_cells
from interlingua.study.crew import Seat, no_worker_left
from interlingua.study.effort import WITHOUT_MODEL
from interlingua.study.log import Log
from interlingua.study.plan import Cell
from interlingua.study.schedule import TRIES, End, Outcome, Schedule, Takes


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


class Crew:
    """Workers that do nothing and end as a plan of ends says, in any order."""

    def __init__(self, seats, ends, shuffle):
        self.seats, self.ends, self.shuffle = seats, ends, shuffle
        self.working, self.taken, self.done = {}, [], set()

    def free(self):
        return [seat for seat in self.seats if seat not in self.working]

    def start(self, seat, cell):
        assert all(need.key in self.done for need in cell.needs.values()), "a cell starts when its needs are done"
        assert cell not in self.working.values()
        assert seat.takes is not Takes.WITHOUT_MODEL or cell.model is None
        self.working[seat] = cell
        self.taken.append(cell.key)

    def wait(self):
        if not self.working:
            raise no_worker_left([])
        seat = self.shuffle.choice(list(self.working))
        own = self.working.pop(seat)
        end = self.ends.get((own.key, self.taken.count(own.key)), End.DONE)
        if end is End.DONE:
            self.done.add(own.key)
        if end is End.UNFIT:
            self.seats = [each for each in self.seats if each is not seat]
        damaged = next(iter(own.needs.values()), None) if end is End.DAMAGED else None
        if damaged is not None:
            self.done.discard(damaged.key)
        return Outcome(own, end, end.value, damaged=damaged)


class Store(dict):
    def mark(self, cell, record):
        self[cell.key] = record


def compute(cells, crew, tmp_path):
    store = Store()
    with pytest.MonkeyPatch.context() as patch:
        shown = seen_bars(patch)
        compute_cells(cells, crew, store, Log(tmp_path / "log"), None)
    (bar,) = shown
    assert bar.seen == sorted(bar.seen)
    assert bar.seen[-1] == bar.total == WITHOUT_MODEL * len(cells)
    return store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("logs")


@given(plans(), st.data())
def test_every_cell_ends_done_or_recorded_as_failed(folder, cells, data):
    ends = data.draw(
        st.dictionaries(
            st.tuples(st.sampled_from([own.key for own in cells]), st.integers(1, TRIES)),
            st.sampled_from([End.FAILED, End.LOST, End.DAMAGED]),
        )
    )
    takes = data.draw(st.lists(st.sampled_from([Takes.ALL, Takes.MODEL_FIRST]), min_size=1, max_size=3))
    seats = [Seat(str(number), own) for number, own in enumerate([*takes, Takes.WITHOUT_MODEL])]
    crew = Crew(seats, ends, random.Random(data.draw(st.integers(0, 99))))
    records = compute(cells, crew, folder)
    for own in cells:
        lacking = any(need.key in records for need in own.needs.values())
        assert (own.key in crew.done) != (own.key in records), own.name
        assert own.key not in records or records[own.key].state == "failed"
        assert not (lacking and own.key in records) or own.key not in crew.done
    kept_on = [own for own in cells if all((own.key, n) not in ends for n in range(1, 99))]
    for own in kept_on:
        assert own.key in crew.done or any(need.key in records for need in own.needs.values())


def test_one_worker_takes_cells_in_the_order_of_the_plan(folder):
    cells = [a := cell(0), b := cell(1, a, model=True), cell(2, b), cell(3, a)]
    crew = Crew([Seat("", Takes.ALL)], {}, random.Random(0))
    compute(cells, crew, folder)
    assert crew.taken == [own.key for own in cells]


def test_a_gpu_takes_cells_that_run_the_model_first_and_none_waits_for_it_that_does_not():
    schedule = Schedule([cell(0), cell(1, model=True), cell(2)])
    assert schedule.take(Takes.WITHOUT_MODEL).measure == "cell 0"
    assert schedule.take(Takes.MODEL_FIRST).measure == "cell 1"
    assert schedule.take(Takes.MODEL_FIRST).measure == "cell 2"
    assert schedule.take(Takes.ALL) is None
    assert not schedule.is_over


def test_a_cell_whose_worker_is_lost_each_time_fails_and_those_that_need_it_are_not_begun(folder):
    cells = [a := cell(0), b := cell(1, a), cell(2, b), cell(3)]
    ends = {(a.key, n): End.LOST for n in range(1, TRIES + 1)}
    crew = Crew([Seat("", Takes.ALL)], ends, random.Random(0))
    records = compute(cells, crew, folder)
    assert crew.taken == [a.key] * TRIES + [cells[3].key]
    assert records[a.key].error == f"lost, {TRIES} times"
    assert records[b.key].error == "it needs cell 0, which failed"
    assert records[cells[2].key].needed


def test_a_worker_that_is_unfit_is_left_out_and_its_cell_goes_to_another(folder):
    cells = [a := cell(0, model=True), cell(1, model=True)]
    seats = [Seat("one", Takes.ALL), Seat("two", Takes.ALL)]
    crew = Crew(seats, {(a.key, 1): End.UNFIT}, random.Random(0))
    assert compute(cells, crew, folder) == {}
    assert crew.done == {own.key for own in cells}
    crew = Crew(seats[:1], {(a.key, 1): End.UNFIT}, random.Random(0))
    with pytest.raises(InterlinguaError, match="no worker is left"):
        compute(cells, crew, folder)


def test_a_result_that_cannot_be_kept_ends_the_study(folder):
    crew = Crew([Seat("", Takes.ALL)], {(cell(0).key, 1): End.UNKEPT}, random.Random(0))
    with pytest.raises(StorageError, match="unkept"):
        compute([cell(0)], crew, folder)
