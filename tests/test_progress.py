"""Progress: a line now and then where there is no terminal, bars where there is one, nothing where it is off."""

import pytest

import interlingua as il
from interlingua import progress
from interlingua.progress import progress_bar


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)


def test_lines_without_a_terminal(capsys, at_once):
    with progress_bar("Embedding", total=200_000, unit="token") as bar:
        bar.update(50_000)
        bar.update(150_000)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["Embedding: 50.0k/200k", "Embedding: 200k/200k"]
    assert all(" left)" in line and "token/s" in line for line in lines)


def test_a_short_step_shows_no_line(capsys):
    with progress_bar("Embedding", total=3) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""


def test_bars_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with progress_bar("Embedding", total=3) as bar:
        bar.update(3)
    assert "Embedding:   0%|" in capsys.readouterr().err


def test_one_switch_turns_all_of_them_off(capsys, at_once):
    il.disable_progress_bars()
    try:
        with progress_bar("Embedding", total=3) as bar:
            bar.update(3)
        assert capsys.readouterr().err == ""
    finally:
        il.enable_progress_bars()
    with progress_bar("Embedding", total=3) as bar:
        bar.update(3)
    assert capsys.readouterr().err.startswith("Embedding: 3/3")
