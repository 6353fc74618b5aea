"""Run a study: find what is missing, have it computed, and put the tables together."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from interlingua.errors import InterlinguaError
from interlingua.experts import Experts
from interlingua.experts.experts import CHANCE
from interlingua.files import sha256_of_json
from interlingua.study.cell_store import FAILED, CellStore
from interlingua.study.computing import compute_cells
from interlingua.study.config import StudyConfig, load_config
from interlingua.study.corpora import Corpora, load_corpora
from interlingua.study.crew import Assignment, Cluster, Crew
from interlingua.study.crew_of import crew_of
from interlingua.study.log import Log
from interlingua.study.manifest import manifest_of
from interlingua.study.model import Checkpoint, KnownModel, require_neurons
from interlingua.study.plan import Cell, once, plan
from interlingua.study.store import Run

LOG = "study.log"
logger = logging.getLogger(__name__)


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
    cluster: Cluster | str | None = None,
) -> Run:
    """Run a study and write its folder.

    Every cell (a measure in a condition) is computed once and kept, under the hash of all that decides it: a second run
    computes nothing, a changed study what depends on the change. A cell that fails is recorded, and the others go on.

    A study whose `device` names several devices starts a process for each, so that a script which calls this needs
    Python's `if __name__ == "__main__":`.

    Args:
        config: A config, the path of a YAML file, or the name of a preset.
        out: The run folder; by default `runs/<model>-<corpus>`.
        fresh: Compute everything anew.
        cluster: Have the cells computed by this Ray cluster, or the one of this address; its nodes must all see the run
            folder, and a model that is a folder, under the same paths.

    Returns:
        The run: its folder, its config and its tables.

    Raises:
        StudyError: Cells failed; it has the run, with the tables of the others.
        StorageError: Another study is running in the folder, or the disk is full.
        InterlinguaError: What the rooms raise before the first cell, or no worker of the cluster is left.

    Example:
        The default study, smaller:

        >>> from interlingua.study import load_config
        >>> run = run_study(load_config("starter", limit=10, k=[500]))  # doctest: +SKIP
        >>> run.tables["claims"][["claim", "verdict"]]  # doctest: +SKIP
    """
    config = config if isinstance(config, StudyConfig) else load_config(config)
    cluster = Cluster(cluster) if isinstance(cluster, str) else cluster
    run = Run(Path(out) if out is not None else default_folder(config))
    store = CellStore(run.folder)
    corpora = load_corpora(config)
    checkpoint = Checkpoint.of(config, cluster.address if cluster else None)
    assignment = Assignment(measurable(config), corpora, run.folder.absolute())
    with ExitStack() as stack:

        def hire() -> Crew:
            return stack.enter_context(crew_of(assignment, cluster))

        work = _plan(assignment, checkpoint.recall(run.folder), store, fresh, hire)
        stack.enter_context(store.locked())
        log = Log(run.folder / LOG)
        if work.crew is not None:
            checkpoint.remember(run.folder, work.known)
        if not work.missing and run.is_of(config):
            log.info(f"Nothing to do: all {len(once(work.cells))} cells are done")
            return run
        if fresh:
            store.forget(work.missing)
        run.begin(config)
        store.write_plan(once(work.cells))
        for line in corpora.warnings():
            log.warning(line)
        log.info(f"{len(work.missing)} of {len(once(work.cells))} cells to compute in {run.folder}")
        if work.crew is not None:
            compute_cells(work.missing, work.crew, store, log, corpora)
        _conclude(run, config, work, corpora, store, log)
    return run


@dataclass(frozen=True)
class _Planned:
    """The cells of a study, those of them that are missing, and the crew that will compute these."""

    known: KnownModel
    cells: Sequence[Cell]
    missing: Sequence[Cell]
    crew: Crew | None


def _plan(
    assignment: Assignment, known: KnownModel | None, store: CellStore, fresh: bool, hire: Callable[[], Crew]
) -> _Planned:
    """Plan by the model that is remembered; where cells are missing or none is, by the one that a worker loads."""
    config, corpora = assignment.config, assignment.corpora
    if known is not None:
        cells = plan(config, known.identity, corpora)
        if not fresh and not missing_cells(cells, store):
            return _Planned(known, cells, [], None)
    crew = hire()
    known = crew.identify()
    require_neurons(config, known)
    cells = plan(config, known.identity, corpora)
    return _Planned(known, cells, once(cells) if fresh else missing_cells(cells, store), crew)


def missing_cells(cells: Iterable[Cell], store: CellStore) -> list[Cell]:
    """Return the cells that are not done, each once."""
    return [cell for cell in once(cells) if not store.is_done(cell)]


def measurable(config: StudyConfig) -> StudyConfig:
    """Return a study without the measures that what is installed cannot make, and say which these are."""
    if "projection" not in config.measures or importlib.util.find_spec("umap") is not None:
        return config
    logger.warning("no projection: it needs the extra 'plots': pip install 'interlingua[plots]'")
    return config.model_copy(update={"measures": tuple(name for name in config.measures if name != "projection")})


def _conclude(run: Run, config: StudyConfig, work: _Planned, corpora: Corpora, store: CellStore, log: Log) -> None:
    """Write the tables and the manifest of what is done.

    Raises:
        StudyError: Cells failed.
    """
    from interlingua.study.assemble import assemble  # here, since these import torch
    from interlingua.study.cells import TABLES

    experts = store.load(work.cells[0]) if store.is_done(work.cells[0]) else None
    if experts is not None:
        _warn_of_few(experts, config, log)
    with_tables = [cell for cell in work.cells if cell.measure in TABLES and store.is_done(cell)]
    run.write_tables(assemble(config, with_tables, store.load))
    records = [(cell.name, record) for cell in once(work.cells) if (record := store.record(cell.key)) is not None]
    run.write_manifest(manifest_of(config, work.known, corpora, experts, records))
    failed = [(name, record) for name, record in records if record.state == FAILED]
    if failed:
        lacking = sum(record.needed for _, record in failed)
        error = StudyError(run, [(name, own.error) for name, own in failed if not own.needed], lacking)
        log.write(str(error))
        raise error


def _warn_of_few(experts: Experts, config: StudyConfig, log: Log) -> None:
    """Say where fewer neurons than k are above chance."""
    largest = max([*config.k, *config.sweep.k])
    for target in config.targets:
        above = int((experts.auroc[experts.row(target)] > CHANCE).sum())
        if largest > above:
            log.warning(f"only {above:,} neurons are above chance for {target}, fewer than k = {largest:,}")


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
