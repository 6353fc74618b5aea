"""A study on several devices of this machine, which are twice its CPU where there are no GPUs."""

import os
import signal

import pandas as pd
import pytest
import torch

import interlingua as il
from interlingua.errors import InputError, ModelError
from interlingua.study import StudyConfig
from interlingua.study.crew import devices_of
from interlingua.study.processes import Processes


@pytest.fixture(scope="module")
def config(checkpoint, corpus_folder):
    return StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], dtype="float32",
        measures=["retrieval", "geometry"],
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_give_the_bits_of_one_and_one_that_dies_is_replaced(config, tmp_path, monkeypatch, said):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # inherited by the processes
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = il.run_study(config, tmp_path / "alone")
    torch.set_num_threads(threads)
    killed = []
    start = Processes.start

    def start_and_kill(crew, seat, cell):
        start(crew, seat, cell)
        if cell.name == "embeddings, steered es k=20" and not killed:
            killed.append(crew._running[seat].process.pid)
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(Processes, "start", start_and_kill)
    said.clear()
    both = il.run_study(config.model_copy(update={"device": "cpu,cpu"}), tmp_path / "both")
    workers = {line.rsplit("(", 1)[1] for line in said if line.startswith("[")}
    assert workers == {"worker 1, cpu)", "worker 2, cpu)"}
    assert killed
    assert any("embeddings, steered es k=20 is begun again: the process of worker" in line for line in said)
    assert both.manifest["failed"] == []
    for name in alone.tables:
        pd.testing.assert_frame_equal(both.tables[name], alone.tables[name], check_exact=True)


def test_devices_are_named_by_a_list_or_are_all_gpus(monkeypatch):
    assert devices_of(StudyConfig(device="cpu")) == ["cpu"]
    assert devices_of(StudyConfig(device="cuda:0, cuda:3")) == ["cuda:0", "cuda:3"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert devices_of(StudyConfig(device="all")) == ["cuda:0", "cuda:1"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match="every CUDA GPU, and none is visible"):
        devices_of(StudyConfig(device="all"))


def test_a_model_that_no_process_can_load_is_an_error_before_anything_is_written(config, tmp_path):
    absent = config.model_copy(update={"model": str(tmp_path / "absent"), "device": "cpu,cpu"})
    with pytest.raises(ModelError, match="cannot load model"):
        il.run_study(absent, tmp_path / "run")
    assert not (tmp_path / "run").exists()
