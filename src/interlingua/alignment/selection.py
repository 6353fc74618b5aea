"""Choosing a recipe by cross-validation inside the probe: fitted on some sentences, scored on others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from interlingua.alignment.covariance import Shrinkage
from interlingua.alignment.methods import CHOOSE_MEAN, NEED_LANGUAGE, SHRUNK, Layers, Recipe, concatenated
from interlingua.alignment.score_file import ScoreFile
from interlingua.errors import InputError
from interlingua.measures.retrieval import find_answers, retrieval
from interlingua.measures.scoring import Scoring
from interlingua.progress import tracked

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


class HeldOut:
    """The top-1 of sentences that a recipe was not fitted on, by cross-validation inside the probe.

    A recipe is scored once, and with a file also only once in several runs.
    """

    def __init__(
        self,
        probe: Layers,
        *,
        folds: int = FOLDS,
        seed: int = 0,
        scorings: Sequence[Scoring] = ("cosine",),
        file: Path | None = None,
    ) -> None:
        """Deal the probe's sentences into folds.

        Args:
            probe: For each layer, for each language, the embeddings of the probe.
            folds: How many folds of sentences.
            seed: Of the folds.
            scorings: What neighbours are near by.
            file: Where scores are kept (`ScoreFile`). It belongs to this probe, these folds and scorings.

        Raises:
            InputError: Fewer than two folds, or fewer than two sentences a fold.
        """
        self.probe = probe
        self.scorings = tuple(scorings)
        self.sentences = len(next(iter(next(iter(probe.values())).values())))
        self.parts = make_folds(self.sentences, folds, seed)
        self._scores = ScoreFile(file)

    def of_folds(self, recipe: Recipe) -> dict[Scoring, list[float]]:
        """Return, for each scoring, the mean top-1 in each fold; NaN where a scoring is not defined."""
        key = str(recipe)
        if key not in self._scores:
            by_fold = [self._in_fold(recipe, held_out) for held_out in self.parts]
            self._scores[key] = {scoring: [fold[scoring] for fold in by_fold] for scoring in self.scorings}
        return self._scores[key]

    def top1(self, recipe: Recipe, scoring: Scoring = "cosine") -> float:
        """Return the mean over the folds."""
        return float(np.mean(self.of_folds(recipe)[scoring]))

    def _in_fold(self, recipe: Recipe, held_out: np.ndarray) -> dict[Scoring, float]:
        needed = {layer: self.probe[layer] for layer in recipe.layers}
        rest = np.setdiff1d(np.arange(self.sentences), held_out)
        alignment = recipe.fit(rows(needed, rest))
        spaces = concatenated(rows(needed, held_out), recipe.layers)
        mapped = alignment.apply_to_spaces(spaces, with_language=recipe.per_language)
        return {scoring: mean_top1_or_nan(mapped, scoring) for scoring in self.scorings}


def mean_top1_or_nan(spaces: Mapping[str, np.ndarray], scoring: Scoring) -> float:
    """Return the mean top-1 over ordered pairs, NaN where the ratio margin is not defined."""
    try:
        answers = find_answers(spaces, scoring=scoring)
    except InputError:
        if scoring != "margin":
            raise
        return float("nan")
    return float(np.mean([own.top1 for (a, b), own in answers.items() if a != b]))


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


def search(
    held_out: HeldOut,
    methods: Sequence[str],
    *,
    scoring: Scoring = "cosine",
    together: int = 3,
    language_free: bool = False,
) -> dict[Recipe, float]:
    """Score recipes on held-out sentences in three rounds.

    Every method in every layer; the best method's shrinkage in its three best layers; those layers concatenated, two
    and three at a time. `simplest_of_the_best` chooses among them.

    Args:
        held_out: The probe in folds.
        methods: Names of `METHODS`.
        scoring: By what candidates are ranked.
        together: How many layers may be concatenated, 1 to 3.
        language_free: Only recipes that need no language at run time.

    Returns:
        The held-out top-1 of each recipe.
    """
    tried: dict[Recipe, float] = {}

    def score(round_: Iterable[Recipe], name: str) -> None:
        new = [recipe for recipe in round_ if recipe not in tried and not (language_free and recipe.per_language)]
        for recipe in tracked(new, name, "recipe"):
            tried[recipe] = held_out.top1(recipe, scoring)

    score(recipes(held_out.probe, methods), "Methods and layers")
    best = max(tried, key=tried.__getitem__)
    own = sorted((r for r in tried if r.method == best.method), key=tried.__getitem__, reverse=True)
    leading = list(dict.fromkeys(recipe.layers[0] for recipe in own))[:3]
    if best.method in SHRUNK:
        score(recipes(leading, [best.method], SHRINKAGES), "Shrinkage")
    best = max(tried, key=tried.__getitem__)
    groups = {tuple(sorted(group)) for count in range(2, together + 1) for group in combinations(leading, count)}
    means = sorted({best.per_language, best.method in NEED_LANGUAGE})
    score([Recipe(best.method, group, mean, best.shrinkage) for group in sorted(groups) for mean in means],
          "Layers together")  # fmt: skip
    return tried


def simplest_of_the_best(tried: dict[Recipe, float]) -> Recipe:
    """Return the best recipe, or a simpler one whose top-1 is lower by no more than `AS_GOOD`."""
    highest = max(tried.values())
    as_good = [recipe for recipe, top1 in tried.items() if top1 >= highest - AS_GOOD]
    return min(as_good, key=lambda recipe: (recipe.per_language, len(recipe.layers), -tried[recipe]))
