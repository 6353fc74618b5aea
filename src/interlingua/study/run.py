"""Run a study: the rooms put together, from a config to a folder of results."""

from __future__ import annotations

import contextlib
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interlingua.corpora import ParallelCorpus, load_corpus
from interlingua.corpora.registry import is_halved
from interlingua.errors import InputError, LanguageError
from interlingua.experts import Experts, find_experts
from interlingua.experts.experts import CHANCE
from interlingua.interventions import Intervention, random_control, set_to_mean
from interlingua.languages import PAPER_LANGUAGES, PAPER_PROBE_LANGUAGES, short_code
from interlingua.measures import embed, geometry, retrieval
from interlingua.models import LanguageModel, load_model
from interlingua.progress import ProgressCallback, silent
from interlingua.study.config import StudyConfig, load_config
from interlingua.study.store import Run

RETRIEVAL = ["condition", "target", "kind", "k", "layer", "query", "candidate", "n", "top1"]


@dataclass(frozen=True)
class Condition:
    """One state of the model: as it is, steered to a target, or with the control for that.

    Attributes:
        name: `original`, `steered` or `random`.
        target: The language steered to; None for the original.
        kind: The method; None for the original.
        k: How many neurons are edited.
        intervention: The edit; None for the original.
    """

    name: str
    target: str | None = None
    kind: str | None = None
    k: int = 0
    intervention: Intervention | None = None

    def columns(self) -> dict[str, Any]:
        """Return the columns that name this condition in a tidy table."""
        return {"condition": self.name, "target": self.target, "kind": self.kind, "k": self.k}

    def title(self) -> str:
        """Return a few words that name this condition for people."""
        steered_to = f" {short_code(self.target)} k={self.k}" if self.target else ""
        return f"{self.name}{steered_to}"


def run_study(
    config: StudyConfig | str | Path,
    out: str | Path | None = None,
    *,
    fresh: bool = False,
    progress: ProgressCallback = silent,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a study and write its folder.

    Recording, the original condition and every other costly part is computed once, kept in the folder, and not
    computed again by a later run of a study that shares it.

    Args:
        config: A config, or the path of a YAML file.
        out: The run folder; by default `runs/<model>-<corpus>`.
        fresh: Compute everything anew.
        progress: Called with what is done.
        say: Called with a line before each part.

    Raises:
        InterlinguaError: Anything that the rooms raise; what was computed before stays in the folder.
    """
    if not isinstance(config, StudyConfig):
        config = load_config(Path(config))
    started = time.monotonic()
    probe, evaluation = _corpora(config)
    run = Run(Path(out) if out is not None else default_folder(config), fresh)
    if is_halved(config.corpus):
        say(
            f"'{config.corpus}' has no splits: the first {len(probe)} lines of each language are the probe, the other "
            f"{len(evaluation)} are evaluated"
        )
    say(f"Loading {config.model}")
    model = load_model(
        config.model,
        device=config.device,
        dtype=config.dtype,
        revision=config.revision,
        trust_remote_code=config.trust_remote_code,
        mlp_endings=config.mlp_endings,
        inner=config.inner,
        say=say,
        progress=progress,
    )
    say(f"{config.model}: {len(model.neurons):,} MLP neurons, {model.dtype} on {model.device}")
    say(f"Probe: {len(probe.languages)} languages x {len(probe)} sentences; evaluation: "
        f"{len(evaluation.languages)} x {len(evaluation)}")  # fmt: skip
    if max(config.k) > len(model.neurons):
        raise InputError(f"k = {max(config.k):,} is more than the {len(model.neurons):,} neurons of {config.model}")
    run.begin()
    experts = run.experts(
        _probe_identity(config, model, probe),
        lambda recording: _find_experts(config, model, probe, recording, progress),
    )
    for target in config.targets:
        above_chance = int((experts.auroc[experts.row(target)] > CHANCE).sum())
        if (largest := max(config.k)) > above_chance:
            say(f"warning: only {above_chance:,} neurons are above chance for {target}, fewer than k = {largest:,}")
    measured = []
    for condition in _conditions(config, model, experts):
        spaces = _spaces(config, run, model, evaluation, condition, progress)
        task = f"Retrieval, {condition.title()}"
        measured.append((condition, retrieval(spaces, progress=progress, task=task), geometry(spaces)))
    run.write_tables(
        {
            "retrieval": _tidy([(c, table.assign(layer=config.layer)) for c, table, _ in measured])[RETRIEVAL],
            "geometry": _tidy([(c, table) for c, _, table in measured]),
            "experts": pd.concat([experts.summary(k) for k in config.k if k]) if any(config.k) else experts.summary(0),
            "overlap": pd.concat([experts.overlap(k) for k in config.k]),
        }
    )
    run.write_config(config)
    run.write_manifest(_manifest(config, model, probe, evaluation, experts, time.monotonic() - started))
    return run


def default_folder(config: StudyConfig) -> Path:
    """Return the folder of a study whose user names none: `runs/<model>-<corpus>`."""
    return Path("runs") / f"{Path(config.model).name}-{Path(config.corpus).name}"


def _corpora(config: StudyConfig) -> tuple[ParallelCorpus, ParallelCorpus]:
    """Return the probe and the evaluation split, with the languages that the study uses."""
    probe = load_corpus(config.corpus, "dev", limit=config.limit)
    evaluation = load_corpus(config.corpus, "devtest", limit=config.limit)
    probed = config.probe_languages or _those_or_all(PAPER_PROBE_LANGUAGES, probe)
    absent = [code for code in config.targets if code not in probe.languages]
    if absent:
        raise LanguageError(
            f"cannot steer to {', '.join(absent)}: corpus '{config.corpus}' has {', '.join(probe.languages)}"
        )
    probed = tuple(dict.fromkeys([*probed, *config.targets]))
    measured = config.languages or _those_or_all(PAPER_LANGUAGES, evaluation)
    measured = tuple(dict.fromkeys([*measured, *config.targets]))
    if len(probed) < 2 or len(measured) < 2:
        raise InputError(f"a study needs at least two languages; corpus '{config.corpus}' gives {', '.join(measured)}")
    return probe.only(probed), evaluation.only(measured)


def _those_or_all(wanted: tuple[str, ...], corpus: ParallelCorpus) -> tuple[str, ...]:
    return wanted if set(wanted) <= set(corpus.languages) else corpus.languages


def _probe_identity(config: StudyConfig, model: LanguageModel, probe: ParallelCorpus) -> dict[str, Any]:
    return {
        **model.identity(),
        "version": version("interlingua"),
        "probe": probe.fingerprint(),
        "languages": probe.languages,
        "pooling": config.pooling,
        "special_tokens": config.special_tokens,
        "max_length": config.max_length,
    }


def _find_experts(
    config: StudyConfig, model: LanguageModel, probe: ParallelCorpus, recording: Path, progress: ProgressCallback
) -> Experts:
    return find_experts(
        model,
        probe,
        pooling=config.pooling,
        special_tokens=config.special_tokens,
        max_length=config.max_length,
        folder=recording,
        progress=progress,
    )


def _conditions(config: StudyConfig, model: LanguageModel, experts: Experts) -> Iterator[Condition]:
    yield Condition("original")
    for target in config.targets:
        for k in config.k:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # said once before
                steered = set_to_mean(experts, target, k)
            control = random_control(steered, model.neurons, config.seed)
            yield Condition("steered", target, steered.kind, k, steered)
            yield Condition("random", target, steered.kind, k, control)


def _spaces(
    config: StudyConfig,
    run: Run,
    model: LanguageModel,
    evaluation: ParallelCorpus,
    condition: Condition,
    progress: ProgressCallback,
) -> dict[str, np.ndarray]:
    """Embed all evaluation languages in one condition: float32 [sentences, dimensions] for each."""
    edit = condition.intervention
    identity = {
        **model.identity(),
        "version": version("interlingua"),
        "evaluation": evaluation.fingerprint(),
        "layer": config.layer,
        "intervention": edit.content_hash() if edit is not None and len(edit) else None,
    }

    def compute() -> dict[str, np.ndarray]:
        sentences = [sentence for code in evaluation.languages for sentence in evaluation[code]]
        with edit.applied_to(model) if edit else contextlib.nullcontext():
            task = f"Embedding, {condition.title()}"
            embedded = embed(model, sentences, layer=config.layer, progress=progress, task=task)
        parts = np.split(embedded, len(evaluation.languages))
        return dict(zip(evaluation.languages, parts, strict=True))

    spaces = run.embeddings(identity, compute)
    return {code: spaces[code] for code in evaluation.languages}


def _tidy(tables: list[tuple[Condition, pd.DataFrame]]) -> pd.DataFrame:
    labelled = []
    for condition, table in tables:
        columns = condition.columns()
        labelled.append(table.assign(**columns)[[*columns, *table.columns]])
    return pd.concat(labelled, ignore_index=True)


def _manifest(
    config: StudyConfig,
    model: LanguageModel,
    probe: ParallelCorpus,
    evaluation: ParallelCorpus,
    experts: Experts,
    seconds: float,
) -> dict[str, Any]:
    return {
        "interlingua": version("interlingua"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "model": {**model.identity(), "device": str(model.device), "mlp_neurons": len(model.neurons)},
        "probe": {
            "corpus": probe.name,
            "languages": list(probe.languages),
            "sentences": len(probe),
            "sha256": probe.fingerprint(),
            "tokens": experts.made_from["tokens"],
            "truncated": experts.made_from["truncated"],
        },
        "evaluation": {
            "corpus": evaluation.name,
            "languages": list(evaluation.languages),
            "sentences": len(evaluation),
            "sha256": evaluation.fingerprint(),
        },
        "seed": config.seed,
        "seconds": round(seconds, 1),
    }
