"""The scripts under examples/ run as their docstrings say."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import interlingua as il
from interlingua.corpora import Source

SEARCH = Path(__file__).parents[1] / "examples" / "search.py"


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [str(SEARCH), *map(str, arguments)])
    runpy.run_path(str(SEARCH), run_name="__main__")


def test_search_indexes_lines_and_answers_from_the_saved_index(llama, tmp_path, monkeypatch, capsys):
    parallel = Source.parallel
    few = ["en", "es", "ja"]
    monkeypatch.setattr(il, "load_model", lambda *_, **__: llama, raising=False)
    monkeypatch.setattr("interlingua.alignment.aligner.load_model", lambda *_, **__: llama)
    monkeypatch.setattr(Source, "parallel", lambda self, split: parallel(self, split, languages=few, limit=20))
    lines = ["the cat sleeps", "it rains", "", "un perro ladra", "雨が降る"]
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(monkeypatch, "index", tmp_path / "lines.txt", "--out", tmp_path / "index")
    assert "4 lines in" in capsys.readouterr().out
    pytest.importorskip("usearch")
    assert (tmp_path / "index" / "vectors.usearch").is_file()
    run(monkeypatch, "ask", tmp_path / "index", "it rains", "--show", "2")
    first, second, timing = capsys.readouterr().out.splitlines()
    assert first == "1.000  it rains"
    assert float(second.split()[0]) < 1
    assert "for 4 lines" in timing
    monkeypatch.setitem(sys.modules, "usearch.index", None)  # as where it is not installed
    given = ("--aligner", tmp_path / "index/aligner")
    run(monkeypatch, "index", tmp_path / "lines.txt", "--out", tmp_path / "again", *given)
    assert len(np.load(tmp_path / "again/vectors.npy")) == 4
    capsys.readouterr()
    run(monkeypatch, "ask", tmp_path / "again", "it rains", "--show", "2")
    again = capsys.readouterr().out.splitlines()
    assert again[0] == first
    assert again[1].split()[1:] == second.split()[1:]
