"""The search for the best way to align a model: on the probe alone, by cross-validation inside it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from interlingua.alignment.candidate import Candidate
from interlingua.alignment.choose import choose, simplest_of_the_best
from interlingua.alignment.covariance import Shrinkage
from interlingua.alignment.edits import best_edit, screen
from interlingua.alignment.embedded_probe import EmbeddedProbe, Reading
from interlingua.alignment.held_out import HeldOut
from interlingua.alignment.methods import CHOOSE_MEAN, NEED_LANGUAGE, SHRUNK, Recipe
from interlingua.alignment.settings import Settings
from interlingua.measures.embedding import layer_numbers
from interlingua.measures.scoring import N_NEIGHBORS
from interlingua.progress import tracked

SHRINKAGES: tuple[Shrinkage, ...] = (0.001, 0.01, 0.1, 1.0, "ledoit-wolf")
LEADING = 3
"""In how many of a method's best layers its shrinkage is searched, and how many of them may be concatenated."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What `search` found.

    Attributes:
        candidates: All that were scored; `choose` chooses among them.
        edits: The table of the screened interventions (see `edits.screen`); None where none were.
    """

    candidates: list[Candidate]
    edits: pd.DataFrame | None = None


def search(probe: EmbeddedProbe, settings: Settings, *, every_scoring: bool = False) -> Found:
    """Score ways of aligning a model on held-out sentences of the probe.

    First without an intervention. Then interventions are screened on a part of the probe, and those that are best
    behind the chosen method's map and with no map are searched too.

    Args:
        probe: The probe.
        settings: What is tried.
        every_scoring: Whether every candidate is scored by each of the settings' scorings; otherwise the recipe that is
            best by cosine alone, which is all that a choice needs.
    """
    plain = Reading(special_tokens=settings.special_tokens)
    _say_what_is_left_out(probe, settings)
    candidates = score(probe, plain, settings, every_scoring=every_scoring)
    if settings.edits is None:
        return Found(candidates)
    recipe = choose(candidates, settings.tolerance).recipe
    table, edits = screen(
        probe.model, probe.corpus, settings.edits, recipe, layers=probe.layers, scorings=settings.scorings,
        special_tokens=settings.special_tokens, folds=settings.folds, seed=settings.seed,
        file=probe.folder / "scores" / "edits.jsonl",
    )  # fmt: skip
    probe.edits.update(edits)
    methods = tuple(name for name in dict.fromkeys(["identity", recipe.method]) if name in settings.methods)
    asked = table[table.layer.isin(layers_of(probe, settings))]
    for edit in dict.fromkeys(best_edit(asked, method) for method in methods):
        reading = Reading(edit, settings.special_tokens)
        candidates += score(probe, reading, settings, methods=methods, every_scoring=every_scoring)
    return Found(candidates, table)


def score(
    probe: EmbeddedProbe,
    reading: Reading,
    settings: Settings,
    *,
    methods: Sequence[str] | None = None,
    every_scoring: bool = False,
) -> list[Candidate]:
    """Score recipes by a reading; see `search`."""
    layers = layers_of(probe, settings)
    held_out = probe.held_out(reading, layers, settings.scorings if every_scoring else ["cosine"])
    tried = search_recipes(
        held_out, settings.methods if methods is None else methods, max_layers=settings.max_layers,
        language_free=settings.language_free,
    )  # fmt: skip
    scored = {recipe: held_out.of_folds(recipe) for recipe in tried}
    if not every_scoring and len(settings.scorings) > 1:
        others = [scoring for scoring in settings.scorings if scoring != "cosine"]
        recipe = simplest_of_the_best(tried, settings.tolerance)
        scored[recipe] = scored[recipe] | probe.held_out(reading, layers, others).of_folds(recipe)
    return [
        Candidate(recipe, scoring, reading, tuple(of_folds), probe)
        for recipe, by_scoring in scored.items()
        for scoring, of_folds in by_scoring.items()
    ]


def search_recipes(
    held_out: HeldOut, methods: Sequence[str], *, max_layers: int = LEADING, language_free: bool = False
) -> dict[Recipe, float]:
    """Score recipes on held-out sentences, by cosine, in three rounds.

    Every method in every layer; the shrinkage of each method that has one, in its three best layers; the best method in
    those layers concatenated, two and three at a time. `simplest_of_the_best` chooses among them.

    Args:
        held_out: The probe in folds.
        methods: Names of `METHODS`.
        max_layers: How many layers may be concatenated, 1 to 3.
        language_free: Only recipes that need no language at run time.

    Returns:
        The held-out top-1 of each recipe.
    """
    tried: dict[Recipe, float] = {}

    def score_round(recipes: Iterable[Recipe], name: str) -> None:
        new = [recipe for recipe in recipes if recipe not in tried and not (language_free and recipe.per_language)]
        for recipe in tracked(new, name, "recipe"):
            tried[recipe] = held_out.top1(recipe)

    score_round(every_recipe(held_out.probe, methods), "Methods and layers")
    leading = {method: _best_layers(tried, method) for method in methods}
    shrunk = [method for method in methods if method in SHRUNK]
    score_round([r for m in shrunk for r in every_recipe(leading[m], [m], SHRINKAGES)], "Shrinkage")
    best = max(tried, key=tried.__getitem__)
    groups = [group for count in range(2, max_layers + 1) for group in combinations(leading[best.method], count)]
    means = sorted({best.per_language, best.method in NEED_LANGUAGE})
    together = [
        Recipe(best.method, group, mean, best.shrinkage)
        for group in sorted({tuple(sorted(group)) for group in groups})
        for mean in means
    ]
    score_round(together, "Layers together")
    return tried


def every_recipe(
    layers: Iterable[int], methods: Sequence[str], shrinkages: Sequence[Shrinkage] = (0.01,)
) -> list[Recipe]:
    """Return every recipe of these layers (each by itself), methods and shrinkages, with either mean."""
    made = []
    for layer in layers:
        for method in methods:
            with_language = [True] if method in NEED_LANGUAGE else [False, True] if method in CHOOSE_MEAN else [False]
            for per_language in with_language:
                for shrinkage in shrinkages if method in SHRUNK else shrinkages[:1]:
                    made.append(Recipe(method, (layer,), per_language, shrinkage))
    return made


def layers_of(probe: EmbeddedProbe, settings: Settings) -> list[int]:
    """Return the layers that settings ask for, numbered from 0."""
    return list(probe.layers) if settings.layers is None else sorted(layer_numbers(probe.model, settings.layers))


def _say_what_is_left_out(probe: EmbeddedProbe, settings: Settings) -> None:
    smallest = len(probe.corpus) // settings.folds
    for scoring in settings.scorings:
        if (needed := N_NEIGHBORS.get(scoring, 0)) > smallest:
            logger.warning("%s is left out: it needs folds of %d sentences, not %d", scoring, needed, smallest)


def _best_layers(tried: Mapping[Recipe, float], method: str) -> list[int]:
    of_method = sorted((recipe for recipe in tried if recipe.method == method), key=tried.__getitem__, reverse=True)
    return list(dict.fromkeys(recipe.layers[0] for recipe in of_method))[:LEADING]
