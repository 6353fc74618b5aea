"""A study on several devices of this machine, which are twice its CPU where there are no GPUs."""

import os
import re
import signal
import threading

import pandas as pd
import pytest
import torch

import interlingua as il
from conftest import listening
from interlingua.errors import InputError, InterlinguaError, ModelError
from interlingua.study import StudyConfig
from interlingua.study.cluster import devices_of
from processes import stop_in

NAME = "texts, steered es k=20"


@pytest.fixture(scope="module")
def config(checkpoint, corpus_folder):
    return StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], dtype="float32",
        measures=["retrieval", "geometry", "generation"], generation={"texts": 32, "max_new_tokens": 64},
    )  # fmt: skip


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_two_processes_give_the_bits_of_one_and_one_that_dies_is_replaced(config, tmp_path, one_thread, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    monkeypatch.setattr("os.cpu_count", lambda: 2)  # one thread for each
    killed = []

    def kill_when_it_runs():
        killed.append(stop_in(NAME, tmp_path / "both"))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_when_it_runs, daemon=True)
    killer.start()
    with listening() as said:
        both = il.run_study(config.model_copy(update={"device": "cpu,cpu"}), tmp_path / "both")
    killer.join(timeout=10)
    assert killed
    workers = {found[1] for line in said if (found := re.match(r"\[.*\((.*)\)$", line))}
    assert len(workers) >= 2
    assert f"warning: {NAME} is computed again, since its worker died" in said
    assert both.manifest["failed"] == []
    alone = il.run_study(config, tmp_path / "alone")
    assert set(both.tables) == set(alone.tables)
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
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    absent = config.model_copy(update={"model": str(tmp_path / "absent"), "device": "cpu,cpu"})
    with pytest.raises(ModelError, match="cannot load model"):
        il.run_study(absent, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_devices_of_two_kinds_are_refused(config, tmp_path):
    with pytest.raises(InputError, match="devices cpu, cuda:0 cannot be used together"):
        il.run_study(config.model_copy(update={"device": "cpu,cuda:0"}), tmp_path / "run")


def test_several_devices_need_ray(config, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(InterlinguaError, match=r"interlingua\[ray\]"):
        il.run_study(config.model_copy(update={"device": "cpu,cpu"}), tmp_path / "run")
