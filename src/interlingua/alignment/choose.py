"""Candidates, and the choice among them: on the probe alone, by cross-validation inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from interlingua.alignment.edits import NONE
from interlingua.alignment.methods import SHRUNK, Recipe
from interlingua.alignment.selection import AS_GOOD, SHRINKAGES, HeldOut, recipes, search, simplest_of_the_best
from interlingua.measures.scoring import Scoring


class Reading(NamedTuple):
    """How hidden states are read: with which intervention, and whether tokens that the tokenizer adds count."""

    edit: str = NONE
    special_tokens: bool = False


AS_IN_PAPER = Reading(NONE, special_tokens=True)


@dataclass(frozen=True)
class Candidate:
    """What can be judged.

    Attributes:
        recipe: Layers, method, mean, shrinkage.
        scoring: What neighbours are near by.
        reading: How the hidden states are read.
        of_folds: The held-out top-1 of each fold.
    """

    recipe: Recipe
    scoring: Scoring
    reading: Reading
    of_folds: tuple[float, ...]

    @property
    def top1(self) -> float:
        """The held-out top-1."""
        return float(np.mean(self.of_folds))

    @property
    def key(self) -> tuple[Reading, Recipe, Scoring]:
        """What tells it from the others."""
        return self.reading, self.recipe, self.scoring

    def __str__(self) -> str:
        parts = [str(self.recipe)]
        if self.reading.edit != NONE:
            parts.insert(0, f"{self.reading.edit}:")
        if self.reading.special_tokens:
            parts.append("all tokens")
        if self.scoring != "cosine":
            parts.append(f"by {self.scoring}")
        return " ".join(part if part.endswith(":") else f"{part}," for part in parts).rstrip(",")

    def columns(self) -> dict[str, object]:
        """Return the columns that describe it in a table."""
        return {
            "edit": self.reading.edit,
            "special_tokens": self.reading.special_tokens,
            "method": self.recipe.method,
            "layers": "+".join(map(str, self.recipe.layers)),
            "per_language": self.recipe.per_language,
            "shrinkage": str(self.recipe.shrinkage) if self.recipe.method in SHRUNK else "",
            "scoring": self.scoring,
            "held_out": self.top1,
        }


def score_candidates(held_out: HeldOut, methods: Sequence[str], reading: Reading) -> list[Candidate]:
    """Score every layer and method, the shrinkage where one is asked for, layers together, each by every scoring."""
    tried = dict(search(held_out, methods))
    for method in [method for method in methods if method in SHRUNK]:
        own = sorted((r for r in tried if r.method == method), key=tried.__getitem__, reverse=True)
        leading = list(dict.fromkeys(r.layers[0] for r in own if len(r.layers) == 1))[:3]
        for recipe in recipes(leading, [method], SHRINKAGES):
            tried[recipe] = held_out.top1(recipe)
    return [
        Candidate(recipe, scoring, reading, tuple(scores))
        for recipe in tried
        for scoring, scores in held_out.of_folds(recipe).items()
    ]


def choose(candidates: Sequence[Candidate]) -> Candidate:
    """Choose the recipe by cosine, the simpler of those that are as good, and CSLS only where it is better.

    The ratio margin is not chosen: it is not defined in every space, and so not certain to be on other sentences. An
    edit of the model is not simple, so that it must be better than the best without one. All candidates count special
    tokens, or none does.
    """
    best: dict[str, Candidate] = {}
    for edit in dict.fromkeys(candidate.reading.edit for candidate in candidates):
        own = {c.recipe: c.top1 for c in candidates if c.reading.edit == edit and c.scoring == "cosine"}
        recipe = simplest_of_the_best(own)
        ways = {c.scoring: c for c in candidates if c.reading.edit == edit and c.recipe == recipe}
        by_cosine, by_csls = ways["cosine"], ways.get("csls")
        better = by_csls is not None and by_csls.top1 > by_cosine.top1 + AS_GOOD
        best[edit] = by_csls if by_csls is not None and better else by_cosine
    edited = max((c for edit, c in best.items() if edit != NONE), key=lambda c: c.top1, default=None)
    return edited if edited is not None and edited.top1 > best[NONE].top1 + AS_GOOD else best[NONE]


def shortlist(candidates: Sequence[Candidate], chosen: Candidate, raw: Candidate) -> list[Candidate]:
    """Return what is judged on other sentences: the raw last layer, the best of each kind, and the chosen one.

    The best is that of the highest held-out top-1, for each method, scoring and reading, with layers by themselves and
    together. By cosine there is also the best without a language at run time, where that is another.
    """
    kept: dict[tuple, Candidate] = {}
    for candidate in (raw, chosen):
        kept[candidate.key] = candidate
    best: dict[tuple, Candidate] = {}
    for candidate in candidates:
        if np.isnan(candidate.top1):
            continue
        kind = (candidate.reading, candidate.recipe.method, candidate.scoring, len(candidate.recipe.layers) > 1)
        kinds = [kind] if candidate.scoring != "cosine" else [kind, (*kind, candidate.recipe.per_language)]
        for own in kinds:
            if own not in best or candidate.top1 > best[own].top1:
                best[own] = candidate
    return list(kept.values()) + [c for c in {c.key: c for c in best.values()}.values() if c.key not in kept]


def candidates_table(candidates: Sequence[Candidate]) -> pd.DataFrame:
    """Return all candidates, the best held-out top-1 first, with the lowest and the highest fold."""
    rows: list[Mapping[str, object]] = [
        {**c.columns(), "lowest_fold": min(c.of_folds), "highest_fold": max(c.of_folds)} for c in candidates
    ]
    return pd.DataFrame(rows).sort_values("held_out", ascending=False, kind="stable", ignore_index=True)
