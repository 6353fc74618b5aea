"""Where the cells of a study are computed: on the devices of this machine, or on a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass

from interlingua.errors import InputError
from interlingua.study.config import StudyConfig


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster (extra `ray`), and what a cell takes of it.

    Attributes:
        address: What `ray.init` takes: that of the head node, `auto` on a machine of the cluster, or `local` for a
            cluster that is made of this machine and ends with the study.
        cpus: CPUs of a cell, which are also its threads; by default a node's are shared equally by the cells that it
            has room for.
        gpus: GPUs of a cell that runs the model; by default 1 where the cluster has any and the study's device is not
            `cpu`, else 0.
    """

    address: str
    cpus: int | None = None
    gpus: float | None = None


def devices_of(config: StudyConfig) -> list[str]:
    """Return the devices that a study's `device` names: `all` is every GPU that is visible.

    Raises:
        InputError: `all`, and none is visible.

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
