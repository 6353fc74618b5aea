"""Experts beside random neurons: each effect of an edit, with its place among draws of random neurons."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from interlingua.analysis.claims import Measured, effects
from interlingua.analysis.claims.effect import Effect
from interlingua.analysis.claims.judge import rank
from interlingua.analysis.schema import EDIT, STEERED, Tables

COLUMNS = [*EDIT, "effect", "match", "experts", "draws", "mean", "lowest", "highest", "p"]

EFFECTS = {"C3": "loss of distance", "C4": "gain from the target", "C5": "gain from others"}
"""The effects that every draw of random neurons is measured for, by the claim that turns on them."""


def controls(tables: Tables, measured: Measured | None = None) -> pd.DataFrame:
    """Compare the effect of experts with those of draws of random neurons.

    Args:
        tables: Of a study: `retrieval` and `geometry`, and of further draws `control_retrieval`, `control_geometry`.
        measured: What `effects` gives of them, where it is at hand.

    Returns:
        A tidy table, a row for each effect, target, kind, k and way of matching: experts (the effect of the edit on
        experts), draws (how many), mean, lowest and highest (over the draws), and p, by rank: (1 + draws at least as
        good) / (draws + 1), so that n draws give no p below 1 / (n + 1). The effects:

        - `loss of distance`: by how much the mean distance between languages falls.
        - `gain from the target`: the mean change of top-1 over candidates, the target being the query.
        - `gain from others`: the mean change of top-1 over pairs whose query is not the target.
    """
    measured = effects(tables) if measured is None else measured
    rows = []
    for claim, name in EFFECTS.items():
        if not isinstance(of_claim := measured[claim], str):
            for experts in [effect for effect in of_claim if effect.match == STEERED]:
                rows.extend(_beside_draws(name, experts, of_claim))
    return pd.DataFrame(rows, columns=COLUMNS)


def _beside_draws(name: str, experts: Effect, measured: Sequence[Effect]) -> list[tuple]:
    edit = (experts.target, experts.kind, experts.k)
    drawn = [e for e in measured if e.match != STEERED and (e.target, e.kind, e.k) == edit]
    rows = []
    for match in dict.fromkeys(effect.match for effect in drawn):
        p, values = rank([experts], [effect for effect in drawn if effect.match == match])
        spread = (values.mean(), values.min(), values.max(), p)
        rows.append((*edit, name, match, experts.value, len(values), *spread))
    return rows
