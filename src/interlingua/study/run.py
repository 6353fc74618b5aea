"""Run a study: load what it works on, and compute the cells that are not there."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlingua.errors import ArtifactError, InterlinguaError, StorageError
from interlingua.experts import Experts
from interlingua.experts.experts import CHANCE
from interlingua.files import sha256_of_json
from interlingua.progress import ProgressCallback, silent
from interlingua.study.assemble import assemble
from interlingua.study.cell_store import FAILED, RUNNING, CellStore, Record
from interlingua.study.cells import ARRAYS, EXPERTS, TABLES, Work
from interlingua.study.config import StudyConfig, load_config
from interlingua.study.material import Material, load_material
from interlingua.study.plan import Cell, plan
from interlingua.study.store import Run

HELD = 6
"""Results held in memory: experts, and the embeddings of the original and of one condition."""
LOG = "study.log"


class StudyError(InterlinguaError):
    """Cells of a study that failed, while the others were computed.

    Attributes:
        run: The run, with the tables of the cells that are done.
        failures: The name of each failed cell and why; not those that only lacked a failed one.
    """

    def __init__(self, run: Run, failures: list[tuple[str, str]], lacking: int) -> None:
        self.run, self.failures = run, failures
        listed = "".join(f"\n  {name}: {error}" for name, error in failures)
        others = f" ({lacking} more need them)" if lacking else ""
        super().__init__(
            f"{len(failures)} cell{'s' if len(failures) != 1 else ''} of the study failed{others}; a new run in "
            f"'{run.folder}' tries only those:{listed}"
        )


def run_study(
    config: StudyConfig | str | Path,
    out: str | Path | None = None,
    *,
    fresh: bool = False,
    progress: ProgressCallback = silent,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a study and write its folder.

    Every cell (a measure in a condition) is computed once and kept, under the hash of all that decides it: a second run
    computes nothing, a changed study what depends on the change. A cell that fails is recorded, and the others go on.

    Args:
        config: A config, the path of a YAML file, or the name of a preset.
        out: The run folder; by default `runs/<model>-<corpus>`.
        fresh: Compute everything anew.
        progress: Called with what is done.
        say: Called with a line before each part.

    Returns:
        The run: its folder, its config and its tables.

    Raises:
        StudyError: Cells failed; it has the run, with the tables of the others.
        StorageError: Another study is running in the folder, or the disk is full.
        InterlinguaError: What the rooms raise before the first cell.

    Example:
        The default study, smaller:

        >>> from interlingua.study import load_config
        >>> run = run_study(load_config("starter", limit=10, k=[500]))  # doctest: +SKIP
        >>> run.tables["claims"][["claim", "verdict"]]  # doctest: +SKIP
    """
    if not isinstance(config, StudyConfig):
        config = load_config(config)
    run = Run(Path(out) if out is not None else default_folder(config))
    material = load_material(config, say, progress)
    cells = plan(config, material.identity, material.corpora)
    store = CellStore(run.folder)
    with store.locked():
        log = _Log(run.folder / LOG, say)
        if fresh:
            store.forget(cells)
        missing = [cell for cell in once(cells) if not store.is_done(cell)]
        if not missing and (run.folder / "manifest.json").is_file() and run.config == config:
            log(f"Nothing to do: all {len(once(cells))} cells are done")
            return run
        run.begin()
        run.write_config(config)
        store.write_plan(once(cells))
        log(f"{len(missing)} of {len(once(cells))} cells to compute in {run.folder}")
        session = _Session(config, material, store, log, progress)
        for number, cell in enumerate(missing, start=1):
            session.compute(cell, f"[{number}/{len(missing)}]")
        session.warn_of_few_experts(cells[0])
        with_tables = [cell for cell in cells if cell.measure in TABLES and store.is_done(cell)]
        run.write_tables(assemble(config, with_tables, store.load))
        failures = _failures(store, cells)
        run.write_manifest(_manifest(config, material, store, cells, failures))
        if failures:
            lacking = sum(record.needed for _, record in failures)
            error = StudyError(run, [(name, own.error) for name, own in failures if not own.needed], lacking)
            log.write(str(error))
            raise error
    return run


def default_folder(config: StudyConfig) -> Path:
    """Return the folder of a study whose user names none: `runs/<model>-<corpus>`.

    An id of the Hub keeps its owner, and a path on disk a hash of where it is, so that two models never share a folder.

    Example:
        >>> default_folder(StudyConfig(model="a/m")).as_posix()
        'runs/a--m-starter'
    """
    return Path("runs") / f"{_folder_name(config.model)}-{_folder_name(config.corpus)}"


def _folder_name(name: str) -> str:
    if not Path(name).exists():
        return name.strip("./").replace("/", "--")
    resolved = Path(name).resolve()
    return f"{resolved.name}-{sha256_of_json(str(resolved))[:8]}"


@dataclass(frozen=True)
class _Log:
    """Says each line to the user, and writes it with the time to a file."""

    path: Path
    say: Callable[[str], None]

    def __call__(self, line: str) -> None:
        self.say(line)
        self.write(line)

    def write(self, line: str) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")
        except OSError as error:
            raise StorageError(f"cannot write the log '{self.path}': {error}") from None


@dataclass(frozen=True)
class _Session:
    """Computes cells one after the other, with the latest results held in memory."""

    config: StudyConfig
    material: Material
    store: CellStore
    log: _Log
    progress: ProgressCallback
    held: OrderedDict[str, Any] = field(default_factory=OrderedDict)

    def compute(self, cell: Cell, number: str = "") -> None:
        """Compute a cell and keep its result, or record why it failed."""
        started = time.monotonic()
        self.log(f"{number} {cell.name}".strip())
        lacking = [need.name for need in cell.needs.values() if not self.store.is_done(need)]
        if lacking:
            message = f"it needs {' and '.join(dict.fromkeys(lacking))}, which failed"
            self._fail(cell, Record(cell.name, FAILED, error=message, needed=True))
            return
        self.store.mark(cell, Record(cell.name, RUNNING))
        try:
            needs = {name: self.result(need) for name, need in cell.needs.items()}
            paths = self._keep(cell, Work(cell, needs, self.material, self.progress))
        except StorageError:
            raise
        except Exception as error:  # whatever a model or a library raises, the other cells go on
            seconds = time.monotonic() - started
            reason = " ".join(str(error).split()) or type(error).__name__
            message = reason if isinstance(error, InterlinguaError) else f"{type(error).__name__}: {reason}"
            self._fail(cell, Record(cell.name, FAILED, round(seconds, 3), message))
            return
        self.store.finish(cell, paths, time.monotonic() - started)
        self.log.write(f"done: {cell.name}, {time.monotonic() - started:.1f} s")

    def _fail(self, cell: Cell, record: Record) -> None:
        self.store.mark(cell, record)
        self.log(f"failed: {cell.name}: {record.error}")

    def _keep(self, cell: Cell, work: Work) -> list[Path]:
        if cell.measure in EXPERTS:
            folder = self.store.experts_folder(cell)
            EXPERTS[cell.measure](work, folder)
            return sorted(folder.iterdir())
        if cell.measure in ARRAYS:
            arrays = ARRAYS[cell.measure](work)
            self._hold(cell, arrays)
            return self.store.save_arrays(cell, arrays)
        tables = TABLES[cell.measure](work)
        self._hold(cell, tables)
        return self.store.save_tables(cell, tables)

    def result(self, cell: Cell) -> Any:
        """Return a cell's result; where it is damaged on disk, it is computed again."""
        if cell.key in self.held:
            self.held.move_to_end(cell.key)
            return self.held[cell.key]
        try:
            result = self.store.load(cell)
        except ArtifactError as error:
            self.log(f"{error}; computing it again")
            self.compute(cell)
            result = self.store.load(cell)
        self._hold(cell, result)
        return result

    def _hold(self, cell: Cell, result: Any) -> None:
        self.held[cell.key] = result
        while len(self.held) > HELD:
            self.held.popitem(last=False)

    def warn_of_few_experts(self, cell: Cell) -> None:
        """Say where fewer neurons than k are above chance."""
        if not self.store.is_done(cell):
            return
        experts: Experts = self.result(cell)
        largest = max([*self.config.k, *self.config.sweep.k])
        for target in self.config.targets:
            above = int((experts.auroc[experts.row(target)] > CHANCE).sum())
            if largest > above:
                self.log(f"warning: only {above:,} neurons are above chance for {target}, fewer than k = {largest:,}")


def once(cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells, one of those that are the same: with k = 0 the steered model is the original."""
    found: dict[str, Cell] = {}
    for cell in cells:
        found.setdefault(cell.key, cell)
    return list(found.values())


def _failures(store: CellStore, cells: Iterable[Cell]) -> list[tuple[str, Record]]:
    records = [(cell.name, store.record(cell.key)) for cell in once(cells)]
    return [(name, record) for name, record in records if record is not None and record.state == FAILED]


def _manifest(
    config: StudyConfig,
    material: Material,
    store: CellStore,
    cells: Iterable[Cell],
    failures: list[tuple[str, Record]],
) -> dict[str, Any]:
    """Return what made a run: versions and seconds are those of the cells, whenever they were computed."""
    records = [record for cell in once(cells) if (record := store.record(cell.key)) is not None]
    probe, evaluation = material.corpora.probe, material.corpora.evaluation
    experts = next(iter(cells))
    made_from = store.load(experts).made_from if store.is_done(experts) else {}
    return {
        **records[0].versions,
        "model": {
            **material.identity,
            "device": str(material.model.device),
            "mlp_neurons": len(material.model.neurons),
        },
        "probe": {
            "corpus": probe.name,
            "languages": list(probe.languages),
            "sentences": len(probe),
            "sha256": probe.fingerprint(),
            "tokens": made_from.get("tokens"),
            "truncated": made_from.get("truncated"),
        },
        "evaluation": {
            "corpus": evaluation.name,
            "languages": list(evaluation.languages),
            "sentences": len(evaluation),
            "sha256": evaluation.fingerprint(),
        },
        "seed": config.seed,
        "cells": len(records),
        "seconds": round(sum(record.seconds for record in records), 1),
        "failed": [{"cell": name, "error": record.error} for name, record in failures],
    }
