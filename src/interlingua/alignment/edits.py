"""Interventions before the map: every kind over k and strength, screened on a part of the probe."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from interlingua.alignment.blocks import layer_of
from interlingua.alignment.embedded_probe import NONE
from interlingua.alignment.held_out import FOLDS, HeldOut
from interlingua.alignment.methods import Layers, Recipe
from interlingua.alignment.score_file import ScoreFile
from interlingua.code_version import results_version
from interlingua.corpora import ENGLISH, ParallelCorpus
from interlingua.errors import InputError
from interlingua.experts import Experts, find_experts
from interlingua.files import sha256_of_json
from interlingua.interventions import INTERVENTIONS, Intervention, edited
from interlingua.interventions.registry import make_intervention
from interlingua.languages import parse_languages
from interlingua.measures.embedding import embed_layers
from interlingua.measures.scoring import Scoring
from interlingua.models import LanguageModel
from interlingua.models.compiling import embedding_identity
from interlingua.progress import tracked

COLUMNS = ["edit", "method", "layer", "scoring", "top1"]


@dataclass(frozen=True)
class EditGrid:
    """Which interventions are screened, and on how much of the probe.

    Attributes:
        kinds: Names of `INTERVENTIONS`.
        k: Numbers of experts, for the kinds that take them; never more than the model has neurons.
        strengths: Of each, in (0, 1].
        targets: The languages steered to; by default English, or the probe's first language where it has none.
        sentences: How many of the probe's sentences are embedded with each edit. They are cross-validated as the whole
            probe is; experts are found on sentences after them.
        expert_sentences: How many of those at most.
        languages: How many of the probe's languages are embedded with each edit.
    """

    kinds: tuple[str, ...] = tuple(INTERVENTIONS)
    k: tuple[int, ...] = (2000,)
    strengths: tuple[float, ...] = (0.5, 1.0)
    targets: tuple[str, ...] = ()
    sentences: int = 100
    expert_sentences: int = 200
    languages: int = 8

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in INTERVENTIONS]
        if not self.kinds:
            raise InputError("name at least one kind of intervention, or try none: edits=None")
        if unknown:
            raise InputError(f"unknown kind '{unknown[0]}'; use {', '.join(INTERVENTIONS)}")
        if not all(0 < strength <= 1 for strength in self.strengths) or not all(k > 0 for k in self.k):
            raise InputError("strengths must lie in (0, 1], and every k must be above 0")

    def parts(self, probe: ParallelCorpus) -> tuple[ParallelCorpus, ParallelCorpus]:
        """Return the sentences that are embedded, and those that experts are found on, without one in common.

        Raises:
            InputError: The probe has too few sentences, or lacks a target.
        """
        embedded = min(self.sentences, len(probe) // 2)
        targets = self.targets_in(probe)
        codes = tuple(dict.fromkeys([*targets, *probe.languages]))[: max(self.languages, len(targets))]
        rest = {
            code: lines[embedded : embedded + self.expert_sentences]
            for code, lines in probe.only(codes).sentences.items()
        }
        return probe.only(codes).first(embedded), ParallelCorpus(probe.name, probe.split, rest)

    def targets_in(self, probe: ParallelCorpus) -> tuple[str, ...]:
        """Return the languages that are steered to."""
        if self.targets:
            return parse_languages(self.targets)
        return (ENGLISH,) if ENGLISH in probe.languages else probe.languages[:1]


def make_edits(experts: Experts, grid: EditGrid, targets: Sequence[str]) -> dict[str, Intervention]:
    """Make every intervention of a grid, by a name that says what it is."""
    made: dict[str, Intervention] = {}
    for kind in grid.kinds:
        parameters = inspect.signature(INTERVENTIONS[kind]).parameters
        numbers = sorted({min(k, len(experts.neurons)) for k in grid.k}) if "k" in parameters else [None]
        named = [None] if parameters["target"].default is not inspect.Parameter.empty else targets
        for target in named:
            for k in numbers:
                whole = make_intervention(kind, experts, target, {} if k is None else {"k": k})
                for strength in grid.strengths:
                    parts = [kind, target or "", f"k = {k:,}" if k else "", f"strength {strength:g}"]
                    made[" ".join(part for part in parts if part)] = whole.with_strength(strength)
    return made


def screen(
    model: LanguageModel,
    probe: ParallelCorpus,
    grid: EditGrid,
    mapped: Recipe,
    *,
    layers: Sequence[int] | None = None,
    scorings: Sequence[Scoring] = ("cosine",),
    special_tokens: bool = False,
    folds: int = FOLDS,
    seed: int = 0,
    file: Path | None = None,
) -> tuple[pd.DataFrame, dict[str, Intervention]]:
    """Score every edit of a grid, and none, on held-out sentences: raw and behind a map, in each layer.

    Args:
        model: The model as it is now.
        probe: The probe.
        grid: Which edits, on how many sentences and languages.
        mapped: The map that is fitted behind each edit, in each layer.
        layers: Hidden states, numbered from 0; by default all.
        scorings: How neighbours are scored.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens.
        folds: Of the embedded sentences.
        seed: Of the folds.
        file: JSON lines in which scores are kept, so that a screening that was stopped goes on.

    Returns:
        A tidy table: edit (`none` for the model as it is), method (`identity` or that of `mapped`), layer, scoring,
        top1 (mean over ordered pairs and folds); and the edits by name.
    """
    screened, others = grid.parts(probe)
    experts = find_experts(model, others)
    edits = make_edits(experts, grid, grid.targets_in(probe))
    known = ScoreFile(file)
    rows: list[tuple] = []
    everything: dict[str, Intervention | None] = {NONE: None, **edits}
    shared = [results_version(), embedding_identity(model), screened.fingerprint(), str(mapped), layers, list(scorings)]
    for name, edit in tracked(everything.items(), "Interventions"):
        key = sha256_of_json([*shared, special_tokens, folds, seed, edit.content_hash() if edit else None])
        if key not in known:
            with edited(model, edit):
                spaces = _embedded(model, screened, layers, special_tokens)
            known[key] = _scores(HeldOut(spaces, folds=folds, seed=seed, scorings=scorings), mapped)
        rows += [(name, *row) for row in known[key]]
    return pd.DataFrame(rows, columns=COLUMNS), edits


def best_edit(table: pd.DataFrame, method: str) -> str:
    """Return the edit whose best layer has the highest top-1 by cosine with a method."""
    best = table[(table.method == method) & (table.scoring == "cosine")].groupby("edit").top1.max()
    return str(best.drop(NONE).idxmax())


def _embedded(
    model: LanguageModel, corpus: ParallelCorpus, layers: Sequence[int] | None, special_tokens: bool
) -> Layers:
    sentences = [sentence for code in corpus.languages for sentence in corpus[code]]
    embedded = embed_layers(model, sentences, layers=layers, special_tokens=special_tokens).of_layer
    return {
        layer: dict(zip(corpus.languages, np.split(space, len(corpus.languages)), strict=True))
        for layer, space in embedded.items()
    }


def _scores(held_out: HeldOut, mapped: Recipe) -> list[tuple[str, int, str, float]]:
    rows = []
    for layer in map(layer_of, held_out.probe):
        then = Recipe(mapped.method, (layer,), mapped.per_language, mapped.shrinkage)
        for recipe in dict.fromkeys([Recipe("identity", (layer,)), then]):
            for scoring in held_out.scorings:
                rows.append((recipe.method, layer, scoring, held_out.top1(recipe, scoring)))
    return rows
