"""Connect to a Ray cluster, or start a local one, and say what share of its nodes a cell takes."""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from interlingua.errors import InputError, MissingExtraError
from interlingua.study.cluster import Cluster

SECONDS_FOR_AN_ANSWER = 10.0


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anyone unless the user wants it
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("a study on several devices or a cluster", "ray") from None


def start_local(devices: Sequence[str]) -> Any:
    """Return Ray, started on this machine with these devices."""
    ray = _ray()
    if ray.is_initialized():
        raise InputError("Ray is running in this process already; use cluster='auto', or end it with ray.shutdown()")
    gpus = list(dict.fromkeys(device.partition(":")[2] or "0" for device in devices if device.startswith("cuda")))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        if gpus:
            known = visible.split(",") if visible else None
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(known[int(gpu)] if known else gpu for gpu in gpus)
        cpus = max(os.cpu_count() or 1, len(devices))
        options = {"address": "local", "num_cpus": cpus, "num_gpus": len(gpus)}
        ray.init(**options, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    finally:
        if visible is None:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
    return ray


def connect(address: str) -> tuple[Any, bool]:
    """Return Ray, connected to a cluster, and whether it was this call that connected."""
    ray = _ray()
    if ray.is_initialized():
        return ray, False
    try:
        _require_answer(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"cannot connect to a Ray cluster at '{address}': {' '.join(str(error).split())}") from None
    return ray, True


def _require_answer(address: str) -> None:
    """Raise where nothing answers at a host and port: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host.rpartition("/")[2], int(port)), timeout=SECONDS_FOR_AN_ANSWER).close()


def shares(nodes: Sequence[Mapping[str, Any]], cluster: Cluster, workers: int = 1) -> tuple[int, float] | None:
    """Return the CPUs and the GPUs that a cell takes, the same on every node; None where no node has room.

    Unless they are asked for, a node's CPUs are shared by the cells on its GPUs and one more, which runs no model.

    Args:
        nodes: As `ray.nodes` describes them.
        cluster: What was asked for, with the GPUs of a cell.
        workers: How many cells a node without GPUs computes at a time, where no number of CPUs is asked for.

    Example:
        >>> shares([{"Alive": True, "Resources": {"CPU": 18.0, "GPU": 8.0}}], Cluster("auto", gpus=1))
        (2, 1)
    """
    gpus = cluster.gpus or 0
    cpus = cluster.cpus
    if cpus is None:
        places = [
            node["Resources"].get("CPU", 0) / (1 + int(node["Resources"].get("GPU", 0) / gpus) if gpus else workers)
            for node in nodes
            if room(node, 1, gpus)
        ]
        cpus = max(1, int(min(places, default=1)))
    return (cpus, gpus) if any(room(node, cpus, gpus) for node in nodes) else None


def room(node: Mapping[str, Any], cpus: int, gpus: float) -> bool:
    """Tell whether a node could compute a cell that runs the model."""
    resources = node["Resources"]
    return node["Alive"] and resources.get("CPU", 0) >= cpus and resources.get("GPU", 0) >= gpus
