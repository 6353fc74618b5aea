"""Who computes the cells of a study: one worker in this process, one for each device, or those of a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from interlingua.errors import InputError, InterlinguaError
from interlingua.study.config import StudyConfig
from interlingua.study.corpora import Corpora
from interlingua.study.model import KnownModel
from interlingua.study.plan import Cell
from interlingua.study.schedule import Outcome, Takes


@dataclass(frozen=True)
class Assignment:
    """What every worker of a study is given.

    Attributes:
        config: The study.
        corpora: What is read.
        folder: The run folder, absolute.
    """

    config: StudyConfig
    corpora: Corpora
    folder: Path


@dataclass(frozen=True)
class Seat:
    """A worker's place in a crew.

    Attributes:
        name: What people call it; nothing where there is only one.
        takes: Which cells it computes.
    """

    name: str
    takes: Takes


class Crew(Protocol):
    """The workers of a study; they are there while its context lasts."""

    def identify(self) -> KnownModel:
        """Let one worker load the model, and say which it is."""
        ...

    def free(self) -> Sequence[Seat]:
        """Return the seats of the workers that have no cell."""
        ...

    def start(self, seat: Seat, cell: Cell) -> None:
        """Give a free worker a cell."""
        ...

    def wait(self) -> Outcome | None:
        """Wait until the work on a cell ends; None where instead workers came or went.

        Raises:
            InterlinguaError: No worker has a cell, nor can one come.
        """
        ...


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster (extra `ray`), and what a cell takes of it.

    Attributes:
        address: What `ray.init` takes: of the head node, `auto` on a machine of the cluster, or `local` for a cluster
            that is made of this machine and ends with the study.
        cpus: CPUs of a worker, which are also its threads; by default a node's are shared equally by its workers.
        gpus: GPUs of a worker that runs the model; by default 1 where the cluster has any and the study's device is not
            `cpu`, else 0.
    """

    address: str
    cpus: int | None = None
    gpus: float | None = None


def devices_of(config: StudyConfig) -> list[str]:
    """Return the devices that a study's `device` names: `all` is every GPU that is visible.

    Raises:
        InputError: `all`, and none is.

    Example:
        >>> devices_of(StudyConfig(device="cuda:0, cuda:1"))
        ['cuda:0', 'cuda:1']
    """
    if config.device != "all":
        return [device.strip() for device in config.device.split(",")]
    import torch

    if not torch.cuda.is_available():
        raise InputError("device 'all' is every CUDA GPU, and none is visible; use auto, cpu, mps")
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())]


def no_worker_left(unfit: Sequence[str]) -> InterlinguaError:
    """Return the error of a crew that cannot go on, with what its workers said."""
    reasons = "".join(f"\n  {reason}" for reason in unfit)
    return InterlinguaError(
        f"no worker is left that can compute what remains; what was finished is kept, run the study again{reasons}"
    )
