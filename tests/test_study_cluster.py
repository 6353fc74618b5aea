"""A study on a Ray cluster of two nodes on this machine, one of which is killed while it computes a cell."""

import re
import threading
import time

import pandas as pd
import pytest
import torch

import interlingua as il
from interlingua.errors import InputError
from interlingua.study import Cluster, StudyConfig
from interlingua.study.cell_store import CellStore
from interlingua.study.cluster import places_on
from interlingua.study.schedule import Takes

ray = pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")


@pytest.fixture
def nodes(monkeypatch):
    """Return a cluster of two nodes with a CPU each; its processes see the modules that this one sees."""
    from ray.cluster_utils import Cluster as Nodes

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Nodes(initialize_head=True, head_node_args={"num_cpus": 1, "node_name": "stays"})
    cluster.add_node(num_cpus=1, node_name="dies")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_a_study_outlives_a_node_and_gives_the_bits_of_one_process(
    nodes, one_thread, checkpoint, corpus_folder, tmp_path, said
):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], dtype="float32",
        measures=["retrieval", "geometry", "generation"], generation={"texts": 128, "max_new_tokens": 64},
    )  # fmt: skip

    def kill_when_it_writes_texts():
        store, on_it = CellStore(tmp_path / "spread"), re.compile(r"\] (texts, .*) \(dies/")
        while not (begun := [found[1] for line in list(said) if (found := on_it.search(line))]):
            time.sleep(0.01)
        while not any(state == "running" and record.name in begun for state, record in store.states()):
            time.sleep(0.01)
        nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)

    killer = threading.Thread(target=kill_when_it_writes_texts, daemon=True)
    killer.start()
    spread = il.run_study(config, tmp_path / "spread", cluster=Cluster(nodes.address, cpus=1))
    killer.join(timeout=10)
    assert not killer.is_alive()
    lost = [found for line in said if (found := re.match(r"warning: (.*) is begun again: dies/.* was lost", line))]
    assert lost
    assert f"again: {lost[0][1]} (stays/" in "\n".join(said)
    assert spread.manifest["failed"] == []
    alone = il.run_study(config, tmp_path / "alone")
    assert set(spread.tables) == set(alone.tables)
    for table in alone.tables:
        pd.testing.assert_frame_equal(spread.tables[table], alone.tables[table], check_exact=True)


def test_what_cannot_be_had_on_a_cluster_is_said_before_anything_starts(checkpoint, corpus_folder, tmp_path):
    config = StudyConfig(model=str(checkpoint), corpus=str(corpus_folder), k=[5], device="cuda:1")
    with pytest.raises(InputError, match="device 'cuda:1' cannot be had in a cluster"):
        il.run_study(config, tmp_path / "run", cluster="local")
    with pytest.raises(InputError, match=r"cannot connect to a Ray cluster at '127\.0\.0\.1:1'"):
        il.run_study(config.model_copy(update={"device": "cpu"}), tmp_path / "run", cluster="127.0.0.1:1")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("cpus", "gpus", "asked", "of_a_worker", "expected"),
    [
        (8, 0, Cluster("a"), 0, [(Takes.ALL, 8, 0)]),
        (8, 0, Cluster("a", cpus=3), 0, [(Takes.ALL, 3, 0)] * 2),
        (0, 0, Cluster("a"), 0, []),
        (64, 2, Cluster("a"), 1, [(Takes.MODEL_FIRST, 21, 1)] * 2 + [(Takes.WITHOUT_MODEL, 21, 0)]),
        (2, 2, Cluster("a"), 1, [(Takes.MODEL_FIRST, 1, 1)] * 2),
        (4, 1, Cluster("a", cpus=1), 0.5, [(Takes.MODEL_FIRST, 1, 0.5)] * 2 + [(Takes.WITHOUT_MODEL, 1, 0)]),
        (16, 0, Cluster("a"), 1, [(Takes.WITHOUT_MODEL, 16, 0)]),
    ],
)
def test_workers_are_as_many_as_a_node_has_room_for(cpus, gpus, asked, of_a_worker, expected):
    node = {"NodeID": "0123456789", "NodeName": "n", "Resources": {"CPU": float(cpus), "GPU": float(gpus)}}
    places = places_on(node, asked, of_a_worker)
    assert [(place.seat.takes, place.cpus, place.gpus) for place in places] == expected
    assert sum(place.cpus for place in places) <= cpus
    assert sum(place.gpus for place in places) <= gpus
