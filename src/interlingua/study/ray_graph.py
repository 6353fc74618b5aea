"""The cells of a study as tasks of Ray, whose arguments are the references of the cells that they need.

Ray orders the tasks, places them, and starts a task anew whose process or node is lost. A worker process keeps the
model between tasks. Results go through the run folder, on a file system that all nodes share; only cells, and what
became of them, go through Ray.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from interlingua.code_version import results_version
from interlingua.errors import InputError, InterlinguaError, ModelError
from interlingua.study.cluster import Cluster
from interlingua.study.model import KnownModel
from interlingua.study.outcome import End, Outcome
from interlingua.study.plan import Cell
from interlingua.study.ray_cluster import connect, room, shares, start_local
from interlingua.study.ray_tasks import Job, Unfit, compute, count_tokens, identify
from interlingua.study.tracker import TRIES, Tracker, no_worker_left
from interlingua.study.worker import Assignment

SECONDS_BETWEEN_LOOKS = 5.0
DEVICES = ("auto", "cpu", "cuda")

logger = logging.getLogger(__name__)


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
            self._ray, self._connected = start_local(self._devices), True
            resources = shares(self._ray.nodes(), Cluster("local", gpus=self._gpus_of_devices()), len(self._devices))
        else:
            logger.info("Connecting to the Ray cluster '%s'", self._cluster.address)
            self._ray, self._connected = connect(self._cluster.address)
            wanted = replace(self._cluster, gpus=self._gpus_of_a_cell(self._cluster))
            resources = shares(self._ray.nodes(), wanted)
        if resources is None:
            self.__exit__()
            address = self._cluster.address if self._cluster else "local"
            raise InputError(f"no node of the cluster '{address}' has the CPUs and GPUs of a worker")
        self._cpus, self._gpus = resources
        self._job = self._ray.put(Job(self._assignment, version("interlingua"), results_version(), self._cpus))
        return self

    def __exit__(self, *error: object) -> None:
        """End the tasks, whatever they are doing."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        if self._connected:
            self._ray.shutdown()

    def identify(self) -> KnownModel:
        """Let one worker load the model."""
        return self._ask(identify, "load the model")

    def tokens(self, cells: Sequence[Cell]) -> dict[str, int]:
        """Let one worker count the tokens of cells."""
        return self._ask(count_tokens, "count tokens", cells)

    def compute(self, cells: Sequence[Cell], tracker: Tracker) -> None:
        """Submit all cells, and submit those again that did not come to an end."""
        for cell in cells:
            self._submit(cell)
        while self._running:
            cell, outcome = self._next()
            if outcome.end is not End.WAITING:
                tracker.begin(cell, outcome.worker)
            if outcome.end is End.UNFIT:
                self.leave_out(outcome.worker, outcome.reason)
            for again in tracker.end(tracker.lacking(cell) or outcome):
                if again not in self._running.values():
                    self._submit(again)

    def _submit(self, cell: Cell) -> None:
        """Submit a cell after the tasks of those that it needs; what has no task was computed before."""
        needs = [self._latest[need.key] for need in cell.needs.values() if need.key in self._latest]
        gpus = self._gpus if cell.model is not None else 0
        task = self._task(compute, gpus, cell.name, stays=cell.model is not None or not self._gpus)
        reference = task.remote(self._job, self._device, cell, *needs)
        self._latest[cell.key] = reference
        self._running[reference] = cell

    def _task(self, function: Callable[..., Any], gpus: float, name: str, *, stays: bool = True) -> Any:
        """Return a function as a task; unless it stays, its process ends after it."""
        options: dict[str, Any] = {"num_cpus": self._cpus, "num_gpus": gpus, "max_retries": TRIES - 1, "name": name}
        if self._unfit:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(self._unfit)})"}
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
        if not any(room(node, self._cpus, self._gpus) for node in fit):
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
            if not isinstance(answer, Unfit):
                return answer
            self.leave_out(answer.node, answer.reason)

    def leave_out(self, node: str, reason: str) -> None:
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


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
