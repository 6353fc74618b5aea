"""Make a session: of a model whose experts are recorded now or loaded, or of a finished run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.alignment import Aligner
from interlingua.corpora import open_corpus
from interlingua.errors import ArtifactError
from interlingua.experts import Experts, find_experts
from interlingua.explore.session import Session
from interlingua.languages import PAPER_PROBE_LANGUAGES, parse_languages
from interlingua.models.neurons import SITES, Site
from interlingua.study.cell_store import CellStore
from interlingua.study.model import load_study_model

if TYPE_CHECKING:
    from interlingua.corpora import ParallelCorpus, Source
    from interlingua.models import LanguageModel
    from interlingua.study import Run

RECORDED: tuple[Site, ...] = ("outputs", "hidden")
FIRST_TARGET, FIRST_K = "spa_Latn", 2000
"""Those of the default study."""

logger = logging.getLogger(__name__)


def open_session(
    model: LanguageModel,
    *,
    corpus: str = "starter",
    languages: Sequence[str] | None = None,
    experts: Sequence[Path] = (),
    texts: str | None = None,
    targets: Sequence[str] = (FIRST_TARGET,),
    k: int = FIRST_K,
    aligner: Path | None = None,
    folder: Path = Path("explored"),
) -> Session:
    """Make a session of a model, whose experts are recorded now unless folders have them.

    Args:
        model: The model.
        corpus: The parallel corpus that experts are found on.
        languages: Those of the probe; by default those of the experts, or the paper's six where the corpus has them,
            else all.
        experts: Folders of experts of this model, one for each site.
        texts: The corpus of running text for perplexity; by default `corpus`.
        targets: The languages that are named first as targets, where there are experts of them.
        k: How many experts an edit has at first.
        aligner: The folder of a map behind the model; by default one is fitted when it is first needed.
        folder: Where exported folders go.

    Raises:
        InterlinguaError: The corpus cannot be read, or experts belong to another model.
    """
    source = open_corpus(corpus)
    loaded = {path: Experts.from_pretrained(path) for path in experts}
    of_sites = _by_site(model, loaded)
    if languages is None:
        languages = _languages_of(source, loaded)
    probe = source.parallel("dev", languages=languages)
    found = {site: loaded[path] for site, path in of_sites.items()} or _find(model, probe)
    known = next(iter(found.values())).languages
    return Session(
        model,
        found,
        probe,
        source.parallel("devtest", languages=languages),
        texts or corpus,
        folder,
        tuple(dict.fromkeys([*(code for code in parse_languages(targets) if code in known), *known])),
        min(k, *(len(of_site.neurons) for of_site in found.values())),
        of_sites,
        None if aligner is None else Aligner.from_pretrained(aligner, model=model),
    )


def session_of_run(
    run: Run, *, device: str = "auto", aligner: Path | None = None, folder: Path = Path("explored")
) -> Session:
    """Make a session of a finished run: of its model, experts, corpora and targets.

    Args:
        run: The study.
        device: Where its model is loaded.
        aligner: The folder of a map behind the model.
        folder: Where exported folders go.

    Raises:
        InterlinguaError: The run keeps no experts, as published ones do not, or its model or corpus cannot be had.
    """
    config = run.config
    folders = CellStore(run.folder).planned_experts()
    if not folders:
        raise ArtifactError(f"'{run.folder}' keeps no experts; run its study.yaml again, or explore its model")
    return open_session(
        load_study_model(config, device).at("outputs"),
        corpus=config.corpus,
        experts=folders,
        texts=config.perplexity.corpus,
        targets=config.targets,
        k=next((k for k in config.all_k if k), FIRST_K),
        aligner=aligner,
        folder=folder,
    )


def _by_site(model: LanguageModel, loaded: Mapping[Path, Experts]) -> dict[Site, Path]:
    """Return the folder of each site's experts.

    Raises:
        ArtifactError: Some are of another model.
    """
    sites = {model.at(site).neurons.fingerprint: site for site in SITES}
    found: dict[Site, Path] = {}
    for path, experts in loaded.items():
        if experts.neurons.fingerprint not in sites:
            made_for = experts.made_from.get("model", "another model")
            raise ArtifactError(f"the experts in '{path}' were found in {made_for}, not in {model.name}")
        found.setdefault(sites[experts.neurons.fingerprint], path)
    return {site: found[site] for site in SITES if site in found}


def _languages_of(source: Source, loaded: Mapping[Path, Experts]) -> tuple[str, ...]:
    """Return the languages of the probe where none are named."""
    there = source.parallel("dev", limit=1).languages
    wanted = next((experts.languages for experts in loaded.values()), PAPER_PROBE_LANGUAGES)
    known = tuple(code for code in wanted if code in there)
    return known if len(known) > 1 else there


def _find(model: LanguageModel, probe: ParallelCorpus) -> dict[Site, Experts]:
    found: dict[Site, Experts] = {}
    for site in RECORDED:
        logger.info("Finding experts among %s", "hidden units" if site == "hidden" else f"the {site} of linear layers")
        found[site] = find_experts(model.at(site), probe, activity=True)
    return found
