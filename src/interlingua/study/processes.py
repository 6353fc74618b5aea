"""A worker in a process of its own for each device of this machine."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from interlingua.errors import InterlinguaError, ModelError
from interlingua.study.crew import Assignment, Seat, no_worker_left
from interlingua.study.model import KnownModel
from interlingua.study.plan import Cell
from interlingua.study.schedule import End, Outcome, Takes

if TYPE_CHECKING:
    from interlingua.study.worker import Worker


@dataclass(frozen=True)
class _Running:
    process: BaseProcess
    connection: Connection


class Processes(AbstractContextManager["Processes"]):
    """One process for each device, and where these are GPUs one more for cells that run no model (see `Crew`).

    The processes are spawned, so that each has its own CUDA. One starts with its first cell, and again after it died.
    CPU devices share the machine's cores.
    """

    def __init__(self, assignment: Assignment, devices: Sequence[str]) -> None:
        self._assignment = assignment
        on_gpus = any(device.startswith("cuda") for device in devices)
        kinds = [(device, Takes.MODEL_FIRST if on_gpus else Takes.ALL) for device in devices]
        if on_gpus:
            kinds.append(("cpu", Takes.WITHOUT_MODEL))
        self._devices = {
            Seat(f"worker {number}, {device}", takes): device for number, (device, takes) in enumerate(kinds, start=1)
        }
        self._threads = None if on_gpus else max(1, (os.cpu_count() or 1) // len(devices))
        self._running: dict[Seat, _Running] = {}
        self._cells: dict[Seat, Cell] = {}
        self._unfit: list[str] = []

    def __exit__(self, *error: object) -> None:
        """End the processes, whatever they are at."""
        for seat in list(self._running):
            self._end(seat)

    def identify(self) -> KnownModel:
        """Let the first process load the model."""
        seat, device = next(iter(self._devices.items()))
        try:
            connection = self._connection(seat)
            connection.send(None)
            answer = connection.recv()
        except (EOFError, OSError):
            raise InterlinguaError(f"the process on '{device}' died while it loaded the model") from None
        if isinstance(answer, str):
            raise ModelError(answer)
        return answer

    def free(self) -> Sequence[Seat]:
        """Return the seats without a cell."""
        return [seat for seat in self._devices if seat not in self._cells]

    def start(self, seat: Seat, cell: Cell) -> None:
        """Send a process a cell; one that has died is found when its answer is waited for."""
        self._cells[seat] = cell
        with suppress(OSError):
            self._connection(seat).send(cell)

    def wait(self) -> Outcome:
        """Wait for the first process that is done with its cell, or dies."""
        if not self._cells:
            raise no_worker_left(self._unfit)
        waited_for = {self._connection(seat): seat for seat in self._cells}
        connection = next(each for each in wait(list(waited_for)) if isinstance(each, Connection))
        seat = waited_for[connection]
        cell = self._cells.pop(seat)
        try:
            outcome: Outcome = connection.recv()
        except (EOFError, OSError):
            self._end(seat)
            return Outcome(cell, End.LOST, f"the process of {seat.name} died")
        if outcome.end is End.UNFIT:
            self._end(seat)
            del self._devices[seat]
            self._unfit.append(f"{seat.name}: {outcome.reason}")
        return outcome

    def _connection(self, seat: Seat) -> Connection:
        """Return the connection to a seat's process, which is started if it does not run."""
        if seat not in self._running:
            context = get_context("spawn")
            ours, theirs = context.Pipe()
            arguments = (theirs, self._assignment, self._devices[seat], self._threads)
            process = context.Process(target=_serve, args=arguments, daemon=True)
            with _interrupts_held_back():
                process.start()
            theirs.close()
            self._running[seat] = _Running(process, ours)
        return self._running[seat].connection

    def _end(self, seat: Seat) -> None:
        running = self._running.pop(seat)
        running.process.terminate()
        running.process.join()
        running.connection.close()


@contextmanager
def _interrupts_held_back() -> Generator[None]:
    """Let a process that starts here never see Ctrl-C, which a terminal sends to all; its parent ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would let the signal through again when the first process starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, assignment: Assignment, device: str, threads: int | None) -> None:
    """Answer a cell with what became of it, and None with the model's identity or why it cannot be loaded."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    from interlingua.progress import disable_progress_bars
    from interlingua.study.worker import Worker

    disable_progress_bars()
    if threads is not None and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(threads)
    worker = Worker(assignment, device)
    while True:
        cell = connection.recv()
        connection.send(_identity_or_reason(worker) if cell is None else worker.compute(cell))


def _identity_or_reason(worker: Worker) -> KnownModel | str:
    try:
        return worker.known
    except InterlinguaError as error:  # not all of them can be sent
        return str(error)


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
    os._exit(1)
