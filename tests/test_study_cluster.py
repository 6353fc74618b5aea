"""A study on a Ray cluster of two nodes on this machine, one of which is killed while it computes a cell."""

import os
import re
import signal
import threading

import pandas as pd
import pytest
import torch

import interlingua as il
from conftest import listening
from interlingua.errors import InputError, InterlinguaError
from interlingua.study import Cluster, StudyConfig
from interlingua.study.ray_cluster import shares
from interlingua.study.ray_graph import RayGraph
from processes import ancestors, stop_in

ray = pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")


@pytest.fixture(scope="module")
def cluster():
    """Return a cluster with a head that computes nothing; its processes see our modules."""
    from ray.cluster_utils import Cluster as Nodes

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def nodes(cluster):
    """Return the cluster with two nodes, of which an earlier test may have killed one."""
    while len(cluster.worker_nodes) < 2:
        cluster.add_node(num_cpus=1)
    yield cluster
    ray.shutdown()


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_a_study_outlives_a_node_and_gives_the_bits_of_one_process(
    nodes, one_thread, checkpoint, corpus_folder, tmp_path
):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], dtype="float32",
        measures=["retrieval", "geometry", "generation"], generation={"texts": 32, "max_new_tokens": 64},
    )  # fmt: skip

    def kill_a_node_at_work():
        process = stop_in("texts", tmp_path / "spread")
        raylets = {node.all_processes["raylet"][0].process.pid: node for node in nodes.worker_nodes}
        nodes.remove_node(next(raylets[pid] for pid in ancestors(process) if pid in raylets), allow_graceful=False)
        os.kill(process, signal.SIGKILL)  # or it outlives its raylet for a while

    killer = threading.Thread(target=kill_a_node_at_work, daemon=True)
    killer.start()
    with listening() as said:
        spread = il.run_study(config, tmp_path / "spread", cluster=Cluster(nodes.address, cpus=1))
    killer.join(timeout=10)
    assert not killer.is_alive()
    again = [
        found[1] for line in said if (found := re.match("warning: (.*) is computed again, since its worker", line))
    ]
    assert again
    assert spread.manifest["failed"] == []
    alone = il.run_study(config, tmp_path / "alone")
    assert set(spread.tables) == set(alone.tables)
    for table in alone.tables:
        pd.testing.assert_frame_equal(spread.tables[table], alone.tables[table], check_exact=True)


@pytest.mark.slow
def test_a_node_that_is_left_out_gets_no_cell(nodes, checkpoint, corpus_folder, tmp_path, monkeypatch):
    config = StudyConfig(model=str(checkpoint), corpus=str(corpus_folder), k=[5], measures=["retrieval"], device="cpu")
    left_out = []

    def identify_and_leave_out(graph):
        known = RayGraph.identify(graph)
        left_out.append(next(node["NodeID"] for node in ray.nodes() if node["Resources"].get("CPU")))
        graph.leave_out(left_out[0], "it is slow")
        return known

    monkeypatch.setattr(
        "interlingua.study.ray_graph.RayGraph", type("G", (RayGraph,), {"identify": identify_and_leave_out})
    )
    with listening() as said:
        run = il.run_study(config, tmp_path / "run", cluster=Cluster(nodes.address, cpus=1))
    assert run.manifest["failed"] == []
    assert f"warning: node {left_out[0]} is left out: it is slow" in said
    nodes_at_work = {found[1] for line in said if (found := re.match(r"\[.*\((\w+), process \d+\)$", line))}
    assert len(nodes_at_work) == 1
    assert not left_out[0].startswith(nodes_at_work.pop())


def test_what_cannot_be_had_on_a_cluster_is_said_before_anything_starts(checkpoint, corpus_folder, tmp_path):
    config = StudyConfig(model=str(checkpoint), corpus=str(corpus_folder), k=[5], device="cuda:1")
    with pytest.raises(InputError, match="device 'cuda:1' cannot be had in a cluster"):
        il.run_study(config, tmp_path / "run", cluster="local")
    with pytest.raises(InputError, match=r"cannot connect to a Ray cluster at '127\.0\.0\.1:1'"):
        il.run_study(config.model_copy(update={"device": "cpu"}), tmp_path / "run", cluster="127.0.0.1:1")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("cpus", "gpus", "asked", "expected"),
    [
        (8, 0, Cluster("a"), (8, 0)),
        (8, 0, Cluster("a", cpus=3), (3, 0)),
        (0, 0, Cluster("a"), None),
        (64, 2, Cluster("a", gpus=1), (21, 1)),
        (2, 2, Cluster("a", gpus=1), (1, 1)),
        (4, 1, Cluster("a", cpus=1, gpus=0.5), (1, 0.5)),
        (16, 0, Cluster("a", gpus=1), None),
    ],
)
def test_a_cell_takes_what_a_node_has_room_for(cpus, gpus, asked, expected):
    node = {"Alive": True, "Resources": {"CPU": float(cpus), "GPU": float(gpus)}}
    small = {"Alive": True, "Resources": {"CPU": 1.0}}
    assert shares([node], asked) == expected
    assert shares([{**node, "Alive": False}], asked) is None
    if asked.gpus:
        assert shares([node, small], asked) == expected


def test_two_workers_on_a_machine_without_gpus_share_its_cpus():
    assert shares([{"Alive": True, "Resources": {"CPU": 9.0}}], Cluster("local"), workers=2) == (4, 0)


@pytest.fixture(scope="module")
def local_ray():
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.slow
def test_a_node_of_another_version_is_left_out_and_no_worker_is_left(
    local_ray, checkpoint, corpus_folder, tmp_path, monkeypatch
):
    config = StudyConfig(model=str(checkpoint), corpus=str(corpus_folder), k=[5], measures=["retrieval"], device="cpu")
    monkeypatch.setattr("interlingua.study.ray_graph.version", lambda name: "0.0")
    monkeypatch.setattr("interlingua.study.ray_graph.SECONDS_BETWEEN_LOOKS", 0.5)
    with listening() as said, pytest.raises(InterlinguaError, match=r"no worker is left(.|\n)*not 0\.0"):
        il.run_study(config, tmp_path / "run", cluster="auto")
    assert any(re.match(r"warning: node .* is left out: it has interlingua .*, not 0\.0", line) for line in said)
