"""How much of the probe is needed: accuracy by its sentences and by its languages, and on languages absent from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from interlingua.alignment.candidate import Candidate
from interlingua.alignment.held_out import rows
from interlingua.alignment.judge import find_hits
from interlingua.alignment.methods import Layers
from interlingua.progress import tracked


def growth_in_sentences(
    candidate: Candidate,
    probe: Layers,
    evaluation: Layers,
    sizes: Sequence[int],
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Fit on random parts of the probe's sentences, and on two thirds of it; judge on the evaluation split.

    Returns:
        A tidy table: sentences, draw, top1.
    """
    needed = {block: probe[block] for block in candidate.recipe.blocks}
    total = len(next(iter(needed[candidate.recipe.layers[0]].values())))
    wanted = sorted({size for size in (*sizes, round(total * 2 / 3)) if 1 < size < total})
    parts = [(size, draw) for size in wanted for draw in range(draws)] + [(total, 0)]
    table = []
    for size, draw in tracked(parts, "Probe sentences"):
        kept = np.sort(np.random.default_rng([seed, draw]).permutation(total)[:size])
        hits = find_hits(candidate.recipe, rows(needed, kept), evaluation, candidate.scoring)
        table.append((size, draw, hits.top1()))
    return pd.DataFrame(table, columns=["sentences", "draw", "top1"])


def growth_in_languages(candidate: Candidate, probe: Layers, evaluation: Layers, draws: int, seed: int) -> pd.DataFrame:
    """Fit on some of the probe's languages, drawn at random; judge those in the probe, and those absent from it.

    The recipe's form without a language at run time is used, since an absent language has no mean.

    Returns:
        A tidy table: languages (in the probe), draw, group (`all`, `in the probe`: both languages of a pair are,
        `absent`: neither is), pairs, top1.
    """
    recipe = replace(candidate.recipe, per_language=False)
    first = recipe.layers[0]
    probed, judged = list(probe[first]), list(evaluation[first])
    table = []
    parts = [
        (number, draw) for number in _doubling(len(probed)) for draw in range(draws if number < len(probed) else 1)
    ]
    for number, draw in tracked(parts, "Probe languages"):
        order = np.random.default_rng([seed, draw]).permutation(len(probed))
        kept = [probed[i] for i in order[:number]]
        some = {block: {code: probe[block][code] for code in kept} for block in recipe.blocks}
        hits = find_hits(recipe, some, evaluation, candidate.scoring)
        inside = np.array([code in kept for code in judged])
        groups = {"all": hits.pairs, "in the probe": inside[:, None] & inside, "absent": ~inside[:, None] & ~inside}
        for name, chosen in groups.items():
            pairs = hits.pairs & chosen
            if pairs.any():
                table.append((number, draw, name, int(pairs.sum()), hits.top1(pairs)))
    return pd.DataFrame(table, columns=["languages", "draw", "group", "pairs", "top1"])


def _doubling(most: int) -> Iterator[int]:
    number = 2
    while number < most:
        yield number
        number *= 2
    yield most
