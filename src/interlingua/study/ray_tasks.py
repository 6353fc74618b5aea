"""What runs in a worker process of Ray, which keeps its model between tasks."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from interlingua.code_version import results_version
from interlingua.errors import InterlinguaError
from interlingua.progress import disable_progress_bars
from interlingua.study.model import KnownModel
from interlingua.study.outcome import End, Outcome
from interlingua.study.plan import Cell
from interlingua.study.worker import Assignment, Worker

_workers: dict[str, Worker] = {}
"""The worker of this process, by what decides it; one at a time."""


@dataclass(frozen=True)
class Job:
    """What every task is given.

    Attributes:
        assignment: The study.
        planned_by: The version of interlingua that planned it.
        code: The version of the code that decides results (`results_version`).
        threads: Threads of a task.
    """

    assignment: Assignment
    planned_by: str
    code: str
    threads: int


@dataclass(frozen=True)
class Unfit:
    """A node that cannot take part, and why."""

    node: str
    reason: str


def identify(job: Job, device: str) -> KnownModel | str | Unfit:
    """Load the model and say which it is, or why it cannot be loaded."""
    if reason := _reason_against(job):
        return Unfit(_node(), reason)
    try:
        return _worker(job, device).known
    except InterlinguaError as error:  # not all of them can be sent
        return str(error)


def count_tokens(job: Job, device: str, cells: Sequence[Cell]) -> dict[str, int] | Unfit:
    """Count the tokens of cells, or say why this node cannot."""
    if reason := _reason_against(job):
        return Unfit(_node(), reason)
    return _worker(job, device).tokens(cells)


def compute(job: Job, device: str, cell: Cell, *needs: Outcome) -> Outcome:
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
    if not ids or not all(str(gpu).isdigit() for gpu in ids):
        return device
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    return f"cuda:{ids[0]}"


def _reason_against(job: Job) -> str:
    """Return why this node cannot take part, or nothing."""
    folder = job.assignment.folder
    if version("interlingua") != job.planned_by:
        return f"it has interlingua {version('interlingua')}, not {job.planned_by}"
    if results_version() != job.code:
        return "its interlingua has other code than the one that planned the study"
    if not folder.parent.is_dir():
        return f"it does not see '{folder.parent}', where the run folder is"
    return ""


def _node() -> str:
    return importlib.import_module("ray").get_runtime_context().get_node_id()
