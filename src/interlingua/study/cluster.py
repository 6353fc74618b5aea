"""Workers on the nodes of a Ray cluster.

A worker is an actor, pinned to a node: it keeps the loaded model between cells, which are its tasks. Results go through
the run folder, on a file system that all nodes share; only cells, and what became of them, go through Ray.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from interlingua.errors import InputError, InterlinguaError, MissingExtraError, ModelError
from interlingua.study.crew import Assignment, Cluster, Seat, no_worker_left
from interlingua.study.model import KnownModel
from interlingua.study.plan import Cell
from interlingua.study.schedule import End, Outcome, Takes

logger = logging.getLogger(__name__)

LOSSES = 3
"""How many workers a node may lose before it is left out."""
SECONDS_BETWEEN_ROLL_CALLS, SECONDS_FOR_AN_ANSWER = 5.0, 10.0
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Place:
    """What a worker takes of a node.

    Attributes:
        node: The node's id.
        seat: The worker's seat, named after the node.
        cpus: CPUs, and as many threads.
        gpus: GPUs, also a part of one.
    """

    node: str
    seat: Seat
    cpus: int
    gpus: float


def places_on(node: Mapping[str, Any], cluster: Cluster, gpus: float) -> list[Place]:
    """Return the workers that a node has room for.

    Where a worker that runs the model takes GPUs, every node has one more, for cells that run no model.

    Args:
        node: As `ray.nodes` describes it.
        cluster: What was asked for.
        gpus: How many GPUs a worker takes that runs the model.

    Example:
        >>> node = {"NodeID": "0123456789", "NodeName": "big", "Resources": {"CPU": 18.0, "GPU": 8.0}}
        >>> [(place.seat.name, place.cpus, place.gpus) for place in places_on(node, Cluster("auto"), 1)][-2:]
        [('big/012345, worker 8', 2, 1), ('big/012345, worker 9', 2, 0)]
    """
    there = {name: node["Resources"].get(name, 0) for name in ("CPU", "GPU")}
    if gpus:
        kinds = [Takes.MODEL_FIRST] * int(there["GPU"] / gpus) + [Takes.WITHOUT_MODEL]
    else:
        kinds = [Takes.ALL] * (int(there["CPU"] / cluster.cpus) if cluster.cpus else 1)
    cpus = cluster.cpus or max(1, int(there["CPU"] / len(kinds)))
    name = f"{node['NodeName']}/{node['NodeID'][:6]}"
    return [
        Place(
            node["NodeID"],
            Seat(f"{name}, worker {number}", takes),
            cpus,
            gpus if takes is Takes.MODEL_FIRST else 0,
        )
        for number, takes in enumerate(kinds[: int(there["CPU"] / cpus)], start=1)
    ]


class RayCrew(AbstractContextManager["RayCrew"]):
    """As many workers as the nodes of a cluster have room for, also of nodes that come later (see `Crew`).

    Raises:
        InputError: There is no such cluster, or none of its nodes has room for a worker.
        MissingExtraError: The extra `ray` is not installed.
    """

    def __init__(self, assignment: Assignment, cluster: Cluster) -> None:
        if assignment.config.device not in DEVICES:
            raise InputError(
                f"device '{assignment.config.device}' cannot be had in a cluster, where Ray gives each worker its GPU; "
                f"use {', '.join(DEVICES)}"
            )
        self._assignment, self._cluster = assignment, cluster
        self._called = 0.0
        self._actors: dict[Seat, Any] = {}
        self._starting: dict[Any, Place] = {}
        self._working: dict[Any, tuple[Place, Cell]] = {}
        self._places: dict[Seat, Place] = {}
        self._losses: Counter[str] = Counter()
        self._unfit: dict[Seat, str] = {}

    def __enter__(self) -> RayCrew:
        """Connect to the cluster and start the workers."""
        logger.info(f"Connecting to the Ray cluster '{self._cluster.address}'")
        self._ray, self._connected = _connect(self._cluster.address)
        self._gpus = self._gpus_of_a_worker()
        self._given = self._ray.put(self._assignment)
        self._recruit()
        if not self._actors:
            self.__exit__()
            raise InputError(f"no node of the cluster '{self._cluster.address}' has the CPUs and GPUs of a worker")
        return self

    def __exit__(self, *error: object) -> None:
        """End the workers, whatever they are at."""
        for actor in self._actors.values():
            self._ray.kill(actor)
        if self._connected:
            self._ray.shutdown()

    def identify(self) -> KnownModel:
        """Let the first worker that is there load the model."""
        while True:
            for seat in self.free():
                if seat.takes is Takes.WITHOUT_MODEL:
                    continue
                try:
                    answer = self._ray.get(self._actors[seat].identify.remote())
                except self._ray.exceptions.RayError as error:
                    self._dismiss(self._places[seat], str(error))
                    continue
                if isinstance(answer, str):
                    raise ModelError(f"{seat.name}: {answer}")
                return answer
            self.wait()

    def free(self) -> Sequence[Seat]:
        """Return the seats of the workers that are there and have no cell."""
        busy = {place.seat for place in self._starting.values()} | {place.seat for place, _ in self._working.values()}
        return [seat for seat in self._actors if seat not in busy]

    def start(self, seat: Seat, cell: Cell) -> None:
        """Give a worker a cell."""
        self._working[self._actors[seat].compute.remote(cell)] = (self._places[seat], cell)

    def wait(self) -> Outcome | None:
        """Wait until a worker is done with its cell, or is lost; from time to time look for nodes that came."""
        if time.monotonic() - self._called > SECONDS_BETWEEN_ROLL_CALLS:
            self._recruit()
        under_way = [*self._starting, *self._working]
        if not under_way:
            raise no_worker_left(list(self._unfit.values()))
        ready = self._ray.wait(under_way, timeout=SECONDS_BETWEEN_ROLL_CALLS)[0]
        if not ready:
            return None
        return self._started(ready[0]) if ready[0] in self._starting else self._ended(ready[0])

    def _started(self, reference: Any) -> None:
        place = self._starting.pop(reference)
        try:
            reason = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._dismiss(place, str(error))
            return
        if reason:
            logger.warning(f"{place.seat.name} is left out: {reason}")
            self._leave_out(place.seat, reason)

    def _ended(self, reference: Any) -> Outcome:
        place, cell = self._working.pop(reference)
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._dismiss(place, str(error))
            return Outcome(cell, End.LOST, f"{place.seat.name} was lost")
        if outcome.end is End.UNFIT:
            self._leave_out(place.seat, outcome.reason)
        return outcome

    def _dismiss(self, place: Place, reason: str) -> None:
        """Give up a worker that was lost, and start another where its node is still there."""
        self._losses[place.node] += 1
        logger.warning(f"{place.seat.name} was lost: {' '.join(reason.split())[:200]}")
        self._ray.kill(self._actors.pop(place.seat))  # it may only be out of reach
        self._recruit()

    def _leave_out(self, seat: Seat, reason: str) -> None:
        self._unfit[seat] = f"{seat.name}: {reason}"
        self._ray.kill(self._actors.pop(seat))

    def _recruit(self) -> None:
        """Start the workers that nodes have room for."""
        self._called = time.monotonic()
        for node in self._ray.nodes():
            if not node["Alive"] or self._losses[node["NodeID"]] >= LOSSES:
                continue
            for place in places_on(node, self._cluster, self._gpus):
                if place.seat not in self._actors and place.seat not in self._unfit:
                    self._hire(place)

    def _hire(self, place: Place) -> None:
        affinity = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        pinned = affinity(node_id=place.node, soft=False)
        options = {"num_cpus": place.cpus, "num_gpus": place.gpus, "scheduling_strategy": pinned}
        actor = self._ray.remote(_Actor).options(**options).remote(self._given, place.cpus)
        self._actors[place.seat], self._places[place.seat] = actor, place
        self._starting[actor.reason_against.remote(version("interlingua"))] = place

    def _gpus_of_a_worker(self) -> float:
        if self._cluster.gpus is not None:
            return self._cluster.gpus
        wanted = self._assignment.config.device != "cpu"
        return 1 if wanted and self._ray.cluster_resources().get("GPU", 0) >= 1 else 0


class _Actor:
    """A worker on a node."""

    def __init__(self, assignment: Assignment, threads: int) -> None:
        import torch

        from interlingua.progress import disable_progress_bars
        from interlingua.study.worker import Worker

        torch.set_num_threads(threads)
        disable_progress_bars()
        self._worker = Worker(assignment)

    def reason_against(self, planned_by: str) -> str:
        """Return why this node cannot take part, or nothing."""
        folder = self._worker.assignment.folder
        if version("interlingua") != planned_by:
            return f"it has interlingua {version('interlingua')}, not {planned_by}"
        if not folder.parent.is_dir():
            return f"it does not see '{folder.parent}', where the run folder is"
        return ""

    def identify(self) -> KnownModel | str:
        """Load the model and say which it is, or why it cannot be loaded."""
        try:
            return self._worker.known
        except InterlinguaError as error:  # not all of them can be sent
            return str(error)

    def compute(self, cell: Cell) -> Outcome:
        """Compute a cell."""
        return self._worker.compute(cell)


def _connect(address: str) -> tuple[Any, bool]:
    """Return Ray, connected to a cluster, and whether that is our doing."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anyone unless the user wants it
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("a study on a cluster", "ray") from None
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
