"""Run a study: find what is missing, have it computed, and put the tables together."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.errors import InterlinguaError
from interlingua.experts import Experts
from interlingua.experts.statistics import CHANCE
from interlingua.files import sha256_of_json
from interlingua.progress import progress_bar
from interlingua.study.cell_store import FAILED, CellStore
from interlingua.study.cluster import Cluster
from interlingua.study.config import StudyConfig, load_config
from interlingua.study.corpora import Corpora, load_corpora
from interlingua.study.log import StudyLog, study_log
from interlingua.study.manifest import manifest_of
from interlingua.study.model import Checkpoint, KnownModel, require_fits
from interlingua.study.plan import Cell, once, plan
from interlingua.study.store import Run

if TYPE_CHECKING:
    from interlingua.study.computing import Executor

LOG = "study.log"

logger = logging.getLogger(__name__)


class StudyError(InterlinguaError):
    """Cells of a study that failed, while the others were computed.

    Attributes:
        run: The run, with the tables of the cells that are done.
        failures: The name of each failed cell and why; not those that only needed a failed one.
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

    A study whose `device` names several devices starts Ray on them (extra `ray`).

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
    config, asked = measurable(config), config
    checkpoint = Checkpoint.of(config, cluster.address if cluster else None)
    with ExitStack() as stack:
        known, executor = checkpoint.recall(run.folder), None
        if known is None or fresh or missing_cells(plan(config, known.identity, corpora), store):
            from interlingua.study.computing import executor_of  # here, since it imports torch
            from interlingua.study.worker import Assignment

            assignment = Assignment(config, corpora, run.folder.absolute())
            executor = stack.enter_context(executor_of(assignment, cluster))
            known = executor.identify()
            require_fits(config, known)
        cells = plan(config, known.identity, corpora)
        missing = once(cells) if fresh else missing_cells(cells, store)
        stack.enter_context(store.locked())
        log = stack.enter_context(study_log(run.folder / LOG))
        if executor is not None:
            checkpoint.remember(run.folder, known)
        if not missing and run.is_whole(asked) and store.is_planned(once(cells)):
            logger.info("Nothing to do: all %d cells are done", len(once(cells)))
            return run
        if fresh:
            store.forget(missing)
        run.begin(asked)
        store.write_plan(once(cells))
        for line in corpora.warnings():
            logger.warning(line)
        logger.info("%d of %d cells to compute in %s", len(missing), len(once(cells)), run.folder)
        if executor is not None and missing:
            _compute(executor, missing, store, log)
        _conclude(run, _Work(asked, known, cells, corpora), store, log)
    return run


def _compute(executor: Executor, missing: Sequence[Cell], store: CellStore, log: StudyLog) -> None:
    """Have the missing cells computed, under a bar of the tokens that they cost."""
    from interlingua.study.tracker import Tracker

    tokens = executor.tokens(missing)
    with progress_bar("Study", total=sum(tokens.values()), unit="token") as bar:
        executor.compute(missing, Tracker(missing, tokens, store, log, bar))


@dataclass(frozen=True)
class _Work:
    """A study that was computed, with its model, all its cells, and what was read."""

    config: StudyConfig
    known: KnownModel
    cells: Sequence[Cell]
    corpora: Corpora


def missing_cells(cells: Iterable[Cell], store: CellStore) -> list[Cell]:
    """Return the cells that are not done, each once."""
    return [cell for cell in once(cells) if not store.is_done(cell)]


def measurable(config: StudyConfig) -> StudyConfig:
    """Return a study without the measures that what is installed cannot make, and say which these are."""
    if "projection" not in config.measures or importlib.util.find_spec("umap") is not None:
        return config
    logger.warning("no projection: it needs the extra 'plots': pip install 'interlingua[plots]'")
    return config.model_copy(update={"measures": tuple(name for name in config.measures if name != "projection")})


def _conclude(run: Run, work: _Work, store: CellStore, log: StudyLog) -> None:
    """Write the tables and the manifest of what is done.

    Raises:
        StudyError: Cells failed.
    """
    from interlingua.study.assemble import assemble  # here, since these import torch
    from interlingua.study.cells import TABLES

    experts = store.load(work.cells[0]) if store.is_done(work.cells[0]) else None
    if experts is not None:
        _warn_of_few(experts, work.config)
    with_tables = [cell for cell in work.cells if cell.measure in TABLES and store.is_done(cell)]
    run.write_tables(assemble(work.config, with_tables, store.load))
    records = [(cell.name, record) for cell in once(work.cells) if (record := store.record(cell.key)) is not None]
    run.write_manifest(manifest_of(work.config, work.known, work.corpora, experts, records))
    failed = [(name, record) for name, record in records if record.state == FAILED]
    if failed:
        lacking = sum(record.needed for _, record in failed)
        error = StudyError(run, [(name, record.error) for name, record in failed if not record.needed], lacking)
        log.write(str(error))
        raise error


def _warn_of_few(experts: Experts, config: StudyConfig) -> None:
    """Say where fewer neurons than k are above chance."""
    for target in config.targets:
        largest = max([*config.k_of(target), *config.sweep.k])
        above = int((experts.auroc[experts.row(target)] > CHANCE).sum())
        if largest > above:
            logger.warning(
                "only %s neurons are above chance for %s, fewer than k = %s", f"{above:,}", target, f"{largest:,}"
            )


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
