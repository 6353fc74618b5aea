"""The cells of a study: computed once, kept whole, tried again where they failed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from filelock import FileLock

import interlingua as il
from conftest import listening
from interlingua.errors import ArtifactError, StorageError
from interlingua.study import StudyConfig, StudyError
from interlingua.study.cell_store import CellStore

SPACE_AND_TEXT = ("embeddings", "retrieval", "geometry", "cross space", "texts", "generation")


@pytest.fixture(scope="module")
def config(checkpoint, corpus_folder):
    return StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], dtype="float32",
        measures=["retrieval", "geometry", "generation"], generation={"texts": 2, "max_new_tokens": 4},
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    return il.run_study(config, tmp_path_factory.mktemp("runs") / "study").folder


@pytest.fixture
def folder(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def computed(config, folder):
    """Run a study and return the names of the cells that it computed."""
    with listening() as said:
        il.run_study(config, folder)
    return [line.split("] ")[1] for line in said if line.startswith("[")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"seed": 1}, set()),
        ({"control": {"seed": 1}},
         {*(f"{measure}, random es k=20" for measure in SPACE_AND_TEXT),
          *(f"space, control es k=20 uniform {draw}" for draw in (1, 2))}),
        ({"generation": {"texts": 2, "max_new_tokens": 5}},
         {f"{measure}, {name}" for measure in ("texts", "generation")
          for name in ("original", "steered es k=20", "random es k=20")}),
        ({"measures": ("retrieval", "geometry")}, set()),
        ({"targets": ("spa_Latn", "fra_Latn")},
         {"generation, original", *(f"{measure}, {name} fr k=20" for name in ("steered", "random")
          for measure in SPACE_AND_TEXT),
          *(f"space, control fr k=20 uniform {draw}" for draw in (1, 2))}),
    ],
)  # fmt: skip
def test_a_changed_parameter_recomputes_what_depends_on_it_alone(config, folder, change, expected):
    assert set(computed(config.model_validate({**config.model_dump(), **change}), folder)) == expected
    assert computed(config, folder) == [], "what an earlier study computed is still there"


def test_a_lost_and_a_damaged_result_are_computed_again_and_are_the_same(config, folder):
    tables = il.open_run(folder).tables
    before = {name: tables[name] for name in tables}
    for path in (folder / "embeddings").iterdir():
        path.write_bytes(path.read_bytes()[:-5] + b"xxxxx")
    for path in (folder / "cells").glob("*.retrieval.parquet"):
        path.unlink()
    names = computed(config, folder)
    assert sum(name.startswith("retrieval") for name in names) == 3
    after = il.open_run(folder).tables
    for name, table in before.items():
        pd.testing.assert_frame_equal(after[name], table, check_exact=True)


def test_a_failed_cell_is_recorded_and_the_others_go_on_and_a_new_run_tries_only_it(config, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no such kernel")

    with monkeypatch.context() as patch:
        patch.setattr("interlingua.study.cells.texts.generate_seeds", fail)
        with pytest.raises(StudyError) as caught:
            il.run_study(config, tmp_path / "run")
    assert [name.split(",")[0] for name, _ in caught.value.failures] == ["texts"] * 3
    assert "3 cells of the study failed (3 more need them)" in str(caught.value)
    assert "RuntimeError: no such kernel" in str(caught.value)
    run = caught.value.run
    assert len(run.tables["retrieval"]) == 3 * 16
    assert "generation" not in run.tables
    assert len(run.manifest["failed"]) == 6
    states = CellStore(run.folder).states()
    assert sum(state == "failed" for state, _ in states) == 6
    names = computed(config, run.folder)
    assert sorted({name.split(",")[0] for name in names}) == ["generation", "texts"]
    assert "generation" in il.open_run(run.folder).tables
    assert run.manifest["failed"] == []


def test_seconds_of_cells_outlive_later_runs(config, folder):
    seconds = json.loads((folder / "manifest.json").read_text())["seconds"]
    assert seconds > 0
    il.run_study(config.model_copy(update={"measures": ("retrieval", "geometry", "correlation")}), folder)
    il.run_study(config, folder)
    assert json.loads((folder / "manifest.json").read_text())["seconds"] == seconds


def test_two_studies_in_one_folder_are_refused(config, folder):
    lock = FileLock(folder / "study.lock")
    with lock, pytest.raises(StorageError, match="another study is running in"):
        il.run_study(config, folder)
    assert computed(config, folder) == []


def test_a_full_disk_stops_the_study_and_loses_only_the_cell_in_work(config, tmp_path, monkeypatch):
    from safetensors.numpy import save_file

    calls = []

    def save_once(*args, **kwargs):
        calls.append(args)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        save_file(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr("interlingua.study.cell_store.save_file", save_once)
        with pytest.raises(StorageError, match=r"No space left on device.*make room and do it again"):
            il.run_study(config, tmp_path / "run")
    assert not list((tmp_path / "run").rglob(".*")), "no half files"
    with pytest.raises(ArtifactError, match="no finished study"):
        il.open_run(tmp_path / "run")
    names = computed(config, tmp_path / "run")
    assert "embeddings, steered es k=20" in names
    assert "embeddings, original" not in names


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_study_goes_on_with_the_same_bits(config, finished, tmp_path, how):
    script = (
        "import sys, os, time, signal; import interlingua as il; from interlingua.study import load_config\n"
        "from interlingua.study.cells import spaces\n"
        "measure, count = spaces.find_answers, []\n"
        "def once(*a, **k):\n"
        "    count.append(1)\n"
        f"    os.kill(os.getpid(), {int(how)}) if len(count) == 2 else None\n"
        "    return measure(*a, **k)\n"
        "spaces.find_answers = once\n"
        "il.run_study(load_config(sys.argv[1]), sys.argv[2])\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(finished / "study.yaml"), str(tmp_path / "run")],
        capture_output=True, check=False, env=os.environ,
    )  # fmt: skip
    assert killed.returncode != 0, killed.stderr
    states = CellStore(tmp_path / "run").states()
    assert [record.name for state, record in states if state == "stopped"] == ["retrieval, steered es k=20"]
    names = computed(config, tmp_path / "run")
    assert names[0] == "retrieval, steered es k=20"
    assert "retrieval, original" not in names
    alone, again = il.open_run(finished).tables, il.open_run(tmp_path / "run").tables
    for name in alone:
        pd.testing.assert_frame_equal(again[name], alone[name], check_exact=True)


def test_states_of_a_running_study(folder):
    store = CellStore(folder)
    assert {state for state, _ in store.states()} == {"done"}
    record = json.loads((path := next((folder / "cells").glob("*.json"))).read_text())
    path.write_text(json.dumps({**record, "state": "running", "started": time.time()}))
    with store.locked():
        assert sum(state == "running" for state, _ in CellStore(folder).states()) == 1
    assert sum(state == "stopped" for state, _ in store.states()) == 1
    with pytest.raises(ArtifactError, match="holds no study"):
        CellStore(folder / "nothing").states()


def test_the_log_has_every_cell_with_its_time(folder):
    lines = (folder / "study.log").read_text(encoding="utf-8").splitlines()
    done = [line for line in lines if " done: " in line]
    assert len(done) == len(CellStore(folder).states())
    assert all(line[:4].isdigit() and line.endswith(" s") for line in done)
