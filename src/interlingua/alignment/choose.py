"""The choice among candidates, by their held-out top-1 alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from interlingua.alignment.candidate import Candidate
from interlingua.alignment.embedded_probe import NONE
from interlingua.alignment.methods import Recipe

TOLERANCE = 0.002
"""Candidates whose held-out top-1 differ by no more are as good as each other; then the simpler one is taken."""


def simplest_of_the_best(tried: Mapping[Recipe, float], tolerance: float = TOLERANCE) -> Recipe:
    """Return the best recipe, or a simpler one whose top-1 is lower by no more than the tolerance.

    Simpler is what encodes faster, which is what reads no high layer: a block more in the same pass costs next to
    nothing. Of the rest it is what has fewer blocks, and so fewer dimensions. What needs a language at run time is not
    returned where anything does not.
    """
    free = needing_no_language(tried)
    highest = max(tried[recipe] for recipe in free)
    as_good = [recipe for recipe in free if tried[recipe] >= highest - tolerance]
    return min(as_good, key=lambda recipe: (recipe.depth, len(recipe.blocks), -tried[recipe]))


def needing_no_language(recipes: Iterable[Recipe]) -> list[Recipe]:
    """Return the recipes that need no language at run time, or all where there are none."""
    recipes = list(recipes)
    return [recipe for recipe in recipes if not recipe.per_language] or recipes


def choose(candidates: Sequence[Candidate], tolerance: float = TOLERANCE) -> Candidate:
    """Choose the recipe by cosine, the simpler of those that are as good, and CSLS only where it is better.

    The ratio margin is not chosen: it is not defined in every space, and so not certain to be on other sentences. An
    edit of the model is not simple, so that it must be better than the best without one. All candidates count special
    tokens, or none does.

    Args:
        candidates: At least those by cosine; the scorings of each edit's best recipe are looked at as well.
        tolerance: What is not simple must be better by more.
    """
    best: dict[str, Candidate] = {}
    for edit in dict.fromkeys(candidate.reading.edit for candidate in candidates):
        of_edit = [candidate for candidate in candidates if candidate.reading.edit == edit]
        recipe = simplest_of_the_best({c.recipe: c.top1 for c in of_edit if c.scoring == "cosine"}, tolerance)
        ways = {c.scoring: c for c in of_edit if c.recipe == recipe}
        by_cosine, by_csls = ways["cosine"], ways.get("csls")
        better = by_csls is not None and by_csls.top1 > by_cosine.top1 + tolerance
        best[edit] = by_csls if by_csls is not None and better else by_cosine
    edited = max((c for edit, c in best.items() if edit != NONE), key=lambda c: c.top1, default=None)
    return edited if edited is not None and edited.top1 > best[NONE].top1 + tolerance else best[NONE]


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
        kind = (candidate.reading, candidate.recipe.method, candidate.scoring, len(candidate.recipe.blocks) > 1)
        kinds = [kind] if candidate.scoring != "cosine" else [kind, (*kind, candidate.recipe.per_language)]
        for name in kinds:
            if name not in best or candidate.top1 > best[name].top1:
                best[name] = candidate
    return list(kept.values()) + [c for c in {c.key: c for c in best.values()}.values() if c.key not in kept]


def candidates_table(candidates: Sequence[Candidate]) -> pd.DataFrame:
    """Return all candidates, the best held-out top-1 first, with the lowest and the highest fold."""
    rows: list[Mapping[str, object]] = [
        {**c.columns(), "lowest_fold": min(c.of_folds), "highest_fold": max(c.of_folds)} for c in candidates
    ]
    return pd.DataFrame(rows).sort_values("held_out", ascending=False, kind="stable", ignore_index=True)
