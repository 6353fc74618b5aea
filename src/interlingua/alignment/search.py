"""The search for the best way to align a model: on the probe alone, by cross-validation inside it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from interlingua.alignment.blocks import Block, Sif
from interlingua.alignment.candidate import Candidate
from interlingua.alignment.choose import choose, needing_no_language, simplest_of_the_best
from interlingua.alignment.covariance import SHRINKAGE, Shrinkage
from interlingua.alignment.edits import best_edit, screen
from interlingua.alignment.embedded_probe import EmbeddedProbe, Reading
from interlingua.alignment.held_out import HeldOut
from interlingua.alignment.methods import CHOOSE_MEAN, NEED_LANGUAGE, SHRUNK, Recipe
from interlingua.alignment.settings import MAX_BLOCKS, Settings
from interlingua.measures.embedding import layer_numbers
from interlingua.measures.scoring import N_NEIGHBORS
from interlingua.progress import tracked

SHRINKAGES: tuple[Shrinkage, ...] = (0.001, 0.01, 0.1, 1.0, "ledoit-wolf")
SHRINKAGE_MATTERS = ("whitening", "wccn")
"""Methods whose shrinkage is searched."""
LEADING = 3
"""In how many of a method's best layers its shrinkage and means are searched."""
MEANS = dict.fromkeys(CHOOSE_MEAN, (False, True))
FIRST_MEANS = {**MEANS, "wccn": (False,), "weighted-wccn": (False,)}
"""Whether each language's own mean is subtracted. Both WCCNs suppress by themselves what tells languages apart."""
GRAND_MEAN = dict.fromkeys(CHOOSE_MEAN, (False,))

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
        every_scoring: Whether every candidate is scored by each of the settings' scorings. Otherwise only what a choice
            needs is: recipes that need no language at run time, where the method has one, and by other scorings than
            cosine the best of them alone.
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
        held_out, settings.methods if methods is None else methods, max_blocks=settings.max_blocks,
        dimensions=settings.dimensions, per_language=every_scoring,
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
    held_out: HeldOut,
    methods: Sequence[str],
    *,
    max_blocks: int = MAX_BLOCKS,
    dimensions: int | None = None,
    per_language: bool = True,
) -> dict[Recipe, float]:
    """Score recipes on held-out sentences, by cosine, in three rounds.

    Every method in every layer; the shrinkage of each method that is sensitive to it, and the other mean where the
    grand mean is the rule, in its three best layers; then the best recipe with a block more, each that there is, and so
    on. `simplest_of_the_best` chooses among them.

    Args:
        held_out: The probe in folds.
        methods: Names of `METHODS`.
        max_blocks: How many blocks a recipe may have.
        dimensions: To how many dimensions recipes of several blocks are reduced.
        per_language: Whether recipes that need a language at run time are scored where a method does without; they are
            not chosen then.

    Returns:
        The held-out top-1 of each recipe.
    """  # fmt: skip
    tried: dict[Recipe, float] = {}

    def score_round(recipes: Iterable[Recipe], name: str) -> None:
        new = [recipe for recipe in recipes if recipe not in tried]
        for recipe in tracked(new, name, "recipe"):
            tried[recipe] = held_out.top1(recipe)

    layers = [block for block in held_out.probe if not isinstance(block, Sif)]
    first, then = (FIRST_MEANS, MEANS) if per_language else (GRAND_MEAN, GRAND_MEAN)
    score_round(every_recipe(layers, methods, means=first), "Methods and layers")
    refined = []
    for method in methods:
        leading = _best_layers(tried, method)
        refined += every_recipe(leading, [method], SHRINKAGES if method in SHRINKAGE_MATTERS else (SHRINKAGE,), then)
    score_round(refined, "Shrinkage and means")
    best = max(needing_no_language(tried), key=tried.__getitem__)
    for count in range(2, max_blocks + 1):
        more = _with_a_block_more(best, held_out.probe, dimensions)
        if not more:
            break
        score_round(more, f"{count} blocks")
        best = max(more, key=lambda recipe: tried.get(recipe, 0.0))
    return tried


def _with_a_block_more(recipe: Recipe, blocks: Iterable[Block], dimensions: int | None) -> list[Recipe]:
    """Return a recipe with each other block.

    Those are layers that do not adjoin one that it reads, since these say nearly the same, and by SIF its lowest layer,
    which is nearest to the words.
    """
    made = []
    for block in blocks:
        if isinstance(block, Sif):
            if block.layer == recipe.layers[0] and not recipe.sif:
                made.append(replace(recipe, sif=(*recipe.sif, block.layer), dimensions=dimensions))
        elif all(abs(block - layer) > 1 for layer in recipe.layers):
            made.append(replace(recipe, layers=tuple(sorted((*recipe.layers, block))), dimensions=dimensions))
    return made


def every_recipe(
    layers: Iterable[int],
    methods: Sequence[str],
    shrinkages: Sequence[Shrinkage] = (SHRINKAGE,),
    means: Mapping[str, Sequence[bool]] = FIRST_MEANS,
) -> list[Recipe]:
    """Return every recipe of these layers (each by itself), methods, shrinkages and means (whether per language)."""
    made = []
    for layer in layers:
        for method in methods:
            for per_language in means.get(method, [method in NEED_LANGUAGE]):
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
    of_method = needing_no_language(recipe for recipe in tried if recipe.method == method)
    of_method.sort(key=tried.__getitem__, reverse=True)
    return list(dict.fromkeys(recipe.layers[0] for recipe in of_method))[:LEADING]
