"""Cells on disk: each result under its key, and a record of what became of it.

    cells/<key>.json            the record: state, seconds, versions, checksums; written after the result
    cells/<key>.<table>.parquet what a cell of tables gave
    embeddings/<key>.safetensors
    experts/<key>/

A cell counts as done when its record says so and its files have the checksums of the record.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from interlingua.errors import ArtifactError, InputError, StorageError
from interlingua.experts import Experts, remove_recording
from interlingua.files import sha256_of_file, write_json, written_whole
from interlingua.study.plan import Cell
from interlingua.valid import first_error

LOCK, PLAN = "study.lock", "plan.json"
DONE, FAILED, RUNNING, WAITING, STOPPED = "done", "failed", "running", "waiting", "stopped"


@cache
def _versions() -> dict[str, str]:
    """Return the versions of the libraries that compute a cell; to read them takes milliseconds."""
    libraries = ("interlingua", "torch", "transformers", "numpy")
    return {**{name: version(name) for name in libraries}, "python": platform.python_version()}


@dataclass(frozen=True)
class Record:
    """What became of a cell.

    Attributes:
        name: The cell's name.
        state: `running`, `done` or `failed`.
        seconds: How long it took; 0 while it runs.
        error: Why it failed.
        needed: Whether it failed only because a cell that it needs did.
        files: The checksum of each file of the result, by its path in the run folder.
        started: When, in seconds since 1970.
        host: The machine.
        compiled: Whether torch compiled the blocks of the model for it; its numbers then are rounded otherwise.
        versions: Of the libraries that computed it.
    """

    name: str
    state: str
    seconds: float = 0.0
    error: str = ""
    needed: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    host: str = field(default_factory=socket.gethostname)
    compiled: bool = False
    versions: Mapping[str, str] = field(default_factory=_versions)


@dataclass(frozen=True)
class Planned:
    """A row of the plan on disk.

    Attributes:
        key: The cell's key.
        name: What people call it.
        measure: What is computed.
    """

    key: str
    name: str
    measure: str


_RECORD, _PLAN_ROWS = TypeAdapter(Record), TypeAdapter(list[Planned])


@dataclass(frozen=True)
class CellStore:
    """The cells in a run folder."""

    folder: Path

    def record(self, key: str) -> Record | None:
        """Return what became of a cell, or None where it was never begun."""
        try:
            return _RECORD.validate_json(self._record_path(key).read_bytes())
        except (OSError, ValidationError):
            return None

    def is_done(self, cell: Cell) -> bool:
        """Tell whether a cell's result is there; tables are compared with their checksums, which is quick."""
        record = self.record(cell.key)
        if record is None or record.state != DONE:
            return False
        return all(
            (self.folder / path).is_file() and (_large(path) or sha256_of_file(self.folder / path) == checksum)
            for path, checksum in record.files.items()
        )

    def mark(self, cell: Cell, record: Record) -> None:
        """Write a cell's record."""
        write_json(self._record_path(cell.key), asdict(record))

    def forget(self, cells: Iterable[Cell]) -> None:
        """Forget what became of cells, so that they are computed anew."""
        for cell in cells:
            self._record_path(cell.key).unlink(missing_ok=True)
            remove_recording(self.recording_folder(cell))

    def planned_experts(self) -> list[Path]:
        """Return where the experts of the study are that was planned here last; a folder may hold those of others.

        A published run has neither a plan nor experts.
        """
        if not (self.folder / PLAN).is_file():
            return []
        folders = [self.folder / "experts" / row.key for row in self._plan() if row.measure == "experts"]
        return [folder for folder in folders if (folder / "manifest.json").is_file()]

    def experts_folder(self, cell: Cell) -> Path:
        """Return where a cell's experts are saved."""
        return self.folder / "experts" / cell.key

    def recording_folder(self, cell: Cell) -> Path:
        """Return where the responses are kept while a cell's experts are found."""
        return self.folder / "experts" / f"{cell.key}.recording"

    def save_arrays(self, cell: Cell, arrays: Mapping[str, np.ndarray]) -> list[Path]:
        """Write arrays whole, and return their file."""
        path = self.folder / "embeddings" / f"{cell.key}.safetensors"
        with written_whole(path) as temporary:
            metadata = {"cell": cell.name, "parameters": json.dumps(cell.parameters)}
            save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary, metadata)
        return [path]

    def save_tables(self, cell: Cell, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
        """Write each table whole, and return their files."""
        paths = [self.folder / "cells" / f"{cell.key}.{name}.parquet" for name in tables]
        for path, table in zip(paths, tables.values(), strict=True):
            with written_whole(path) as temporary:
                table.to_parquet(temporary, index=False)
        return paths

    def finish(self, cell: Cell, paths: Iterable[Path], seconds: float, *, compiled: bool = False) -> None:
        """Say that a cell is done, after its files are written."""
        files = {path.relative_to(self.folder).as_posix(): sha256_of_file(path) for path in paths}
        self.mark(cell, Record(cell.name, DONE, round(seconds, 3), files=files, compiled=compiled))

    def load(self, cell: Cell) -> Any:
        """Return a cell's result: experts, arrays by name, or tables by name.

        What is damaged is forgotten, so that it is computed again.

        Raises:
            ArtifactError: It is not there, or damaged.
        """
        record = self.record(cell.key)
        if record is None or record.state != DONE:
            raise ArtifactError(f"'{self.folder}' has no {cell.name}; run the study again")
        try:
            return self._read(cell, record)
        except (OSError, ValueError, SafetensorError) as error:
            self._record_path(cell.key).unlink(missing_ok=True)
            raise ArtifactError(f"{cell.name} in '{self.folder}' is damaged: {error}; run the study again") from error

    def _read(self, cell: Cell, record: Record) -> Any:
        if self.experts_folder(cell).is_dir():
            return Experts.from_pretrained(self.experts_folder(cell))
        for path, checksum in record.files.items():
            if sha256_of_file(self.folder / path) != checksum:
                raise ArtifactError(f"'{self.folder / path}' does not have the checksum in its record")
        if arrays := next(filter(_large, record.files), None):
            return load_file(self.folder / arrays)
        return {path.split(".")[-2]: pd.read_parquet(self.folder / path) for path in record.files}

    def write_plan(self, cells: Iterable[Cell]) -> None:
        """Write which cells the study has, for `states` and for people."""
        rows = [asdict(Planned(cell.key, cell.name, cell.measure)) for cell in cells]
        write_json(self.folder / PLAN, rows)

    def is_planned(self, cells: Iterable[Cell]) -> bool:
        """Tell whether the plan on disk is of these cells."""
        try:
            return [row.key for row in self._plan()] == [cell.key for cell in cells]
        except ArtifactError:
            return False

    def _plan(self) -> list[Planned]:
        try:
            return _PLAN_ROWS.validate_json((self.folder / PLAN).read_bytes())
        except OSError:
            raise ArtifactError(f"'{self.folder}' holds no study: it has no {PLAN}") from None
        except ValidationError as error:
            raise ArtifactError(
                f"'{self.folder / PLAN}' is damaged: {first_error(error)}; run the study again"
            ) from None

    def states(self) -> list[tuple[str, Record]]:
        """Return the state and the record of every planned cell; what no longer runs and has no end was `stopped`.

        Raises:
            ArtifactError: The folder holds no study.
        """
        rows = self._plan()
        alive = self._is_locked()
        found = []
        for row in rows:
            record = self.record(row.key) or Record(row.name, WAITING)
            state = STOPPED if record.state == RUNNING and not alive else record.state
            found.append((state, record))
        return found

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep the folder for one study alone while the context lasts.

        Raises:
            InputError: The folder cannot be written to.
            StorageError: Another study runs there.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / LOCK, timeout=0)
            lock.acquire()
        except Timeout:
            raise StorageError(
                f"another study is running in '{self.folder}'; wait until it ends (`interlingua study --status "
                f"{self.folder}` shows how far it is), or name another folder with --out"
            ) from None
        except OSError as error:
            raise InputError(f"cannot write to the run folder '{self.folder}': {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()

    def _is_locked(self) -> bool:
        if not os.access(self.folder, os.W_OK):
            return False
        lock = FileLock(self.folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        return False

    def _record_path(self, key: str) -> Path:
        return self.folder / "cells" / f"{key}.json"


def _large(path: str) -> bool:
    """Tell whether a result is of arrays, whose checksum takes long and is compared when they are read."""
    return path.endswith(".safetensors")
