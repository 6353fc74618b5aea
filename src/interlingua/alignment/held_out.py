"""Cross-validation inside the probe: a recipe is fitted on some sentences and scored on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from interlingua.alignment.blocks import Block
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.methods import Layers, Recipe, concatenated
from interlingua.alignment.score_file import ScoreFile
from interlingua.errors import InputError
from interlingua.measures.retrieval import find_answers
from interlingua.measures.scoring import N_NEIGHBORS, Scoring

FOLDS = 3


class HeldOut:
    """The top-1 of sentences that a recipe was not fitted on, by cross-validation inside the probe.

    A recipe is scored once, and with a file also only once in several runs.

    Args:
        probe: For each layer, for each language, the embeddings of the probe.
        folds: How many folds of sentences.
        seed: Of the folds.
        scorings: How neighbours are scored; one whose neighbourhoods are larger than a fold is left out.
        file: Where scores are kept (`ScoreFile`). It belongs to this probe, these folds and scorings.

    Raises:
        InputError: Fewer than two folds, or fewer than two sentences a fold.
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
        self.probe = probe
        self.sentences = len(next(iter(next(iter(probe.values())).values())))
        self.parts = make_folds(self.sentences, folds, seed)
        smallest = min(map(len, self.parts))
        self.scorings = tuple(scoring for scoring in scorings if N_NEIGHBORS.get(scoring, 0) <= smallest)
        self._scores = ScoreFile(file)
        self._maps: dict[tuple, LinearAlignment] = {}

    def of_folds(self, recipe: Recipe) -> dict[Scoring, list[float]]:
        """Return, for each scoring, the mean top-1 in each fold; NaN where a scoring is not defined."""
        key = str(recipe)
        if key not in self._scores:
            by_fold = [self._in_fold(recipe, fold) for fold in range(len(self.parts))]
            self._scores[key] = {scoring: [fold[scoring] for fold in by_fold] for scoring in self.scorings}
        return self._scores[key]

    def top1(self, recipe: Recipe, scoring: Scoring = "cosine") -> float:
        """Return the mean over the folds."""
        return float(np.mean(self.of_folds(recipe)[scoring]))

    def _in_fold(self, recipe: Recipe, fold: int) -> dict[Scoring, float]:
        needed = {block: self.probe[block] for block in recipe.blocks}
        held_out = self.parts[fold]
        rest = rows(needed, np.setdiff1d(np.arange(self.sentences), held_out))
        alignment = recipe.join(rest, [self._map(recipe, block, rest[block], fold) for block in recipe.blocks])
        spaces = concatenated(rows(needed, held_out), recipe.blocks)
        mapped = alignment.apply_to_spaces(spaces, with_language=recipe.per_language)
        return {scoring: mean_top1_or_nan(mapped, scoring) for scoring in self.scorings}

    def _map(self, recipe: Recipe, block: Block, spaces: Mapping[str, np.ndarray], fold: int) -> LinearAlignment:
        """Return a block's map, which is fitted once for all recipes that have it."""
        key = (recipe.method, recipe.per_language, recipe.shrinkage, block, fold)
        if key not in self._maps:
            self._maps[key] = recipe.fit_block(spaces)
        return self._maps[key]


def mean_top1_or_nan(spaces: Mapping[str, np.ndarray], scoring: Scoring) -> float:
    """Return the mean top-1 over ordered pairs, NaN where the ratio margin is not defined."""
    try:
        answers = find_answers(spaces, scoring=scoring)
    except InputError:
        if scoring != "margin":
            raise
        return float("nan")
    return float(np.mean([answer.top1 for (a, b), answer in answers.items() if a != b]))


def make_folds(sentences: int, folds: int = FOLDS, seed: int = 0) -> list[np.ndarray]:
    """Deal sentences at random into folds of nearly equal size.

    Raises:
        InputError: Fewer than two folds, or fewer than two sentences a fold.
    """
    if not 2 <= folds <= sentences // 2:
        raise InputError(f"{sentences} sentences make 2 to {sentences // 2} folds of two or more, not {folds}")
    return [np.sort(part) for part in np.array_split(np.random.default_rng(seed).permutation(sentences), folds)]


def rows(layers: Layers, kept: np.ndarray) -> dict[Block, dict[str, np.ndarray]]:
    """Return some sentences of each block and language."""
    return {block: {code: space[kept] for code, space in spaces.items()} for block, spaces in layers.items()}
