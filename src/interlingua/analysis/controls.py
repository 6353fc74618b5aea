"""Experts beside random neurons: each effect of an edit, with its place among draws of random neurons."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from interlingua.analysis.evidence import NotMeasured, changes, retrieval_of, table_of
from interlingua.analysis.schema import DRAW, EDIT, KEYS, ORIGINAL, PRE, RANDOM, STEERED, UNIFORM, Tables, groups

COLUMNS = [*EDIT, "effect", "match", "experts", "draws", "mean", "lowest", "highest", "p"]


def controls(tables: Tables) -> pd.DataFrame:
    """Compare the effect of experts with those of draws of random neurons.

    Args:
        tables: Of a study: `retrieval` and `geometry`, and of further draws `control_retrieval`, `control_geometry`.

    Returns:
        A tidy table, a row for each target, kind, k, effect and way of matching: experts (the effect of the edit on
        experts), draws (how many), mean, lowest and highest (over the draws), and p, by rank: (1 + draws at least as
        good) / (draws + 1), so that n draws give no p below 1 / (n + 1). The effects:

        - `gain from the target`: the mean change of top-1 over candidates, the target being the query.
        - `gain from others`: the mean change of top-1 over pairs whose query is not the target.
        - `distance`: the mean change of the distance between languages; the better the lower.
    """
    rows = []
    for effect, (source, measure, sign) in EFFECTS.items():
        try:
            measured = list(_effects(tables, source, measure))
        except NotMeasured:
            continue
        found = pd.DataFrame(measured, columns=[*DRAW, "value"])
        drawn = found[found.match != STEERED]
        for target, kind, k, _, _, experts in found[found.match == STEERED].itertuples(index=False, name=None):
            of_edit = drawn[(drawn.target == target) & (drawn.kind == kind) & (drawn.k == k)]
            for (match,), draws in groups(of_edit, ["match"]):
                values = draws.value.to_numpy()
                as_good = int((sign * values >= sign * experts).sum())
                spread = values.mean(), values.min(), values.max(), (1 + as_good) / (len(values) + 1)
                rows.append((target, kind, k, effect, match, experts, len(values), *spread))
    return pd.DataFrame(rows, columns=COLUMNS)


def with_random_as_steered(tables: Tables) -> Tables:
    """Return a study's tables in which the first draw of random neurons stands in the place of the experts.

    A claim about experts is worth something only if it does not hold of these.
    """
    swapped = {}
    for name, table in tables.items():
        if "condition" in table and name not in ("paraphrase", "paraphrase_random"):
            kept = table[table.condition != STEERED]
            swapped[name] = kept.assign(condition=kept.condition.replace({RANDOM: STEERED}))
    if "paraphrase" in tables and "paraphrase_random" in tables:
        pre = tables["paraphrase"][tables["paraphrase"].condition == PRE]
        swapped["paraphrase"] = pd.concat([pre, tables["paraphrase_random"]], ignore_index=True)
    return swapped


def _effects(tables: Tables, source: str, measure: Callable[[pd.DataFrame, pd.DataFrame], float]) -> Iterator[tuple]:
    """Yield target, kind, k, match (`steered` for experts), draw and the effect of every edit."""
    table = retrieval_of(tables) if source == "retrieval" else _distances(tables)
    for (condition, *edit), rows in groups(table[table.k > 0], KEYS):
        if condition in (STEERED, RANDOM):
            yield (*edit, STEERED if condition == STEERED else UNIFORM, 0, measure(table, rows))
    if f"control_{source}" in tables:
        further = tables[f"control_{source}"]
        pairs = further["query"] != further.candidate if source == "retrieval" else further.measure == "distance"
        for draw, rows in groups(further[pairs], DRAW):
            yield (*draw, measure(table, rows))


def _distances(tables: Tables) -> pd.DataFrame:
    table = table_of(tables, "geometry", [*KEYS, "measure", "language", "other"], ["value"])
    return table[table.measure == "distance"]


def _gain_from_target(table: pd.DataFrame, rows: pd.DataFrame) -> float:
    return _mean_change(table, rows[rows["query"] == rows.target], ["query", "candidate"], "top1")


def _gain_from_others(table: pd.DataFrame, rows: pd.DataFrame) -> float:
    return _mean_change(table, rows[rows["query"] != rows.target], ["query", "candidate"], "top1")


def _change_of_distance(table: pd.DataFrame, rows: pd.DataFrame) -> float:
    return _mean_change(table, rows, ["language", "other"], "value")


def _mean_change(table: pd.DataFrame, rows: pd.DataFrame, pair: list[str], value: str) -> float:
    return float(np.mean(changes(table[table.condition == ORIGINAL], rows, pair, value).change))


EFFECTS: dict[str, tuple[str, Callable[[pd.DataFrame, pd.DataFrame], float], int]] = {
    "gain from the target": ("retrieval", _gain_from_target, 1),
    "gain from others": ("retrieval", _gain_from_others, 1),
    "distance": ("geometry", _change_of_distance, -1),
}
"""Each effect: the table it is measured in, how, and whether more (1) or less (-1) of it is better."""
