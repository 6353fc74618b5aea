"""Choosing a recipe by cross-validation inside the probe: fitted on some sentences, scored on others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from interlingua.alignment.covariance import Shrinkage
from interlingua.alignment.methods import CHOOSE_MEAN, METHODS, NEED_LANGUAGE, SHRUNK, Layers, Recipe, concatenated
from interlingua.errors import InputError
from interlingua.measures.retrieval import retrieval
from interlingua.measures.scoring import Scoring
from interlingua.progress import ProgressCallback, silent

SHRINKAGES: tuple[Shrinkage, ...] = (0.001, 0.01, 0.1, 1.0, "ledoit-wolf")
FOLDS = 3
AS_GOOD = 0.002
"""Recipes whose held-out top-1 differ by no more are as good as each other; then the simpler one is taken."""


def mean_top1(table: pd.DataFrame) -> float:
    """Return the mean top-1 accuracy over ordered pairs of different languages of a table of `retrieval`."""
    return float(table.loc[table["query"] != table["candidate"], "top1"].mean())


def evaluate(recipe: Recipe, fit_on: Layers, judge_on: Layers, scoring: Scoring = "cosine") -> pd.DataFrame:
    """Fit a recipe on some embeddings and return `retrieval`'s table of others."""
    alignment = recipe.fit(fit_on)
    spaces = concatenated(judge_on, recipe.layers)
    return retrieval(alignment.apply_to_spaces(spaces, with_language=recipe.per_language), scoring=scoring)


def held_out_top1(recipe: Recipe, probe: Layers, folds: Sequence[np.ndarray], scoring: Scoring = "cosine") -> float:
    """Return the mean top-1 of sentences that a recipe was not fitted on, averaged over the folds."""
    scores = []
    for held_out in folds:
        rest = np.setdiff1d(np.concatenate(folds), held_out)
        needed = {layer: probe[layer] for layer in recipe.layers}
        scores.append(mean_top1(evaluate(recipe, rows(needed, rest), rows(needed, held_out), scoring)))
    return float(np.mean(scores))


def make_folds(sentences: int, folds: int = FOLDS, seed: int = 0) -> list[np.ndarray]:
    """Deal sentences at random into folds of nearly equal size.

    Raises:
        InputError: Fewer than two folds, or fewer than two sentences a fold.
    """
    if not 2 <= folds <= sentences // 2:
        raise InputError(f"{sentences} sentences make 2 to {sentences // 2} folds of two or more, not {folds}")
    return [np.sort(part) for part in np.array_split(np.random.default_rng(seed).permutation(sentences), folds)]


def rows(layers: Layers, kept: np.ndarray) -> dict[int, dict[str, np.ndarray]]:
    """Return some sentences of each layer and language."""
    return {layer: {code: space[kept] for code, space in spaces.items()} for layer, spaces in layers.items()}


def recipes(layers: Iterable[int], methods: Sequence[str], shrinkages: Sequence[Shrinkage] = (0.01,)) -> list[Recipe]:
    """Return every recipe of these layers (each by itself), methods and shrinkages, with either mean."""
    made = []
    for layer in layers:
        for method in methods:
            with_language = [True] if method in NEED_LANGUAGE else [False, True] if method in CHOOSE_MEAN else [False]
            for per_language in with_language:
                for shrinkage in shrinkages if method in SHRUNK else shrinkages[:1]:
                    made.append(Recipe(method, (layer,), per_language, shrinkage))
    return made


def select(
    probe: Layers,
    *,
    methods: Sequence[str] = tuple(method for method in METHODS if method not in NEED_LANGUAGE),
    folds: int = FOLDS,
    seed: int = 0,
    scoring: Scoring = "cosine",
    progress: ProgressCallback = silent,
) -> tuple[Recipe, pd.DataFrame]:
    """Find the recipe whose held-out sentences are retrieved best.

    Three rounds: every method in every layer; the best method's shrinkage in its three best layers; those layers
    concatenated, two and three at a time. A recipe that is not simpler must be better than the best by more than
    `AS_GOOD`: one layer is simpler than several, and the grand mean than each language's.

    Args:
        probe: For each layer, for each language, the embeddings of the probe.
        methods: Which methods to try. Procrustes, which needs a language at run time, only when asked for.
        folds: How many folds of sentences.
        seed: Of the folds.
        scoring: What neighbours are near by.
        progress: Called with the recipes done of each round.

    Returns:
        The recipe, and a table of all that were tried: recipe, method, layers, per_language, shrinkage, top1.
    """
    parts = make_folds(len(next(iter(next(iter(probe.values())).values()))), folds, seed)
    tried: dict[Recipe, float] = {}

    def score(round_: Iterable[Recipe], name: str) -> None:
        new = [recipe for recipe in round_ if recipe not in tried]
        for done, recipe in enumerate(new):
            progress(name, done, len(new))
            tried[recipe] = held_out_top1(recipe, probe, parts, scoring)
        progress(name, len(new), len(new))

    score(recipes(probe, methods), "Methods and layers")
    best = max(tried, key=tried.__getitem__)
    own = sorted((r for r in tried if r.method == best.method), key=tried.__getitem__, reverse=True)
    leading = list(dict.fromkeys(recipe.layers[0] for recipe in own))[:3]
    if best.method in SHRUNK:
        score(recipes(leading, [best.method], SHRINKAGES), "Shrinkage")
    best = max(tried, key=tried.__getitem__)
    groups = {tuple(sorted(leading[:count])) for count in (2, 3) if count <= len(leading)}
    score(
        [Recipe(best.method, group, mean, best.shrinkage) for group in sorted(groups)
         for mean in {best.per_language, best.method in NEED_LANGUAGE}],
        "Layers together",
    )  # fmt: skip
    return _simplest_of_the_best(tried), as_table(tried)


def as_table(tried: dict[Recipe, float]) -> pd.DataFrame:
    """Return scored recipes as a table, the best first."""
    table = pd.DataFrame(
        [
            (str(r), r.method, "+".join(map(str, r.layers)), r.per_language, str(r.shrinkage), top1)
            for r, top1 in tried.items()
        ],
        columns=["recipe", "method", "layers", "per_language", "shrinkage", "top1"],
    )
    return table.sort_values("top1", ascending=False, kind="stable", ignore_index=True)


def _simplest_of_the_best(tried: dict[Recipe, float]) -> Recipe:
    highest = max(tried.values())
    as_good = [recipe for recipe, top1 in tried.items() if top1 >= highest - AS_GOOD]
    return min(as_good, key=lambda recipe: (recipe.per_language, len(recipe.layers), -tried[recipe]))
