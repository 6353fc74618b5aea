"""The cells of a study as tasks of Ray, whose arguments are the references of the cells that they need.

Ray orders the tasks, places them, and begins a task again whose process or node is lost. A worker process keeps the
model between tasks. Results go through the run folder, on a file system that all nodes share; only cells, and what
became of them, go through Ray.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from interlingua.errors import InputError, InterlinguaError, MissingExtraError, ModelError
from interlingua.progress import disable_progress_bars
from interlingua.study.cluster import Cluster
from interlingua.study.computing import TRIES, Tracker, no_worker_left
from interlingua.study.model import KnownModel
from interlingua.study.outcome import End, Outcome
from interlingua.study.plan import Cell
from interlingua.study.worker import Assignment, Worker

SECONDS_FOR_AN_ANSWER, SECONDS_BETWEEN_LOOKS = 10.0, 5.0
DEVICES = ("auto", "cpu", "cuda")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What every task is given.

    Attributes:
        assignment: The study.
        planned_by: The version of interlingua that planned it.
        threads: Threads of a task.
    """

    assignment: Assignment
    planned_by: str
    threads: int


class RayGraph(AbstractContextManager["RayGraph"]):
    """Computes cells on several devices of this machine, or on a Ray cluster (see `computing.Executor`).

    Args:
        assignment: The study.
        cluster: The cluster; None for a local one that has `devices`.
        devices: Of this machine, all GPUs or all CPUs.

    Raises:
        InputError: There is no such cluster, none of its nodes has room for a cell, or the devices cannot be had.
        MissingExtraError: The extra `ray` is not installed.
    """

    def __init__(self, assignment: Assignment, cluster: Cluster | None, devices: Sequence[str]) -> None:
        kinds = {device.partition(":")[0] for device in devices}
        if cluster is None and (len(kinds) > 1 or not kinds <= {"cpu", "cuda"}):
            raise InputError(f"devices {', '.join(devices)} cannot be used together; name GPUs, or cpu more than once")
        if cluster is not None and assignment.config.device not in DEVICES:
            raise InputError(
                f"device '{assignment.config.device}' cannot be had in a cluster, where Ray gives each worker its GPU; "
                f"use {', '.join(DEVICES)}"
            )
        self._assignment, self._cluster, self._devices = assignment, cluster, devices
        self._device = kinds.pop() if cluster is None else assignment.config.device
        self._running: dict[Any, Cell] = {}
        self._latest: dict[str, Any] = {}
        self._unfit: dict[str, str] = {}

    def __enter__(self) -> RayGraph:
        """Connect to the cluster, or start a local one."""
        if self._cluster is None:
            self._ray, self._connected = _start_local(self._devices), True
            resources = shares(self._ray.nodes(), Cluster("local", gpus=self._gpus_of_devices()), len(self._devices))
        else:
            logger.info("Connecting to the Ray cluster '%s'", self._cluster.address)
            self._ray, self._connected = _connect(self._cluster.address)
            wanted = replace(self._cluster, gpus=self._gpus_of_a_cell(self._cluster))
            resources = shares(self._ray.nodes(), wanted)
        if resources is None:
            self.__exit__()
            address = self._cluster.address if self._cluster else "local"
            raise InputError(f"no node of the cluster '{address}' has the CPUs and GPUs of a worker")
        self._cpus, self._gpus = resources
        self._job = self._ray.put(Job(self._assignment, version("interlingua"), self._cpus))
        return self

    def __exit__(self, *error: object) -> None:
        """End the tasks, whatever they are at."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        if self._connected:
            self._ray.shutdown()

    def identify(self) -> KnownModel:
        """Let one worker load the model."""
        return self._ask(_identify, "load the model")

    def tokens(self, cells: Sequence[Cell]) -> dict[str, int]:
        """Let one worker count the tokens of cells."""
        return self._ask(_tokens, "count tokens", cells)

    def compute(self, cells: Sequence[Cell], tracker: Tracker) -> None:
        """Submit all cells, and submit again what did not come to its end."""
        for cell in cells:
            self._submit(cell)
        while self._running:
            cell, outcome = self._next()
            if outcome.end is not End.WAITING:
                tracker.begin(cell, outcome.worker)
            if outcome.end is End.UNFIT:
                self._leave_out(outcome.worker, outcome.reason)
            for again in tracker.end(tracker.lacking(cell) or outcome):
                if again not in self._running.values():
                    self._submit(again)

    def _submit(self, cell: Cell) -> None:
        """Submit a cell after the tasks of those that it needs; what has no task was computed before."""
        needs = [self._latest[need.key] for need in cell.needs.values() if need.key in self._latest]
        gpus = self._gpus if cell.model is not None else 0
        task = self._task(_compute, gpus, cell.name, stays=cell.model is not None or not self._gpus)
        reference = task.remote(self._job, self._device, cell, *needs)
        self._latest[cell.key] = reference
        self._running[reference] = cell

    def _task(self, function: Callable[..., Any], gpus: float, name: str, *, stays: bool = True) -> Any:
        """Return a function as a task; unless it stays, its process ends after it."""
        options = {"num_cpus": self._cpus, "num_gpus": gpus, "max_retries": TRIES - 1, "name": name}
        if self._unfit:
            strategies = importlib.import_module("ray.util.scheduling_strategies")
            elsewhere: Any = {"ray.io/node-id": strategies.NotIn(*self._unfit)}
            options["scheduling_strategy"] = strategies.NodeLabelSchedulingStrategy(elsewhere)
        return self._ray.remote(max_calls=0 if stays else 1)(function).options(**options)

    def _next(self) -> tuple[Cell, Outcome]:
        """Wait for the first cell, in the order of submission, that is over."""
        reference = self._wait(list(self._running))
        cell = self._running.pop(reference)
        try:
            return cell, self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return cell, Outcome(cell, End.FAILED, f"its worker died, {TRIES} times: {_line(error)}")

    def _wait(self, references: list[Any]) -> Any:
        """Return the first reference that is ready.

        Raises:
            InterlinguaError: No node is left that has room for a task.
        """
        while not (ready := self._ray.wait(references, timeout=SECONDS_BETWEEN_LOOKS)[0]):
            self._require_room()
        return ready[0]

    def _require_room(self) -> None:
        """Raise where no fit node has room for a task."""
        fit = [node for node in self._ray.nodes() if node["NodeID"] not in self._unfit]
        if not any(_room(node, self._cpus, self._gpus) for node in fit):
            raise no_worker_left(list(self._unfit.values()))

    def _ask(self, function: Callable[..., Any], name: str, *arguments: Any) -> Any:
        """Return what one worker answers, on another node where one is unfit."""
        while True:
            reference = self._task(function, self._gpus, name).remote(self._job, self._device, *arguments)
            try:
                answer = self._ray.get(self._wait([reference]))
            except self._ray.exceptions.RayError as error:
                raise InterlinguaError(f"the worker died while it loaded the model: {_line(error)}") from None
            if isinstance(answer, str):
                raise ModelError(answer)
            if not isinstance(answer, _Unfit):
                return answer
            self._leave_out(answer.node, answer.reason)

    def _leave_out(self, node: str, reason: str) -> None:
        """Give a node no more tasks, and raise where it was the last with room."""
        if node not in self._unfit:
            logger.warning("node %s is left out: %s", node, reason)
            self._unfit[node] = f"{node}: {reason}"
        self._require_room()

    def _gpus_of_devices(self) -> float:
        """Return the GPUs of a cell on this machine; a device that is named twice has two workers."""
        return len(set(self._devices)) / len(self._devices) if self._device == "cuda" else 0

    def _gpus_of_a_cell(self, cluster: Cluster) -> float:
        if cluster.gpus is not None:
            return cluster.gpus
        return 1 if self._device != "cpu" and self._ray.cluster_resources().get("GPU", 0) >= 1 else 0


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
            if _room(node, 1, gpus)
        ]
        cpus = max(1, int(min(places, default=1)))
    return (cpus, gpus) if any(_room(node, cpus, gpus) for node in nodes) else None


def _room(node: Mapping[str, Any], cpus: int, gpus: float) -> bool:
    """Tell whether a node could compute a cell that runs the model."""
    resources = node["Resources"]
    return node["Alive"] and resources.get("CPU", 0) >= cpus and resources.get("GPU", 0) >= gpus


# --- what runs in the worker processes ---

_workers: dict[str, Worker] = {}
"""The worker of this process, by what decides it; one at a time."""


@dataclass(frozen=True)
class _Unfit:
    """A node that cannot take part, and why."""

    node: str
    reason: str


def _identify(job: Job, device: str) -> KnownModel | str | _Unfit:
    """Load the model and say which it is, or why it cannot be loaded."""
    if reason := _reason_against(job):
        return _Unfit(_node(), reason)
    try:
        return _worker(job, device).known
    except InterlinguaError as error:  # not all of them can be sent
        return str(error)


def _tokens(job: Job, device: str, cells: Sequence[Cell]) -> dict[str, int] | _Unfit:
    if reason := _reason_against(job):
        return _Unfit(_node(), reason)
    return _worker(job, device).tokens(cells)


def _compute(job: Job, device: str, cell: Cell, *needs: Outcome) -> Outcome:
    """Compute a cell, if those that it needs are done."""
    if any(need.end is not End.DONE for need in needs):
        return Outcome(cell, End.WAITING)
    if reason := _reason_against(job):
        return Outcome(cell, End.UNFIT, reason, worker=_node())
    outcome = _worker(job, device).compute(cell)
    return replace(outcome, worker=_node() if outcome.end is End.UNFIT else f"{_node()[:6]}, process {os.getpid()}")


def _worker(job: Job, device: str) -> Worker:
    """Return the worker of this process, which keeps its model between tasks of a study on a device."""
    import torch

    torch.set_num_threads(job.threads)
    disable_progress_bars()
    device = _device(device)
    key = f"{job.assignment.folder} {device} {job.assignment.config.model_dump_json()}"
    if key not in _workers:
        _workers.clear()
        _workers[key] = Worker(job.assignment, device)
    return _workers[key]


def _device(device: str) -> str:
    """Return the GPU that Ray gives this task; CUDA sees all, since it never notices that another one is given."""
    ids = importlib.import_module("ray").get_gpu_ids()
    if not ids or not all(str(own).isdigit() for own in ids):
        return device
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    return f"cuda:{ids[0]}"


def _reason_against(job: Job) -> str:
    """Return why this node cannot take part, or nothing."""
    folder = job.assignment.folder
    if version("interlingua") != job.planned_by:
        return f"it has interlingua {version('interlingua')}, not {job.planned_by}"
    if not folder.parent.is_dir():
        return f"it does not see '{folder.parent}', where the run folder is"
    return ""


def _node() -> str:
    return importlib.import_module("ray").get_runtime_context().get_node_id()


# --- connecting ---


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anyone unless the user wants it
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("a study on several devices or a cluster", "ray") from None


def _start_local(devices: Sequence[str]) -> Any:
    """Return Ray, started on this machine with these devices."""
    ray = _ray()
    if ray.is_initialized():
        raise InputError("Ray is running in this process already; use cluster='auto', or end it with ray.shutdown()")
    gpus = list(dict.fromkeys(device.partition(":")[2] or "0" for device in devices if device.startswith("cuda")))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        if gpus:
            known = visible.split(",") if visible else None
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(known[int(own)] if known else own for own in gpus)
        cpus = max(os.cpu_count() or 1, len(devices))
        options = {"address": "local", "num_cpus": cpus, "num_gpus": len(gpus)}
        ray.init(**options, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    finally:
        if visible is None:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
    return ray


def _connect(address: str) -> tuple[Any, bool]:
    """Return Ray, connected to a cluster, and whether that is our doing."""
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


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
