"""What is shown of long steps: lines where there is no terminal, bars where there is one."""

import io

import pytest
from rich.console import Console

from interlingua import progress
from interlingua.progress import shown_progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_have_rate_and_time_left_and_are_few(clock):
    console = Console(file=io.StringIO(), width=200)
    with shown_progress(console) as update:
        for done in range(0, 101, 4):
            update("Reading", done, 100)
            clock[0] += 1
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "Reading: 0/100 (0 s)"
    assert lines[1] == "Reading: 40/100 (10 s, 4/s, about 15 s left)"
    assert lines[-1] == "Reading: 100/100 (25 s, 4/s)"
    assert len(lines) == 4


def test_a_task_that_is_done_again_has_its_own_time(clock):
    console = Console(file=io.StringIO(), width=200)
    with shown_progress(console) as update:
        for _ in range(2):
            update("Fitting", 0, 2)
            clock[0] += 20
            update("Fitting", 2, 2)
            clock[0] += 1000
    assert console.file.getvalue().splitlines()[-1] == "Fitting: 2/2 (20 s, 0.1/s)"


def test_bars_start_again_too():
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    with shown_progress(console) as update:
        for _ in range(2):
            update("Fitting", 0, 2)
            update("Fitting", 2, 2)
        update("Fitting", 0, 4)
    assert "0/4" in console.file.getvalue()
